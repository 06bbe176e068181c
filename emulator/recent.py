"""What was used last, by key: the one cache of this project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

import orjson

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps the ``capacity`` values used last.

    Safe for threads and greenlets without a lock, since each step is one operation on a dict, whose order is that
    of use: at worst a value that two threads look for at once is made twice.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        value = self._values.pop(key, None)
        if value is not None:
            self._values[key] = value
        return value

    def put(self, key: K, value: V) -> V:
        self._values[key] = value
        while len(self._values) > self._capacity:
            self._values.pop(next(iter(self._values)), None)
        return value


def content_key(value: Any) -> bytes:
    """Equal for equal JSON values in the same order; nobody can make two different ones have the same."""
    try:
        text = orjson.dumps(value)
    except TypeError:  # Integers beyond 64 bits and lone surrogates are JSON all the same.
        text = json.dumps(value).encode()
    return hashlib.sha256(text).digest()
