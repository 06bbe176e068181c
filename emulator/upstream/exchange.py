"""One request to the model server and its answer's bytes: time limits, interruption, reuse of the connection."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal, Self

from urllib3 import BaseHTTPResponse, HTTPConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from emulator.errors import EmulatorError, UpstreamTimeout
from emulator.lifetime import Lifetime, total_timeout
from emulator.settings import Settings
from emulator.upstream.connections import Line, using
from emulator.upstream.faults import Redactor, connect_timeout, failed, is_disconnect, is_timeout

_READ = 65536
_DRAIN_SECONDS = 0.2  # the end of a body is nearly always there with its last event
_DRAIN_READS = 4
# ValueError is what http.client makes of a garbled chunk, and of a socket closed under its hands.
_FOREIGN = (HTTPError, http.client.HTTPException, OSError, ValueError)

_Reason = Literal["total", "first token", "silence"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: ``target`` is the path with its query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to wait; the total is the lifetime's."""

    connect: float
    first_token: float
    silence: float

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(settings.connect_timeout, settings.first_token_timeout, settings.silence_timeout)


class Exchange:
    """Sends the request when made; then an iterator of the answer's bytes as they arrive, until closed.

    ``streams`` says that the answer comes in pieces, so that waiting for its first piece and for the next
    one have limits of their own; its first piece has come with ``answered``, or with any byte if
    ``any_byte_answers``.  Its body read to the end, the connection goes back to the pool; closed
    before that, it is closed.  Raises UpstreamError, and what ended ``lifetime``.
    """

    __slots__ = (
        "_answered",
        "_began",
        "_ended",
        "_lifetime",
        "_limits",
        "_line",
        "_origin",
        "_pushed",
        "_redactor",
        "_timeout",
        "any_byte_answers",
        "response",
        "streams",
    )

    response: BaseHTTPResponse

    def __init__(
        self,
        pool: HTTPConnectionPool,
        request: Request,
        *,
        lifetime: Lifetime,
        limits: Limits,
        streams: bool,
        redactor: Redactor,
    ) -> None:
        self.streams = streams
        self._lifetime = lifetime
        self._limits = limits
        self._line = Line(lifetime.remaining)
        self._began = time.monotonic()
        self._answered = False
        self._ended = False
        self._timeout = -1.0
        self._pushed = b""
        self.any_byte_answers = False
        self._redactor = redactor
        self._origin = f"{pool.scheme}://{pool.host}" + (f":{pool.port}" if pool.port else "")
        lifetime.attach(self._line.cut)
        try:
            self.response = self._send(pool, request)
        except BaseException:
            self._leave()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        """The next bytes; StopIteration once the body is complete."""
        if self._pushed:
            pushed, self._pushed = self._pushed, b""
            return pushed
        if self._ended:
            raise StopIteration
        wait, reason = self._patience()
        if wait != self._timeout:
            self._timeout = wait
            self._line.set_timeout(wait)
        try:
            data = self.response.read1(_READ)
        except _FOREIGN as error:
            raise self._translated(error, reason, begun=True) from error
        if data:
            if self.any_byte_answers:
                self._answered = True
            return data
        # A socket that was cut looks like the end of a body that has no length.
        self._lifetime.check()
        self._ended = True
        self._leave()
        raise StopIteration

    def answered(self) -> None:
        """The first event has come: from now on silence is measured."""
        self._answered = True

    def hurry(self, seconds: float) -> None:
        """From now on no piece may take longer than ``seconds``."""
        self.streams = self._answered = True
        self._limits = replace(self._limits, silence=seconds)

    def push_back(self, data: bytes) -> None:
        """Have ``data``, which was read from here, read again before anything else."""
        self._pushed = data

    def drain(self) -> None:
        """Read what is left of a body whose content is complete, so that its connection can be used again."""
        if self._ended or self._lifetime.ended is not None:
            return
        self._line.set_timeout(_DRAIN_SECONDS)
        try:
            self._ended = any(not self.response.read1(_READ) for _ in range(_DRAIN_READS))
        except _FOREIGN:
            self._ended = False

    def close(self) -> None:
        """Free the connection: reusable if the body was read to its end, else closed."""
        self._leave()
        if not self._ended:
            self.response.close()
        self.response.release_conn()

    def _leave(self) -> None:
        self._lifetime.detach(self._line.cut)
        self._line.let_go()

    def _send(self, pool: HTTPConnectionPool, request: Request) -> BaseHTTPResponse:
        wait, reason = self._patience()
        try:
            with using(self._line):
                response = pool.urlopen(
                    request.method,
                    request.target,
                    request.body,
                    dict(request.headers),
                    retries=False,
                    redirect=False,
                    assert_same_host=False,
                    timeout=Timeout(connect=min(self._limits.connect, self._lifetime.remaining()), read=wait),
                    preload_content=False,
                    decode_content=False,
                )
        except _FOREIGN as error:
            self._lifetime.check()
            if not (self._line.reused and is_disconnect(error)):
                raise self._translated(error, reason, begun=False) from error
        else:
            self._timeout = wait
            return response
        # An idle connection may be closed by the server at the very moment it is taken: then nothing of an
        # answer has come, and the request is sent once more, on a connection of its own.
        self._line.renew()
        return self._send(pool, request)

    def _patience(self) -> tuple[float, _Reason]:
        """How long to wait now, and what has run out after that."""
        left = self._lifetime.remaining()
        if not self.streams:
            return left, "total"
        if self._answered:
            wait, reason = self._limits.silence, "silence"
        else:
            wait, reason = self._began + self._limits.first_token - time.monotonic(), "first token"
            if wait <= 0:  # the server is not silent, but sends nothing that counts
                raise self._timed_out(reason)
        return (left, "total") if left <= wait else (wait, reason)

    def _timed_out(self, reason: _Reason) -> EmulatorError:
        if reason == "total":
            self._lifetime.end(total_timeout(self._lifetime.seconds))
            return self._lifetime.ended or total_timeout(self._lifetime.seconds)
        if reason == "silence":
            return UpstreamTimeout(
                f"The model server's stream was silent for {self._limits.silence:g} s (--silence-timeout)."
            )
        seconds = self._limits.first_token
        return UpstreamTimeout(
            f"The model server's stream had no first chunk within {seconds:g} s (--first-token-timeout)."
        )

    def _translated(self, error: Exception, reason: _Reason, *, begun: bool) -> EmulatorError:
        if self._lifetime.ended is not None:
            return self._lifetime.ended
        if not self._line.connected and is_timeout(error):
            self._lifetime.remaining()
            return connect_timeout(self._origin, self._limits.connect)
        if is_timeout(error):
            return self._timed_out(reason)
        return failed(error, self._origin, self._redactor, begun=begun)
