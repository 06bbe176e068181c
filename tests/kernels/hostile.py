"""A server that doesn't keep to the protocols."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

from websocket import ABNF

from tests.kernels.samples import PATIENCE


@contextmanager
def hostile(*answers: bytes) -> Generator[tuple[str, list[bytes]]]:
    """A server that gives each connection the next answer; to one that isn't HTTP it opens a WebSocket first."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(65536)
                    heard.append(request)
                    connection.sendall((b"" if b"HTTP" in answer else handshake(request)) + answer)
                    while connection.recv(65536):
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        thread.join(PATIENCE)


def handshake(request: bytes) -> bytes:
    _, _, key = request.partition(b"Sec-WebSocket-Key: ")
    digest = hashlib.sha1(key.split(b"\r\n")[0] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return switched + b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"


def frame(text: bytes, *, opcode: int = ABNF.OPCODE_TEXT, final: bool = True) -> bytes:
    head = bytes([(0x80 if final else 0) | opcode])
    return head + (bytes([len(text)]) if len(text) < 126 else b"\x7e" + len(text).to_bytes(2, "big")) + text
