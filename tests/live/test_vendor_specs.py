"""Every body and event that a client gets is what the vendor's own OpenAPI document says: clients are made from those."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.live.server import CHAT, PARIS, TOOLS, WEATHER, Answer, Server, chat_body
from tests.live.upstream import MODEL, Json, Reply, ScriptedUpstream
from tests.specs import (
    ANTHROPIC_ERROR,
    ANTHROPIC_MODELS,
    CHAT_CHUNK,
    MESSAGE,
    MESSAGE_EVENT,
    MODELS,
    OPENAI_ERROR,
    RESPONSE,
    RESPONSE_EVENT,
    RESPONSE_ITEMS,
    TOKEN_COUNT,
    anthropic_problems,
    openai_problems,
)
from tests.specs import CHAT as CHAT_ANSWER

pytestmark = pytest.mark.live

PROSE_AND_CALLS = f"I'll look.\n\n{PARIS}"
REPLIES: list[Reply] = [
    Reply(text="Hello."),
    Reply(text=PARIS),
    Reply(text=PROSE_AND_CALLS, reasoning="Which city? Paris."),
    Reply(text="Cut", finish_reason="length"),
    Reply(text="Hello.", usage=None),
]
SENTENCES = ["words", "a call", "all at once", "cut off", "no usage"]


def asked(**fields: Any) -> Json:
    return chat_body(tools=TOOLS, **fields)


@pytest.mark.parametrize("reply", REPLIES, ids=SENTENCES)
def test_a_chat_answer(server: Server, scripted: ScriptedUpstream, reply: Reply) -> None:
    scripted.say(reply)
    answer = server.chat(asked())
    assert answer.status == 200
    assert openai_problems(CHAT_ANSWER, answer.json) == []


@pytest.mark.parametrize("include_usage", [False, True])
@pytest.mark.parametrize("reply", REPLIES, ids=SENTENCES)
def test_a_chat_stream(server: Server, scripted: ScriptedUpstream, reply: Reply, include_usage: bool) -> None:
    scripted.say(reply)
    answer = server.chat(asked(stream=True, stream_options={"include_usage": include_usage}))
    assert answer.events[-1] == "[DONE]"
    for chunk in answer.events[:-1]:
        assert openai_problems(CHAT_CHUNK, chunk) == [], chunk


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reply", REPLIES, ids=SENTENCES)
def test_a_response(server: Server, scripted: ScriptedUpstream, reply: Reply, stream: bool) -> None:
    """With a tool of each kind and a summary of the thoughts; the kept one and its input, too."""
    scripted.say(reply)
    tools = [{"type": "function"} | WEATHER["function"], {"type": "custom", "name": "note"}]
    asked = {"model": MODEL, "input": "Weather?", "tools": tools, "reasoning": {"summary": "auto"}, "stream": stream}
    answer = server.ask("POST", "/v1/responses", json.dumps(asked).encode())
    assert answer.status == 200
    events = data_of(answer) if stream else []
    for event in events:
        assert openai_problems(RESPONSE_EVENT, event) == [], event
    response = events[-1]["response"] if stream else answer.json
    assert openai_problems(RESPONSE, response) == []
    kept = f"/v1/responses/{response['id']}"
    assert openai_problems(RESPONSE, _json(server.ask("GET", kept))) == []
    assert openai_problems(RESPONSE_ITEMS, _json(server.ask("GET", f"{kept}/input_items"))) == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reply", REPLIES, ids=SENTENCES)
def test_a_message(server: Server, scripted: ScriptedUpstream, reply: Reply, stream: bool) -> None:
    scripted.say(reply)
    answer = server.ask("POST", "/v1/messages", json.dumps(message_body(stream=stream)).encode())
    assert answer.status == 200
    if not stream:
        assert anthropic_problems(MESSAGE, answer.json) == []
    for event in data_of(answer) if stream else []:
        if event["type"] != "ping":
            assert anthropic_problems(MESSAGE_EVENT, event) == [], event


def message_body(**fields: Any) -> Json:
    tool = {"name": "get-weather", "input_schema": WEATHER["function"]["parameters"]}
    asking = [{"role": "user", "content": "Weather?"}]
    return {"model": MODEL, "max_tokens": 100, "messages": asking, "tools": [tool], **fields}


def data_of(answer: Answer) -> list[Json]:
    """The data of events that have names, too."""
    lines = [line.removeprefix("data: ") for line in answer.raw.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines]


def test_a_message_s_tokens_and_anthropic_s_models(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.script = lambda _: Reply(status=404, raw=b"{}")
    counted = server.ask("POST", "/v1/messages/count_tokens", json.dumps(message_body()).encode())
    assert anthropic_problems(TOKEN_COUNT, _json(counted)) == []
    listed = server.ask("GET", "/v1/models", headers={"anthropic-version": "2023-06-01"})
    assert anthropic_problems(ANTHROPIC_MODELS, _json(listed)) == []


@pytest.mark.parametrize(("method", "body", "status"), [("POST", b"{", 400), ("POST", b"{}", 400), ("GET", None, 405)])
def test_anthropic_s_errors(server: Server, method: str, body: bytes | None, status: int) -> None:
    answer = server.ask(method, "/v1/messages", body)
    assert answer.status == status
    assert anthropic_problems(ANTHROPIC_ERROR, answer.json) == []


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
def test_a_fault_in_the_middle_of_the_other_streams(server: Server, scripted: ScriptedUpstream, path: str) -> None:
    scripted.say(Reply(text="Some words, and then nothing.", cut=2))
    body = message_body(stream=True) if path.endswith("messages") else {"model": MODEL, "input": "Hi", "stream": True}
    events = data_of(server.ask("POST", path, json.dumps(body).encode()))
    [error] = [event for event in events if event["type"] == "error"]
    if path.endswith("messages"):
        assert anthropic_problems(ANTHROPIC_ERROR, error) == []
    else:
        assert events[-1]["type"] == "response.failed"
        assert [problem for event in events for problem in openai_problems(RESPONSE_EVENT, event)] == []


OPENAI_FAULTS: list[tuple[str, str, bytes | None, Mapping[str, str], int]] = [
    ("POST", CHAT, b"{", {}, 400),
    ("POST", CHAT, b'{"model": "m", "messages": [], "tools": []}', {}, 400),
    ("POST", CHAT, json.dumps(asked()).encode(), {"X-Emulator-Strategy": "magic"}, 400),
    ("GET", CHAT, None, {}, 405),
    ("GET", "/v1/nothing", None, {}, 404),
    ("GET", "/v1/models/nobody", None, {}, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), OPENAI_FAULTS)
def test_openai_s_errors(
    server: Server, method: str, path: str, body: bytes | None, headers: Mapping[str, str], status: int
) -> None:
    answer = server.ask(method, path, body, headers)
    assert answer.status == status
    assert openai_problems(OPENAI_ERROR, answer.json) == []


def test_a_fault_of_the_model_server_and_one_in_the_middle_of_a_stream(
    server: Server, scripted: ScriptedUpstream
) -> None:
    scripted.say(Reply(status=500, raw=b"oops"), Reply(text="Some words, and then nothing.", cut=2))
    assert openai_problems(OPENAI_ERROR, server.chat(asked()).json) == []
    broken = server.chat(asked(stream=True))
    [error] = [event for event in broken.events[:-1] if "error" in event]
    assert openai_problems(OPENAI_ERROR, error) == []


def test_the_list_of_models(server: Server, scripted: ScriptedUpstream) -> None:
    assert openai_problems(MODELS, _json(server.ask("GET", "/v1/models"))) == []


def _json(answer: Answer) -> Json:
    assert answer.status == 200
    return answer.json
