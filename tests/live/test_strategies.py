"""Strategies on a running server: who answers, what the model server is asked, and what is said of those that were left."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.conftest import StartServer
from tests.live.server import CHAT, PARIS, TOOLS, Answer, Server, calls_of, chat_body
from tests.live.upstream import Asked, Json, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

WRONG = '```python\nget_weather(town="Paris")\n```'
DECISION = '{"calls": [{"name": "get-weather", "arguments": {"city": "Paris"}}]}'
CALLED = [("get-weather", {"city": "Paris"})]
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
WANTED = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
PROBES = ("grammar", "structured_outputs", "ebnf", "response_format")


def ask(server: Server, strategy: str | None = None, **fields: Any) -> Answer:
    headers = {"Content-Type": "application/json"}
    if strategy is not None:
        headers["X-Emulator-Strategy"] = strategy
    body = chat_body() | {"tools": TOOLS} | fields
    return server.ask("POST", CHAT, json.dumps(body).encode(), headers)


def asked(scripted: ScriptedUpstream) -> list[Json]:
    """The bodies of all questions so far."""
    bodies: list[Json] = []
    try:
        while True:
            bodies.append(scripted.asked.get_nowait().body)
    except queue.Empty:
        return bodies


class Constraining:
    """Scripts a model server that honours grammars as llama.cpp takes them, and JSON Schemas; answers with ``text``."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, question: Asked) -> Reply:
        body = question.body
        if body.get("max_tokens") != 8:
            return Reply(text=self.text)
        if "grammar" in body:
            return Reply(text=body["grammar"].split('"')[1])
        return Reply(text='{"zqxv": true}' if "response_format" in body else "Hello!")


@pytest.fixture(scope="module")
def probing(start_server: StartServer) -> Iterator[tuple[Server, ScriptedUpstream]]:
    """A server whose store and model server are its own: what it finds out is not the other tests' finding."""
    upstream = ScriptedUpstream()
    yield start_server("--base-url", upstream.url, "--no-check"), upstream
    upstream.shutdown()
    upstream.server_close()


def test_a_failed_strategy_is_left_for_the_next_and_said(server: Server, scripted: ScriptedUpstream) -> None:
    def script(question: Asked) -> Reply:
        return Reply(text=DECISION if '{"calls"' in question.text else WRONG)

    scripted.script = script
    for stream in (False, True):
        answer = ask(server, stream=stream)
        assert answer.status == 200
        if not stream:
            assert calls_of(answer.json["choices"][0]["message"]) == CALLED
            assert "unexpected argument" in answer.headers["x-emulator-left"]
        assert answer.headers["x-emulator-strategy"] == "bridge"
        assert "guided: " in answer.headers["x-emulator-left"]
    assert b": emulator strategy=bridge" in answer.raw and b'left="code: ' in answer.raw
    assert not any(body.keys() & {"tools", "tool_choice"} for body in asked(scripted))
    assert '"strategy":"bridge"' in server.logged() and '"left":"code: ' in server.logged()


