"""Fields of a request's JSON, with OpenAI's errors for those that are missing or of a wrong type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.errors import InvalidRequest

Json = dict[str, Any]

_KINDS: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
}


def typed(body: Mapping[str, Any], key: str, kind: type, words: str, default: Any, prefix: str = "") -> Any:
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise wrong_type(prefix + key, words, value)
    return value


def wrong_type(path: str, expected: str, value: object) -> InvalidRequest:
    got = _KINDS.get(type(value), "null")
    return InvalidRequest(
        f"Invalid type for '{path}': expected {expected}, but got {got} instead.",
        param=None if path == "body" else path,
        code="invalid_type",
    )


def missing(path: str) -> InvalidRequest:
    return InvalidRequest(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")


def required(body: Mapping[str, Any], key: str, kind: type, words: str, prefix: str) -> Any:
    if body.get(key) is None:
        raise missing(prefix + key)
    return typed(body, key, kind, words, None, prefix)
