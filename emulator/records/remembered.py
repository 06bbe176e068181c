"""What was found out once and holds for a while: JSON in the store, with a copy in the process in front of it.

Rule: a store that fails costs the other processes the finding, and this one nothing but finding it out itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from emulator.logs import log_event
from emulator.recent import Recent
from emulator.records.interface import Records, StoreUnavailable

_logger = logging.getLogger(__name__)

COPY_SECONDS = 60.0
"""How long a process goes by its own copy before it looks whether another one knows better."""

_COPIES = 1024


@dataclass(frozen=True, slots=True)
class _Copy:
    """``fresh`` and ``until`` are moments of the monotonic clock: trusted without a look, and at all."""

    value: Any
    fresh: float
    until: float


class Remembered:
    """JSON values by key; ``kind`` keeps them apart from everything else in the store.

    ``store`` is asked for when it is first needed.  A value is kept for ``seconds`` from when it was put.
    """

    def __init__(self, store: Callable[[], Records], kind: str, seconds: float) -> None:
        self._store, self._kind, self._seconds = store, kind, seconds
        self._copies = Recent[str, _Copy](_COPIES)

    def get(self, key: str) -> Any | None:
        """The value, which is the caller's to check: another version of this server may have put it."""
        copy = self._copies.get(key)
        if copy is not None and time.monotonic() < copy.fresh:
            return copy.value
        try:
            stored = self._store().get(self._name(key))
        except StoreUnavailable as error:
            log_event(
                _logger, "remembered value not read", level=logging.WARNING, kind=self._kind, reason=error.message
            )
            return copy.value if copy is not None and time.monotonic() < copy.until else None
        if stored is None:
            return None
        value = orjson.loads(stored)
        self._copy(key, value)
        return value

    def put(self, key: str, value: Any) -> None:
        """Keep ``value``, anything that JSON can hold, in this process and for the others."""
        self._copy(key, value)
        try:
            self._store().put(self._name(key), orjson.dumps(value), self._seconds)
        except StoreUnavailable as error:
            log_event(
                _logger, "remembered value not kept", level=logging.WARNING, kind=self._kind, reason=error.message
            )

    def _copy(self, key: str, value: Any) -> None:
        now = time.monotonic()
        self._copies.put(key, _Copy(value, now + min(COPY_SECONDS, self._seconds), now + self._seconds))

    def _name(self, key: str) -> str:
        return f"{self._kind}:{key}"
