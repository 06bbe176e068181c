"""Python values that a program's text gave → exactly what JSON can say, or a sentence why not.

JSON Schema's validators take more than JSON (NaN, sets, bytes, lone surrogates pass where a schema says
nothing), so this gate stands before them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, cast

import orjson

Json = Any
Path = tuple[str | int, ...]

MAX_DEPTH = 128
"""Levels of nesting; jsonschema-rs overflows its stack far beyond."""

MAX_NODES = 100_000
"""Values in one call's arguments; a few lines of Python can name a list of lists of lists by one name."""

MAX_INT_BITS = 14_000
"""Python writes integers of at most 4,300 digits, which is 14,284 bits."""


class NotJson(Exception):
    """``path`` is where, from the arguments on; ``reason`` completes a sentence that begins with it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


class Plain:
    """One conversion: tuples become lists, halves of one character written apart are joined.

    ``whole_floats`` are the places of floats such as 3.0 in what was converted.
    """

    __slots__ = ("_nodes", "whole_floats")

    def __init__(self) -> None:
        self._nodes = 0
        self.whole_floats: list[Path] = []

    def value(self, value: object, path: Path = ()) -> Json:
        """A copy of ``value`` in dict, list, str, int, float, bool and None.  Raises NotJson."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise NotJson(path[:1], f"holds more than {MAX_NODES} values")
        kind = type(value)
        if kind is str:
            return _text(cast(str, value), path)
        if value is None or kind is bool:
            return value
        if kind is int:
            if cast(int, value).bit_length() > MAX_INT_BITS:
                raise NotJson(path, "is a number too large to write down")
            return value
        if kind is float:
            return self._float(cast(float, value), path)
        if len(path) >= MAX_DEPTH:
            raise NotJson(path[:1], f"is nested deeper than {MAX_DEPTH} levels")
        if kind is dict:
            return self._object(cast(dict[object, object], value), path)
        if kind is list or kind is tuple:
            items = cast(list[object], value)
            return [self.value(item, (*path, index)) for index, item in enumerate(items)]
        if kind is set or kind is frozenset:
            raise NotJson(path, "is a set, which has no order in JSON; write a list")
        raise NotJson(path, f"is of type {kind.__name__}, which JSON does not have")

    def _float(self, value: float, path: Path) -> float:
        if not math.isfinite(value):
            raise NotJson(path, f"must be a finite number; got {value}")
        if value.is_integer():
            self.whole_floats.append(path)
        return value

    def _object(self, value: dict[object, object], path: Path) -> dict[str, Json]:
        plain: dict[str, Json] = {}
        for key, item in value.items():
            if type(key) is not str:
                shown = repr(key)[:80]
                raise NotJson(path, f"has the key {shown}, but JSON's keys are strings; write it in quotes")
            plain[_text(key, path)] = self.value(item, (*path, key))
        return plain


def _text(text: str, path: Path) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # "\ud83d\ude00" is how JSON writes a character outside the basic plane; in Python it is two halves.
        joined = text.encode("utf-16-le", "surrogatepass")
        try:
            return joined.decode("utf-16-le")
        except UnicodeDecodeError:
            raise NotJson(path, "holds half of a surrogate pair, which is no character") from None
    return text


def arguments_json(arguments: Mapping[str, Json]) -> str:
    """Proven arguments as the JSON text that a call carries: compact, exact, characters as they are."""
    try:
        return orjson.dumps(arguments).decode()
    except TypeError:
        # orjson ends at 64-bit integers and at 254 levels; Python's own writer doesn't.
        return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
