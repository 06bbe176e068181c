"""Requests of the Responses API, and their answers as far as OpenAI has nothing against them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from emulator.events import Event, Head, UsageTotal
from emulator.protocols.declared import ToolRules
from emulator.protocols.responses import ResponsesRequest, parse_responses, read_responses
from emulator.protocols.responses_answer import ResponsesAnswer
from emulator.protocols.responses_items import Past
from tests.protocols.openai_events import event_problems, events_of, response_problems

Json = dict[str, Any]

KEY = "0123456789abcdef01234567"
USAGE: Json = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
HEAD = Head({"id": "chatcmpl-1", "model": "real-model", "created": 1})
END = UsageTotal(USAGE)
TOOLS: list[Json] = [
    {"type": "function", "name": "f", "parameters": {"type": "object"}},
    {"type": "custom", "name": "shout"},
    {"type": "namespace", "name": "crm", "description": "C.", "tools": [{"type": "function", "name": "g"}]},
]
FORMAT: Json = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}


def asked(**fields: Any) -> ResponsesRequest:
    raw = orjson.dumps({"model": "m", "input": "hi", "tools": TOOLS} | fields)
    return parse_responses(read_responses(raw), Past(), ToolRules())


def streamed(events: Sequence[Event], **fields: Any) -> list[Json]:
    """The events; OpenAI has nothing against any of them."""
    frames = b"".join(ResponsesAnswer(asked(**fields), KEY, 1000).frames(events, lambda: "told"))
    found = events_of(frames)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert [problem for event in found for problem in event_problems(event)] == []
    return found


def whole(events: Sequence[Event], **fields: Any) -> Json:
    response = ResponsesAnswer(asked(**fields), KEY, 1000).whole(events)
    assert response_problems(response) == []
    return response


def message(index: int, text: str, **more: Any) -> Json:
    """An item of words."""
    content: list[Json] = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    item: Json = {"id": f"msg_{KEY}{index:x}", "type": "message", "status": "completed", "role": "assistant"}
    return item | {"content": content} | more
