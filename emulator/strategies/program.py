"""A program goes on: replayed with the results that the client has sent, without asking the model.

The program and the results so far determine the next calls.  Only a run that gets to its end, one that fails, or one
that doesn't make the calls of the client's history, leads back to the model.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field

from emulator.code.check import CodeError
from emulator.code.execution import Failure, failure
from emulator.code.judge import Judge, value_key, written
from emulator.code.readings import Called, Made, canonical
from emulator.code.unknown import explained
from emulator.code.vocabulary import Vocabulary
from emulator.continuation import CallIds, Record, Resumption, texts_of
from emulator.events import Finished, Head
from emulator.runs import Outcome, ProgramRun, RunResult
from emulator.strategies.code import Start, answer, call_events, output_answer
from emulator.strategies.effects import CodeTask, Effect, Run, Sent
from emulator.tools.defaults import without_defaults


class _Differs(Exception):
    """The program doesn't make the calls that the client's history has."""


def resumed(task: CodeTask, resumption: Resumption, model: str) -> Generator[Effect, Sent, None]:
    """The next round of a program, or what follows its last.  ``model`` is the name that the answer is to carry."""
    assert task.vocabulary is not None
    replay = _Replay(task, task.vocabulary, resumption)
    try:
        outcome = yield from replay.run()
    except _Differs:
        yield from answer(task)
        return
    if replay.fresh:
        yield Head({"model": model})
        own = len(resumption.trail.own)
        ids = CallIds(resumption.trail.key)
        for index, called in enumerate(replay.fresh):
            yield from call_events(task.choice, index, ids.id(own + index), called)
        yield Finished(task.choice, "tool_calls")
    elif outcome.end == "done" and not replay.refused:
        yield from _ended(task, resumption, outcome, model)
    else:
        yield from _corrected(task, resumption, replay.failure(outcome))


def _ended(task: CodeTask, resumption: Resumption, outcome: Outcome, model: str) -> Generator[Effect, Sent, None]:
    shown = outcome.output or outcome.value or ""
    if task.terms.final == "output" and shown and not task.briefing.required:
        yield Head({"model": model})
        yield from output_answer(task, shown)
        return
    transcript, start = task.transcript, resumption.trail.start
    if shown and not outcome.unread:
        yield from answer(task, Start(transcript.worded(resumption.kept.text, shown, start), worded=True))
    else:
        yield from answer(task, Start(transcript.plain(output=outcome.output), worded=True))


def _corrected(task: CodeTask, resumption: Resumption, failed: Failure) -> Generator[Effect, Sent, None]:
    """The exception goes to the model, which may write the program anew: what was called isn't called again."""
    kept, trail = resumption.kept, resumption.trail
    if kept.corrections >= task.repairs:
        plain = task.transcript.plain(output=failed.traceback)
        yield from answer(task, Start(plain, corrections=kept.corrections))
        return
    made = tuple(Made(record.name, record.arguments, record.result) for record in (*trail.earlier, *trail.own))
    messages = task.transcript.failed(kept.text, failed.traceback)
    texts = texts_of([*trail.earlier, *trail.own], value_key)
    yield from answer(task, Start(messages, made, texts, kept.corrections + 1))


