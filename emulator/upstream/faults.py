"""What goes wrong at the model server, said in this project's errors; pure.

Every text that came from there is hostile and may repeat the key it was sent: it passes through a
``Redactor`` before anyone sees it.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import orjson
from urllib3 import exceptions

from emulator.errors import UpstreamBroken, UpstreamError, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable

EXCERPT = 200  # characters of an answer that isn't understood
MESSAGE = 4000  # characters of an error message that is
_FIELD = 200  # characters of a type, code or param
_SHORTEST_SECRET = 4  # shorter ones ("x", "-") are stand-ins; blanking them would only garble the text

_KEPT_HEADERS = frozenset(
    {
        "content-type",
        "content-encoding",
        "content-disposition",
        "cache-control",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "x-request-id",
        "request-id",
    }
)
_KEPT_PREFIXES = ("openai-", "x-ratelimit-")
_TAG = re.compile(r"<[^<>]*>")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufffd]+")
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


@dataclass(frozen=True, slots=True)
class Redactor:
    """Makes foreign text fit for an error message: no secrets, one line, capped."""

    secrets: tuple[str, ...] = ()

    @classmethod
    def of(cls, *credentials: str | None) -> Redactor:
        """For keys and Authorization headers: both the whole header and its last word are secret."""
        words = {word for credential in credentials if credential for word in (credential, credential.split()[-1])}
        kept = [word for word in words if len(word) >= _SHORTEST_SECRET]
        # Longest first: a secret that contains another is blanked whole.
        return cls(tuple(sorted(kept, key=lambda word: (-len(word), word))))

    def reveals(self, text: str) -> bool:
        return any(secret in text for secret in self.secrets)

    def clean(self, text: str, limit: int = MESSAGE) -> str:
        for secret in self.secrets:
            # Before anything is cut or folded, so that no half of a secret is left over.
            text = text.replace(secret, "***")
        text = _SPACE.sub(" ", text).strip()
        return text if len(text) <= limit else text[: limit - 1] + "…"

    def excerpt(self, body: bytes) -> str:
        """The beginning of a body that isn't understood, markup removed; empty if it has no text."""
        return self.clean(_TAG.sub(" ", body[: 64 * EXCERPT].decode("utf-8", "replace")), EXCERPT)


@dataclass(frozen=True, slots=True)
class _Said:
    """An error as the model server told it; ``known`` if it was in OpenAI's form."""

    message: str
    type: str | None = None
    param: str | None = None
    code: str | None = None
    known: bool = False


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of an answer that mean something to the client, by lower-case name; never hop-by-hop ones."""
    kept: dict[str, str] = {}
    for name, value in headers.items():
        lowered = name.lower()
        if (lowered in _KEPT_HEADERS or lowered.startswith(_KEPT_PREFIXES)) and value.isprintable():
            kept[lowered] = value
    return kept


def refused(status: int, headers: Mapping[str, str], body: bytes, redactor: Redactor) -> UpstreamError:
    """An answer whose status is no 2xx: 4xx and 5xx are passed on, everything else is a broken answer."""
    if not 400 <= status <= 599:
        moved = " Redirects are not followed: set --base-url to the final address." if 300 <= status <= 399 else ""
        return UpstreamBroken(
            f"The model server answered with status {status}, which is no answer to a request.{moved}"
        )
    kept = {name: value for name, value in kept_headers(headers).items() if not name.startswith("content-")}
    said = _said(body)
    if said is None:
        text = redactor.excerpt(body)
        message = (
            f"The model server answered {status}: {text}"
            if text
            else f"The model server answered {status} without a word."
        )
        said = _Said(message)
    elif not said.known:
        said = replace(said, message=f"The model server answered {status}: {said.message}")
    return _refusal(said, status, redactor, kept)


def is_openai_error(body: bytes) -> bool:
    """Whether an error's body already has OpenAI's form and can be passed on as it is."""
    said = _said(body)
    return said is not None and said.known


def refused_inside(error: object, redactor: Redactor) -> UpstreamError:
    """An ``error`` inside an answer whose status was 200; its status is its ``code``, if that is one."""
    said = _said_by(error) or _Said("The model server reported an error without a message.")
    code = cast("dict[str, Any]", error).get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code <= 599 else 502
    return _refusal(said, status, redactor, {})


def _refusal(said: _Said, status: int, redactor: Redactor, headers: Mapping[str, str]) -> UpstreamRefused:
    def field(text: str | None) -> str | None:
        return None if text is None else redactor.clean(text, _FIELD)

    usual = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return UpstreamRefused(
        redactor.clean(said.message),
        status=status,
        type=field(said.type) or usual,
        param=field(said.param),
        code=field(said.code),
        headers=headers,
    )


def _said(body: bytes) -> _Said | None:
    """Reads the shapes in use: OpenAI's, vLLM's older flat one, Ollama's and FastAPI's."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict):
        return None
    fields = cast("dict[str, Any]", value)
    error, detail = fields.get("error"), fields.get("detail")
    if error:
        return _said_by(error)
    if isinstance(detail, str) and detail:
        return _Said(detail)
    if isinstance(detail, list) and detail:
        return _Said(_joined(cast("list[Any]", detail)))
    flat = _said_by(fields)
    return flat and replace(flat, known=False)


