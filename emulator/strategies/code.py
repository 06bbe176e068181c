"""The model is shown stubs and answers with Python.

Calls leave while the model writes.  What can't be used is shown to it with the exact error, and only what is
still missing is asked for; the words of such a repair are said only if no call comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from emulator.code.limits import CodeLimits
from emulator.code.reader import AnswerReader, Called, Mused, Problem, Reading, Said, Vocabulary, canonical
from emulator.errors import EmptyAnswer, ModelFault, ToolCallRequired
from emulator.events import ArgumentsDelta, CallStarted, Event, Finished, ReasoningDelta, TextDelta
from emulator.ports import AnswerDelta
from emulator.prompt import Briefing, Prompts, call_as_code
from emulator.protocols.conversation import PastCall

_FRAGMENT = 1024
"""Characters of arguments in one delta: a long text reaches the client in pieces it can show."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the model with these messages; it is answered by ``READ``s."""

    messages: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Read:
    """The next AnswerDelta, please."""


READ = Read()


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that the model wrote after its calls had left could not be used; for whoever reads the log."""

    reason: str


Effect = Ask | Read | Dropped | Event


@dataclass(frozen=True, slots=True)
class CodeTask:
    """All that one choice's answer needs.  ``vocabulary`` is None where no call is wanted."""

    choice: int
    messages: list[dict[str, Any]]
    vocabulary: Vocabulary | None
    briefing: Briefing
    prompts: Prompts
    limits: CodeLimits
    new_id: Callable[[], str]
    repairs: int = 2
    in_thought: bool = False
    stop_given: bool = False


@dataclass(slots=True)
class _State:
    """What has left so far, over all attempts."""

    made: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    said: bool = False
    thought: bool = False


@dataclass(slots=True)
class _Attempt:
    reader: AnswerReader
    reason: str = "stop"
    raw: list[str] = field(default_factory=list[str])
    held: list[TextDelta] = field(default_factory=list[TextDelta])


def answer(task: CodeTask) -> Generator[Effect, AnswerDelta | None, None]:
    """Raises ModelFault where the model can't be brought to what the client asked for."""
    state, messages = _State(), task.messages
    for left in range(task.repairs, -1, -1):
        attempt = _Attempt(_reader(task, state))
        yield Ask(messages)
        yield from _read(task, state, attempt, first=left == task.repairs)
        wrong = _wrong(task, state, attempt)
        if wrong is None:
            yield Finished(task.choice, "tool_calls" if state.made else attempt.reason)
            return
        if left == 0:
            yield from _give_up(task, state, attempt, wrong)
            return
        messages = _repair(task, state, attempt, wrong)


def _reader(task: CodeTask, state: _State) -> AnswerReader:
    return AnswerReader(
        task.vocabulary,
        task.limits,
        in_thought=task.in_thought,
        only_first=task.briefing.single,
        made=[canonical(name, arguments) for name, arguments in state.made],
    )


def _read(
    task: CodeTask, state: _State, attempt: _Attempt, *, first: bool
) -> Generator[Effect, AnswerDelta | None, None]:
    """One answer of the model, from its first delta to the one with a finish_reason."""
    reader = attempt.reader
    pending: list[dict[str, Any]] = []
    hold = not first or task.briefing.required
    while True:
        delta = yield READ
        assert delta is not None
        if delta.reasoning:
            reader.thinks_apart()
        if delta.reasoning and first:
            state.thought = True
            yield ReasoningDelta(task.choice, delta.reasoning)
        pending += delta.logprobs
        attempt.raw.append(delta.text)
        readings = reader.feed(delta.text) if delta.text else []
        if delta.finish_reason is not None:
            attempt.reason = delta.finish_reason
            readings += reader.finish(delta.finish_reason, stop_given=task.stop_given)
        for reading in readings:
            if isinstance(reading, Called):
                hold = False
                yield from _let_go(state, attempt, keep=first)
            event = _event(task, state, reading, pending)
            if isinstance(event[0], ReasoningDelta) and not first:
                continue  # What the model thinks of its mistake is no part of the answer.
            if hold and isinstance(event[0], TextDelta):
                attempt.held.append(event[0])
            else:
                state.said |= isinstance(event[0], TextDelta)
                yield from event
        if delta.finish_reason is not None:
            break
    if not task.briefing.required and not state.made and not reader.problem:
        yield from _let_go(state, attempt, keep=True)


def _let_go(state: _State, attempt: _Attempt, *, keep: bool) -> Iterator[Event]:
    """Words that waited for the attempt's outcome are said, or dropped for the calls they led to."""
    held, attempt.held = attempt.held, []
    if keep and held:
        if state.said:  # Words of an earlier attempt stand before these.
            yield TextDelta(held[0].choice, "\n\n")
        state.said = True
        yield from held


def _event(task: CodeTask, state: _State, reading: Reading, pending: list[dict[str, Any]]) -> list[Event]:
    match reading:
        case Said(text):
            logprobs = tuple(pending)
            pending.clear()
            return [TextDelta(task.choice, text, logprobs)]
        case Mused(text):
            state.thought = True
            return [ReasoningDelta(task.choice, text)]
        case Called(name, arguments):
            pending.clear()
            index = len(state.made)
            state.made.append((name, arguments))
            fragments = (arguments[at : at + _FRAGMENT] for at in range(0, len(arguments), _FRAGMENT))
            started = CallStarted(task.choice, index, task.new_id(), name)
            return [started, *(ArgumentsDelta(task.choice, index, fragment) for fragment in fragments)]


def _wrong(task: CodeTask, state: _State, attempt: _Attempt) -> Problem | Literal["required", "empty"] | None:
    """What must be asked for again, if anything."""
    if attempt.reader.problem is not None:
        return attempt.reader.problem
    if state.made:
        return None
    if task.briefing.required:
        return "required"
    if not state.said and attempt.reason == "stop":
        return "empty"
    return None


def _give_up(
    task: CodeTask, state: _State, attempt: _Attempt, wrong: Problem | Literal["required", "empty"]
) -> Iterable[Effect]:
    """No question is left.  Calls that have left stand; without any, the client is told what went wrong."""
    if state.made:
        reason = wrong.error if isinstance(wrong, Problem) else wrong
        return [Dropped(reason), Finished(task.choice, "tool_calls")]
    if isinstance(wrong, Problem):
        raise ModelFault(
            f"The model's call could not be made valid: {wrong.error} - It wrote: {wrong.source[:300]}",
            hint="- A larger model, fewer tools or more --repairs may help.",
        )
    if wrong == "required":
        cut = ", which was cut off before a call was complete (max tokens)" if attempt.reason == "length" else ""
        raise ToolCallRequired(f"'tool_choice' demands a call, but the model made none in its answer{cut}.")
    if state.thought:
        return [Finished(task.choice, attempt.reason)]
    raise EmptyAnswer("The model's answer is empty: neither text nor a call.")


def _repair(
    task: CodeTask, state: _State, attempt: _Attempt, wrong: Problem | Literal["required", "empty"]
) -> list[dict[str, Any]]:
    answered, named = "".join(attempt.raw), task.briefing.named
    if not isinstance(wrong, Problem):
        return task.prompts.repair(task.messages, answered, problem=wrong, named=named)
    made = "\n".join(call_as_code(PastCall("", name, arguments), task.briefing) for name, arguments in state.made)
    return task.prompts.repair(
        task.messages, answered, problem="statement", source=wrong.source, error=wrong.error, made=made
    )