@dataclass(slots=True)
class _Replay:
    """Matches the calls of a run with the client's history; ``fresh`` are those that it doesn't have yet."""

    task: CodeTask
    vocabulary: Vocabulary
    resumption: Resumption
    fresh: list[Called] = field(default_factory=list[Called])
    refused: Failure | None = None
    """Why a call that isn't in the history can't be made."""
    _results: dict[int, RunResult] = field(default_factory=dict[int, RunResult])
    _calls: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])

    def run(self) -> Generator[Effect, Sent, Outcome]:
        """Raises _Differs."""
        kept, trail = self.resumption.kept, self.resumption.trail
        repeatable = [*(trail.earlier if kept.carries else ()), *trail.own[: kept.attempted]]
        strict = list(trail.own[kept.attempted :])
        judge = Judge(self.vocabulary, texts_of([*trail.earlier, *trail.own], value_key))
        if not repeatable and not any(record.result.error for record in strict):
            self._expect(strict)
        while True:
            outcome = yield Run(self._program())
            assert isinstance(outcome, Outcome)
            known = len(self._results)
            self._look(outcome, judge, repeatable, strict)
            if len(self._results) == known:
                break
        if len(outcome.calls) < len(self._calls) and outcome.end != "error":
            raise _Differs
        if strict and not self._raises:
            raise _Differs
        return outcome

    def _look(self, outcome: Outcome, judge: Judge, repeatable: list[Record], strict: list[Record]) -> None:
        """Go through the calls of a run, up to the first whose error has yet to be raised in the program."""
        self.fresh, self.refused = [], None
        for index, call in enumerate(outcome.calls):
            try:
                called = judge.run_call(call)
            except CodeError as error:
                if index in self._calls:
                    raise _Differs from None
                self.refused = Failure(written(call), explained(error, self.vocabulary.names))
                return
            if self._match(index, called, repeatable, strict):
                return

    def failure(self, outcome: Outcome) -> Failure:
        if self.refused is not None:
            return self.refused
        if outcome.error is None:  # It waits for a result, but has made no call that one could come from.
            return Failure("", "The program stopped without an error.")
        error, text = outcome.error, self.resumption.kept.text
        try:
            return failure(error, self.vocabulary.scheduled(text, self.task.limits), text)
        except CodeError:  # The limits of code are others by now.
            return Failure("", f"{error.type}: {error.message}")

    def _expect(self, strict: list[Record]) -> None:
        """All calls of the history are the program's own, in its order: one run is enough."""
        for index, record in enumerate(strict):
            self._results[index] = record.result
            self._calls[index] = self._recorded(record)
        strict.clear()

    @property
    def _raises(self) -> bool:
        """An error was raised in the program: calls that left with the failed one may not be made any more."""
        return any(result.error is not None for result in self._results.values())

    def _match(self, index: int, called: Called, repeatable: list[Record], strict: list[Record]) -> bool:
        """Find the call in the history.  True where its error is news to the program, which will go another way."""
        same = self._said(called.name, called.arguments)
        if index in self._calls:
            if self._calls[index] != same:
                raise _Differs
            return False
        record = self._taken(same, repeatable) or self._taken(same, strict, ahead=len(strict) if self._raises else 1)
        if record is None:
            if strict and not self._raises:
                raise _Differs
            self.fresh.append(called)
            return False
        self._calls[index], self._results[index] = same, record.result
        return record.result.error is not None

    def _program(self) -> ProgramRun:
        task, kept = self.task, self.resumption.kept
        return ProgramRun(
            source=kept.scheduled,
            tools=tuple(self.vocabulary.names),
            clock=kept.clock,
            seed=kept.seed,
            timezone=task.terms.timezone,
            results=dict(self._results),
            serial=task.manner.one_at_a_time,
            limits=task.terms.limits,
        )

    def _taken(self, same: tuple[str, str], records: list[Record], ahead: int | None = None) -> Record | None:
        """The first of ``records``, or of as many as are ``ahead``, that says the same; it is then used up."""
        for index, record in enumerate(records[:ahead]):
            if self._recorded(record) == same:
                return records.pop(index)
        return None

    def _recorded(self, record: Record) -> tuple[str, str]:
        try:
            return self._said(record.name, record.arguments)
        except (ValueError, RecursionError):
            raise _Differs from None

    def _said(self, name: str, arguments: str) -> tuple[str, str]:
        """A call as what it says, whether or not the defaults of its schema are written out."""
        if (schema := self.resumption.schemas.get(name)) is not None:
            arguments = json.dumps(without_defaults(schema, json.loads(arguments)))
        return canonical(name, arguments)
