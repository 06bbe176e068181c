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
    """Keeps the values used last, as many as weigh no more than ``capacity`` together.

    Safe for threads and greenlets without a lock, since each step is one operation on a dict, whose order is that
    of use: at worst a value that two threads look for at once is made twice.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: dict[K, tuple[V, int]] = {}
        self._weight = 0

    def get(self, key: K) -> V | None:
        found = self._values.pop(key, None)
        if found is None:
            return None
        self._values[key] = found
        return found[0]

    def put(self, key: K, value: V, weight: int = 1) -> V:
        """``value``, which is kept unless it alone is too heavy."""
        if weight <= self._capacity:
            self._drop(key)
            self._values[key] = value, weight
            self._weight += weight
            while self._weight > self._capacity and self._values:
                self._drop(next(iter(self._values)))
        return value

    def _drop(self, key: K) -> None:
        _, weight = self._values.pop(key, (None, 0))
        self._weight -= weight


def content_key(value: Any) -> tuple[bytes, int]:
    """A key equal for equal JSON values in the same order, which nobody can make for two different ones; and the
    bytes of the value as JSON."""
    try:
        text = orjson.dumps(value)
    except TypeError:  # Integers beyond 64 bits and lone surrogates are JSON all the same.
        text = json.dumps(value).encode()
    return hashlib.sha256(text).digest(), len(text)
