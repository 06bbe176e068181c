"""Connections and locks that don't cross a fork."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """What each process makes for itself with ``make``, the first time that it asks after its fork.

    What a child inherits is neither used nor closed, nor left to the garbage collector, which would close it: a
    goodbye from the child would end the parent's session, and SQLite's files must not be closed by a process that
    didn't open them (https://www.sqlite.org/howtocorrupt.html, 2.6).
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._pid, self._mine = os.getpid(), make()
        self._inherited: list[T] = []

    def get(self) -> T:
        if self._pid != os.getpid():
            self._inherited.append(self._mine)
            # The pid comes last: a thread that sees it finds what belongs to it.
            self._mine = self._make()
            self._pid = os.getpid()
        return self._mine
