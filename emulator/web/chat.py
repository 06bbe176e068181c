"""POST /v1/chat/completions."""

from __future__ import annotations

from flask import Blueprint, Response, request

from emulator.protocols.chat import ChatRequest, parse_chat
from emulator.protocols.chat_answer import ChatAnswer
from emulator.web.answering import answered
from emulator.web.body import read_body
from emulator.web.facts import passed_facts
from emulator.web.passing import pass_through
from emulator.web.respond import Watched, authorization, emulator

blueprint = Blueprint("chat", __name__)


@blueprint.post("/chat/completions")
def create() -> Response:
    core = emulator()
    raw = read_body(request, core.settings.max_body)
    chat = parse_chat(raw, core.tool_rules)
    watched = Watched()
    watched.fields |= {"stream": chat.stream, "tools": len(chat.tools.tools)}
    if _passes(watched, chat):
        watched.report = passed_facts(core, chat)
        return pass_through(watched, core.with_model(raw, chat), stream=chat.stream)
    return answered(watched, chat, ChatAnswer(chat.include_usage))


def _passes(watched: Watched, chat: ChatRequest) -> bool:
    try:
        return watched.core.passes(chat, authorization(), watched.lifetime)
    except BaseException as error:
        watched.end(error)
        raise
