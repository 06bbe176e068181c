"""Everything a model server can answer arrives here for real: both forms, refusals, errors, garbage.

test_under_gevent.py runs this module once more in gevent's monkey-patched world.
"""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import orjson
import pytest

from emulator.errors import (
    InvalidRequest,
    UpstreamBroken,
    UpstreamRefused,
    UpstreamUnreachable,
)
from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, AnswerHead, AnswerPart
from emulator.settings import Settings
from emulator.upstream.client import MAX_ANSWER, UpstreamClient
from tests.upstream.wire import (
    DONE,
    END,
    EVENTS,
    FAST,
    HELLO,
    KEY,
    PLAIN,
    PLAIN_PARTS,
    STREAM_HEAD,
    Answering,
    Peer,
    Serve,
    ask,
    chunk,
    client_of,
    event,
    http,
    stream,
)

# What is sent


def test_request_as_it_arrives(answering: Answering) -> None:
    server = answering(http(PLAIN))
    ask(client_of(server), authorization="Bearer clients-own", temperature=0.5, unknown={"x": "é"})
    head = server.heads[0].split("\r\n")
    assert head[0] == "POST /v1/chat/completions HTTP/1.1"
    sent = dict(line.lower().split(": ", 1) for line in head[1:])
    assert sent["authorization"] == f"bearer {KEY}"
    assert sent["accept-encoding"] == "identity" and sent["content-type"] == "application/json"
    assert orjson.loads(server.bodies[0]) == {
        "model": "m",
        "messages": [],
        "stream": False,
        "temperature": 0.5,
        "unknown": {"x": "é"},
    }


@pytest.mark.parametrize("authorization", ["Bearer clients-own", "Basic eDp5", None])
def test_without_a_key_of_ours_the_clients_header_goes_on_as_it_came(
    answering: Answering, authorization: str | None
) -> None:
    server = answering(http(PLAIN))
    ask(client_of(server, api_key=None), authorization=authorization)
    lines = [line for line in server.heads[0].split("\r\n") if line.lower().startswith("authorization")]
    assert lines == ([f"Authorization: {authorization}"] if authorization else [])


@pytest.mark.parametrize("value", [2**70, "\ud800", -(2**65)])
def test_what_orjson_cannot_write_is_written_all_the_same(answering: Answering, value: Any) -> None:
    server = answering(http(PLAIN))
    assert ask(client_of(server), extra=value) == PLAIN_PARTS
    assert json.loads(server.bodies[0])["extra"] == value


def test_a_body_longer_than_a_packet_arrives_whole(answering: Answering) -> None:
    server = answering(http(PLAIN))
    ask(client_of(server), image="x" * 3_000_000)
    assert len(orjson.loads(server.bodies[0])["image"]) == 3_000_000


@pytest.mark.parametrize("authorization", ["Bearer a\r\nX-Evil: 1", "Bearer \x00", "Bearer é"])
def test_a_header_that_could_be_two_is_refused(answering: Answering, authorization: str) -> None:
    server = answering(http(PLAIN))
    with pytest.raises(InvalidRequest) as caught:
        ask(client_of(server, api_key=None), authorization=authorization)
    assert "Evil" not in caught.value.message and server.connections == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "ftp://x/v1"},
        {"base_url": "localhost:80"},
        {"base_url": None},
        {"base_url": "http://x", "api_key": "a\nb"},
    ],
)
def test_settings_that_can_never_work(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^The .*\.$"):
        UpstreamClient(Settings(**settings))


# Answers


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        (http(PLAIN), PLAIN_PARTS),
        (http(PLAIN, kind="text/plain"), PLAIN_PARTS),
        (http(b"\xef\xbb\xbf \r\n" + orjson.dumps(PLAIN)), PLAIN_PARTS),
        (
            http({"choices": [{"message": {"content": "a"}}]}),
            [AnswerHead({}), AnswerDelta(0, "a"), AnswerDelta(0, finish_reason="stop")],
        ),
        (stream(EVENTS, DONE), HELLO),
        (stream(EVENTS), HELLO),
        (stream(EVENTS + DONE.rstrip()), HELLO),
        (stream(*(bytes([byte]) for byte in EVENTS + DONE)), HELLO),
        (stream(b": ping\n\n", EVENTS, DONE + b"data: nonsense\n\n"), HELLO),
        (http(EVENTS + DONE, kind="text/event-stream"), HELLO),
        (http(EVENTS + DONE, kind="application/json"), HELLO),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n" + EVENTS + DONE, HELLO),
        (
            b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + orjson.dumps(PLAIN),
            PLAIN_PARTS,
        ),
        (stream(orjson.dumps(PLAIN)[:5], orjson.dumps(PLAIN)[5:]), PLAIN_PARTS),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + http(PLAIN, "201 Created"), PLAIN_PARTS),
    ],
)
def test_either_form_is_understood_whatever_was_asked_for(
    answering: Answering, streams: bool, answer: bytes, parts: list[AnswerPart]
) -> None:
    assert ask(client_of(answering(answer)), streams=streams) == parts


