"""What a store of programs does, whichever it is.

Rule: a record is bytes under a random key, for a time.  It may be lost, since whoever misses one falls back to the
plain transcript; but it is never another key's, and never given out after its time.
"""

from __future__ import annotations

import hashlib
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
        """Keep ``value`` for ``seconds`` (> 0) from now, in place of what the key had.  Raises StoreUnavailable."""
        ...

    def get(self, key: str) -> bytes | None:
        """The value, or None where there is none or its time is over.  Raises StoreUnavailable."""
        ...

    def close(self) -> None:
        """Let go of connections and files.  A later ``put`` or ``get`` opens them again."""
        ...


def digest(key: str) -> bytes:
    """The 32 bytes under which a store files ``key``.

    So a key of any length and with any character can be looked up, and comparing keys tells nothing about them to
    somebody who measures how long it takes.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
