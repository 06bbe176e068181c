"""What the upstream can do for each model: probed when it is first needed, remembered by all who share the store.

Rule: a probe costs a few tokens once; one that fails says that nothing special can be done, for a shorter time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from emulator.lifetime import Lifetime
from emulator.logs import log_event
from emulator.ports import Capabilities, Upstream
from emulator.recent import Recent
from emulator.records.interface import Records
from emulator.records.remembered import Remembered
from emulator.settings import DAY
from emulator.upstream.probes import probe

logger = logging.getLogger(__name__)

_FOUND_SECONDS = DAY
_MISSING_SECONDS = 600.0
_UNSETTLED_SECONDS = 30.0
_MOST_UNSETTLED = 256


class KnownCapabilities:
    """One a process.  ``store`` gives the store, opened when it is first needed."""

    def __init__(self, upstream: Upstream, store: Callable[[], Records], name: str, allowed: str) -> None:
        """``name`` tells upstreams apart; ``allowed`` is ``Settings.probe``."""
        self._upstream = upstream
        self._name, self._allowed = name, allowed
        self._found = Remembered(store, "capabilities", _FOUND_SECONDS)
        self._missing = Remembered(store, "no-capabilities", _MISSING_SECONDS)
        self._unsettled = Recent[tuple[str, str | None], tuple[Capabilities, float]](_MOST_UNSETTLED)
        self._probing = threading.Lock()

    def of(self, model: str, authorization: str | None, lifetime: Lifetime) -> Capabilities:
        """What is known, or what a probe on behalf of this request finds; nothing where probes are turned off."""
        if self._allowed == "off":
            return Capabilities()
        key = f"{self._name} {self._allowed} {model}"
        known = self._known(key, authorization)
        if known is not None:
            return known
        # Requests that come meanwhile wait for the one probe, for as long as they may take themselves.
        if not self._probing.acquire(timeout=lifetime.remaining()):
            return Capabilities()
        try:
            return self._known(key, authorization) or self._probed(key, model, authorization, lifetime)
        finally:
            self._probing.release()

    def _known(self, key: str, authorization: str | None) -> Capabilities | None:
        unsettled = self._unsettled.get((key, authorization))
        if unsettled is not None and time.monotonic() < unsettled[1]:
            return unsettled[0]
        return _read(self._found.get(key)) or _read(self._missing.get(key))

    def _probed(self, key: str, model: str, authorization: str | None, lifetime: Lifetime) -> Capabilities:
        tools = self._allowed == "native"
        found = probe(
            self._upstream, model, authorization=authorization, lifetime=lifetime, tools=tools, hint=self._name
        )
        log_event(logger, "upstream probed", model=model, **asdict(found))
        if found.settled:
            (self._missing if found == Capabilities() else self._found).put(key, asdict(found))
        else:  # A client's wrong key, or a server that is busy, is no finding for others, nor for long.
            self._unsettled.put((key, authorization), (found, time.monotonic() + _UNSETTLED_SECONDS))
        return found


def _read(stored: Any) -> Capabilities | None:
    """None where nothing is known, or by another version of this server."""
    try:
        return Capabilities(**stored)
    except TypeError:
        return None
