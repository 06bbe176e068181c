"""What goes between server and worker: a JSON text behind its length, four bytes, big-endian.

Rule: the side that serves reads with orjson, so what crosses is what orjson can read.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

import orjson

_LENGTH = struct.Struct(">I")
MAX_BYTES = 256 * 1024 * 1024


def encoded(value: object) -> bytes:
    """JSON, also of what orjson can't write: integers beyond 64 bits, lone surrogates."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()


def send(connection: socket.socket, text: bytes) -> None:
    """Raises OSError."""
    connection.sendall(_LENGTH.pack(len(text)) + text)


def receive(connection: socket.socket) -> bytes | None:
    """The next frame's text, None where the other side has closed.  Raises OSError."""
    head = _exactly(connection, _LENGTH.size)
    if head is None:
        return None
    (size,) = _LENGTH.unpack(head)
    if size > MAX_BYTES:
        raise ConnectionError(f"a frame of {size} bytes")
    return _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def decoded(text: bytes) -> Any:
    return orjson.loads(text)
