"""Everything a model server can do to us happens here for real: refusals, garbage, silence, cuts, and our own departure.

test_under_gevent.py runs this module once more in gevent's monkey-patched world.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from emulator.errors import (
    ClientGone,
    InvalidRequest,
    NotFound,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, AnswerHead, AnswerPart, AnswerUsage
from emulator.settings import Settings
from emulator.upstream.client import MAX_ANSWER, UpstreamClient

Serve = Callable[..., Any]

KEY = "sk-upstream-secret"
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
HELLO = [AnswerHead({"id": "c"}), AnswerDelta(0, "hel"), AnswerDelta(0, "lo"), AnswerDelta(0, finish_reason="stop")]
PLAIN = {"id": "c", "choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}], "usage": USAGE}
PLAIN_PARTS = [AnswerHead({"id": "c"}), AnswerDelta(0, "hello", finish_reason="stop"), AnswerUsage(USAGE)]
FAST: dict[str, Any] = {"connect_timeout": 5.0, "first_token_timeout": 5.0, "silence_timeout": 5.0}


def event(content: str | None, finish: str | None = None) -> bytes:
    delta = {"content": content} if content else {}
    return (
        b"data: "
        + orjson.dumps({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
        + b"\n\n"
    )


EVENTS = event("hel") + event("lo") + event(None, "stop")
DONE = b"data: [DONE]\n\n"


def http(body: Any, status: str = "200 OK", *headers: str, kind: str = "application/json") -> bytes:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(data)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + data


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def stream(*pieces: bytes) -> bytes:
    return STREAM_HEAD + b"".join(map(chunk, pieces)) + END


def client_of(server: Any, **settings: Any) -> UpstreamClient:
    return UpstreamClient(Settings(**({"base_url": server.url, "api_key": KEY} | FAST | settings)))


def ask(
    client: UpstreamClient,
    *,
    streams: bool = False,
    lifetime: Lifetime | None = None,
    authorization: str | None = None,
    **body: Any,
) -> list[AnswerPart]:
    payload = {"model": "m", "messages": [], "stream": streams} | body
    return list(client.ask(payload, authorization=authorization, lifetime=lifetime or Lifetime(20)))


def forward(client: UpstreamClient, method: str = "GET", path: str = "models", **more: Any) -> Any:
    options: dict[str, Any] = {
        "query": "",
        "body": None,
        "headers": {},
        "authorization": None,
        "lifetime": Lifetime(20),
    }
    return client.forward(method, path, **(options | more))


# What is sent


def test_request_as_it_arrives(answering: Serve) -> None:
    server = answering(http(PLAIN))
    ask(client_of(server, model="theirs"), authorization="Bearer clients-own", temperature=0.5, unknown={"x": "é"})
    head = server.heads[0].split("\r\n")
    assert head[0] == "POST /v1/chat/completions HTTP/1.1"
    sent = dict(line.lower().split(": ", 1) for line in head[1:])
    assert sent["authorization"] == f"bearer {KEY}"
    assert sent["accept-encoding"] == "identity" and sent["content-type"] == "application/json"
    assert orjson.loads(server.bodies[0]) == {
        "model": "theirs",
        "messages": [],
        "stream": False,
        "temperature": 0.5,
        "unknown": {"x": "é"},
    }


@pytest.mark.parametrize("authorization", ["Bearer clients-own", "Basic eDp5", None])
def test_without_a_key_of_ours_the_clients_header_goes_on_as_it_came(
    answering: Serve, authorization: str | None
) -> None:
    server = answering(http(PLAIN))
    ask(client_of(server, api_key=None), authorization=authorization)
    lines = [line for line in server.heads[0].split("\r\n") if line.lower().startswith("authorization")]
    assert lines == ([f"Authorization: {authorization}"] if authorization else [])


@pytest.mark.parametrize("value", [2**70, "\ud800", -(2**65)])
def test_what_orjson_cannot_write_is_written_all_the_same(answering: Serve, value: Any) -> None:
    import json

    server = answering(http(PLAIN))
    assert ask(client_of(server), extra=value) == PLAIN_PARTS
    assert json.loads(server.bodies[0])["extra"] == value


def test_a_body_longer_than_a_packet_arrives_whole(answering: Serve) -> None:
    server = answering(http(PLAIN))
    ask(client_of(server), image="x" * 3_000_000)
    assert len(orjson.loads(server.bodies[0])["image"]) == 3_000_000


@pytest.mark.parametrize("authorization", ["Bearer a\r\nX-Evil: 1", "Bearer \x00", "Bearer é"])
def test_a_header_that_could_be_two_is_refused(answering: Serve, authorization: str) -> None:
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
    answering: Serve, streams: bool, answer: bytes, parts: list[AnswerPart]
) -> None:
    assert ask(client_of(answering(answer)), streams=streams) == parts


def test_events_are_handed_on_as_they_arrive(serve: Serve) -> None:
    seen = threading.Event()

    def script(peer: Any) -> None:
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
def test_what_is_no_answer_is_an_error(answering: Serve, streams: bool, answer: bytes, says: str) -> None:
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
    answering: Serve, streams: bool, answer: bytes, status: int, message: str
) -> None:
    with pytest.raises(UpstreamRefused) as caught:
        ask(client_of(answering(answer)), streams=streams)
    assert (caught.value.status, caught.value.message) == (status, message)
    assert caught.value.headers == {"retry-after": "7"}


def test_an_error_inside_a_stream_comes_after_what_was_said_before(answering: Serve) -> None:
    server = answering(stream(event("hel"), b'data: {"error":{"message":"overloaded","code":503}}\n\n'))
    answer = client_of(server).ask({"stream": True}, authorization=None, lifetime=Lifetime(20))
    assert [next(answer), next(answer)] == HELLO[:2]
    with pytest.raises(UpstreamRefused, match="overloaded") as caught:
        next(answer)
    assert caught.value.status == 503


@pytest.mark.parametrize("head", [STREAM_HEAD, STREAM_HEAD.replace(b"text/event-stream", b"application/json")])
def test_an_answer_without_end_is_cut_off(serve: Serve, head: bytes) -> None:
    block = chunk((b"{" if b"json" in head else b": ") + b"x" * 1_000_000)

    def script(peer: Any) -> None:
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
    def script(peer: Any) -> None:
        peer.sock.recv(1000)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    client = UpstreamClient(Settings(base_url=serve(script).url.replace("http:", "https:"), **FAST))
    with pytest.raises(UpstreamUnreachable, match="No TLS connection"):
        ask(client)


# Time


def waiting(*pieces: bytes) -> Callable[[Any], None]:
    """Sends ``pieces`` and then nothing, until the client leaves."""

    def script(peer: Any) -> None:
        assert peer.request() is not None
        peer.send(*pieces)
        assert peer.left()

    return script


@pytest.mark.parametrize(
    ("pieces", "streams", "settings", "total", "says"),
    [
        ((), True, {"first_token_timeout": 0.2}, 20, "--first-token-timeout"),
        ((STREAM_HEAD,), True, {"first_token_timeout": 0.2}, 20, "--first-token-timeout"),
        ((STREAM_HEAD, chunk(b": ping\n\n")), True, {"first_token_timeout": 0.2}, 20, "--first-token-timeout"),
        ((STREAM_HEAD, chunk(event("a"))), True, {"silence_timeout": 0.2}, 20, "--silence-timeout"),
        ((), True, {}, 0.2, "(--timeout)"),
        ((STREAM_HEAD, chunk(event("a"))), True, {}, 0.2, "(--timeout)"),
        ((), False, {}, 0.2, "(--timeout)"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",), False, {}, 0.2, "(--timeout)"),
    ],
)
def test_every_wait_has_its_limit(
    serve: Serve, pieces: tuple[bytes, ...], streams: bool, settings: dict[str, Any], total: float, says: str
) -> None:
    server = serve(waiting(*pieces))
    with pytest.raises(UpstreamTimeout) as caught:
        ask(client_of(server, **settings), streams=streams, lifetime=Lifetime(total))
    assert says in caught.value.message and caught.value.status == 504
    server.finish()


def test_pings_do_not_count_as_a_first_token(serve: Serve) -> None:
    def script(peer: Any) -> None:
        peer.request()
        peer.send(STREAM_HEAD)
        while True:  # until the client has enough of it
            peer.send(chunk(b": ping\n\n"))

    server = serve(script)
    with pytest.raises(UpstreamTimeout, match="first chunk within 0.2 s"):
        ask(client_of(server, first_token_timeout=0.2), streams=True)
    server.finish()


def test_a_plain_answer_may_take_longer_than_a_first_token(serve: Serve) -> None:
    stop = threading.Event()

    def script(peer: Any) -> None:
        peer.request()
        stop.wait(0.4)
        peer.send(http(PLAIN))

    server = serve(script)
    assert ask(client_of(server, first_token_timeout=0.1, silence_timeout=0.1)) == PLAIN_PARTS


def test_a_tls_handshake_without_answer_is_a_connection_that_takes_too_long(serve: Serve) -> None:
    def script(peer: Any) -> None:
        assert peer.sock.recv(65536)
        assert peer.left()

    server = serve(script)
    client = UpstreamClient(Settings(base_url=server.url.replace("http:", "https:"), connect_timeout=0.2))
    with pytest.raises(UpstreamTimeout, match="within 0.2 s .--connect-timeout"):
        ask(client)
    server.finish()


def test_an_error_whose_body_never_ends_is_told_without_it(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.upstream.client._ERROR_SECONDS", 0.1)
    server = serve(waiting(b"HTTP/1.1 500 Oops\r\nContent-Length: 99\r\n\r\nbroken"))
    with pytest.raises(UpstreamRefused, match="answered 500: broken"):
        ask(client_of(server))
    server.finish()


# A client that leaves


@pytest.mark.parametrize(
    ("pieces", "streams"),
    [
        ((), False),
        ((), True),
        ((b"HTTP/1.1 200 OK\r\n",), True),
        ((STREAM_HEAD,), True),
        ((STREAM_HEAD, chunk(event("a"))), True),
        ((STREAM_HEAD, chunk(event("a"))[:9]), True),
        ((b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", EVENTS), True),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",), False),
        ((b"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n{",), False),
    ],
)
def test_a_client_that_leaves_frees_the_upstream(serve: Serve, pieces: tuple[bytes, ...], streams: bool) -> None:
    lifetime = Lifetime(60)

    def script(peer: Any) -> None:
        assert peer.request() is not None
        peer.send(*pieces)
        lifetime.end(ClientGone("gone"))
        assert peer.left()

    server = serve(script)
    client = client_of(server, **dict.fromkeys(FAST, 60.0))
    with pytest.raises(ClientGone):
        ask(client, streams=streams, lifetime=lifetime)
    server.finish()


def test_a_client_that_leaves_during_the_handshake(serve: Serve) -> None:
    lifetime = Lifetime(60)

    def script(peer: Any) -> None:
        assert peer.sock.recv(65536)
        lifetime.end(ClientGone("gone"))
        assert peer.left()

    server = serve(script)
    client = UpstreamClient(Settings(base_url=server.url.replace("http:", "https:"), connect_timeout=60.0))
    with pytest.raises(ClientGone):
        ask(client, lifetime=lifetime)
    server.finish()


@pytest.fixture
def full_port() -> Any:
    """A port whose queue is full: whoever connects waits."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        yield address[1]
        for filler in fillers:
            filler.close()


