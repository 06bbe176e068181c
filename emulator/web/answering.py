"""A turn as an HTTP response, streamed or whole, in whatever protocol its request came."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

import orjson
from flask import Response, request

from emulator.errors import EmulatorError, InvalidRequest
from emulator.protocols.answer import AnswerForm, comment_frame
from emulator.protocols.request import TurnRequest
from emulator.protocols.segments import segmented
from emulator.service import Wishes
from emulator.settings import STRATEGIES
from emulator.turn import Turn
from emulator.web.facts import turn_facts
from emulator.web.headers import named
from emulator.web.respond import Watched, authorization, identified, json_response

STREAM_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def answered(watched: Watched, asked: TurnRequest, form: AnswerForm) -> Response:
    """Raises what the turn raises before its first event; later errors go into the stream."""
    watched.fields |= {"stream": asked.stream, "tools": len(asked.tools.tools)}
    return _stream(watched, asked, form) if asked.stream else _whole(watched, asked, form)


def _whole(watched: Watched, asked: TurnRequest, form: AnswerForm) -> Response:
    turn: Turn | None = None
    try:
        turn = begun_turn(watched, asked)
        body = form.whole(turn.events())
        if watched.core.settings.trace and request.headers.get("X-Emulator-Trace"):
            body["emulator"] = {
                "prompt": turn.trace.questions[0] if turn.trace.questions else None,
                "prompts": turn.trace.questions,
                "raw": turn.trace.answers,
            }
        response = json_response(body)
    except EmulatorError as error:
        _failed(turn, error)
        raise
    watched.end()
    response.headers.update(named(_known_first(turn) | _known_last(turn)))
    return identified(response, watched)


def _stream(watched: Watched, asked: TurnRequest, form: AnswerForm) -> Response:
    turn: Turn | None = None
    try:
        turn = begun = begun_turn(watched, asked)
        frames = answer_frames(begun, form)
        first = next(frames)  # What fails before the first event still has a status of its own.
    except EmulatorError as error:
        _failed(turn, error)
        raise
    response = watched.stream(frames, first, lambda error: comment_frame(_comment(begun)) + form.failure(error))
    response.headers.update(stream_headers(begun))
    return identified(response, watched)


def stream_headers(turn: Turn) -> dict[str, str]:
    """The headers of a stream whose first frame is there."""
    return STREAM_HEADERS | named(_known_first(turn))


def _failed(turn: Turn | None, error: EmulatorError) -> None:
    """An error says what was tried, too."""
    if turn is not None:
        error.headers |= named(_known_first(turn) | _known_last(turn))


def begun_turn(watched: Watched, asked: TurnRequest) -> Turn:
    """The request's turn, with what its headers wish for, about to begin.  Raises InvalidRequest."""
    core = watched.core
    turn = core.turn(asked, authorization(), watched.lifetime, wishes())
    watched.report, watched.tell = turn_facts(core, asked, turn), turn.told
    return turn


def wishes() -> Wishes:
    """What the request's headers ask for.  Raises InvalidRequest."""
    return Wishes(_wish("Final", ("model", "output")), _wish("Strategy", ("auto", *STRATEGIES)))


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
    return told | {"Left": _on_one_line(progress.ladder)} if progress.left else told


def _known_last(turn: Turn) -> dict[str, str]:
    """What is known only when it has ended."""
    return {"Upstream-Calls": str(turn.progress.asked), "Ms": f"{turn.progress.own_ms:.1f}"}


def _on_one_line(text: str) -> str:
    """On one line of ASCII: reasons hold words of models and servers."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in " ".join(text.split()))


def answer_frames(turn: Turn, form: AnswerForm) -> Generator[bytes, None, None]:
    """The turn as ``form`` streams it.  Raises what the turn raises."""
    with closing(turn.events()) as events:
        yield from form.frames(segmented(events, tokens=form.tokens), lambda: _comment(turn))


def _comment(turn: Turn) -> str:
    """What headers say, where they have left already."""
    told = _known_first(turn) | _known_last(turn)
    return "emulator " + " ".join(f"{name.lower()}={_quoted(value)}" for name, value in told.items())
