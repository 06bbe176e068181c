"""OpenAI's Responses API: POST /v1/responses, and the answers that are kept."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from itertools import chain
from queue import Queue

from flask import Blueprint, Response, request
from werkzeug.routing import BaseConverter

from emulator.errors import InvalidRequest
from emulator.programs import owner_of
from emulator.protocols.answer import comment_frame
from emulator.protocols.fields import Json
from emulator.protocols.responses import ResponsesRequest, parse_responses, read_responses, unkept
from emulator.protocols.responses_answer import ResponsesAnswer
from emulator.protocols.responses_listing import item_list
from emulator.protocols.responses_replay import Replay
from emulator.stored_responses import StoredResponse, kept_input
from emulator.turn import Turn
from emulator.web.answering import STREAM_HEADERS, answer_frames, answered, begun_turn, stream_headers
from emulator.web.background import LOOK_SECONDS, Background
from emulator.web.body import read_body
from emulator.web.respond import Watched, authorization, emulator, identified, json_response, told

blueprint = Blueprint("responses", __name__)


class ResponseConverter(BaseConverter):
    """A response's id in a path: not what the API has in its place, whether it is offered here or not."""

    regex = r"(?!(?:compact|input_tokens)$)[^/]+"


_GRACE_SECONDS = 60.0
"""How much later than its time runs out a response in the background counts as lost with its process."""


@blueprint.post("/responses")
def create() -> Response:
    core, owner = emulator(), _owner()
    raw = read_body(request, core.settings.max_body)
    with Watched() as watched:
        asked = _asked(raw)
        if asked.store and not core.settings.response_seconds:
            asked = unkept(asked)
        key, created = core.ids.new(""), int(time.time())
        if not asked.store:
            return answered(watched, asked, ResponsesAnswer(asked, key, created))
        record = StoredResponse({}, kept_input(asked, key), created + core.settings.timeout + _GRACE_SECONDS)
        if asked.background:
            return _in_background(watched, asked, key, created, record)

        def keep(response: Json) -> None:
            core.responses.try_keep(owner, replace(record, response=response))

        return answered(watched, asked, ResponsesAnswer(asked, key, created, keep))


@blueprint.post("/responses/input_tokens")
def count() -> Response:
    def tokens(watched: Watched) -> Json:
        asked = _asked(read_body(request, watched.core.settings.max_body))
        return {
            "object": "response.input_tokens",
            "input_tokens": watched.core.prompt_tokens(asked, authorization()),
        }

    return told(tokens)


@blueprint.get("/responses/<response:identifier>")
def retrieve(identifier: str) -> Response:
    stream = request.args.get("stream", "false")
    if stream == "true":
        return _told_again(identifier)
    if stream != "false":
        raise InvalidRequest(
            f"Invalid 'stream': {stream[:80]!r}. Supported values are: 'true' and 'false'.",
            param="stream",
            code="invalid_value",
        )
    return told(lambda watched: watched.core.responses.get(_owner(), identifier).response)


@blueprint.delete("/responses/<response:identifier>")
def delete(identifier: str) -> Response:
    def deleted(watched: Watched) -> Json:
        watched.core.responses.delete(_owner(), identifier)
        return {"id": identifier, "object": "response", "deleted": True}

    return told(deleted)


@blueprint.get("/responses/<response:identifier>/input_items")
def input_items(identifier: str) -> Response:
    return told(lambda watched: item_list(watched.core.responses.get(_owner(), identifier).input, request.args))


@blueprint.post("/responses/<response:identifier>/cancel")
def cancel(identifier: str) -> Response:
    return told(lambda watched: watched.core.responses.cancel(_owner(), identifier))


def _asked(raw: bytes) -> ResponsesRequest:
    """Raises InvalidRequest, NotFound, StoreUnavailable."""
    core = emulator()
    draft = read_responses(raw)
    past = core.responses.past(_owner(), draft.previous, draft.named)
    return parse_responses(draft, past, core.tool_rules)


def _owner() -> str:
    return owner_of(authorization())


def _in_background(
    watched: Watched, asked: ResponsesRequest, key: str, created: int, record: StoredResponse
) -> Response:
    queued = ResponsesAnswer(asked, key, created).response("queued")
    work = Background(watched, watched.core.responses, _owner(), replace(record, response=queued))
    form = ResponsesAnswer(asked, key, created, work.keep)
    watched.fields |= {"stream": asked.stream, "tools": len(asked.tools.tools), "background": True}
    turn = begun_turn(watched, asked)
    if asked.stream:
        return _listening(watched, turn, form, work)
    work.start(answer_frames(turn, form), form)
    return identified(json_response(queued), watched)


def _listening(watched: Watched, turn: Turn, form: ResponsesAnswer, work: Background) -> Response:
    """Raises StoreUnavailable."""
    made: Queue[bytes | None] = Queue()
    work.start(answer_frames(turn, form), form, made.put)
    frames = iter(made.get, None)
    response = Response(chain([next(frames)], frames))
    response.headers.update(stream_headers(turn))
    return identified(response, watched)


def _told_again(identifier: str) -> Response:
    """A kept response as a stream; of one under way, the end is waited for."""
    with Watched(works=False) as watched:
        watched.fields["stream"] = True
        replay = Replay(_after())
        stored = watched.core.responses.get(_owner(), identifier)
        head = comment_frame(f"emulator status={stored.response['status']}")
        response = watched.stream(_story(watched, stored, replay, _owner()), head, replay.failure)
    response.headers.update(STREAM_HEADERS)
    return identified(response, watched)


def _after() -> int:
    """The number of the last event that the client knows; -1 if it knows none."""
    given = request.args.get("starting_after")
    if given is None:
        return -1
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise InvalidRequest(
            f"Invalid 'starting_after': {given[:80]!r}. Expected the sequence number of an event.",
            param="starting_after",
            code="invalid_value",
        )
    return int(given)


def _story(watched: Watched, stored: StoredResponse, replay: Replay, owner: str) -> Generator[bytes, None, None]:
    """Raises ClientGone, UpstreamTimeout, NotFound, StoreUnavailable."""
    yield from replay.opening(stored.response)
    while stored.under_way:
        time.sleep(min(LOOK_SECONDS, watched.lifetime.remaining()))
        stored = watched.core.responses.get(owner, stored.response["id"])
    yield from replay.rest(stored.response)
