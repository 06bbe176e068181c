"""A program while it is being written: its statements, what of them has been run, and what is to be run next.

Rule: no statement is run twice.  The interpreter's state after the statements so far is what the next ones go on
from; once the program waits for a result, the rest is only kept, until it is replayed with the results.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from emulator.code.check import CodeError, parse
from emulator.code.limits import CodeLimits
from emulator.code.schedule import Scheduled, Scheduler
from emulator.runs import Outcome, RunCall, RunError, RunResult

_SHOWN = 200
"""Characters of a line that a traceback shows."""
_REPEATED = 3
_LINE_END = re.compile(r"\r\n|\r|\n")
"""As Python counts lines."""
_FRAMES = 20
_MAIN = re.compile(r"^(?:async )?def main\(\)", re.MULTILINE)
_MAIN_CALLED = re.compile(r"(?<!def )\bmain\(")


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be run next: see ProgramRun for the fields."""

    source: str
    state: str | None
    first: int
    waiting: int
    results: Mapping[int, RunResult]
    keep_state: bool
    used: float = 0.0
    """Seconds that the steps before took."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception of the program: the line it came from, and the traceback as text."""

    source: str
    traceback: str


def failure(error: RunError, scheduled: Scheduled, text: str) -> Failure:
    """``error`` in terms of ``text``, the program as it was written, instead of what was run for it."""
    written = _LINE_END.split(text)
    origins = scheduled.lines()
    numbers = [origins[line - 1] for line in error.lines if 0 < line <= len(origins)]
    shown = _folded([f"  line {n}: {written[n - 1].strip()[:_SHOWN]}" for n in numbers if n <= len(written)])
    said = f"{error.type}: {error.message}" if error.message else error.type
    head = ["Traceback (most recent call last):", *shown] if shown else []
    last = written[numbers[-1] - 1].strip() if numbers and numbers[-1] <= len(written) else text
    return Failure(last[:_SHOWN], "\n".join([*head, said]))


def _folded(lines: list[str]) -> list[str]:
    """A traceback's lines, of which recursion can make a thousand: equal ones told once, and the last ones only."""
    folded: list[str] = []
    for line, group in groupby(lines):
        count = sum(1 for _ in group)
        folded += [line] * min(count, _REPEATED)
        if count > _REPEATED:
            folded.append(f"  [Previous line repeated {count - _REPEATED} more times]")
    return folded if len(folded) <= _FRAMES else ["  ...", *folded[-_FRAMES:]]