def test_events_are_handed_on_as_they_arrive(serve: Serve) -> None:
    seen = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM_HEAD, chunk(event("hel")))
        assert seen.wait(10)
        peer.send(chunk(event("lo") + event(None, "stop") + DONE), END)

    server = serve(script)
    parts: list[AnswerPart] = []
    for part in client_of(server).ask({"stream": True}, authorization=None, lifetime=Lifetime(20)):
        parts.append(part)
        if part == HELLO[1]:
            seen.set()
    assert parts == HELLO
    server.finish()


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (http(b""), "empty"),
        (http(b" \n"), "empty"),
        (http(b"<html>Welcome</html>", kind="text/html"), "'Welcome'"),
        (http(b"{"), "not JSON"),
        (http({"id": "c"}), "no choices"),
        (http([]), "no JSON object"),
        (http(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip"), "compressed"),
        (stream(DONE), "no choices"),
        (stream(event("hel")), "in the middle"),
        (stream(event("hel"), b"data: {garbage\n\n"), "not JSON"),
        (stream(event("hel"))[: -len(END)] + b"Connection: close", "cut in the middle"),
        (STREAM_HEAD.replace(b"Tr", b"Connection: close\r\nTr") + chunk(event("hel"))[:-9], "cut in the middle"),
        (STREAM_HEAD.replace(b"Tr", b"Connection: close\r\nTr") + b"zzz\r\n", "cut in the middle"),
        (http(PLAIN, "200 OK", "Connection: close")[:-3], "cut in the middle"),
        (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n" + event("hel"),
            "in the middle",
        ),
        (b"SSH-2.0-OpenSSH Connection: close\r\n", "no HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\nConnection: close\r\n\r\n", "no HTTP answer"),
        (http(PLAIN, "302 Found", "Location: http://127.0.0.1:9/v1/chat/completions"), "302"),
        (http(b"", "101 Switching Protocols", "Connection: close"), "101"),
    ],
)
def test_what_is_no_answer_is_an_error(answering: Answering, streams: bool, answer: bytes, says: str) -> None:
    server = answering(answer)
    with pytest.raises(UpstreamBroken) as caught:
        ask(client_of(server), streams=streams)
    assert says in caught.value.message and caught.value.status == 502
    assert len(server.heads) == 1  # neither asked again nor led elsewhere


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (
            http(
                {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}},
                "429 Too Many",
                "Retry-After: 7",
            ),
            429,
            "slow down",
        ),
        (
            http({"error": {"message": f"Incorrect API key: {KEY}"}}, "401 Unauthorized", "Retry-After: 7"),
            401,
            "Incorrect API key: ***",
        ),
        (
            http(b"<h1>Not Found</h1>", "404 Not Found", "Retry-After: 7", kind="text/html"),
            404,
            "The model server answered 404: Not Found",
        ),
        (http(b"", "503 Unavailable", "Retry-After: 7"), 503, "The model server answered 503 without a word."),
        (
            http(b"half", "500 Oops", "Retry-After: 7", "Connection: close")[:-2],
            500,
            "The model server answered 500: ha",
        ),
    ],
)
def test_refusals_keep_status_words_and_retry_after(
    answering: Answering, streams: bool, answer: bytes, status: int, message: str
) -> None:
    with pytest.raises(UpstreamRefused) as caught:
        ask(client_of(answering(answer)), streams=streams)
    assert (caught.value.status, caught.value.message) == (status, message)
    assert caught.value.headers == {"retry-after": "7"}


def test_an_error_inside_a_stream_comes_after_what_was_said_before(answering: Answering) -> None:
    server = answering(stream(event("hel"), b'data: {"error":{"message":"overloaded","code":503}}\n\n'))
    answer = client_of(server).ask({"stream": True}, authorization=None, lifetime=Lifetime(20))
    assert [next(answer), next(answer)] == HELLO[:2]
    with pytest.raises(UpstreamRefused, match="overloaded") as caught:
        next(answer)
    assert caught.value.status == 503


@pytest.mark.parametrize("head", [STREAM_HEAD, STREAM_HEAD.replace(b"text/event-stream", b"application/json")])
def test_an_answer_without_end_is_cut_off(serve: Serve, head: bytes) -> None:
    block = chunk((b"{" if b"json" in head else b": ") + b"x" * 1_000_000)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(head)
        for _ in range(MAX_ANSWER // 1_000_000 + 1):
            peer.send(block)
        peer.left()

    server = serve(script)
    with pytest.raises(UpstreamBroken, match="longer than 64 MiB"):
        ask(client_of(server), streams=True)
    server.finish()


# No connection


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = UpstreamClient(Settings(base_url=f"http://user:{KEY}@127.0.0.1:{port}/v1", api_key=KEY))
    with pytest.raises(UpstreamUnreachable) as caught:
        ask(client)
    assert caught.value.message == f"No connection to the model server at http://127.0.0.1:{port}: Connection refused."
    assert client.probe().kind == "unreachable"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".invalid", "bücher..invalid"])
def test_no_such_host(host: str) -> None:
    with pytest.raises(UpstreamUnreachable, match="host name is not known"):
        ask(UpstreamClient(Settings(base_url=f"http://{host}/v1")))


def test_no_tls(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    client = UpstreamClient(Settings(base_url=serve(script).url.replace("http:", "https:"), **FAST))
    with pytest.raises(UpstreamUnreachable, match="No TLS connection"):
        ask(client)
