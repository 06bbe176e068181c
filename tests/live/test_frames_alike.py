"""A stream's frames follow from the answer alone: whoever compares, records or replays streams relies on it."""

from __future__ import annotations

import json
import re

import pytest

from tests.code.samples import SAMPLES
from tests.live.server import TIME, WEATHER, Server
from tests.live.upstream import MODEL, Json, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

QUESTION = "What is the weather like?"
ASKED = [{"role": "user", "content": QUESTION}]
SEND: Json = {"name": "send", "parameters": {"type": "object"}}
FUNCTIONS: list[Json] = [WEATHER["function"], SEND, TIME["function"]]
PROTOCOLS: dict[str, tuple[str, Json]] = {
    "chat": (
        "/v1/chat/completions",
        {
            "messages": ASKED,
            "tools": [{"type": "function", "function": tool} for tool in FUNCTIONS],
            "stream_options": {"include_usage": True},
        },
    ),
    "responses": ("/v1/responses", {"input": QUESTION, "tools": [{"type": "function", **tool} for tool in FUNCTIONS]}),
    "messages": (
        "/v1/messages",
        {
            "messages": ASKED,
            "max_tokens": 1000,
            "tools": [
                {"name": tool["name"], "input_schema": tool.get("parameters", {"type": "object"})} for tool in FUNCTIONS
            ],
        },
    ),
}
_RANDOM = re.compile(r"\b(?:call|resp|msg|fc|ctc|rs|toolu|req)_[0-9A-Za-z]{16,}|(?<=\"created_at\":)[0-9.]+")
_SECOND = "That is all there is to say."


def frames(server: Server, path: str, body: Json) -> list[str]:
    """All events, with what is random in them numbered in the order in which it appears."""
    answer = server.ask("POST", path, json.dumps({"model": MODEL, "stream": True} | body).encode())
    assert answer.status == 200, answer.raw
    seen: dict[str, str] = {}
    text = _RANDOM.sub(lambda found: seen.setdefault(found[0], f"<{len(seen)}>"), answer.raw.decode())
    return [frame for frame in text.split("\n\n") if not frame.startswith(":")]


@pytest.mark.parametrize("text", [text for text, _ in SAMPLES.values()], ids=SAMPLES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_frames_do_not_depend_on_the_upstreams_chunks(
    server: Server, scripted: ScriptedUpstream, protocol: str, text: str
) -> None:
    path, body = PROTOCOLS[protocol]
    answered = {"role": "assistant", "content": text}
    found: list[list[str]] = []
    for chunk in (1, 7, 0):
        reply = Reply(text=text, chunk=chunk)
        scripted.script = lambda asked, reply=reply: (
            Reply(text=_SECOND) if answered in asked.body["messages"] else reply
        )
        found.append(frames(server, path, body))
    assert found[0] == found[1] == found[2]
