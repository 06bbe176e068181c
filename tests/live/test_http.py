"""HTTP as clients, proxies and load balancers use it: kept connections, HEAD, OPTIONS, odd slashes, coded bodies."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, cast
from urllib.parse import urlsplit

import brotli
import pytest

from emulator import __version__
from tests.live.server import CHAT, PARIS, TOOLS, Answer, Server, chat_body, read
from tests.live.upstream import MODEL, PATIENCE, Reply, ScriptedUpstream
from tests.specs import OPENAI_ERROR, openai_problems

pytestmark = pytest.mark.live

WITH_TOOLS = json.dumps(chat_body(tools=TOOLS)).encode()
STREAMED = json.dumps(chat_body(tools=TOOLS, stream=True)).encode()
PASSED = json.dumps(chat_body()).encode()
JSON = {"Content-Type": "application/json"}
ODD = [
    "/v1/chat/completions",
    "/v1/chat/completions/",
    "/chat/completions",
    "/chat/completions/",
    "//v1/chat/completions",
    "/v1//chat/completions",
    "///v1///chat/completions/",
    "//chat/completions",
]


REQUESTS: dict[str, tuple[str, str, bytes | None, Mapping[str, str], int]] = {
    "an answer": ("POST", CHAT, WITH_TOOLS, JSON, 200),
    "a stream": ("POST", CHAT, STREAMED, JSON, 200),
    "one passed through": ("POST", CHAT, PASSED, JSON, 200),
    "no JSON": ("POST", CHAT, b"{", JSON, 400),
    "an unknown path": ("POST", "/v1/nothing", b"x" * 5000, JSON, 404),
    "a wrong method": ("PUT", CHAT, b"x" * 5000, JSON, 405),
    "an unknown coding": ("POST", CHAT, b"x" * 5000, JSON | {"Content-Encoding": "zstd"}, 415),
    "a broken coding": ("POST", CHAT, b"x" * 5000, JSON | {"Content-Encoding": "gzip"}, 400),
    "HEAD": ("HEAD", "/v1/models", None, {}, 200),
    "HEAD of nothing": ("HEAD", "/v1/nothing", None, {}, 404),
    "HEAD of another method's": ("HEAD", CHAT, None, {}, 405),
    "OPTIONS": ("OPTIONS", CHAT, None, {}, 204),
    "health": ("GET", "/health", None, {}, 200),
}


@pytest.mark.parametrize("first", REQUESTS)
def test_a_connection_is_used_again_after_whatever_came(server: Server, scripted: ScriptedUpstream, first: str) -> None:
    """A body that nobody read, or a head without one, must not be taken for the next answer."""
    scripted.script = lambda _: Reply(text=PARIS)
    with closing(server.connect()) as connection:
        local: set[tuple[str, int]] = set()
        for method, path, body, headers, status in (REQUESTS[first], *REQUESTS.values()):
            connection.request(method, path, body, headers)
            local.add(connection.sock.getsockname())
            answer = read(connection.getresponse())
            assert answer.status == status
            assert bool(answer.raw) == (method not in ("HEAD", "OPTIONS"))
        assert len(local) == 1


def test_a_body_that_is_too_large_does_not_spoil_the_connection(strict_server: Server) -> None:
    """The rest of it is read away or the connection closed; http.client then opens another."""
    with closing(strict_server.connect()) as connection:
        for body in (b"x" * 20_001, gzip.compress(bytes(20_001))):
            for _ in range(2):
                coding = {} if body[:1] == b"x" else {"Content-Encoding": "gzip"}
                connection.request("POST", CHAT, body, JSON | coding)
                answer = read(connection.getresponse())
                assert answer.status == 413
                assert answer.error["code"] == "request_too_large"
            connection.request("GET", "/stats")
            assert read(connection.getresponse()).status == 200


def test_requests_sent_ahead_are_answered_in_order(server: Server) -> None:
    parts = urlsplit(server.url)
    ahead = (
        b"GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n"
        b"HEAD /health HTTP/1.1\r\nHost: h\r\n\r\n"
        b"POST /v1/nothing HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port or 80), PATIENCE) as client:
        client.sendall(ahead)
        said = b"".join(iter(lambda: client.recv(65536), b""))
    assert [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]] == [200, 200, 404, 200]


@pytest.mark.parametrize("path", ["/", "/v1", "/health", "/stats", "/v1/stats", "/v1/models", f"/models/{MODEL}/"])
def test_head_is_get_without_its_body(server: Server, scripted: ScriptedUpstream, path: str) -> None:
    get, head = server.ask("GET", path), server.ask("HEAD", path)
    assert (head.status, head.raw) == (get.status, b"") == (200, b"")
    varying = {"date", "x-request-id", "request-id", *(["content-length"] if "stats" in path else [])}
    assert without(head, varying) == without(get, varying)
    assert head.headers["content-length"] != "0"


def without(answer: Answer, names: set[str]) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in names}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (CHAT, "OPTIONS, POST"),
        ("/chat/completions/", "OPTIONS, POST"),
        ("/v1/models", "GET, HEAD, OPTIONS"),
        ("/health", "GET, HEAD, OPTIONS"),
        ("/v1/messages", "OPTIONS, POST"),
        ("/v1/responses/resp_1", "DELETE, GET, HEAD, OPTIONS"),
        ("/v1/embeddings", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
    ],
)
def test_options_tells_the_methods_and_a_wrong_one_is_told_the_same(server: Server, path: str, allowed: str) -> None:
    answer = server.ask("OPTIONS", path)
    assert (answer.status, answer.raw, answer.headers["allow"]) == (204, b"", allowed)
    if "PATCH" not in allowed:
        assert server.ask("PATCH", path).headers["allow"] == allowed


def test_the_root_says_what_this_is_and_what_there_is(server: Server) -> None:
    answer = server.ask("GET", "/")
    assert answer.json["name"] == "tool-use-emulator"
    assert answer.json["version"] == __version__
    assert {CHAT, "/v1/responses", "/v1/messages", "/v1/models", "/health"} <= set(answer.json["paths"])
    assert server.ask("GET", "/v1/").json == answer.json


@pytest.mark.parametrize("path", ODD)
def test_slashes_and_v1_may_be_as_they_like(server: Server, scripted: ScriptedUpstream, path: str) -> None:
    scripted.say(PARIS)
    answer = server.ask("POST", path, WITH_TOOLS)
    assert answer.status == 200
    assert answer.json["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("path", ["/responses", "/messages", "/messages/count_tokens"])
def test_so_may_those_of_the_other_protocols(server: Server, path: str) -> None:
    """What is wrong with the request is told, and not that there is no such path."""
    told = {server.ask("POST", odd + path + end, b"[]").status for odd in ("", "/v1", "//v1/") for end in ("", "/")}
    assert told == {400}


def in_brotli(data: bytes) -> bytes:
    return cast(Any, brotli).compress(data)


def twice(data: bytes) -> bytes:
    return gzip.compress(zlib.compress(data))


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", in_brotli),
        ("deflate, gzip", twice),
    ],
)
@pytest.mark.parametrize("body", [WITH_TOOLS, PASSED], ids=["a turn", "passed through"])
def test_a_coded_body_is_read(
    server: Server, scripted: ScriptedUpstream, body: bytes, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    scripted.say(PARIS)
    answer = server.ask("POST", CHAT, pack(body), {"Content-Encoding": coding})
    assert answer.status == 200
    asked = scripted.question()
    assert "content-encoding" not in asked.headers
    assert "What is the weather like?" in asked.text
    if body == PASSED:
        assert asked.raw == body
        assert asked.headers["content-length"] == str(len(body))


def test_a_coded_body_may_come_in_chunks(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.say(PARIS)
    packed = gzip.compress(WITH_TOOLS)
    answer = server.ask("POST", CHAT, iter([packed[:40], packed[40:]]), {"Content-Encoding": "gzip"})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("coding", "body", "status", "code"),
    [
        ("zstd", b"(\xb5/\xfd", 415, "unsupported_content_encoding"),
        ("gzip", b"no gzip", 400, "invalid_body"),
        ("gzip", gzip.compress(WITH_TOOLS)[:-5], 400, "invalid_body"),
        ("br", b"\xff\xff", 400, "invalid_body"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    server: Server, coding: str, body: bytes, status: int, code: str
) -> None:
    answer = server.ask("POST", CHAT, body, {"Content-Encoding": coding})
    assert (answer.status, answer.error["code"]) == (status, code)
    assert openai_problems(OPENAI_ERROR, answer.json) == []
    if status == 415:
        assert answer.headers["accept-encoding"] == "gzip, deflate, br"
