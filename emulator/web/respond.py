"""Responses as JSON, and what is logged of every request when it is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Self

import orjson
from flask import Response, current_app, g, request

from emulator.admission import Admission, TooManyRequests
from emulator.errors import ClientGone, EmulatorError, ModelFault, StrategyUnfit
from emulator.lifetime import Lifetime
from emulator.logs import log_event
from emulator.protocols.fields import Json
from emulator.protocols.messages_errors import error_body
from emulator.service import Emulator
from emulator.stats.facts import RequestFacts
from emulator.upstream.exchange import Exchange

logger = logging.getLogger(__name__)


def emulator() -> Emulator:
    """The core of the app that serves this request."""
    return current_app.extensions["emulator"]


def authorization() -> str | None:
    """The client's Authorization; Anthropic's clients bring their key as ``x-api-key``."""
    given = request.headers.get("Authorization")
    key = None if given else request.headers.get("X-Api-Key")
    return f"Bearer {key}" if key else given


def json_response(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, content_type="application/json")


def request_id() -> str:
    """The id of the request that is being served: in its log line, its headers and its errors."""
    if "request_id" not in g:
        g.request_id = emulator().ids.new("req_")
    return g.request_id


def api_path() -> str:
    """The request's path without the ``/v1`` that may stand before it."""
    path = request.path
    return path.removeprefix("/v1") if path.startswith("/v1/") else path


def speaks_anthropic() -> bool:
    """The client speaks Anthropic's protocol: it says so in a header, or asks for messages."""
    path = api_path()
    return "Anthropic-Version" in request.headers or path == "/messages" or path.startswith("/messages/")


def error_response(error: EmulatorError) -> Response:
    """The error's status and headers, and its body in the protocol that the client speaks.

    A request that wasn't watched yet, such as one whose body can't be read or whose path nobody knows, gets its line in
    the log here.
    """
    if "watched" not in g:
        _log(request_id(), request.method, request.path, error.status, **_reason(error))
    anthropic = speaks_anthropic()
    response = json_response(error_body(error, request_id()) if anthropic else error.body(), error.status)
    response.headers.update(error.headers)
    response.headers.setdefault("X-Request-Id", request_id())
    if anthropic:
        response.headers["Request-Id"] = request_id()
    return response


def told(work: Callable[[Watched], Json]) -> Response:
    """What ``work`` comes to, as JSON: a request for which no model works."""
    with Watched(works=False) as watched:
        response = json_response(work(watched))
    watched.end()
    return identified(response, watched)


def identified(response: Response, watched: Watched) -> Response:
    """The response with the request's id, also under the name that Anthropic's clients look for."""
    response.headers["X-Request-Id"] = watched.id
    if speaks_anthropic():
        response.headers["Request-Id"] = watched.id
    return response


def _log(identifier: str, method: str, path: str, status: int, **fields: Any) -> None:
    """A request's line, when it is over."""
    log_event(logger, "request", id=identifier, method=method, path=path, status=status, **fields)


def _reason(error: EmulatorError) -> dict[str, Any]:
    return {"error": error.code or error.type, "reason": error.message[:300]}


class Watched:
    """One request under way: its lifetime, its id, and its line in the log.

    ``fields`` are what the log is to say beside method, path, status and time.  ``report`` makes what the statistics
    are told, of whether it succeeded (None where nobody can tell) and the milliseconds it took; without it, nothing is.
    ``tell`` is asked for further fields at the end, whatever it is.  Ended by ``end``, and by an error that leaves the
    ``with`` statement over it.
    """

    __slots__ = (
        "_admission",
        "_begun",
        "_ended",
        "_method",
        "_path",
        "_place",
        "core",
        "fields",
        "id",
        "lifetime",
        "report",
        "status",
        "tell",
    )

    def __init__(self, *, works: bool = True) -> None:
        """``works``: the model is to work for it.

        Raises TooManyRequests where the model would be asked for more requests than may be under way.
        """
        self.core = emulator()
        environ = request.environ
        client = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
        self.lifetime = Lifetime(self.core.settings.timeout, client)
        self.core.watcher.add(self.lifetime)
        self.id = request_id()
        g.watched = True
        self.fields: dict[str, Any] = {}
        self.report: Callable[[bool | None, float], RequestFacts] | None = None
        self.tell: Callable[[], Mapping[str, Any]] | None = None
        self.status = 200
        self._begun = time.monotonic()
        self._ended = False
        self._method, self._path = request.method, request.path
        self._admission: Admission = current_app.extensions["admission"]
        self._place: int | None = None
        if works and request.method == "POST":  # A GET asks no model to work.
            try:
                self._place = self._admission.enter()
            except TooManyRequests as error:
                self.end(error)
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.end(error)

    def end(self, error: BaseException | None = None) -> None:
        """Only the first end counts."""
        if self._ended:
            return
        self._ended = True
        self.core.watcher.remove(self.lifetime)
        if self._place is not None:
            self._admission.leave(self._place)
        if self.tell is not None:
            self.fields |= self.tell()
        ms = (time.monotonic() - self._begun) * 1000
        if self.report is not None:
            self.core.stats.record(self.report(self._succeeded(error), ms))
        if isinstance(error, EmulatorError):
            self.status = error.status
            self.fields |= _reason(error)
        elif error is not None:
            self.status = 500
        _log(self.id, self._method, self._path, self.status, ms=round(ms, 1), **self.fields)

    def _succeeded(self, error: BaseException | None) -> bool | None:
        if isinstance(error, ModelFault | StrategyUnfit):
            return False
        # Other errors are the client's, the model server's or our own, also those that were passed through as they are.
        return True if error is None and self.status < 400 else None

    def stream(
        self, frames: Generator[bytes, None, None] | Exchange, first: bytes, on_error: Callable[[EmulatorError], bytes]
    ) -> Response:
        """``first``, then ``frames``; an error on the way becomes what ``on_error`` makes of it.

        Whatever becomes of the response, ``frames`` is closed and the request ended, also if the server
        drops the response before it has asked for a single frame.
        """
        response = Response(self._frames(frames, first, on_error))

        def close() -> None:
            frames.close()
            # Of an answer to HEAD nobody takes the body.
            self.end(None if self._method == "HEAD" else ClientGone("The client closed the connection."))

        response.call_on_close(close)
        return response

    def _frames(
        self, frames: Iterable[bytes], first: bytes, on_error: Callable[[EmulatorError], bytes]
    ) -> Generator[bytes, None, None]:
        try:
            yield first
            yield from frames
        except ClientGone as error:
            self.end(error)
        except EmulatorError as error:
            self.end(error)
            yield on_error(error)
        except Exception as error:  # noqa: BLE001 - a stream has no error handler behind it
            log_event(logger, "stream failed", level=logging.ERROR, id=self.id, kind=type(error).__name__)
            self.end(error)
            yield on_error(EmulatorError("The server failed in the middle of this answer; its log says why."))
        self.end()
