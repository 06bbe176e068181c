"""The one client of the model server: asks it for answers, passes requests through, looks whether it is there."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, cast
from urllib.parse import quote, urlsplit

import orjson

from emulator import __version__
from emulator.errors import (
    EmulatorError,
    InvalidRequest,
    NotFound,
    UpstreamBroken,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from emulator.lifetime import Lifetime
from emulator.ports import AnswerPart
from emulator.protocols.fields import json_bytes
from emulator.settings import Settings
from emulator.upstream.answers import AnswerReader
from emulator.upstream.connections import pool_for
from emulator.upstream.exchange import Exchange, Limits, Request
from emulator.upstream.faults import Redactor, is_openai_error, kept_headers, refused
from emulator.upstream.sse import EventReader

MAX_ANSWER = 64 * 1024 * 1024  # bytes of one answer that is read here
_MAX_ERROR = 64 * 1024
_ERROR_SECONDS = 5.0
_PROBE_SECONDS = 5.0
_BLANK = b"\xef\xbb\xbf \t\r\n"
_IN_QUERY = "".join(map(chr, range(ord("!"), 0x7F)))  # also a % that begins an escape: nothing is escaped twice
_EVENT_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")

# Of a request that is passed through these stay here: what belongs to the client's own connection, what
# frames and codes its body, which is passed on decoded, what is said anew (Authorization), and what would make an
# answer without a body.
_OWN_HEADERS = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    "upgrade host content-length content-encoding expect authorization x-api-key accept-encoding cookie forwarded "
    "range if-match if-none-match if-modified-since if-unmodified-since if-range".split()
)


@dataclass(frozen=True, slots=True)
class Forwarded:
    """An answer that is passed through: ``body`` iterates over its bytes as they arrive.

    Its ``close()`` must be called, also if it was never begun; WSGI servers do so.
    """

    status: int
    headers: dict[str, str]
    body: Exchange


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether the model server can be asked.  ``status`` is its answer's, if there was one."""

    kind: Literal["ok", "unreachable", "timeout", "refused_key", "wrong_path", "not_json", "refused"]
    message: str
    status: int | None = None

    @property
    def ok(self) -> bool:
        return self.kind == "ok"


