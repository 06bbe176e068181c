"""Fields of a request's JSON, with OpenAI's errors for those that are missing or of a wrong type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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


def json_object(raw: bytes, *, exact: bool = True) -> Json:
    """A request's body.  Raises InvalidRequest where it is none, or not JSON.

    ``exact``: integers beyond 64 bits stay what they are in parameters passed on; else they are rounded, so that
    whatever is in it can be said again by orjson.
    """
    try:
        body: Any = _loads(raw) if exact else orjson.loads(raw)
    except ValueError as error:
        raise InvalidRequest(
            f"We could not parse the JSON body of your request: {error}.", code="invalid_json"
        ) from None
    except RecursionError:
        raise too_deep() from None
    return object_at("body", body)


def too_deep() -> InvalidRequest:
    """JSON that no two readers in a row can go through."""
    return InvalidRequest(
        "We could not parse the JSON body of your request: it is nested too deeply.", code="invalid_json"
    )


def json_bytes(value: Any) -> bytes:
    """``value`` as JSON: integers beyond 64 bits and lone surrogates, which orjson refuses, are JSON all the same.

    Raises InvalidRequest for what is nested too deeply, since only a request's own parts can be: this may be asked
    deeper in the stack than they were read.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        try:
            return json.dumps(value, separators=(",", ":")).encode()
        except RecursionError:
            raise too_deep() from None


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


def number(body: Mapping[str, Any], key: str) -> float | None:
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise wrong_type(key, "a number", value)
    return value


def object_at(path: str, value: object) -> Json:
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)
    return cast(Json, value)


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


def unsupported(value: str, path: str, supported: Sequence[str]) -> InvalidRequest:
    """A word that isn't one of two or more that are known."""
    *words, last = (f"'{word}'" for word in supported)
    known = f"{words[0]} and {last}" if len(words) == 1 else f"{', '.join(words)}, and {last}"
    return InvalidRequest(
        f"Invalid value: '{value[:80]}'. Supported values are: {known}.", param=path, code="invalid_value"
    )


def empty_array(path: str, hint: str | None = None) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid '{path}': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        param=path,
        code="empty_array",
        hint=hint,
    )


def too_long(path: str, most: int, unit: str = "characters") -> InvalidRequest:
    return InvalidRequest(
        f"Invalid '{path}': string too long. Expected at most {most} {unit}.",
        param=path,
        code="string_above_max_length",
    )