def test_connecting_has_its_limit(full_port: int) -> None:
    client = UpstreamClient(Settings(base_url=f"http://127.0.0.1:{full_port}/v1", connect_timeout=0.3))
    with pytest.raises(UpstreamTimeout, match="within 0.3 s .--connect-timeout"):
        ask(client)
    with pytest.raises(UpstreamTimeout, match="--timeout"):
        ask(
            UpstreamClient(Settings(base_url=f"http://127.0.0.1:{full_port}/v1", connect_timeout=60.0)),
            lifetime=Lifetime(0.3),
        )


def test_a_client_that_leaves_while_connecting(full_port: int) -> None:
    lifetime = Lifetime(60)
    timer = threading.Timer(0.1, lifetime.end, [ClientGone("gone")])
    timer.start()
    with pytest.raises(ClientGone):
        ask(
            UpstreamClient(Settings(base_url=f"http://127.0.0.1:{full_port}/v1", connect_timeout=60.0)),
            lifetime=lifetime,
        )
    timer.join()


def test_a_client_that_has_left_is_not_asked_for(answering: Serve) -> None:
    server, lifetime = answering(http(PLAIN)), Lifetime(60)
    lifetime.end(ClientGone("gone"))
    with pytest.raises(ClientGone):
        ask(client_of(server), lifetime=lifetime)
    assert server.heads == []


