"""The model answers with a decision in JSON, words or calls, which becomes the answer.

For models that write JSON better than Python, and for upstreams whose answers can be held to a JSON Schema.  Nothing
leaves before the whole decision is there and all its calls are proven.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from emulator.code.check import CodeError, Refused
from emulator.code.decision import decision_of, proven
from emulator.code.judge import Judge
from emulator.code.reader import AnswerReader
from emulator.code.readings import Called, Said, cuts_off
from emulator.code.unknown import explained
from emulator.errors import EmptyAnswer, ModelFault, ToolCallRequired
from emulator.events import Event, Finished, RefusalDelta, TextDelta
from emulator.ports import Capabilities
from emulator.prompt import Repair
from emulator.strategies.code import call_events
from emulator.strategies.effects import PROBE, Ask, CodeTask, Dropped, Effect, Repairing, Sent
from emulator.strategies.listening import Heard, listen
from emulator.tools.answer_format import Misfit


def bridge(task: CodeTask) -> Generator[Effect, Sent, None]:
    """Raises ModelFault and StrategyUnfit."""
    assert task.vocabulary is not None and task.renderings is not None
    capabilities = yield PROBE
    assert isinstance(capabilities, Capabilities)
    transcript = task.renderings.decisions()
    judge = Judge(task.vocabulary)
    messages = transcript.plain()
    fields = task.renderings.decision_fields(capabilities)
    for left in range(task.repairs, -1, -1):
        yield Ask(messages, fields)
        heard = Heard()
        yield from listen(task, heard, aloud=left == task.repairs)
        if heard.refusal:
            yield RefusalDelta(task.choice, heard.refusal)
            yield Finished(task.choice, heard.reason)
            return
        try:
            called, words = _decided(task, judge, heard)
        except CodeError as error:
            wrong = Repair("statement", error=explained(error, judge.vocabulary.names))
        except Misfit as misfit:
            wrong = Repair("statement", error=str(misfit))
        else:
            missing = _missing(task, words, called)
            if missing is None:
                yield from _told(task, words, called, heard.reason)
                return
            wrong = Repair(missing, named=task.briefing.named)
        if left == 0:
            raise _fault(wrong, heard.raw)
        yield Repairing()
        messages = transcript.prompts.repair(messages, heard.raw, wrong, decisions=True)


def _decided(task: CodeTask, judge: Judge, heard: Heard) -> tuple[Sequence[Called], str]:
    """The calls or the words.  Raises CodeError, and Misfit for words that aren't in the format that is wanted."""
    decision = decision_of(heard.words, cut=cuts_off(heard.reason))
    called: Sequence[Called] = ()
    if decision is None:
        called, words = _read(task, heard)
    elif decision.calls:
        called, words = proven(decision, judge), ""
    else:
        words = decision.words
    return called, "" if called else _words(task, words, heard.reason)


def _read(task: CodeTask, heard: Heard) -> tuple[Sequence[Called], str]:
    """Calls and words of an answer that is no decision: models fall back to how they were taught to call.

    Raises CodeError where a call is meant that doesn't hold.
    """
    reader = AnswerReader(task.vocabulary, task.limits, manner=replace(task.manner, programs=False))
    readings = [*reader.feed(heard.words), *reader.finish(heard.reason, stop_given=task.stop_given)]
    called = [reading for reading in readings if isinstance(reading, Called)]
    if reader.problem is not None and not called:
        raise Refused(reader.problem.error)
    return called, "".join(reading.text for reading in readings if isinstance(reading, Said))


def _words(task: CodeTask, words: str, reason: str) -> str:
    """Raises Misfit."""
    if task.format is None or cuts_off(reason) or not words.strip():
        return words
    return task.format.fitting(words)


def _missing(task: CodeTask, words: str, called: Sequence[Called]) -> Literal["required", "empty"] | None:
    if called:
        return None
    if task.briefing.required:
        return "required"
    return None if words.strip() else "empty"


def _told(task: CodeTask, words: str, called: Sequence[Called], reason: str) -> Iterator[Event | Dropped]:
    if not called:
        yield TextDelta(task.choice, words)
        yield Finished(task.choice, reason)
        return
    ids = task.new_ids()
    for index, call in enumerate(called[:1] if task.manner.single else called):
        yield from call_events(task.choice, index, ids.id(index), call)
    if task.manner.single and len(called) > 1:
        yield Dropped(f"{len(called) - 1} further calls, where one at a time is wanted")
    yield Finished(task.choice, "tool_calls")


def _fault(wrong: Repair, raw: str) -> ModelFault:
    if wrong.problem == "required":
        return ToolCallRequired("'tool_choice' demands a call, but the model made none in its answer.")
    if wrong.problem == "empty":
        return EmptyAnswer("The model's answer is empty: neither text nor a call.")
    return ModelFault(f"The model's decision could not be made valid: {wrong.error} - It wrote: {raw[:300]}")
