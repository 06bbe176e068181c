"""Servers for the tests of the client, each on a port of its own and gone with its test."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator

import pytest

from tests.upstream.wire import PATIENCE, Answering, Peer, Script, Serve, Server


@pytest.fixture
def serve() -> Generator[Serve]:
    """``serve(script)`` starts a server."""
    with contextlib.ExitStack() as stack:

        def start(script: Script) -> Server:
            server = Server(script, socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(target=server.run)
            thread.start()

            def stop() -> None:
                with contextlib.suppress(OSError):
                    server.listener.shutdown(socket.SHUT_RDWR)
                server.listener.close()
                thread.join(PATIENCE)

            stack.callback(stop)
            return server

        yield start


@pytest.fixture
def answering(serve: Serve) -> Answering:
    """``answering(raw, …)`` serves these raw HTTP answers, one a request, the last again and again.

    A connection is closed after an answer that says ``Connection: close``.
    """

    def start(*answers: bytes) -> Server:
        left = list(answers)

        def script(peer: Peer) -> None:
            while (request := peer.request()) is not None:
                server.heads.append(request[0])
                server.bodies.append(request[1])
                answer = left.pop(0) if len(left) > 1 else left[0]
                peer.send(answer)
                if b"Connection: close" in answer:
                    return

        server = serve(script)
        return server

    return start