def test_an_abandoned_answer_closes_its_connection(serve: Serve) -> None:
    server = serve(waiting(STREAM_HEAD, chunk(event("a"))))
    answer = client_of(server).ask({"stream": True}, authorization=None, lifetime=Lifetime(60))
    next(answer)
    answer.close()
    server.finish()


# Connections are kept


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    "answer",
    [http(PLAIN), stream(EVENTS, DONE), stream(EVENTS), http({"error": {"message": "x"}}, "400 Bad"), http(b"{")],
)
def test_a_connection_whose_answer_was_read_is_used_again(answering: Serve, streams: bool, answer: bytes) -> None:
    server = answering(answer)
    client = client_of(server)
    for _ in range(3):
        try:
            ask(client, streams=streams)
        except UpstreamError:
            continue
    assert len(server.heads) == 3 and server.connections == 1


def test_an_answer_dropped_at_its_last_part_was_read(answering: Serve) -> None:
    server = answering(stream(EVENTS + DONE))
    client = client_of(server)
    for _ in range(2):
        answer = client.ask({"stream": True}, authorization=None, lifetime=Lifetime(20))
        assert [next(answer) for _ in HELLO] == HELLO
        assert next(answer, None) is None
    assert server.connections == 1


def test_a_server_that_goes_on_after_done_is_not_waited_for(serve: Serve) -> None:
    server = serve(waiting(STREAM_HEAD, chunk(EVENTS + DONE)))
    assert ask(client_of(server), streams=True) == HELLO
    server.finish()