class UpstreamClient:
    """Implements ports.Upstream over pooled connections; shared by all threads or greenlets of one process.

    Raises ValueError, with a sentence, if base_url or api_key can't be used at all.
    """

    def __init__(self, settings: Settings) -> None:
        self._base_url = settings.base_url or ""
        self._pool = pool_for(self._base_url)
        if settings.api_key and not _is_header_value(settings.api_key):
            raise ValueError("The model server's key has characters that no header can carry.")
        self._settings = settings
        self._limits = Limits.of(settings)
        parts = urlsplit(self._base_url)
        self._root = parts.path.rstrip("/")
        self._query = parts.query
        self._completions = self._target("chat/completions", "")

    def ask(
        self, body: Mapping[str, Any], *, authorization: str | None, lifetime: Lifetime
    ) -> Generator[AnswerPart, None, None]:
        """See ports.Upstream."""
        streams = bool(body.get("stream"))
        credential, redactor = self._credential(authorization)
        request = Request("POST", self._completions, _json_headers(credential, streams=streams), json_bytes(body))
        with Exchange(
            self._pool, request, lifetime=lifetime, limits=self._limits, streams=streams, redactor=redactor
        ) as exchange:
            yield from _read_answer(exchange, redactor)

    def forward(  # noqa: PLR0913 - a request has this many parts
        self,
        method: str,
        path: str,
        *,
        query: str,
        body: bytes | None,
        headers: Mapping[str, str],
        authorization: str | None,
        lifetime: Lifetime,
        streams: bool = False,
        at_root: bool = False,
    ) -> Forwarded:
        """Pass a request through; ``path`` is relative to the base URL and not percent-encoded.

        ``streams`` says that the client asks for a stream, whose first token and silences have limits; ``at_root``
        that the path isn't below the base URL's ``/v1`` but beside it.  An error in OpenAI's form is passed through
        too; others are raised as UpstreamRefused, and so is one that repeats the key.  Raises UpstreamError,
        ClientGone, and NotFound for a path that leaves the API.
        """
        credential, redactor = self._credential(authorization)
        named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
        sent = {name: value for name, value in headers.items() if name.lower() not in _OWN_HEADERS | named}
        target = self._target(path, query, at_root=at_root)
        request = Request(method, target, sent | _common_headers(credential), body)
        exchange = Exchange(
            self._pool, request, lifetime=lifetime, limits=self._limits, streams=streams, redactor=redactor
        )
        try:
            return _forwarded(exchange, redactor)
        except BaseException:
            exchange.close()
            raise

    def json_of(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        authorization: str | None,
        lifetime: Lifetime,
        at_root: bool = False,
    ) -> dict[str, Any]:
        """The JSON object that answers a request to ``path``, which is as in ``forward``.

        Raises UpstreamError, and UpstreamTimeout where ``lifetime`` ended.
        """
        credential, redactor = self._credential(authorization)
        target = self._target(path, "", at_root=at_root)
        sent = None if body is None else json_bytes(body)
        request = Request(method, target, _json_headers(credential, streams=False), sent)
        with Exchange(
            self._pool, request, lifetime=lifetime, limits=self._limits, streams=False, redactor=redactor
        ) as exchange:
            status, headers = exchange.response.status, exchange.response.headers
            if not 200 <= status <= 299:
                raise refused(status, headers, _read_error(exchange), redactor)
            return _json_object(b"".join(_capped(exchange)), redactor)

    def probe(self) -> Probe:
        """Ask for the list of models, within a few seconds."""
        credential, redactor = self._credential(None)
        request = Request(
            "GET", self._target("models", ""), _common_headers(credential) | {"Accept": "application/json"}
        )
        limits = Limits(min(_PROBE_SECONDS, self._limits.connect), _PROBE_SECONDS, _PROBE_SECONDS)
        lifetime = Lifetime(_PROBE_SECONDS)
        # A pool of its own, so that no connection is left that processes forked after this would share.
        pool = pool_for(self._base_url)
        try:
            with Exchange(
                pool, request, lifetime=lifetime, limits=limits, streams=False, redactor=redactor
            ) as exchange:
                return self._judged(exchange, redactor)
        except UpstreamUnreachable as error:
            return Probe("unreachable", error.message)
        except UpstreamTimeout:
            return Probe("timeout", f"The model server did not answer within {_PROBE_SECONDS:g} s.")
        except EmulatorError as error:
            return Probe("not_json", error.message)
        finally:
            pool.close()

    def close(self) -> None:
        """Close the idle connections; those in use close with their requests."""
        self._pool.close()

    def _judged(self, exchange: Exchange, redactor: Redactor) -> Probe:
        status = exchange.response.status
        if status in (401, 403):
            wrong = "refuses the key (--api-key)" if self._settings.api_key else "asks for a key (--api-key)"
            return Probe("refused_key", f"The model server {wrong}: it answered {status}.", status)
        path = f"{self._root}/models"
        if status in (404, 405):
            hint = "" if self._root.endswith("/v1") else " Most base URLs end in /v1."
            return Probe("wrong_path", f"The model server has no {path}: it answered {status}.{hint}", status)
        if status != 200:
            body = _read_error(exchange)
            return Probe("refused", refused(status, exchange.response.headers, body, redactor).message, status)
        try:
            value = orjson.loads(b"".join(_capped(exchange)))
        except orjson.JSONDecodeError:
            value = None
        if not isinstance(value, dict):
            return Probe(
                "not_json", f"What answers at {path} is no model server: its answer is no JSON object.", status
            )
        return Probe("ok", "The model server answers.", status)

    def _credential(self, authorization: str | None) -> tuple[str | None, Redactor]:
        """The Authorization header to send, and what must not be said aloud."""
        key = self._settings.api_key
        if authorization is not None and not _is_header_value(authorization):
            raise InvalidRequest("The Authorization header has characters that can't be passed on.")
        return (f"Bearer {key}" if key else authorization), Redactor.of(key, authorization)

    def _target(self, path: str, query: str, *, at_root: bool = False) -> str:
        """Path and query below the base URL; dots that climb out of it, with our key in hand, are refused."""
        below = self._root.removesuffix("/v1") if at_root else self._root
        path = path.lstrip("/")
        if any(step in (".", "..") for step in path.replace("\\", "/").split("/")):
            raise NotFound("There is no such path.")
        joined = "&".join(part for part in (self._query, query) if part)
        return f"{below}/{quote(path, safe='/:@')}" + (f"?{quote(joined, safe=_IN_QUERY)}" if joined else "")