def _said_by(error: object) -> _Said | None:
    if isinstance(error, str) and error.strip():
        return _Said(error)
    if not isinstance(error, dict):
        return None
    fields = cast("dict[str, Any]", error)
    message = fields.get("message")
    if not isinstance(message, str) or not message.strip():
        return None
    return _Said(message, *(_word(fields.get(name)) for name in ("type", "param", "code")), known=True)


def _word(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def _joined(details: Iterable[Any]) -> str:
    """FastAPI's list of ``{loc, msg}`` as one sentence."""
    sentences: list[str] = []
    for detail in details:
        if isinstance(detail, dict):
            fields = cast("dict[str, Any]", detail)
            place = fields.get("loc")
            path = ".".join(str(step) for step in cast("list[Any]", place)) if isinstance(place, list) else ""
            sentences.append(f"{path}: {fields.get('msg')}" if path else str(fields.get("msg")))
        else:
            sentences.append(str(detail))
    return "; ".join(sentences)


def connect_timeout(origin: str, seconds: float) -> UpstreamTimeout:
    return UpstreamTimeout(f"No connection to the model server at {origin} within {seconds:g} s (--connect-timeout).")


def failed(error: Exception, origin: str, redactor: Redactor, *, begun: bool) -> UpstreamError:
    """What urllib3 raised, except timeouts, which only the caller can name.

    ``origin`` is the server's scheme, host and port; ``begun`` says that the answer had begun to arrive.
    """
    reason = _root(error)
    text = redactor.clean(getattr(reason, "strerror", None) or str(reason) or type(reason).__name__, EXCERPT)
    if isinstance(error, exceptions.NameResolutionError):
        return UpstreamUnreachable(f"The model server's host name is not known: {origin}.")
    if isinstance(error, exceptions.NewConnectionError):
        return UpstreamUnreachable(f"No connection to the model server at {origin}: {text}.")
    if isinstance(error, exceptions.SSLError):
        return UpstreamUnreachable(f"No TLS connection to the model server at {origin}: {text}.")
    if isinstance(error, exceptions.LocationValueError | exceptions.PoolError):
        return UpstreamUnreachable(f"The model server at {origin} can't be asked: {text}.")
    if begun:
        why = "" if isinstance(reason, http.client.HTTPException) else f": {text}"
        return UpstreamBroken(f"The model server's answer was cut in the middle{why}.")
    if is_disconnect(error):
        return UpstreamBroken("The model server closed the connection without an answer.")
    return UpstreamBroken(f"What the model server sent is no HTTP answer: {text}.")


def _root(error: BaseException) -> BaseException:
    """The error at the bottom: urllib3 wraps the operating system's in its own, as an argument or a cause."""
    seen = error
    for _ in range(8):
        inner = next((arg for arg in reversed(seen.args) if isinstance(arg, BaseException)), None) or seen.__cause__
        if inner is None:
            return seen
        seen = inner
    return seen


def is_disconnect(error: BaseException) -> bool:
    """Whether the server closed the connection before the first byte of an answer."""
    return isinstance(_root(error), http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError)


def is_timeout(error: BaseException) -> bool:
    """Whether a socket's own timeout is at the bottom of ``error``."""
    if isinstance(error, exceptions.NewConnectionError):
        return False  # the operating system gave up, not we
    return isinstance(error, exceptions.TimeoutError) or isinstance(_root(error), TimeoutError)
