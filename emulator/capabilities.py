"""What the upstream can do for each model: probed when it is first needed, remembered by all who share the store.

Rule: a probe costs a few tokens once; one that fails says that nothing special can be done, for a shorter time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from emulator.lifetime import Lifetime
from emulator.logs import log_event
from emulator.ports import Capabilities, Upstream
from emulator.records.interface import Records
from emulator.records.remembered import Remembered
from emulator.settings import DAY
from emulator.upstream.probes import probe

logger = logging.getLogger(__name__)

_FOUND_SECONDS = DAY
_MISSING_SECONDS = 600.0


class KnownCapabilities:
    """One a process.  ``store`` gives the store, opened when it is first needed."""

    def __init__(self, upstream: Upstream, store: Callable[[], Records], name: str, allowed: str) -> None:
        """``name`` tells upstreams apart; ``allowed`` is ``Settings.probe``."""
        self._upstream = upstream
        self._name, self._allowed = name, allowed
        self._found = Remembered(store, "capabilities", _FOUND_SECONDS)
        self._missing = Remembered(store, "no-capabilities", _MISSING_SECONDS)

    def of(self, model: str, authorization: str | None, lifetime: Lifetime) -> Capabilities:
        """What is known, or what a probe on behalf of this request finds; nothing where probes are turned off."""
        if self._allowed == "off":
            return Capabilities()
        key = f"{self._name} {self._allowed} {model}"
        for remembered in (self._found, self._missing):
            known = _read(remembered.get(key))
            if known is not None:
                return known
        found = probe(
            self._upstream,
            model,
            authorization=authorization,
            lifetime=lifetime,
            tools=self._allowed == "native",
            hint=self._name,
        )
        log_event(logger, "upstream probed", model=model, **asdict(found))
        (self._missing if found == Capabilities() else self._found).put(key, asdict(found))
        return found


def _read(stored: Any) -> Capabilities | None:
    """None where nothing is known, or by another version of this server."""
    try:
        return Capabilities(**stored)
    except TypeError:
        return None