@pytest.mark.parametrize("polite", [True, False])
def test_a_kept_connection_that_dies_under_a_request_is_replaced_once(serve: Serve, polite: bool) -> None:
    requests: list[int] = []

    def script(peer: Any) -> None:
        while peer.request() is not None:
            requests.append(peer.number)
            if peer.number == 1 and len(requests) == 2:
                return None if polite else peer.reset()
            peer.send(http(PLAIN))
        return None

    client = client_of(serve(script))
    assert ask(client) == ask(client) == PLAIN_PARTS
    assert requests == [1, 1, 2]


def test_a_new_connection_that_dies_is_not_replaced(serve: Serve) -> None:
    requests: list[int] = []
    server = serve(lambda peer: requests.append(peer.number) if peer.request() else None)
    with pytest.raises(UpstreamBroken, match="without an answer"):
        ask(client_of(server))
    assert requests == [1]


def test_half_an_answer_on_a_kept_connection_is_not_asked_for_again(answering: Serve) -> None:
    server = answering(http(PLAIN), b"HTTP/1.1 200 OK\r\nX: Connection: close")
    client = client_of(server)
    ask(client)
    with pytest.raises(UpstreamError):
        ask(client)
    assert len(server.heads) == 2


def test_a_connection_closed_while_idle_is_replaced(answering: Serve) -> None:
    server = answering(http(PLAIN, "200 OK", "X-Not: Connection: close"))
    client = client_of(server)
    assert [ask(client) for _ in range(3)] == [PLAIN_PARTS] * 3
    assert server.connections == 3


def test_ending_a_finished_request_does_not_touch_the_connection(answering: Serve) -> None:
    server = answering(http(PLAIN))
    client, first = client_of(server), Lifetime(60)
    ask(client, lifetime=first)
    first.end(ClientGone("late"))
    assert ask(client) == PLAIN_PARTS
    assert server.connections == 1


