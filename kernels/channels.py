"""The WebSocket of one kernel on a gateway, on which Jupyter's messages travel as JSON.

Rule: it moves messages and knows nothing of kernels.  What comes is bounded in size before it is read, and after any
exception but a timeout the connection is closed.
"""

from __future__ import annotations

import json
import socket
import ssl
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

from websocket import (
    ABNF,
    WebSocket,
    WebSocketBadStatusException,
    WebSocketException,
)
from websocket._abnf import frame_buffer

from kernels.interface import Content

MAX_MESSAGE = 64 << 20
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_SEND_SECONDS = 5.0
_DATA = (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY, ABNF.OPCODE_CONT)


class ChannelsClosed(Exception):
    """There is no connection, or none any more."""


class GatewayRefused(ChannelsClosed):
    """The gateway answered with a status instead of a WebSocket."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class Channels:
    """A connection to ``url`` (http or https, as the gateway has it), used by one thread at a time.

    The TCP connection may take ``connect_seconds``, all until the WebSocket is open ``seconds``.
    Raises ChannelsClosed, GatewayRefused.
    """

    def __init__(
        self, url: str, headers: dict[str, str], tls: ssl.SSLContext | None, *, connect_seconds: float, seconds: float
    ) -> None:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if tls else 80)
        self._session = uuid.uuid4().hex
        self._message: list[bytes] = []
        self._size = 0
        self._web = WebSocket(skip_utf8_validation=True)
        self._web.frame_buffer = _BoundedFrames(self._read, True)
        try:
            # The socket is made here, since the library would look for proxies and certificates in the environment.
            self._plain = socket.create_connection((host, port), min(connect_seconds, seconds))
        except (OSError, UnicodeError) as error:
            raise ChannelsClosed(f"it can't be reached: {error}") from None
        try:
            self._plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._plain.settimeout(seconds)
            self._socket = tls.wrap_socket(self._plain, server_hostname=host) if tls else self._plain
            self._web.connect(
                f"{'wss' if tls else 'ws'}://{parts.netloc}{parts.path}",
                socket=self._socket,
                timeout=seconds,
                header=headers,
                # A page's origin is what a gateway would check; whoever has the token is no page.
                suppress_origin=True,
                redirect_limit=0,
            )
        except WebSocketBadStatusException as error:
            self.close()
            raise GatewayRefused(error.status_code) from None
        except (OSError, ValueError, WebSocketException) as error:
            self.close()
            raise ChannelsClosed(f"the WebSocket can't be opened: {error}") from None

    def send(self, channel: str, kind: str, content: Content) -> str:
        """Sends a message of Jupyter's and returns its id.  Raises ChannelsClosed."""
        identity = uuid.uuid4().hex
        header = {
            "msg_id": identity,
            "msg_type": kind,
            "username": "",
            "session": self._session,
            "date": datetime.now(UTC).isoformat(),
            "version": "5.3",
        }
        message = {"channel": channel, "header": header, "parent_header": {}, "metadata": {}, "content": content}
        text = json.dumps(message | {"buffers": []})
        try:
            self._web.settimeout(_SEND_SECONDS)
            self._web.send(text)
        except (OSError, ValueError, WebSocketException) as error:
            self.close()
            raise ChannelsClosed(f"nothing can be sent: {error}") from None
        return identity

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """The next message, or None if none came in time; with 0 it doesn't wait.  Raises ChannelsClosed."""
        try:
            while (frame := self._frame(seconds)) is not None:
                if frame.opcode == ABNF.OPCODE_PING:
                    self._web.pong(frame.data)
                elif frame.opcode == ABNF.OPCODE_CLOSE:
                    raise WebSocketException("the gateway closed it")
                elif frame.opcode in _DATA and (whole := self._joined(frame)) is not None:
                    return whole
        except (OSError, ValueError, RecursionError, WebSocketException) as error:
            self.close()
            raise ChannelsClosed(f"the connection is lost: {error}") from None
        return None

    def close(self) -> None:
        """May be called from any thread: whoever waits at the connection is told that it is closed."""
        with suppress(OSError):
            # Not the socket's own method: a TLS socket's forgets its session first, and its reader then meets bytes
            # in the clear.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        with suppress(OSError):
            self._socket.close()

    def _read(self, size: int) -> bytes:
        data = self._socket.recv(size)
        if not data:
            raise WebSocketException("the gateway ended it")
        return data

    def _frame(self, seconds: float) -> ABNF | None:
        self._web.settimeout(seconds)
        if _QUICKACK is not None:
            # A gateway sends what belongs to one reply in several small packets, each when the one before is
            # acknowledged.  By itself the system acknowledges after 40 ms, and forgets again what it was told here.
            with suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        try:
            return self._web.recv_frame()
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return None  # What came of a frame is kept for the next time.

    def _joined(self, frame: ABNF) -> dict[str, Any] | None:
        """The message that ``frame`` completes.  Raises ValueError."""
        self._size += len(frame.data)
        if self._size > MAX_MESSAGE:
            raise ValueError("a message is too large")
        self._message.append(cast(bytes, frame.data))
        if not frame.fin:
            return None
        message = json.loads(b"".join(self._message))
        self._message, self._size = [], 0
        if not isinstance(message, dict):
            raise ValueError("a message is no object")
        return cast(dict[str, Any], message)


class _BoundedFrames(frame_buffer):
    """Refuses a frame by the length it announces, before anything is read for it."""

    def recv_length(self) -> None:
        super().recv_length()
        if self.length is not None and self.length > MAX_MESSAGE:
            raise ValueError("a frame is too large")
