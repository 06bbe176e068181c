"""Anthropic's protocol in plain HTTP: requests, and what a client makes of a stream, each event judged on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from anthropic.types import RawMessageStreamEvent
from pydantic import TypeAdapter

from tests.live.server import Answer, Server
from tests.live.upstream import MODEL, Json
from tests.specs import MESSAGE, MESSAGE_EVENT, anthropic_problems

MESSAGES, COUNT = "/v1/messages", "/v1/messages/count_tokens"
VERSION = {"anthropic-version": "2023-06-01"}
QUESTION: Json = {"role": "user", "content": "What is the weather like?"}
WEATHER: Json = {
    "name": "get-weather",
    "description": "Current weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city"],
    },
}
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def body(*messages: Json, **fields: Any) -> Json:
    return {"model": MODEL, "max_tokens": 100, "messages": list(messages) or [QUESTION], **fields}


def ask(server: Server, fields: Json, headers: Mapping[str, str] = VERSION, path: str = MESSAGES) -> Answer:
    return server.ask("POST", path, json.dumps(fields).encode(), headers)


def events(answer: Answer) -> list[Json]:
    """A stream's events, each as the SDK and Anthropic's document have it; comments and pings aside."""
    assert answer.headers["content-type"] == "text/event-stream"
    found: list[Json] = []
    for frame in answer.raw.decode().removesuffix("\n\n").split("\n\n"):
        if frame.startswith(":"):
            continue
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        if event["type"] != "ping":
            EVENT.validate_python(event, strict=True)
            assert anthropic_problems(MESSAGE_EVENT, event) == []
            found.append(event)
    return found


def streamed(answer: Answer) -> Json:
    """What a client makes of a stream."""
    start, *rest = events(answer)
    message: Json = start["message"]
    pieces: list[str] = []
    for event in rest:
        match event["type"]:
            case "content_block_start":
                assert event["index"] == len(message["content"])
                message["content"].append(event["content_block"])
                pieces = []
            case "content_block_delta":
                delta = event["delta"]
                if delta["type"] == "signature_delta":
                    message["content"][-1]["signature"] = delta["signature"]
                else:
                    pieces.append(next(delta[key] for key in ("text", "thinking", "partial_json") if key in delta))
            case "content_block_stop":
                block = message["content"][-1]
                said = "".join(pieces)
                block |= {"input": json.loads(said)} if block["type"] == "tool_use" else {block["type"]: said}
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
            case _:
                assert event == {"type": "message_stop"}
    return message


def answered(server: Server, fields: Json, stream: bool, headers: Mapping[str, str] = VERSION) -> Json:
    """The message, whole or put together from a stream."""
    answer = ask(server, fields | ({"stream": True} if stream else {}), headers)
    assert answer.status == 200, answer.raw
    message = streamed(answer) if stream else answer.json
    assert anthropic_problems(MESSAGE, message) == []
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    return message


def words(message: Json) -> str:
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


def calls(message: Json) -> list[tuple[str, Json]]:
    return [(block["name"], block["input"]) for block in message["content"] if block["type"] == "tool_use"]