def test_many_at_once(answering: Serve) -> None:
    client = client_of(answering(stream(EVENTS, DONE)))
    results: list[list[AnswerPart]] = []
    threads = [threading.Thread(target=lambda: results.append(ask(client, streams=True))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [HELLO] * 40


def test_closed(answering: Serve) -> None:
    server = answering(http(PLAIN))
    client = client_of(server)
    ask(client)
    client.close()
    with pytest.raises(UpstreamUnreachable, match="closed"):
        ask(client)


# Passing through


def test_forward_is_byte_for_byte(answering: Serve) -> None:
    body = b' {"odd" : 1}\r\n\xff'
    answer = http(
        body,
        "203 Fine",
        "X-Request-Id: r1",
        "OpenAI-Version: 1",
        "Set-Cookie: a=b",
        "Keep-Alive: timeout=5",
        kind="application/json; x=y",
    )
    server = answering(answer)
    client = client_of(server)
    answered = forward(
        client,
        "POST",
        "/embeddings",
        query="a=1&b=%20",
        body=b"\x00raw",
        headers={
            "Content-Type": "x/y",
            "OpenAI-Beta": "b",
            "Host": "evil",
            "Authorization": "Bearer other",
            "Cookie": "c",
            "Connection": "close",
            "Content-Length": "99",
        },
    )
    assert answered.status == 203
    assert answered.headers == {
        "content-type": "application/json; x=y",
        "content-length": str(len(body)),
        "x-request-id": "r1",
        "openai-version": "1",
    }
    assert b"".join(answered.body) == body
    answered.body.close()
    head = server.heads[0].split("\r\n")
    assert head[0] == "POST /v1/embeddings?a=1&b=%20 HTTP/1.1"
    sent = dict(line.split(": ", 1) for line in head[1:])
    assert sent["Authorization"] == f"Bearer {KEY}" and sent["OpenAI-Beta"] == "b" and sent["Content-Type"] == "x/y"
    assert sent["Host"].startswith("127.0.0.1") and not {"Cookie", "Connection"} & sent.keys()
    assert server.bodies[0] == b"\x00raw"
    forward(client).body.close()
    assert server.connections == 1


def test_forward_streams_chunks_as_they_come(serve: Serve) -> None:
    seen = threading.Event()

    def script(peer: Any) -> None:
        peer.request()
        peer.send(STREAM_HEAD, chunk(b": odd\n"))
        assert seen.wait(10)
        peer.send(chunk(b"\ndata: x\n\n"), END)

    server = serve(script)
    body = forward(client_of(server), "POST", "chat/completions", body=b"{}", streams=True).body
    assert next(body) == b": odd\n"
    seen.set()
    assert list(body) == [b"\ndata: x\n\n"]
    server.finish()


def test_forward_errors_in_openais_form_as_they_are(answering: Serve) -> None:
    body = b'{"error": {"message":"no", "inner": [1]}}'
    answered = forward(client_of(answering(http(body, "404 Not Found", "Retry-After: 3"))))
    assert (answered.status, b"".join(answered.body), answered.headers["retry-after"]) == (404, body, "3")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (http({"error": {"message": f"key {KEY}"}}, "401 No"), 401),
        (http(b"<p>gateway</p>", "502 Bad", kind="text/html"), 502),
        (http(b"", "301 Moved", "Location: http://elsewhere/"), 502),
        (http(b"", "304 Not Modified"), 502),
    ],
)
def test_forward_translates_other_errors(answering: Serve, answer: bytes, status: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        forward(client_of(answering(answer)))
    assert caught.value.status == status and KEY not in caught.value.message


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("models/a b/ü?#%2e", "/v1/models/a%20b/%C3%BC%3F%23%252e"),
        ("models/llama3:8b", "/v1/models/llama3:8b"),
        ("models/x\r\nHost: evil", "/v1/models/x%0D%0AHost:%20evil"),
    ],
)
def test_forward_quotes_paths(answering: Serve, path: str, line: str) -> None:
    server = answering(http({}))
    forward(client_of(server), path=path).body.close()
    assert server.heads[0].split("\r\n")[0] == f"GET {line} HTTP/1.1"


