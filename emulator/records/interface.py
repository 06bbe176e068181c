"""What a store does, whichever it is.

Rule: a record is bytes under a key, for a time.  It may be lost, since whoever misses one falls back to what needs
none; but it is never another key's, and never given out after its time.  A counter only adds up, whoever adds to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

from emulator.errors import EmulatorError


class StoreUnavailable(EmulatorError):
    """The store can't be reached or used now; the message tells which, without its password."""

    status = 503
    code = "store_unavailable"


class Records(Protocol):
    """Bytes under keys, each for a time.  Threads, greenlets and forked processes may share one.

    A key is any text; keys come back from clients, so they may hold what no database admits.
    """

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Keep ``value`` for ``seconds`` (> 0) from now, in place of what the key had.

        Raises StoreUnavailable, also where the store takes no value as large.
        """
        ...

    def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or its time is over.  Raises StoreUnavailable."""
        ...

    def delete(self, key: str) -> None:
        """Forget the value, if there is one.  Raises StoreUnavailable."""
        ...

    def close(self) -> None:
        """Let go of connections and files.  Whatever is asked later opens them again."""
        ...


class Counters(Protocol):
    """Whole numbers under names, in groups, summed over all processes that add to them; they stay for good.

    A name is any text.  How many there are is the caller's to bound.
    """

    def add(self, group: str, increments: Mapping[str, int]) -> None:
        """Add each increment to the counter of that name, all or none.  One that isn't there is 0.

        Raises StoreUnavailable; where the connection broke in the middle, they may have been added all the same.
        """
        ...

    def counted(self, group: str) -> dict[str, int]:
        """All counters of the group.  Raises StoreUnavailable."""
        ...


class Store(Records, Counters, Protocol):
    """What ``--store`` names: records and counters."""


def digest(key: str) -> bytes:
    """The 32 bytes under which a store files ``key``.

    So a key of any length and with any character can be looked up, and comparing keys tells nothing about them to
    somebody who measures how long it takes.
    """
    return hashlib.sha256(name_bytes(key)).digest()


def name_bytes(name: str) -> bytes:
    """Any text as bytes, lone surrogates too; ``name_text`` is the inverse."""
    return name.encode("utf-8", "surrogatepass")


def name_text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogatepass")
