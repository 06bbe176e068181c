"""Scheduled programs that are kept: the same program comes again in every round."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping

from emulator.code.check import CodeError, parse
from emulator.code.limits import CodeLimits
from emulator.code.schedule import Scheduled, Scheduler
from emulator.recent import Recent

KEPT_BYTES = 512 << 10
"""Characters of programs that are kept scheduled; their syntax trees take some sixty times as much."""


class Schedules:
    """Whole programs for one set of tools, scheduled once: a program comes again in every round."""

    def __init__(
        self,
        tools: Collection[str],
        models: Mapping[str, tuple[str, ...]],
        known: Recent[Hashable, Scheduled | CodeError] | None = None,
    ) -> None:
        """``known`` may be shared by many sets of tools, so that they have one budget."""
        self._tools, self._models = tools, models
        self._known = known or Recent[Hashable, Scheduled | CodeError](KEPT_BYTES)

    def whole(self, text: str, limits: CodeLimits) -> Scheduled:
        """Raises CodeError for what isn't a program that can be run."""
        found = self._known.get((self, text))
        if found is None:
            try:
                found = Scheduler(self._tools, self._models).add(parse(text, limits))
            except CodeError as error:
                found = error
            self._known.put((self, text), found, len(text) + 128)
        if isinstance(found, CodeError):
            raise found
        return found
