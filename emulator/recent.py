"""What was used last, by key: the one cache of this project."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

import orjson

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps the ``capacity`` values used last; safe for threads and greenlets."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: K, value: V) -> V:
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._capacity:
                self._values.popitem(last=False)
        return value


def content_key(value: Any) -> bytes:
    """Equal for equal JSON values in the same order; nobody can make two different ones have the same."""
    try:
        text = orjson.dumps(value)
    except TypeError:  # Integers beyond 64 bits and lone surrogates are JSON all the same.
        text = json.dumps(value).encode()
    return hashlib.sha256(text).digest()
