"""HTTP/1.1 as the benchmarks speak it: requests as ready bytes, responses read piece by piece.

As little as will do, because whatever the client costs is taken from the servers it measures.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

HOST = "127.0.0.1"
_PIECE = 1 << 18


class BrokenAnswer(Exception):
    """A response that ended early, isn't HTTP or isn't what was asked for; the message says which."""


def post(body: bytes, *, headers: Iterable[str] = ()) -> bytes:
    """A request for a chat completion with ``body``, on a connection that is kept."""
    more = "".join(f"{line}\r\n" for line in headers)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{more}\r\n"
    )
    return head.encode("ascii") + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode("ascii")


class Response:
    """Reads one response; ``feed`` gives the bytes of its body as they come, until ``done``."""

    __slots__ = ("_buffer", "_chunked", "_left", "body", "done", "status")

    def __init__(self) -> None:
        self.status = 0
        self.body = bytearray()
        self.done = False
        self._buffer = b""
        self._chunked = False
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        """The bytes that ``data`` adds to the body.  Raises BrokenAnswer at the connection's end (empty ``data``)."""
        if not data:
            raise BrokenAnswer(f"the connection ended in the middle of a response (status {self.status or 'unknown'})")
        self._buffer += data
        if not self.status and not self._head():
            return b""
        before = len(self.body)
        if self._chunked:
            self._chunks()
        else:
            taken, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
            self.body += taken
            self._left -= len(taken)
            self.done = not self._left
        return bytes(self.body[before:])

    def _head(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        status_line, *lines = head.split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        self.status = int(status_line.split(b" ", 2)[1])
        self._chunked = headers.get(b"transfer-encoding") == b"chunked"
        self._left = 0 if self._chunked else int(headers[b"content-length"])
        self._buffer = rest
        return True

    def _chunks(self) -> None:
        """Take what is there of the chunks; ``_left`` counts what their data and line end still lack."""
        while self._buffer:
            if not self._left:
                size, end, rest = self._buffer.partition(b"\r\n")
                if not end:
                    return
                length = int(size, 16)
                if not length:
                    self.done = rest == b"\r\n"
                    return
                self._left, self._buffer = length + 2, rest
            taken, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
            self.body += taken[: max(self._left - 2, 0)]
            self._left -= len(taken)


@dataclass(frozen=True, slots=True)
class Timed:
    """A whole response.  Times are seconds from sending the request."""

    status: int
    body: bytes
    first_byte: float
    """Until the body's first byte, not the headers'."""
    seconds: float


def connect(port: int, *, timeout: float | None = 30.0) -> socket.socket:
    sock = socket.create_connection((HOST, port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def ask(sock: socket.socket, request: bytes) -> Timed:
    """Send ``request`` and wait for the whole response.  Raises BrokenAnswer and OSError."""
    response, first = Response(), 0.0
    begun = time.perf_counter()
    sock.sendall(request)
    while not response.done:
        data = sock.recv(_PIECE)
        if response.feed(data) and not first:
            first = time.perf_counter() - begun
    return Timed(response.status, bytes(response.body), first, time.perf_counter() - begun)


def receive(sock: socket.socket) -> bytes | None:
    """What is there to read of a socket that doesn't block, empty at its end; None if nothing is there."""
    try:
        return sock.recv(_PIECE)
    except BlockingIOError:
        return None
