"""The model is shown stubs and answers with Python.

Calls leave while the model writes; what computes is run as soon as it is written.  What can't be used is shown to the
model with the exact error, and only what is still missing is asked for; the words of such a repair are said only if
no call comes of it.  A program that has to wait for results is kept.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from emulator.code.check import CodeError
from emulator.code.judge import Judge
from emulator.code.native import NativeCalls
from emulator.code.reader import AnswerReader
from emulator.code.readings import Called, Made, Mused, Problem, Reading, Said, canonical, cuts_off
from emulator.code.vocabulary import Vocabulary
from emulator.continuation import CallIds
from emulator.errors import EmptyAnswer, FormatMissed, ModelFault, ToolCallRequired
from emulator.events import (
    CallStarted,
    Event,
    Finished,
    OtherFields,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    argument_deltas,
)
from emulator.kept import KeptProgram
from emulator.ports import AnswerDelta
from emulator.prompt import Repair, call_as_code
from emulator.protocols.conversation import PastCall
from emulator.runs import Outcome, ProgramRun
from emulator.strategies.effects import READ, Ask, CodeTask, Dropped, Effect, Keep, Repairing, Run, Sent
from emulator.tools.answer_format import Misfit

_LEAST_SECONDS = 0.01
"""What a step of a program gets whose time is up: it ends with the interpreter's own error."""

_MEDIA = frozenset(["audio", "images"])
"""Fields of a message that are an answer without a word."""

Json = dict[str, Any]
Wrong = Problem | Misfit | Literal["required", "empty", "silent"]


