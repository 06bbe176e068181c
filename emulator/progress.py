"""How far a turn has come: for the answer's headers, the log, the statistics, and whoever wants to see the prompts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from emulator.events import ArgumentsDelta, CallStarted, Event, RefusalDelta, TextDelta
from emulator.strategies.effects import Dropped, Left, Note, Repairing, Tried

Json = dict[str, Any]

_LONGEST_REASON = 300


@dataclass(slots=True)
class Trace:
    """What the model was sent and what it answered, question by question; for whoever wants to see it."""

    questions: list[list[Json]] = field(default_factory=list[list[Json]])
    answers: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Told:
    """What an answer's headers and the log say of it, as far as it has come.

    ``waited`` are seconds spent on the model server; ``strategy`` is the one that answers, ``left`` those given up
    before it, with the reasons, ``used`` all that have asked the model, each once.
    """

    round: int = 1
    strategy: str = "code"
    used: list[str] = field(default_factory=list[str])
    left: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    asked: int = 0
    repairs: int = 0
    runs: int = 0
    dropped: list[str] = field(default_factory=list[str])
    waited: float = 0.0
    begun: float = field(default_factory=time.perf_counter)

    @property
    def own_ms(self) -> float:
        """Milliseconds that were the emulator's own."""
        return (time.perf_counter() - self.begun - self.waited) * 1000

    @property
    def ladder(self) -> str:
        """The strategies in the order in which they were tried, each with why it was left; "" where none was."""
        return "; ".join(f"{strategy}: {reason}" for strategy, reason in self.left)

    def ask(self) -> None:
        self.asked += 1
        if self.strategy not in self.used:
            self.used.append(self.strategy)

    def note(self, note: Note) -> None:
        match note:
            case Tried(strategy):
                self.strategy = strategy
            case Left(strategy, reason):
                self.left.append((strategy, reason[:_LONGEST_REASON]))
            case Repairing():
                self.repairs += 1
            case Dropped(reason):
                self.dropped.append(reason[:_LONGEST_REASON])


@dataclass(slots=True)
class Sizes:
    """Characters of the tools' stubs, and of what an answer holds: its words, and its calls as JSON."""

    stubs: int = 0
    words: int = 0
    calls: int = 0

    def add(self, event: Event) -> None:
        match event:
            case TextDelta(_, text) | RefusalDelta(_, text):
                self.words += len(text)
            case CallStarted(_, _, _, name):
                self.calls += len(name)
            case ArgumentsDelta(_, _, fragment):
                self.calls += len(fragment)
            case _:
                pass
