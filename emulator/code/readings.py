"""The words in which an answer that is read speaks to the strategy."""

from __future__ import annotations

import json
from dataclasses import dataclass

from emulator.runs import RunResult


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


def canonical(name: str, arguments: str) -> tuple[str, str]:
    """A call as what it says: the order of its keywords is no difference.  Raises ValueError for what is no JSON."""
    return name, json.dumps(json.loads(arguments), sort_keys=True)
