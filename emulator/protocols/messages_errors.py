"""Errors in the words of Anthropic's API: its body, its types by status, its paths in the sentence.

Source: Anthropic's API reference, "Errors", and the error classes of its SDK.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from emulator.errors import EmulatorError, InvalidRequest
from emulator.protocols.fields import Json

THREAD_UNSUPPORTED = "thread_unsupported_request"
"""Tells Anthropic's SDK to send whole histories in place of what is new in a thread that the server keeps."""

_DETAILED = frozenset([THREAD_UNSUPPORTED])
"""Codes of ours that are Anthropic's, too, which has them in ``details``."""
_INDEX = re.compile(r"\[([0-9]+)\]")
_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_type(status: int) -> str:
    """The type that belongs to an HTTP status."""
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")


def wrong_tag(kind: str, path: str, expected: Iterable[str]) -> InvalidRequest:
    """The object at ``path`` is of a ``type`` that isn't one of those ``expected`` there."""
    known = ", ".join(f"'{name}'" for name in expected)
    return InvalidRequest(
        f"{path}: Input tag '{kind[:80]}' found using 'type' does not match any of the expected tags: {known}",
        param=path,
    )


def error_body(error: EmulatorError, request_id: str) -> Json:
    told: Json = {"type": error_type(error.status), "message": _message(error)}
    if error.code in _DETAILED:
        told["details"] = {"error_code": error.code}
    return {"type": "error", "error": told, "request_id": request_id}


def _message(error: EmulatorError) -> str:
    """There is no ``param`` beside it: the sentence has to name the part that is wrong, as Anthropic writes paths."""
    if not error.param:
        return error.message
    path = _INDEX.sub(r".\1", error.param)
    if error.code == "missing_required_parameter":
        return f"{path}: Field required"
    return error.message.replace(error.param, path) if error.param in error.message else f"{path}: {error.message}"
