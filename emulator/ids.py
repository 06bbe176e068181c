"""Identifiers that nobody can guess, from one read of the system's randomness for many of them."""

from __future__ import annotations

import os

_BYTES = 12
_AT_ONCE = 256


class Ids:
    """Makes ``prefix`` and 24 hexadecimal digits; 29 characters for OpenAI's ``call_``.

    Each process makes its own after it was forked, or two of them would make the same.
    """

    def __init__(self) -> None:
        self._ready: list[str] = []

    def new(self, prefix: str) -> str:
        try:
            return prefix + self._ready.pop()  # One operation: no two threads get the same.
        except IndexError:
            digits = os.urandom(_BYTES * _AT_ONCE).hex()
            self._ready.extend(digits[at : at + 2 * _BYTES] for at in range(0, len(digits), 2 * _BYTES))
            return self.new(prefix)
