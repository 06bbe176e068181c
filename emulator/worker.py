"""gunicorn's gevent worker, with two manners added.

It lets go of connections on which no request is under way as soon as it is stopped, instead of waiting
for their keep-alive to end; and what isn't HTTP is answered in OpenAI's form too.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, cast

import gevent
import orjson
from gunicorn.http import errors
from gunicorn.workers.ggevent import GeventWorker

from emulator.errors import EmulatorError, InvalidRequest
from emulator.logs import log_event

logger = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.LimitRequestLine, 414, "URI Too Long"),
    (errors.LimitRequestHeaders, 431, "Request Header Fields Too Large"),
    (errors.ExpectationFailed, 417, "Expectation Failed"),
    (errors.UnsupportedTransferCoding, 501, "Not Implemented"),
)
_SHOWN = 200


class _OneWrite:
    """A client's socket that sends a response's head together with the first bytes of its body.

    gunicorn sends them apart, which costs a system call, and the client a second read, for each response.
    """

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 ") and data.endswith(b"\r\n\r\n") and not self._head:
            self._head = data
            return
        self._flush(data)

    def recv(self, *args: int) -> bytes:
        self._flush()
        return self._client.recv(*args)

    def close(self) -> None:
        with suppress(OSError):
            self._flush()
        self._client.close()

    def _flush(self, data: bytes = b"") -> None:
        head, self._head = self._head, b""
        if head or data:
            self._client.sendall(head + data)


class Worker(GeventWorker):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: set[Any] = set()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        super().handle(listener, cast(Any, _OneWrite(client)), addr)

    @contextmanager
    def timeout_ctx(self) -> Generator[None]:  # pyright: ignore[reportIncompatibleMethodOverride] - it raises there
        """gunicorn waits for a connection's next request inside this."""
        greenlet = gevent.getcurrent()
        self._idle.add(greenlet)
        try:
            with cast(Any, super().timeout_ctx()):
                yield
        finally:
            self._idle.discard(greenlet)

    def notify(self) -> None:
        """Called every second, also while a stopped worker waits for its last answers."""
        super().notify()
        if not self.alive:
            # From the hub, where no greenlet can go on and leave the set between look and throw.
            gevent.get_hub().loop.run_callback(self._let_go)

    def _let_go(self) -> None:
        for greenlet in tuple(self._idle):
            # The waiting read ends as if the client had closed its side.
            greenlet.throw(errors.NoMoreData())

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer what failed outside the app: bytes that aren't HTTP, or headers beyond the limits."""
        if isinstance(exc, errors.ParseException):
            status, reason = next(
                ((code, text) for kind, code, text in _STATUS if isinstance(exc, kind)), (400, "Bad Request")
            )
            error: EmulatorError = InvalidRequest(f"The request is not valid HTTP: {str(exc)[:_SHOWN]}")
            # Only the kind of error: the text may hold a header of the client's.
            log_event(logger, "request is not valid HTTP", kind=type(exc).__name__, status=status)
        else:
            status, reason, error = 500, "Internal Server Error", EmulatorError("The server failed; its log says why.")
            logger.error("request failed outside the app", exc_info=exc)
        body = orjson.dumps(error.body())
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with suppress(OSError):
            client.sendall(head.encode("ascii") + body)
