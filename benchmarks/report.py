"""Figures and how they are shown: a line each for people, one line of JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import orjson


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that is measured, the bound it must keep, and what it was made of.

    ``value`` is in ``unit`` (empty: a ratio, emulator to bare app unless ``what`` says otherwise).
    ``parts`` are the raw numbers behind it, their unit at the end of each name.  Without ``bound`` it is only told.
    """

    name: str
    what: str
    value: float
    parts: Mapping[str, float]
    bound: float | None = None
    sense: Literal["<=", ">="] = "<="
    unit: str = ""

    @property
    def kept(self) -> bool:
        if self.bound is None:
            return True
        # A number that isn't one keeps no bound.
        return self.value <= self.bound if self.sense == "<=" else self.value >= self.bound

    def line(self) -> str:
        verdict = "" if self.bound is None else ("ok" if self.kept else "MISSED")
        bound = "" if self.bound is None else f"{self.sense} {self.bound:g}"
        shown = f"{_shown(self.value)}{' ' + self.unit if self.unit else ' ×'}"
        parts = ", ".join(f"{name} {_shown(value)}" for name, value in self.parts.items())
        return f"{verdict:<7}{self.name:<16}{shown:>11} {bound:<8} {self.what}\n{'':<7}{parts}"


def _shown(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{value:.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:.3g}"


def json_line(figures: Sequence[Figure]) -> str:
    """All figures as one JSON object by name; a value that isn't finite becomes null."""
    named = {figure.name: asdict(figure) | {"kept": figure.kept} for figure in figures}
    return orjson.dumps(named).decode()
