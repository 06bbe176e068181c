"""A real HTTP server that does exactly what a test tells it, byte by byte, since faults can't be mocked honestly.

Beside it the bytes that model servers send, and the calls of the client under test.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, AnswerHead, AnswerPart, AnswerUsage
from emulator.settings import Settings
from emulator.upstream.client import Forwarded, UpstreamClient

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
    scheme: str = "http"
    failures: list[BaseException] = field(default_factory=list[BaseException])
    threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.listener.getsockname()[1]}/v1"

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


Serve = Callable[[Script], Server]
Answering = Callable[..., Server]

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


def client_of(server: Server, **settings: Any) -> UpstreamClient:
    options: dict[str, Any] = {"base_url": server.url, "api_key": KEY} | FAST | settings
    return UpstreamClient(Settings(**options))


def ask(
    client: UpstreamClient,
    *,
    streams: bool = False,
    lifetime: Lifetime | None = None,
    authorization: str | None = None,
    **body: Any,
) -> list[AnswerPart]:
    payload: dict[str, Any] = {"model": "m", "messages": list[Any](), "stream": streams} | body
    return list(client.ask(payload, authorization=authorization, lifetime=lifetime or Lifetime(20)))


def forward(client: UpstreamClient, method: str = "GET", path: str = "models", **more: Any) -> Forwarded:
    options: dict[str, Any] = {
        "query": "",
        "body": None,
        "headers": {},
        "authorization": None,
        "lifetime": Lifetime(20),
    }
    return client.forward(method, path, **(options | more))


def waiting(*pieces: bytes) -> Script:
    """Sends ``pieces`` and then nothing, until the client leaves."""

    def script(peer: Peer) -> None:
        assert peer.request() is not None
        peer.send(*pieces)
        assert peer.left()

    return script
