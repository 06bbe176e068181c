"""POST /v1/chat/completions."""

from __future__ import annotations

from flask import Blueprint, Response, request

from emulator.protocols.chat import parse_chat
from emulator.protocols.chat_answer import ChatAnswer
from emulator.web.answering import answered, wishes
from emulator.web.body import read_body
from emulator.web.facts import passed_facts
from emulator.web.passing import pass_through
from emulator.web.respond import Watched, authorization, emulator

blueprint = Blueprint("chat", __name__)


@blueprint.post("/chat/completions")
def create() -> Response:
    core = emulator()
    raw = read_body(request, core.settings.max_body)
    with Watched() as watched:
        chat = parse_chat(raw, core.tool_rules)
        wishes()  # A wrong one is told also where it changes nothing.
        if not core.passes(chat, authorization(), watched.lifetime):
            return answered(watched, chat, ChatAnswer(chat.include_usage, chat.legacy, chat.customs))
        watched.fields |= {"stream": chat.stream, "tools": 0}
        watched.report = passed_facts(core, core.model_of(chat), stream=chat.stream)
        return pass_through(watched, core.with_model(raw, chat), stream=chat.stream)
