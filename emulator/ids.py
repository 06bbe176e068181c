"""Identifiers that nobody can guess, from one read of the system's randomness for many of them."""

from __future__ import annotations

import os
import threading

_BYTES = 12
_AT_ONCE = 341 * _BYTES


class Ids:
    """Makes ``prefix`` and 24 hexadecimal digits; 29 characters for OpenAI's ``call_``.

    Each process makes its own after it was forked, or two of them would make the same.
    """

    def __init__(self) -> None:
        self._random = b""
        self._lock = threading.Lock()

    def new(self, prefix: str) -> str:
        with self._lock:
            if not self._random:
                self._random = os.urandom(_AT_ONCE)
            taken, self._random = self._random[:_BYTES], self._random[_BYTES:]
        return prefix + taken.hex()