@pytest.mark.parametrize("path", ["models/../../admin", "..", "models/./x", "models\\..\\x"])
def test_forward_stays_below_the_base_url(answering: Serve, path: str) -> None:
    server = answering(http({}))
    with pytest.raises(NotFound):
        forward(client_of(server), path=path)
    assert server.heads == []


def test_forward_keeps_a_query_of_the_base_url(answering: Serve) -> None:
    server = answering(http({}))
    forward(client_of(server, base_url=server.url + "/?api-version=1"), query="limit=2").body.close()
    assert server.heads[0].startswith("GET /v1/models?api-version=1&limit=2 HTTP")


def test_forward_head_has_no_body(serve: Serve) -> None:
    def script(peer: Any) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")
        peer.left()

    assert list(forward(client_of(serve(script)), "HEAD").body) == []


@pytest.mark.parametrize(
    ("pieces", "streams", "settings", "says"),
    [
        ((), True, {"first_token_timeout": 0.2}, "--first-token-timeout"),
        ((STREAM_HEAD,), False, {"first_token_timeout": 0.2}, "--first-token-timeout"),
        ((STREAM_HEAD, chunk(b": ping\n\n")), True, {"silence_timeout": 0.2}, "--silence-timeout"),
    ],
)
def test_forward_has_the_same_limits(
    serve: Serve, pieces: tuple[bytes, ...], streams: bool, settings: dict[str, Any], says: str
) -> None:
    server = serve(waiting(*pieces))
    with pytest.raises(UpstreamTimeout, match=says):
        list(forward(client_of(server, **settings), "POST", "chat/completions", body=b"{}", streams=streams).body)
    server.finish()


def test_forward_that_is_never_read_can_be_closed(serve: Serve) -> None:
    server = serve(waiting(STREAM_HEAD))
    forward(client_of(server)).body.close()
    server.finish()


def test_forward_frees_the_upstream_of_a_client_that_leaves(serve: Serve) -> None:
    lifetime = Lifetime(60)

    def script(peer: Any) -> None:
        peer.request()
        peer.send(STREAM_HEAD, chunk(b"data: x\n\n"))
        lifetime.end(ClientGone("gone"))
        assert peer.left()

    server = serve(script)
    with pytest.raises(ClientGone):
        list(forward(client_of(server), lifetime=lifetime).body)
    server.finish()


# Looking whether it is there


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (http({"object": "list", "data": []}), "ok", 200),
        (http({"error": {"message": "no"}}, "401 Unauthorized"), "refused_key", 401),
        (http(b"", "403 Forbidden"), "refused_key", 403),
        (http(b"nothing here", "404 Not Found"), "wrong_path", 404),
        (http(b"<html></html>", kind="text/html"), "not_json", 200),
        (http([]), "not_json", 200),
        (http(b"", "500 Oops"), "refused", 500),
        (http(b"", "302 Found", "Location: /"), "refused", 302),
        (b"SSH-2.0 Connection: close\r\n", "not_json", None),
    ],
)
def test_probe(answering: Serve, answer: bytes, kind: str, status: int | None) -> None:
    server = answering(answer)
    probe = client_of(server).probe()
    assert (probe.kind, probe.status, probe.ok) == (kind, status, kind == "ok")
    assert probe.message.endswith(".") and KEY not in probe.message
    assert "GET /v1/models HTTP/1.1" in server.heads[0] and f"Authorization: Bearer {KEY}" in server.heads[0]


def test_probe_of_a_silent_server(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.upstream.client._PROBE_SECONDS", 0.2)
    server = serve(waiting())
    assert client_of(server).probe().kind == "timeout"
    server.finish()


def test_probe_leaves_no_connection_that_a_forked_process_could_share(answering: Serve) -> None:
    server = answering(http({"data": []}))
    client = client_of(server)
    client.probe()
    client.probe()
    assert server.connections == 2