@dataclass(slots=True)
class Execution:
    """``add`` the statements as they close; run each ``due`` step and tell what came of it by ``ran``.

    Nothing is due before ``begin``: until then the statements are read off without being run.  ``incremental``
    kernels keep their state between steps; others run the whole program once, when it has been ``ended``.
    """

    tools: Collection[str]
    models: Mapping[str, tuple[str, ...]]
    limits: CodeLimits
    incremental: bool = True
    begun: bool = False
    ended: bool = False
    paused: bool = False
    prints: bool = False
    failed: Failure | None = None
    output: str = ""
    value: str | None = None
    calls: int = 0
    """Calls of the program so far, whether read off or run."""
    results: dict[int, RunResult] = field(default_factory=dict[int, RunResult])
    _statements: list[str] = field(default_factory=list[str])
    _scheduler: Scheduler = field(init=False)
    _scheduled: Scheduled | None = None
    _done: int = 0
    _taken: int = 0
    _state: str | None = None
    _first: int = 0
    _given: int = 0
    _used: float = 0.0

    def __post_init__(self) -> None:
        self._scheduler = Scheduler(self.tools, self.models)

    @property
    def text(self) -> str:
        """The program so far."""
        return "\n".join(self._statements)

    @property
    def shown(self) -> str:
        """What a program that got to its end printed, or its last expression."""
        return self.output or self.value or ""

    def add(self, source: str) -> None:
        self._statements.append(source)
        self.prints = self.prints or "print" in source

    def rewrite(self, source: str) -> None:
        """The statement that was added last is ``source``."""
        self._statements[-1] = source
        self.prints = self.prints or "print" in source

    @property
    def forgets_main(self) -> bool:
        """The program has run, and all it does is to define a ``main`` that nobody calls."""
        if not self.begun or self.paused or self.failed or self.calls or self.output:
            return False
        return bool(_MAIN.search(self.text)) and not _MAIN_CALLED.search(self.text)

    def cut_back(self, statements: int) -> None:
        """Forget what was added after the first ``statements``: it was not part of the program."""
        del self._statements[statements:]

    def __len__(self) -> int:
        return len(self._statements)

    @property
    def is_due(self) -> bool:
        if not self.begun or self.paused or self.failed:
            return False
        return self._done < len(self._statements) and (self.incremental or self.ended)

    def due(self) -> Step:
        """The next step, which ``is_due``.

        Raises CodeError where the next statement can't be scheduled, and forgets those behind it: had they come one
        by one, nobody would have read them.
        """
        if self._scheduled is None:
            self._scheduled = self._next()
        self._given = len(self.results)
        waiting = self._first - sum(index < self._first for index in self.results)
        return Step(
            self._scheduled.source,
            self._state,
            self._first,
            waiting,
            dict(self.results),
            self.incremental,
            self._used,
        )

    def _next(self) -> Scheduled:
        """All statements that wait; where one of them is at fault, those before it."""
        waiting = self._statements[self._done :]
        self._taken = len(self._statements)
        try:
            return self._schedule(waiting)
        except CodeError:
            if len(waiting) == 1 or not self.incremental:
                raise
        self._learn_again()
        self._taken = self._done
        for statement in waiting:
            try:
                self._schedule([statement])
            except CodeError:
                break
            self._taken += 1
        self._learn_again()
        if self._taken == self._done:
            self.cut_back(self._done + 1)
        if self._taken in (self._done, len(self._statements)):  # Each may be right alone, and only all be too much.
            self._taken = self._done + 1
        return self._schedule(self._statements[self._done : self._taken])

    def _schedule(self, statements: Sequence[str]) -> Scheduled:
        nodes: list[ast.stmt] = parse("\n".join(statements), self.limits)
        return self._scheduler.add(nodes)

    def _learn_again(self) -> None:
        """The scheduler as it was behind the statements that have run."""
        self._scheduler = Scheduler(self.tools, self.models)
        if self._done:
            self._schedule(self._statements[: self._done])

    def ran(self, outcome: Outcome) -> list[tuple[int, RunCall]]:
        """The calls of the step that weren't known before, each with its index in the program."""
        fresh = [(self._first + index, call) for index, call in enumerate(outcome.calls)][self.calls - self._first :]
        self.calls = max(self.calls, self._first + len(outcome.calls))
        return fresh

    def settle(self, outcome: Outcome) -> None:
        """The calls of ``ran`` have been looked at; results that were found for them are in ``results`` now."""
        if outcome.end == "paused" and len(self.results) > self._given:
            return  # The same step once more: it gets further now.
        assert self._scheduled is not None
        if outcome.end == "error" and outcome.error is not None:
            text = "\n".join(self._statements[self._done : self._taken])
            self.failed = failure(outcome.error, self._scheduled, text)
        self.paused = self.paused or outcome.end == "paused"
        self._scheduled = None
        if self.incremental and outcome.end == "done" and outcome.state is None:
            self._begin_again()
            return
        self.output += outcome.output
        self.value = outcome.value
        self._used += outcome.seconds
        self._state, self._first, self._done = outcome.state, self.calls, self._taken

    def _begin_again(self) -> None:
        """The interpreter's state is too large to be carried from step to step: the whole runs at the end, once."""
        self.incremental = False
        self._state, self._first, self._done, self._used, self.output = None, 0, 0, 0.0, ""
        self._scheduler = Scheduler(self.tools, self.models)
