"""POST /v1/messages and /v1/messages/count_tokens: Anthropic's Messages API."""

from __future__ import annotations

from flask import Blueprint, Response, request

from emulator.protocols.fields import Json
from emulator.protocols.messages import parse_messages
from emulator.web.answering import answered
from emulator.web.body import read_body
from emulator.web.respond import Watched, authorization, emulator, told

blueprint = Blueprint("messages", __name__)


@blueprint.post("/messages")
def create() -> Response:
    core = emulator()
    raw = read_body(request, core.settings.max_body)
    with Watched() as watched:
        asked = parse_messages(raw, core.tool_rules)
        return answered(watched, asked, asked.answer(watched.id))


@blueprint.post("/messages/count_tokens")
def count() -> Response:
    def tokens(watched: Watched) -> Json:
        core = watched.core
        asked = parse_messages(read_body(request, core.settings.max_body), core.tool_rules, counting=True)
        return {"input_tokens": core.prompt_tokens(asked, authorization())}

    return told(tokens)
