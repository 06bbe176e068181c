"""Both modes read the same calls and words from the same answer, however it is cut: peers disagree here most."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.code.reader import Called, Mused, Reading, Said
from tests.code.samples import SAMPLES
from tests.live.server import TIME, WEATHER, Server, calls_of, fold
from tests.live.upstream import Json, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

OPTIONS: Json = {
    "type": "object",
    "properties": {"urgent": {"type": "boolean"}, "copies": {"type": ["integer", "null"]}},
}
SEND: Json = {
    "type": "function",
    "function": {
        "name": "send",
        "description": "Sends something to somebody.",
        "parameters": {
            "type": "object",
            "properties": {"to": {}, "body": {}, "options": {"anyOf": [OPTIONS, {"type": "integer"}]}},
            "additionalProperties": False,
        },
    },
}
TOOLS = [WEATHER, SEND, TIME]
SECOND = "That is all there is to say."


@pytest.mark.parametrize(("text", "readings"), SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("chunk", [1, 7, 0])
def test_plain_equals_stream(
    server: Server, scripted: ScriptedUpstream, text: str, readings: list[Reading], chunk: int
) -> None:
    """Through HTTP, with chunks of one character, of seven, and in one piece; a mere thought is asked about again."""
    reply = Reply(text=text, chunk=chunk)
    answered = {"role": "assistant", "content": text}
    scripted.script = lambda asked: Reply(text=SECOND) if answered in asked.body["messages"] else reply
    calls: list[tuple[str, Any]] = [
        (reading.name, json.loads(reading.arguments)) for reading in readings if isinstance(reading, Called)
    ]
    thoughts = "".join(reading.text for reading in readings if isinstance(reading, Mused))
    words = "".join(reading.text for reading in readings if isinstance(reading, Said)) or ("" if calls else SECOND)
    reason = "tool_calls" if calls else "stop"

    [plain] = server.chat(tools=TOOLS).json["choices"]
    message: Json = plain["message"]
    assert calls_of(message) == calls
    assert (message["content"] or "", message.get("reasoning_content", "")) == (words, thoughts)
    assert plain["finish_reason"] == reason

    [streamed] = fold(server.chat(tools=TOOLS, stream=True)).values()
    assert streamed.named_calls == calls
    assert (streamed.content, streamed.reasoning) == (words, thoughts)
    assert streamed.finish_reason == reason
