"""The words in which a strategy and the reader of an answer speak to each other."""

from __future__ import annotations

import json
from dataclasses import dataclass

from emulator.runs import RunResult

_EXACT = 2**53
_CUT = frozenset("length max_tokens max_output_tokens model_length content_filter".split())


@dataclass(frozen=True, slots=True)
class Said:
    text: str


@dataclass(frozen=True, slots=True)
class Mused:
    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A proven call: the client's own name and the JSON text of the arguments."""

    name: str
    arguments: str


Reading = Said | Mused | Called


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the answer can't be read on, for the model: the offending source and the exact error."""

    source: str
    error: str


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made before this answer; ``result`` is what came of it, if that is known."""

    name: str
    arguments: str
    result: RunResult | None = None

    @property
    def canonical(self) -> tuple[str, str]:
        return canonical(self.name, self.arguments)


@dataclass(frozen=True, slots=True)
class Manner:
    """How calls may be made.

    ``programs``: what computes is run, by a kernel that keeps its state between steps if ``incremental``.  ``single``:
    one call a round; ``serial`` are the tools (Python names) of which that holds.  ``formats``: JSON and other texts
    that may be something else count as calls if the answer has no other; off where the client wants JSON as its answer.
    """

    programs: bool = True
    incremental: bool = True
    single: bool = False
    serial: frozenset[str] = frozenset()
    formats: bool = True

    @property
    def one_at_a_time(self) -> tuple[str, ...]:
        """The tools of which that holds, as a run is told: ``*`` are all."""
        return ("*",) if self.single else tuple(self.serial)


def cuts_off(reason: str) -> bool:
    """The upstream's finish_reason ``reason`` says that the answer ended before the model was done with it; servers
    have many names for the other ends, such as ``eos_token`` and ``end_turn``."""
    return reason.lower() in _CUT


def canonical(name: str, arguments: str) -> tuple[str, str]:
    """A call as what it says: the order of its keywords is no difference.  Raises ValueError for what is no JSON."""
    return name, json.dumps(json.loads(arguments, parse_float=_number), sort_keys=True)


def _number(text: str) -> float | int:
    """A client in JavaScript sends 3.0 back as 3."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < _EXACT else value
