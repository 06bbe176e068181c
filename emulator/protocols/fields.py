"""Fields of a request's JSON, with OpenAI's errors for those that are missing or of a wrong type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import orjson

from emulator.errors import InvalidRequest

Json = dict[str, Any]

_INTEGERS_END = 2.0**63
_LOOKED_INTO = frozenset(["messages", "input", "tools"])
_KINDS: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
}


def json_object(raw: bytes) -> Json:
    """A request's body.  Raises InvalidRequest where it is none, or not JSON."""
    try:
        body = _loads(raw)
    except ValueError as error:
        raise InvalidRequest(
            f"We could not parse the JSON body of your request: {error}.", code="invalid_json"
        ) from None
    if not isinstance(body, dict):
        raise wrong_type("body", "an object", body)
    return cast(Json, body)


def _loads(raw: bytes) -> Any:
    """Strict JSON; integers beyond 64 bits, which orjson rounds, stay what they are in parameters passed on."""
    body = orjson.loads(raw)
    if isinstance(body, dict):
        others = [value for key, value in cast(Json, body).items() if key not in _LOOKED_INTO]
        if _rounded(others):
            return json.loads(raw)
    return cast(Any, body)


def _rounded(value: Any) -> bool:
    if isinstance(value, float):
        return abs(value) >= _INTEGERS_END
    if isinstance(value, dict):
        return any(map(_rounded, cast(Json, value).values()))
    return isinstance(value, list) and any(map(_rounded, cast(list[Any], value)))


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