def _is_header_value(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _common_headers(credential: str | None) -> dict[str, str]:
    # Nothing compressed is asked for: an answer of a few bytes could fill the memory.
    headers = {"Accept-Encoding": "identity", "User-Agent": f"tool-use-emulator/{__version__}"}
    if credential is not None:
        headers["Authorization"] = credential
    return headers


def _json_headers(credential: str | None, *, streams: bool) -> dict[str, str]:
    accept = "text/event-stream" if streams else "application/json"
    return _common_headers(credential) | {"Content-Type": "application/json", "Accept": accept}


def _forwarded(exchange: Exchange, redactor: Redactor) -> Forwarded:
    response = exchange.response
    headers = kept_headers(response.headers)
    if response.length_remaining:
        headers["content-length"] = str(response.length_remaining)
    if 200 <= response.status <= 299:
        exchange.any_byte_answers = True
        exchange.streams = exchange.streams or headers.get("content-type", "").startswith("text/event-stream")
        return Forwarded(response.status, headers, exchange)
    body = _read_error(exchange)
    if response.status < 400 or not is_openai_error(body) or redactor.reveals(body.decode("utf-8", "replace")):
        raise refused(response.status, response.headers, body, redactor)
    exchange.push_back(body)
    return Forwarded(response.status, headers, exchange)


def _read_error(exchange: Exchange) -> bytes:
    """The body of an answer that is an error, as far as it comes: the status says enough without it."""
    exchange.hurry(_ERROR_SECONDS)
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in exchange:
            pieces.append(piece)
            size += len(piece)
            if size >= _MAX_ERROR:
                break
    except (UpstreamBroken, UpstreamTimeout):
        pass
    return b"".join(pieces)


def _capped(exchange: Exchange) -> Generator[bytes, None, None]:
    size = 0
    for piece in exchange:
        size += len(piece)
        if size > MAX_ANSWER:
            raise UpstreamBroken(f"The model server's answer is longer than {MAX_ANSWER >> 20} MiB.")
        yield piece


def _read_answer(exchange: Exchange, redactor: Redactor) -> Generator[AnswerPart, None, None]:
    response = exchange.response
    if not 200 <= response.status <= 299:
        raise refused(response.status, response.headers, _read_error(exchange), redactor)
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise UpstreamBroken("The model server compressed its answer, which it was asked not to do.")
    reader = AnswerReader(redactor)
    pieces = _capped(exchange)
    begin = b""
    # What was asked for is no guide to the form, nor is the content type: the first bytes are.
    while not begin and (piece := next(pieces, None)) is not None:
        begin = piece.lstrip(_BLANK)
    if not begin:
        raise UpstreamBroken("The model server's answer is empty.")
    events = response.headers.get("content-type", "").startswith("text/event-stream")
    if begin[:1] != b"{" and (events or _begins_event(begin)):
        exchange.streams = True
        yield from _read_events(exchange, begin, pieces, reader)
    else:
        exchange.streams = False
        parts = reader.feed(b"".join((begin, *pieces)))
        reader.done = True
        yield from parts
    try:
        yield from reader.end()
    finally:
        if reader.done:
            exchange.drain()


def _json_object(answer: bytes, redactor: Redactor) -> dict[str, Any]:
    try:
        value = orjson.loads(answer)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise UpstreamBroken(f"The model server's answer is no JSON object: {redactor.excerpt(answer)!r}.")
    return cast("dict[str, Any]", value)


def _begins_event(begin: bytes) -> bool:
    return any(begin.startswith(field) or field.startswith(begin) for field in _EVENT_FIELDS)


def _read_events(
    exchange: Exchange, begin: bytes, pieces: Iterable[bytes], reader: AnswerReader
) -> Generator[AnswerPart, None, None]:
    events = EventReader()
    for piece in chain((begin,), pieces):
        for payload in events.feed(piece):
            exchange.answered()
            yield from reader.feed(payload)
            if reader.done:
                return
    for payload in events.flush():
        yield from reader.feed(payload)
