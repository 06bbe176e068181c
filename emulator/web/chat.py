"""POST /v1/chat/completions."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

import orjson
from flask import Blueprint, Response, request

from emulator.errors import InvalidRequest
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
    try:
        turn = _turn(watched, chat)
        body = fold(turn.events())
        watched.fields |= turn.told()
        if watched.core.settings.trace and request.headers.get("X-Emulator-Trace"):
            body["emulator"] = {
                "prompt": turn.trace.questions[0] if turn.trace.questions else None,
                "prompts": turn.trace.questions,
                "raw": turn.trace.answers,
            }
        response = json_response(body)
    except BaseException as error:
        watched.end(error)
        raise
    watched.end()
    response.headers["X-Request-Id"] = watched.id
    for name, value in (_known_first(turn) | _known_last(turn)).items():
        response.headers[f"X-Emulator-{name}"] = value
    return response


def _stream(watched: Watched, chat: ChatRequest) -> Response:
    try:
        turn = _turn(watched, chat)
        frames = _frames(watched, turn, ChatStream(chat.include_usage))
        first = next(frames)  # What fails before the first event still has a status of its own.
    except BaseException as error:
        watched.end(error)
        raise
    response = watched.stream(frames, first, error_frames)
    response.headers.update(
        {
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-cache",
            "X-Accel-Buffering": "no",
            "X-Request-Id": watched.id,
        }
    )
    for name, value in _known_first(turn).items():
        response.headers[f"X-Emulator-{name}"] = value
    return response


def _turn(watched: Watched, chat: ChatRequest) -> Turn:
    wishes = Wishes(_wish("Final", ("model", "output")), _wish("Strategy", ("auto", *STRATEGIES)))
    core = watched.core
    turn, stubs = core.turn(chat, request.headers.get("Authorization"), watched.lifetime, wishes)
    watched.report = turn_facts(core, chat, turn, stubs)
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


def _quoted(value: str) -> str:
    return orjson.dumps(value).decode() if " " in value else value


def _known_first(turn: Turn) -> dict[str, str]:
    """What is known of an answer when it begins."""
    progress = turn.progress
    told = {"Strategy": progress.strategy, "Round": str(progress.round)}
    return told | {"Left": _header_safe(progress.ladder)} if progress.left else told


def _known_last(turn: Turn) -> dict[str, str]:
    """What is known only when it has ended."""
    return {"Upstream-Calls": str(turn.progress.asked), "Ms": f"{turn.progress.own_ms:.1f}"}


def _header_safe(text: str) -> str:
    """On one line of ASCII: reasons hold words of models and servers."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in " ".join(text.split()))


def _frames(watched: Watched, turn: Turn, stream: ChatStream) -> Generator[bytes, None, None]:
    def comment() -> str:
        told = _known_first(turn) | _known_last(turn)
        return "emulator " + " ".join(f"{name.lower()}={_quoted(value)}" for name, value in told.items())

    with closing(turn.events()) as events:
        yield from stream.frames(events, comment)
    watched.fields |= turn.told()