@pytest.mark.parametrize("stream", [False, True])
def test_where_all_fail_it_is_said_what_was_tried(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    scripted.script = lambda _: Reply(text=WRONG)
    answer = ask(server, stream=stream)
    assert (answer.status, answer.error["code"]) == (502, "invalid_tool_call")
    assert "code: " in answer.headers["x-emulator-left"] and "bridge: " in answer.headers["x-emulator-left"]
    assert answer.headers["x-emulator-strategy"] == "two_pass"


def test_a_header_says_which(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.script = lambda _: Reply(text=DECISION)
    answer = ask(server, "bridge")
    assert calls_of(answer.json["choices"][0]["message"]) == CALLED
    assert answer.headers["x-emulator-strategy"] == "bridge"
    wrong = ask(server, "magic")
    assert (wrong.status, wrong.error["code"]) == (400, "invalid_value") and "two_pass" in wrong.error["message"]


def test_one_that_is_not_to_be_had_is_an_error_if_it_was_asked_for(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.script = lambda _: Reply(text="Hello!")
    answer = ask(server, "guided")
    assert (answer.status, answer.error["code"]) == (400, "strategy_unavailable")
    assert "grammar" in answer.error["message"]


def test_probes_are_few_small_and_remembered(probing: tuple[Server, ScriptedUpstream]) -> None:
    server, upstream = probing
    upstream.script = Constraining(PARIS)
    assert calls_of(ask(server, "guided").json["choices"][0]["message"]) == CALLED
    *probes, question = asked(upstream)
    assert 1 <= len(probes) <= 5
    assert all(probe["max_tokens"] <= 8 and probe.keys() & {*PROBES} for probe in probes)
    assert "get_weather(" in question["grammar"] and "celsius" in question["grammar"]
    assert calls_of(ask(server, "guided").json["choices"][0]["message"]) == CALLED
    assert len(asked(upstream)) == 1


def test_a_call_that_is_demanded_leaves_no_room_for_words(probing: tuple[Server, ScriptedUpstream]) -> None:
    server, upstream = probing
    upstream.script = Constraining(PARIS)
    named = {"type": "function", "function": {"name": "get-weather"}}
    ask(server, "guided", tool_choice="auto")
    ask(server, "guided", tool_choice="required")
    ask(server, "guided", tool_choice=named)
    auto, required, one = [body["grammar"] for body in asked(upstream) if "get_weather(" in body.get("grammar", "")]
    assert len(required) < len(auto)
    assert "now(" in required and "now(" not in one


def test_the_bridge_is_held_to_the_tools_schemas(probing: tuple[Server, ScriptedUpstream]) -> None:
    server, upstream = probing
    upstream.script = Constraining(DECISION)
    assert calls_of(ask(server, "bridge").json["choices"][0]["message"]) == CALLED
    schema = asked(upstream)[-1]["response_format"]["json_schema"]["schema"]
    assert '"const": "get-weather"' in json.dumps(schema) and '"celsius"' in json.dumps(schema)


def test_an_answer_in_a_format_passes_through_where_it_is_honoured(probing: tuple[Server, ScriptedUpstream]) -> None:
    server, upstream = probing
    upstream.script = Constraining('{"a": 1}')
    answer = ask(server, tools=None, response_format=WANTED)
    assert answer.json["choices"][0]["message"]["content"] == '{"a": 1}'
    assert asked(upstream)[-1]["response_format"] == WANTED


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("tools", [None, TOOLS])
def test_a_format_that_is_not_honoured_is_asked_for_checked_and_repaired(
    server: Server, scripted: ScriptedUpstream, tools: list[Json] | None, stream: bool
) -> None:
    scripted.script = lambda question: Reply(
        text='```json\n{"a": 1}\n```' if "could not be used" in question.text else "Hello!"
    )
    answer = ask(server, tools=tools, response_format=WANTED, stream=stream)
    assert answer.status == 200
    if stream:
        said = "".join(event["choices"][0]["delta"].get("content") or "" for event in answer.events[:-1])
    else:
        said = answer.json["choices"][0]["message"]["content"]
    assert said == '{"a": 1}'
    questions = [body for body in asked(scripted) if body.get("max_tokens") != 8]
    assert not any("response_format" in body for body in questions)
    assert '"required": ["a"]' in json.dumps(questions[0]["messages"]).replace("\\", "")


def test_a_format_whose_schema_is_none_is_the_clients_fault(server: Server, scripted: ScriptedUpstream) -> None:
    wrong = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "nonsense"}}}
    answer = ask(server, response_format=wrong)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (
        400,
        "invalid_json_schema",
        "response_format",
    )


def test_without_probes_nothing_is_probed(start_server: StartServer, scripted: ScriptedUpstream) -> None:
    server = start_server("--base-url", scripted.url, "--no-check", "--probe", "off")
    scripted.script = lambda _: Reply(text="Hello!")
    assert ask(server, "guided").status == 400
    assert ask(server, "two_pass").status == 200
    assert not any(body.get("max_tokens") == 8 for body in asked(scripted))


NATIVE: Json = {
    "id": "chatcmpl-native",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_native",
                        "type": "function",
                        "function": {"name": "get-weather", "arguments": '{"city": "Paris"}'},
                    }
                ],
            },
        }
    ],
}


def test_native_gets_the_request_as_it_came(probing: tuple[Server, ScriptedUpstream]) -> None:
    server, upstream = probing
    upstream.calls_tools = True
    upstream.script = lambda _: Reply(raw=json.dumps(NATIVE).encode())
    answer = ask(server, "native", tool_choice="required")
    assert calls_of(answer.json["choices"][0]["message"]) == CALLED
    assert answer.json["choices"][0]["message"]["tool_calls"][0]["id"] != "call_native", "ids are the server's own"
    [body] = asked(upstream)
    assert body["tools"] == TOOLS and body["tool_choice"] == "required"


def test_native_is_tried_where_a_probe_was_asked_for(start_server: StartServer) -> None:
    upstream = ScriptedUpstream()
    upstream.calls_tools = True
    server = start_server("--base-url", upstream.url, "--no-check", "--probe", "native")

    def script(question: Asked) -> Reply:
        called = json.loads(json.dumps(NATIVE))
        tools = question.body.get("tools")
        if not tools:
            return Reply(text="Hello!")
        function = called["choices"][0]["message"]["tool_calls"][0]["function"]
        if tools[0]["function"]["name"] != "get-weather":
            function |= {"name": tools[0]["function"]["name"], "arguments": "{}"}
        return Reply(raw=json.dumps(called).encode())

    upstream.script = script
    answer = ask(server)
    assert answer.headers["x-emulator-strategy"] == "native"
    assert calls_of(answer.json["choices"][0]["message"]) == CALLED
    upstream.shutdown()
    upstream.server_close()
