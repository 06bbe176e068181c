"""A real HTTP server that does exactly what a test tells it, byte by byte, since faults can't be mocked honestly."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import pytest

PATIENCE = 10.0  # only a test that fails waits so long


@dataclass
class Peer:
    """The server's end of one connection."""

    sock: socket.socket
    number: int
    _buffer: bytes = b""

    def request(self) -> tuple[str, bytes] | None:
        """The next request's head and body; None once the client has closed."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        while len(self._buffer) < length:
            if not self._receive():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return head.decode("latin-1"), body

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.sock.sendall(piece)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.sock.close()

    def left(self) -> bool:
        """Whether the client closes its end within the two seconds that a departure may take."""
        self.sock.settimeout(2.0)
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def _receive(self) -> bool:
        try:
            data = self.sock.recv(65536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)


Script = Callable[[Peer], None]


@dataclass
class Server:
    """Listens on a port of its own and plays ``script`` on every connection."""

    script: Script
    listener: socket.socket
    heads: list[str] = field(default_factory=list[str])
    bodies: list[bytes] = field(default_factory=list[bytes])
    connections: int = 0
    failures: list[BaseException] = field(default_factory=list[BaseException])
    threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"

    def run(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            sock.settimeout(PATIENCE)
            thread = threading.Thread(target=self._play, args=(Peer(sock, self.connections),))
            self.threads.append(thread)
            thread.start()

    def finish(self) -> None:
        """Wait until every script has ended, and raise what one of them raised."""
        for thread in self.threads:
            thread.join(PATIENCE)
        if self.failures:
            raise self.failures[0]

    def _play(self, peer: Peer) -> None:
        try:
            self.script(peer)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has left, which is often what the test wants
        except BaseException as error:  # noqa: BLE001 - raised again by finish()
            self.failures.append(error)
        finally:
            peer.sock.close()


@pytest.fixture
def serve() -> Generator[Callable[[Script], Server]]:
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
def answering(serve: Callable[[Script], Server]) -> Callable[..., Server]:
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
