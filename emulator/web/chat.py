"""POST /v1/chat/completions."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing

import orjson
from flask import Blueprint, Response, request

from emulator.errors import EmulatorError, InvalidRequest
from emulator.protocols.chat import ChatRequest, parse_chat
from emulator.protocols.chat_answer import ChatStream, error_frames, fold
from emulator.service import Wishes
from emulator.settings import STRATEGIES
from emulator.turn import Turn
from emulator.web.body import read_body
from emulator.web.facts import passed_facts, turn_facts
from emulator.web.passing import pass_through
from emulator.web.respond import Watched, emulator, json_response

blueprint = Blueprint("chat", __name__)


@blueprint.post("/chat/completions")
def create() -> Response:
    core = emulator()
    raw = read_body(request, core.settings.max_body)
    chat = parse_chat(raw, core.chat_rules)
    watched = Watched()
    watched.fields |= {"stream": chat.stream, "tools": len(chat.tools.tools)}
    if _passes(watched, chat):
        watched.report = passed_facts(core, chat)
        return pass_through(watched, core.with_model(raw, chat), stream=chat.stream)
    return _stream(watched, chat) if chat.stream else _whole(watched, chat)


def _passes(watched: Watched, chat: ChatRequest) -> bool:
    try:
        return watched.core.passes(chat, request.headers.get("Authorization"), watched.lifetime)
    except BaseException as error:
        watched.end(error)
        raise


def _whole(watched: Watched, chat: ChatRequest) -> Response:
    turn: Turn | None = None
    try:
        turn = _turn(watched, chat)
        body = fold(turn.events())
        if watched.core.settings.trace and request.headers.get("X-Emulator-Trace"):
            body["emulator"] = {
                "prompt": turn.trace.questions[0] if turn.trace.questions else None,
                "prompts": turn.trace.questions,
                "raw": turn.trace.answers,
            }
        response = json_response(body)
    except BaseException as error:
        _failed(watched, turn, error)
        raise
    watched.end()
    response.headers["X-Request-Id"] = watched.id
    response.headers.update(_headers(_known_first(turn) | _known_last(turn)))
    return response


def _stream(watched: Watched, chat: ChatRequest) -> Response:
    turn: Turn | None = None
    try:
        turn = begun = _turn(watched, chat)
        frames = _frames(begun, ChatStream(chat.include_usage))
        first = next(frames)  # What fails before the first event still has a status of its own.
    except BaseException as error:
        _failed(watched, turn, error)
        raise
    response = watched.stream(frames, first, lambda error: b": %s\n\n" % _comment(begun).encode() + error_frames(error))
    response.headers.update(
        {
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-cache",
            "X-Accel-Buffering": "no",
            "X-Request-Id": watched.id,
        }
    )
    response.headers.update(_headers(_known_first(begun)))
    return response


def _failed(watched: Watched, turn: Turn | None, error: BaseException) -> None:
    """An error says what was tried, too."""
    if turn is not None and isinstance(error, EmulatorError):
        error.headers |= _headers(_known_first(turn) | _known_last(turn))
    watched.end(error)


def _turn(watched: Watched, chat: ChatRequest) -> Turn:
    wishes = Wishes(_wish("Final", ("model", "output")), _wish("Strategy", ("auto", *STRATEGIES)))
    core = watched.core
    turn = core.turn(chat, request.headers.get("Authorization"), watched.lifetime, wishes)
    watched.report, watched.tell = turn_facts(core, chat, turn), turn.told
    return turn


def _wish(header: str, choices: tuple[str, ...]) -> str | None:
    value = request.headers.get(f"X-Emulator-{header}")
    if value is None or value in choices:
        return value
    supported = ", ".join(f"'{choice}'" for choice in choices)
    raise InvalidRequest(
        f"Invalid header X-Emulator-{header}: {value[:80]!r}. Supported values are: {supported}.",
        code="invalid_value",
    )


def _headers(told: Mapping[str, str]) -> dict[str, str]:
    return {f"X-Emulator-{name}": value for name, value in told.items()}


def _quoted(value: str) -> str:
    return orjson.dumps(value).decode() if " " in value else value


def _known_first(turn: Turn) -> dict[str, str]:
    """What is known of an answer when it begins."""
    progress = turn.progress
    told = {"Strategy": progress.strategy, "Round": str(progress.round)}
    return told | {"Left": _on_one_line(progress.ladder)} if progress.left else told


def _known_last(turn: Turn) -> dict[str, str]:
    """What is known only when it has ended."""
    return {"Upstream-Calls": str(turn.progress.asked), "Ms": f"{turn.progress.own_ms:.1f}"}


def _on_one_line(text: str) -> str:
    """On one line of ASCII: reasons hold words of models and servers."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in " ".join(text.split()))


def _frames(turn: Turn, stream: ChatStream) -> Generator[bytes, None, None]:
    with closing(turn.events()) as events:
        yield from stream.frames(events, lambda: _comment(turn))


def _comment(turn: Turn) -> str:
    """What headers say, where they have left already."""
    told = _known_first(turn) | _known_last(turn)
    return "emulator " + " ".join(f"{name.lower()}={_quoted(value)}" for name, value in told.items())