@dataclass(frozen=True, slots=True)
class Start:
    """How an answer begins: what the model is asked, the calls that it may repeat and their results' JSON texts, and
    how often it has corrected its program already.  ``worded``: it is to put an output into words; ``native``: it is
    asked with the client's own request."""

    messages: list[Json]
    made: tuple[Made, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    corrections: int = 0
    worded: bool = False
    native: bool = False


@dataclass(slots=True)
class _State:
    """What has left so far, over all attempts."""

    start: Start
    ids: CallIds
    made: list[Made] = field(default_factory=list[Made])
    said: bool = False
    thought: bool = False


@dataclass(slots=True)
class _Attempt:
    reader: AnswerReader
    native: NativeCalls
    before: int
    reason: str = "stop"
    stop: str | None = None
    refused: bool = False
    """The upstream tells that the model declines."""
    heard: bool = False
    """The message says something by other means than words."""
    raw: list[str] = field(default_factory=list[str])
    held: list[TextDelta] = field(default_factory=list[TextDelta])


def answer(task: CodeTask, start: Start | None = None) -> Generator[Effect, Sent, None]:
    """Raises ModelFault where the model can't be brought to what the client asked for."""
    state = _State(start or Start(task.transcript.plain()), task.new_ids())
    messages = state.start.messages
    for left in range(task.repairs, -1, -1):
        attempt = _Attempt(_reader(task, state), _native(task, state), len(state.made))
        yield Ask(messages, {} if state.start.worded else task.fields, native=state.start.native)
        yield from _read(task, state, attempt, first=left == task.repairs)
        wrong = _wrong(task, state, attempt)
        if wrong is None:
            yield from _finished(task, state, attempt)
            return
        if left == 0:
            yield from _give_up(task, state, attempt, wrong)
            return
        yield Repairing()
        messages = _repair(task, state, attempt, wrong)


def call_events(choice: int, index: int, identifier: str, called: Called) -> Iterator[Event]:
    """A call as the client is told of it; ``index`` counts the calls of this answer."""
    yield CallStarted(choice, index, identifier, called.name)
    yield from argument_deltas(choice, index, called.arguments)


def output_answer(task: CodeTask, output: str) -> Iterator[Event]:
    """A program's output as the answer."""
    yield TextDelta(task.choice, output)
    yield Finished(task.choice, "stop")


def _reader(task: CodeTask, state: _State) -> AnswerReader:
    return AnswerReader(
        task.vocabulary,
        task.limits,
        in_thought=task.in_thought,
        manner=task.manner,
        made=[*state.start.made, *state.made],
        texts=state.start.texts,
    )


def _native(task: CodeTask, state: _State) -> NativeCalls:
    return NativeCalls(Judge(task.vocabulary or Vocabulary({}, {}), state.start.texts))


def _read(task: CodeTask, state: _State, attempt: _Attempt, *, first: bool) -> Generator[Effect, Sent, None]:
    """One answer of the model, from its first delta to the one with a finish_reason."""
    reader = attempt.reader
    hold = not first or task.briefing.required or task.format is not None
    speaker = _Speaker(task, state, attempt, first=first, hold=hold)
    ended = False
    while not ended:
        delta = yield READ
        assert isinstance(delta, AnswerDelta)
        ended = delta.finish_reason is not None
        if delta.reasoning:
            reader.thinks_apart()
            if first:
                state.thought = True
                yield ReasoningDelta(task.choice, delta.reasoning)
        if delta.refusal or delta.others:
            yield from _beside(task, attempt, delta, first=first)
        speaker.logprobs += delta.logprobs
        attempt.raw.append(delta.text)
        attempt.native.add(delta.calls)
        if delta.text:
            yield from speaker.say(reader.feed(delta.text))
            yield from _run_due(task, state, speaker)
        if delta.finish_reason is not None:
            attempt.reason, attempt.stop = delta.finish_reason, delta.stop
            yield from speaker.say(reader.finish(delta.finish_reason, stop_given=task.stop_given))
            yield from _run_due(task, state, speaker)
            yield from speaker.say(_native_calls(task, state, attempt))
    if not (task.briefing.required or state.made or reader.problem or reader.ran_through or _misfit(task, attempt)):
        yield from speaker.let_go(keep=True)


def _beside(task: CodeTask, attempt: _Attempt, delta: AnswerDelta, *, first: bool) -> Iterator[Event]:
    """What isn't the model's own text, and can't have code in it."""
    if delta.refusal:
        attempt.refused = True
        yield RefusalDelta(task.choice, delta.refusal, delta.refusal_logprobs)
    if delta.others and first:
        attempt.heard = attempt.heard or bool(delta.others.keys() & _MEDIA)
        yield OtherFields(task.choice, delta.others)


def _misfit(task: CodeTask, attempt: _Attempt) -> Misfit | None:
    """Why the words aren't what the client asked for; if they are, nothing else of them is left.

    An answer that a limit has cut is what it is.
    """
    held = "".join(delta.text for delta in attempt.held)
    if task.format is None or not held.strip() or cuts_off(attempt.reason):
        return None
    try:
        attempt.held = [replace(attempt.held[0], text=task.format.fitting(held))]
    except Misfit as misfit:
        return misfit
    return None


def _native_calls(task: CodeTask, state: _State, attempt: _Attempt) -> Iterator[Called]:
    """What the upstream called by itself, and what it hasn't also written as text."""
    if task.vocabulary is None:
        return
    made = {call.canonical for call in state.made}
    try:
        for python, called in attempt.native.proven(cut=cuts_off(attempt.reason)):
            if canonical(called.name, called.arguments) in made:
                continue
            if state.made and (task.manner.single or python in task.manner.serial):
                return
            yield called
    except CodeError as error:
        attempt.reader.problem = Problem("", str(error))


def _run_due(task: CodeTask, state: _State, speaker: _Speaker) -> Generator[Effect, Sent, None]:
    """Run what is due, and read on behind it, until nothing is."""
    reader = speaker.attempt.reader
    while reader.is_due:
        step = reader.due()
        if step is None:
            yield from speaker.say(reader.taken())
            continue
        limits = task.terms.limits
        outcome = yield Run(
            ProgramRun(
                source=step.source,
                tools=tuple(task.vocabulary.names if task.vocabulary else ()),
                clock=task.terms.clock,
                seed=state.ids.key,
                timezone=task.terms.timezone,
                results=step.results,
                serial=task.manner.one_at_a_time,
                state=step.state,
                first=step.first,
                waiting=step.waiting,
                keep_state=step.keep_state,
                limits=replace(limits, seconds=max(limits.seconds - step.used, _LEAST_SECONDS)),
            )
        )
        assert isinstance(outcome, Outcome)
        yield from speaker.say(reader.ran(outcome))


@dataclass(slots=True)
class _Speaker:
    """Readings → events.  ``hold``: words wait for the attempt's outcome."""

    task: CodeTask
    state: _State
    attempt: _Attempt
    first: bool
    hold: bool
    logprobs: list[Json] = field(default_factory=list[Json])

    def say(self, readings: Iterable[Reading]) -> Iterator[Event]:
        choice, state = self.task.choice, self.state
        for reading in readings:
            match reading:
                case Called():
                    self.hold = False
                    self.logprobs.clear()
                    yield from self.let_go(keep=self.first)
                    index = len(state.made)
                    state.made.append(Made(reading.name, reading.arguments))
                    yield from call_events(choice, index, state.ids.id(index), reading)
                case Mused(text):
                    state.thought = True
                    if self.first:  # What the model thinks of its mistake is no part of the answer.
                        yield ReasoningDelta(choice, text)
                case Said(text):
                    delta = TextDelta(choice, text, tuple(self.logprobs))
                    self.logprobs.clear()
                    if self.hold:
                        self.attempt.held.append(delta)
                    else:
                        state.said = True
                        yield delta

    def let_go(self, *, keep: bool) -> Iterator[Event]:
        """Words that waited for the attempt's outcome are said, or dropped for the calls they led to."""
        held, self.attempt.held = self.attempt.held, []
        if keep and held:
            if self.state.said:  # Words of an earlier attempt stand before these.
                yield TextDelta(held[0].choice, "\n\n")
            self.state.said = True
            yield from held


def _wrong(task: CodeTask, state: _State, attempt: _Attempt) -> Wrong | None:
    """What must be asked for again, if anything."""
    reader = attempt.reader
    if reader.problem is not None:
        return reader.problem
    if state.made or attempt.refused:
        return None
    if task.briefing.required:
        return "required"
    if reader.ran_through:
        return None if reader.execution.shown else "silent"
    if not (state.said or attempt.heard or task.may_be_empty or cuts_off(attempt.reason)):
        return _misfit(task, attempt) or "empty"
    return None


def _finished(task: CodeTask, state: _State, attempt: _Attempt) -> Generator[Effect, Sent, None]:
    reader, terms = attempt.reader, task.terms
    if not state.made:
        if not reader.ran_through:
            yield Finished(task.choice, attempt.reason, attempt.stop)
        elif terms.final == "output" or state.start.worded:
            yield from output_answer(task, reader.execution.shown)
        else:  # Nothing was to be called after all: the program has worked the answer out.
            messages = task.transcript.worded(reader.execution.text, reader.execution.shown)
            yield from answer(task, Start(messages, worded=True))
        return
    text = reader.program()
    if text is not None and (scheduled := _scheduled(task, text)) is not None:
        kept = KeptProgram(
            text,
            scheduled,
            terms.clock,
            state.ids.key,
            terms.owner,
            terms.tools,
            attempted=attempt.before,
            carries=bool(state.start.made),
            corrections=state.start.corrections,
        )
        yield Keep(state.ids.key, kept)
    yield Finished(task.choice, "tool_calls")


def _scheduled(task: CodeTask, text: str) -> str | None:
    """What a kernel is given for the program; None if parts that were never run are what no kernel runs."""
    assert task.vocabulary is not None
    try:
        return task.vocabulary.scheduled(text, task.limits).source
    except CodeError:
        return None


def _give_up(task: CodeTask, state: _State, attempt: _Attempt, wrong: Wrong) -> Iterable[Effect]:
    """No question is left.  Calls that have left stand; without any, the client is told what went wrong."""
    if state.made:
        reason = wrong.error if isinstance(wrong, Problem) else str(wrong)
        return [Dropped(reason), Finished(task.choice, "tool_calls")]
    if isinstance(wrong, Misfit):
        raise FormatMissed(f"The model's answer is not the JSON that was asked for: {wrong}")
    if isinstance(wrong, Problem):
        raise ModelFault(
            f"The model's call could not be made valid: {wrong.error} - It wrote: {wrong.source[:300]}",
            hint="- A larger model, fewer tools or more --repairs may help.",
        )
    if wrong == "required":
        cut = ", which was cut off before a call was complete (max tokens)" if attempt.reason == "length" else ""
        raise ToolCallRequired(f"'tool_choice' demands a call, but the model made none in its answer{cut}.")
    if state.thought or state.said:
        return [Finished(task.choice, attempt.reason, attempt.stop)]
    raise EmptyAnswer("The model's answer is empty: neither text nor a call.")


def _repair(task: CodeTask, state: _State, attempt: _Attempt, wrong: Wrong) -> list[Json]:
    answered, named = "".join(attempt.raw), task.briefing.named
    before = state.start.messages
    repair = task.transcript.prompts.repair
    if isinstance(wrong, Misfit):
        return repair(before, answered, Repair("format", error=str(wrong)))
    if not isinstance(wrong, Problem):
        return repair(before, answered, Repair(wrong, named=named))
    made = "\n".join(call_as_code(PastCall("", made.name, made.arguments), task.briefing) for made in state.made)
    programs = task.manner.programs
    return repair(before, answered, Repair("statement", wrong.source, wrong.error, made, programs=programs))
