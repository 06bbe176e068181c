"""A cut must hit the socket of its own request, never one that has gone on to serve another."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import pytest
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from emulator.upstream.connections import Line, pool_for, using
from tests.upstream.wire import PATIENCE, PLAIN, Answering, Peer, Serve, Server, http


def get(server: Server, *lines: Line) -> list[BaseHTTPResponse]:
    """One answer a line, over one pool, each read to its end but the last."""
    answers: list[BaseHTTPResponse] = []
    pool = pool_for(server.url)
    for line in lines:
        for answer in answers:
            answer.read()
        with using(line):
            answers.append(pool.urlopen("GET", urlsplit(server.url).path, retries=False, preload_content=False))
    return answers


def line() -> Line:
    return Line(lambda: None)


def test_a_late_cut_spares_the_next_request_on_the_connection(serve: Serve) -> None:
    was_cut = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(http(PLAIN))
        peer.request()
        peer.send(http(b"later")[:-5])
        assert was_cut.wait(PATIENCE)
        peer.send(b"later")

    server = serve(script)
    first, second = line(), line()
    *_, answer = get(server, first, second)
    first.cut()
    was_cut.set()
    assert answer.read() == b"later" and server.connections == 1
    assert (first.reused, second.reused) == (False, True)


def test_a_cut_ends_its_own_request(answering: Answering) -> None:
    own = line()
    (answer,) = get(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), own)
    own.cut()
    own.cut()
    with pytest.raises(HTTPError):
        answer.read()


def test_what_a_cut_line_takes_up_is_cut_at_once(answering: Answering) -> None:
    own = line()
    own.cut()
    with pytest.raises(HTTPError):
        get(answering(http(PLAIN)), own)


def test_a_renewed_line_takes_no_connection_from_the_pool(answering: Answering) -> None:
    server = answering(http(PLAIN))
    renewed = line()
    renewed.renew()
    *_, answer = get(server, line(), renewed)
    assert answer.read() and not renewed.reused and server.connections == 2
