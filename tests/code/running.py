"""Programs run for the tests: scheduled and replayed round by round on the real interpreter, as a client would see it."""

from __future__ import annotations

import ast
import atexit
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from emulator.code.execution import Step
from emulator.code.schedule import Scheduler
from emulator.runs import Outcome, ProgramRun, RunCall, RunError, RunLimits, RunResult
from kernels.program import Programs

CLOCK = "2026-01-01T10:00:00+00:00"
SEED = "0123456789abcdef01234567"

Answer = Callable[[int, RunCall], RunResult]
"""The client: the result of the call with this index."""


@cache
def interpreter() -> Programs:
    """One for a process of tests: each run has a session of its own in it."""
    made = Programs()
    atexit.register(made.close)
    return made


def run_step(step: Step, tools: Collection[str]) -> Outcome:
    """What the interpreter makes of a step of a program that is being written."""
    return interpreter().run(
        ProgramRun(
            step.source,
            tuple(tools),
            CLOCK,
            SEED,
            results=step.results,
            state=step.state,
            first=step.first,
            waiting=step.waiting,
            keep_state=step.keep_state,
        )
    )


@dataclass(frozen=True)
class Played:
    """A program's way to its end: the calls of each round, and what came of the last run."""

    rounds: list[list[RunCall]]
    outcome: Outcome

    @property
    def calls(self) -> list[RunCall]:
        return [call for made in self.rounds for call in made]

    @property
    def sizes(self) -> list[int]:
        """How many calls left in each round."""
        return [len(made) for made in self.rounds]

    @property
    def error(self) -> RunError | None:
        return self.outcome.error


def play(
    source: str,
    tools: Sequence[str],
    answer: Answer,
    *,
    serial: Sequence[str] = (),
    models: Mapping[str, tuple[str, ...]] | None = None,
    limits: RunLimits | None = None,
) -> Played:
    """Schedule ``source`` whole and replay it with the results of each round until it pauses no more.

    A run that pauses without a new call would pause for ever: that is an error of the schedule.
    """
    scheduled = Scheduler(tools, models or {}).add(ast.parse(source).body)
    results: dict[int, RunResult] = {}
    rounds: list[list[RunCall]] = []
    while True:
        run = ProgramRun(
            scheduled.source,
            tuple(tools),
            CLOCK,
            SEED,
            results=dict(results),
            serial=tuple(serial),
            limits=limits or RunLimits(),
        )
        outcome = interpreter().run(run)
        before = [call for made in rounds for call in made]
        assert list(outcome.calls[: len(before)]) == before, "a replay makes the calls that were made before"
        if fresh := list(outcome.calls[len(before) :]):
            rounds.append(fresh)
        if outcome.end != "paused":
            return Played(rounds, outcome)
        assert fresh, f"paused without a call to wait for:\n{scheduled.source}"
        for index in range(len(before), len(outcome.calls)):
            results[index] = answer(index, outcome.calls[index])


def play_by_statement(source: str, tools: Sequence[str]) -> tuple[list[RunCall], Outcome]:
    """Schedule and run ``source`` statement by statement, as it is written, up to where it waits for a result."""
    scheduler = Scheduler(tools)
    calls: list[RunCall] = []
    state: str | None = None
    outcome = Outcome("done")
    for node in ast.parse(source).body:
        step = Step(scheduler.add([node]).source, state, len(calls), len(calls), {}, keep_state=True)
        outcome = run_step(step, tools)
        calls += outcome.calls
        if outcome.end != "done":
            break
        state = outcome.state
    return calls, outcome


def canned(*values: Any) -> Answer:
    """Results by the calls' order, over and over."""

    def answer(index: int, call: RunCall) -> RunResult:
        value = values[index % len(values)]
        return value if isinstance(value, RunResult) else RunResult(value)

    return answer
