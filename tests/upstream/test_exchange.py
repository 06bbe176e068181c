"""Silence, departures, dying connections: whatever happens, a request ends in time and frees what it held.
test_under_gevent.py runs this module once more in gevent's monkey-patched world.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import (
    ClientGone,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from emulator.lifetime import Lifetime
from emulator.ports import AnswerPart
from emulator.settings import Settings
from emulator.upstream.client import UpstreamClient
from tests.upstream.wire import (
    DONE,
    EVENTS,
    FAST,
    HELLO,
    PLAIN,
    PLAIN_PARTS,
    STREAM_HEAD,
    Answering,
    Peer,
    Script,
    Serve,
    Server,
    ask,
    chunk,
    client_of,
    event,
    http,
    stream,
    waiting,
)

# Time


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
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM_HEAD)
        while True:  # until the client has enough of it
            peer.send(chunk(b": ping\n\n"))

    server = serve(script)
    with pytest.raises(UpstreamTimeout, match=r"first chunk within 0\.2 s"):
        ask(client_of(server, first_token_timeout=0.2), streams=True)
    server.finish()


def test_a_plain_answer_may_take_longer_than_a_first_token(serve: Serve) -> None:
    stop = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        stop.wait(0.4)
        peer.send(http(PLAIN))

    server = serve(script)
    assert ask(client_of(server, first_token_timeout=0.1, silence_timeout=0.1)) == PLAIN_PARTS


def test_a_tls_handshake_without_answer_is_a_connection_that_takes_too_long(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        assert peer.sock.recv(65536)
        assert peer.left()

    server = serve(script)
    client = UpstreamClient(Settings(base_url=server.url.replace("http:", "https:"), connect_timeout=0.2))
    with pytest.raises(UpstreamTimeout, match=r"within 0\.2 s .--connect-timeout"):
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

    def script(peer: Peer) -> None:
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

    def script(peer: Peer) -> None:
        assert peer.sock.recv(65536)
        lifetime.end(ClientGone("gone"))
        assert peer.left()

    server = serve(script)
    client = UpstreamClient(Settings(base_url=server.url.replace("http:", "https:"), connect_timeout=60.0))
    with pytest.raises(ClientGone):
        ask(client, lifetime=lifetime)
    server.finish()


@pytest.fixture
def full_port() -> Generator[int]:
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
    with pytest.raises(UpstreamTimeout, match=r"within 0\.3 s .--connect-timeout"):
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


def test_a_client_that_has_left_is_not_asked_for(answering: Answering) -> None:
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
def test_a_connection_whose_answer_was_read_is_used_again(answering: Answering, streams: bool, answer: bytes) -> None:
    server = answering(answer)
    client = client_of(server)
    for _ in range(3):
        try:
            ask(client, streams=streams)
        except UpstreamError:
            continue
    assert len(server.heads) == 3 and server.connections == 1


def test_an_answer_dropped_at_its_last_part_was_read(answering: Answering) -> None:
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

    def script(peer: Peer) -> None:
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

    def script(peer: Peer) -> None:
        if peer.request() is not None:
            requests.append(peer.number)

    server = serve(script)
    with pytest.raises(UpstreamBroken, match="without an answer"):
        ask(client_of(server))
    assert requests == [1]


def test_half_an_answer_on_a_kept_connection_is_not_asked_for_again(answering: Answering) -> None:
    server = answering(http(PLAIN), b"HTTP/1.1 200 OK\r\nX: Connection: close")
    client = client_of(server)
    ask(client)
    with pytest.raises(UpstreamError):
        ask(client)
    assert len(server.heads) == 2


def test_a_connection_closed_while_idle_is_replaced(answering: Answering) -> None:
    server = answering(http(PLAIN, "200 OK", "X-Not: Connection: close"))
    client = client_of(server)
    assert [ask(client) for _ in range(3)] == [PLAIN_PARTS] * 3
    assert server.connections == 3


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n"])
def test_a_server_that_keeps_no_connection_is_understood(answering: Answering, head: bytes) -> None:
    """Python's own simple servers speak HTTP/1.0: the socket is gone when the last byte has been read."""
    server = answering(http(PLAIN).replace(b"HTTP/1.1 200 OK\r\n", head))
    client = client_of(server)
    assert [ask(client) for _ in range(2)] == [PLAIN_PARTS] * 2
    assert client.probe().kind == "ok"


def test_ending_a_finished_request_does_not_touch_the_connection(answering: Answering) -> None:
    server = answering(http(PLAIN))
    client, first = client_of(server), Lifetime(60)
    ask(client, lifetime=first)
    first.end(ClientGone("late"))
    assert ask(client) == PLAIN_PARTS
    assert server.connections == 1


def test_many_at_once(answering: Answering) -> None:
    client = client_of(answering(stream(EVENTS, DONE)))
    results: list[list[AnswerPart]] = []
    threads = [threading.Thread(target=lambda: results.append(ask(client, streams=True))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [HELLO] * 40


def test_closed(answering: Answering) -> None:
    server = answering(http(PLAIN))
    client = client_of(server)
    ask(client)
    client.close()
    with pytest.raises(UpstreamUnreachable, match="closed"):
        ask(client)


# TLS

CERTIFICATE = Path(__file__).parents[1] / "data" / "localhost.pem"


@pytest.fixture
def secure(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], Server]:
    """Like ``serve``, with TLS and a certificate that the client trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    def start(script: Script) -> Server:
        def wrapped(peer: Peer) -> None:
            with contextlib.suppress(ssl.SSLError):
                peer.sock = context.wrap_socket(peer.sock, server_side=True)
                script(peer)

        server = serve(wrapped)
        server.scheme = "https"
        return server

    return start


def test_tls_connections_are_kept(secure: Serve) -> None:
    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(stream(EVENTS, DONE))

    server = secure(script)
    client = client_of(server)
    assert [ask(client, streams=True) for _ in range(3)] == [HELLO] * 3
    assert server.connections == 1


@pytest.mark.parametrize("pieces", [(), (STREAM_HEAD,), (STREAM_HEAD, chunk(event("a")))])
def test_a_client_that_leaves_frees_a_tls_upstream(secure: Serve, pieces: tuple[bytes, ...]) -> None:
    lifetime = Lifetime(60)

    def script(peer: Peer) -> None:
        assert peer.request() is not None
        peer.send(*pieces)
        lifetime.end(ClientGone("gone"))
        assert peer.left()

    server = secure(script)
    with pytest.raises(ClientGone):
        ask(client_of(server), streams=True, lifetime=lifetime)
    server.finish()


def test_tls_with_a_stranger_is_refused(secure: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = secure(lambda peer: None)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(UpstreamUnreachable, match=r"No TLS connection .*certificate verify failed"):
        ask(client_of(server))
