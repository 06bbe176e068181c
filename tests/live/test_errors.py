"""What is wrong in a request is said in OpenAI's body and codes: SDKs choose their exceptions by them."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from tests.live.server import CHAT, PARIS, TIME, TOOLS, WEATHER, Answer, Server, chat_body, read
from tests.live.upstream import PATIENCE, Json, ScriptedUpstream

pytestmark = pytest.mark.live

QUESTION = {"role": "user", "content": "What is the weather like?"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "12:00"}


def tool(name: Any = "f", parameters: Any = None) -> Json:
    return {"type": "function", "function": {"name": name, "parameters": parameters or {}}}


def history(*messages: Json) -> Json:
    return {"messages": [QUESTION, *messages]}


WRONG: dict[str, tuple[Json, str | None, str | None]] = {
    "no messages": ({"messages": None}, "messages", "missing_required_parameter"),
    "messages of another type": ({"messages": "hello"}, "messages", "invalid_type"),
    "empty messages": ({"messages": []}, "messages", "empty_array"),
    "a message that is none": ({"messages": ["hello"]}, "messages[0]", "invalid_type"),
    "a role that is none": ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role", "invalid_value"),
    "content of another type": ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content", "invalid_type"),
    "stream of another type": ({"stream": "yes"}, "stream", "invalid_type"),
    "options of another type": ({"stream_options": 1}, "stream_options", "invalid_type"),
    "n of another type": ({"n": "2"}, "n", "invalid_type"),
    "n of nothing": ({"n": 0}, "n", "integer_below_min_value"),
    "parallel_tool_calls of another type": (
        {"tools": TOOLS, "parallel_tool_calls": "no"},
        "parallel_tool_calls",
        "invalid_type",
    ),
    "tools of another type": ({"tools": {}}, "tools", "invalid_type"),
    "empty tools": ({"tools": []}, "tools", "empty_array"),
    "a tool that is none": ({"tools": ["f"]}, "tools[0]", "invalid_type"),
    "a tool of another kind": ({"tools": [{"type": "web_search"}]}, "tools[0].type", "invalid_value"),
    "a tool without function": ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
    "a tool without name": (
        {"tools": [WEATHER, {"type": "function", "function": {}}]},
        "tools[1].function.name",
        "missing_required_parameter",
    ),
    "a name that is none": ({"tools": [tool("get weather!")]}, "tools[0].function.name", "invalid_value"),
    "a name too long": ({"tools": [tool("f" * 65)]}, "tools[0].function.name", "invalid_value"),
    "a name of another type": ({"tools": [tool(3)]}, "tools[0].function.name", "invalid_type"),
    "a name twice": ({"tools": [WEATHER, TIME, WEATHER]}, "tools[2].function.name", "invalid_value"),
    "too many tools": ({"tools": [tool(f"f{i}") for i in range(1025)]}, "tools", "array_above_max_length"),
    "a schema of another type": (
        {"tools": [tool("f", "string")]},
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    "a schema that is no object's": (
        {"tools": [TIME, tool("f", {"type": "string"})]},
        "tools[1].function.parameters",
        "invalid_function_parameters",
    ),
    "a schema with a wrong type": (
        {"tools": [tool("f", {"type": "object", "properties": {"a": {"type": "strnig"}}})]},
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    "a schema with a ref to nowhere": (
        {"tools": [tool("f", {"type": "object", "properties": {"a": {"$ref": "#/$defs/nowhere"}}})]},
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    "a schema with a ref to a file": (
        {"tools": [tool("f", {"type": "object", "properties": {"a": {"$ref": "/etc/passwd"}}})]},
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    "a schema with a broken pattern": (
        {"tools": [tool("f", {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}})]},
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    "a choice that is none": ({"tools": TOOLS, "tool_choice": "always"}, "tool_choice", "invalid_value"),
    "a choice of another type": ({"tools": TOOLS, "tool_choice": 1}, "tool_choice", "invalid_type"),
    "a choice of an unknown function": (
        {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "fly"}}},
        "tool_choice",
        "invalid_value",
    ),
    "a choice without tools": ({"tool_choice": "required"}, "tool_choice", "invalid_value"),
    "an unknown tool allowed": (
        {
            "tools": TOOLS,
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "fly"}}]},
            },
        },
        "tool_choice",
        "invalid_value",
    ),
    "a result without call": (history(RESULT), "messages", None),
    "a result of another call": (history(CALLED, RESULT | {"tool_call_id": "call_2"}), "messages", None),
    "a call without result": (history(CALLED, QUESTION), "messages", None),
    "a result without id": (
        history(CALLED, {"role": "tool", "content": "12:00"}),
        "messages[2].tool_call_id",
        "missing_required_parameter",
    ),
    "a call without name": (
        history({**CALLED, "tool_calls": [{"id": "call_1", "type": "function", "function": {"arguments": "{}"}}]}),
        "messages[1].tool_calls[0].function.name",
        "missing_required_parameter",
    ),
}


@pytest.mark.parametrize(("fields", "param", "code"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_wrong_is_named(
    server: Server, scripted: ScriptedUpstream, fields: Json, param: str | None, code: str | None, stream: bool
) -> None:
    """The path and the code, before the model server is bothered; a stream has not begun yet."""
    answer = server.chat(chat_body() | {"stream": stream} | fields)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert {key: value for key, value in answer.error.items() if key != "message"} == {
        "type": "invalid_request_error",
        "param": param,
        "code": code,
    }
    assert len(answer.error["message"]) < 1000
    assert scripted.asked.empty()


@pytest.mark.parametrize("raw", [b"", b"{", b'{"model": NaN}', b"\xff\xfe", b'{"a": "\\ud800"}', b"[" * 5000])
def test_what_is_not_json_is_refused(server: Server, raw: bytes) -> None:
    """Also bodies made to break a parser."""
    answer = server.chat(raw)
    assert answer.status == 400
    assert answer.error["code"] == "invalid_json"


@pytest.mark.parametrize("raw", [b"[]", b'"hello"', b"null", b"3"])
def test_a_body_that_is_no_object_is_refused(server: Server, raw: bytes) -> None:
    """JSON it is, but no request."""
    answer = server.chat(raw)
    assert answer.status == 400
    assert answer.error["code"] == "invalid_type"


def test_one_bad_schema_does_not_spoil_the_next_request(server: Server, scripted: ScriptedUpstream) -> None:
    """Whatever made the stubs goes on after a schema that it refused."""
    scripted.say(PARIS)
    bad: Json = {"tools": [WEATHER, tool("f", {"type": "object", "properties": {"a": {"type": "strnig"}}})]}
    refused = server.chat(chat_body() | bad)
    assert refused.error["param"] == "tools[1].function.parameters"
    assert "parameters.properties.a.type" in refused.error["message"]
    assert server.chat(tools=[WEATHER]).json["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CHAT, "POST"),
        ("PUT", CHAT, "POST"),
        ("DELETE", "/chat/completions", "POST"),
        ("POST", "/v1/models", "GET"),
        ("POST", "/health", "GET"),
    ],
)
def test_a_wrong_method_is_answered_with_those_allowed(server: Server, method: str, path: str, allowed: str) -> None:
    """405 without Allow is no answer after RFC 9110."""
    answer = server.ask(method, path, b"{}")
    assert answer.status == 405
    assert allowed in answer.headers["allow"]
    assert answer.error["code"] == "method_not_allowed"
    assert answer.error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "path", ["/v1/chat", "/v2/chat/completions", "/v1/files", "/v1/%2e%2e/etc", "/v1/responses/compact"]
)
def test_an_unknown_path_is_not_found(server: Server, path: str) -> None:
    """A wrong base URL is the most frequent mistake of all: the answer is JSON and says what there is."""
    answer = server.ask("POST", path, b"{}")
    assert answer.status == 404
    assert answer.error["code"] == "not_found"
    assert "/v1/chat/completions" in answer.error["message"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "//v1//"])
def test_a_base_url_taken_for_a_path_is_told_what_there_is(server: Server, path: str) -> None:
    answer = server.ask("POST", path, b"{}")
    assert answer.status == 405
    assert "/v1/chat/completions" in answer.error["message"]


def large_body() -> bytes:
    return json.dumps(chat_body("x" * 30_000)).encode()


def pieces(body: bytes) -> Iterator[bytes]:
    for at in range(0, len(body), 1000):
        yield body[at : at + 1000]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large_is_refused(strict_server: Server, scripted: ScriptedUpstream, chunked: bool) -> None:
    """A chunked one, too, whose length nobody declares: WSGI servers hand on what fits as if it were all."""
    body = large_body()
    answer = strict_server.ask("POST", CHAT, pieces(body) if chunked else body)
    assert answer.status == 413
    assert answer.error["code"] == "request_too_large"
    assert "20000" in answer.error["message"]
    assert scripted.asked.empty()


def test_a_chunked_body_within_the_limit_is_read(strict_server: Server, scripted: ScriptedUpstream) -> None:
    """Many HTTP clients stream their bodies."""
    scripted.say(PARIS)
    body = json.dumps(chat_body("x" * 10_000, tools=TOOLS)).encode()
    answer = strict_server.ask("POST", CHAT, pieces(body))
    assert answer.json["choices"][0]["finish_reason"] == "tool_calls"


def exchange(server: Server, request: bytes) -> Answer:
    """Send ``request`` as it is, say no more, and read the answer."""
    host, port = server.url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=PATIENCE)) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(client)
        response.begin()
        return read(response)


HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"Content-Length: 1000\r\n\r\n" + json.dumps(chat_body()).encode(),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}   \r\nzz\r\n",
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n40\r\n{"model": "m"',
    ],
    ids=["shorter than its Content-Length", "a chunk that is none", "a chunk that breaks off"],
)
def test_a_body_that_is_not_whole_is_refused(server: Server, scripted: ScriptedUpstream, request_bytes: bytes) -> None:
    """Half a request must not be answered as if it were one, even where the half is valid JSON."""
    answer = exchange(server, request_bytes)
    assert answer.status == 400
    assert answer.error["type"] == "invalid_request_error"
    assert scripted.asked.empty()


@pytest.mark.parametrize(
    ("method", "path", "body", "coding", "status"),
    [
        ("POST", CHAT, large_body(), None, 413),
        ("POST", "/v1/responses", large_body(), None, 413),
        ("POST", "/v1/messages", b"no gzip", "gzip", 400),
        ("POST", CHAT, b"{}", "zstd", 415),
        ("POST", "/chat/complet\u0131ons", b"{}", None, 404),
        ("GET", CHAT, None, None, 405),
    ],
)
def test_a_request_that_comes_to_nothing_is_logged_too(
    strict_server: Server, method: str, path: str, body: bytes | None, coding: str | None, status: int
) -> None:
    """Once, under the id that its answer has: else whoever looks for it in the log believes that it never came."""
    answer = strict_server.ask(method, quote(path), body, {"Content-Encoding": coding} if coding else None)
    assert answer.status == status
    lines = [json.loads(line) for line in strict_server.logged().splitlines() if answer.headers["x-request-id"] in line]
    [line] = [line for line in lines if line["event"] == "request"]
    assert (line["method"], line["path"], line["status"]) == (method, path, status)
    assert line["reason"]


def test_no_content_type_is_needed(server: Server, scripted: ScriptedUpstream) -> None:
    """curl -d sends a form's; everybody tries it so first."""
    scripted.say(PARIS)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = server.ask("POST", CHAT, json.dumps(chat_body(tools=TOOLS)).encode(), form)
    assert answer.json["choices"][0]["finish_reason"] == "tool_calls"
