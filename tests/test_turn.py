"""The turn performs what strategies ask for: who is asked what, in which order, and what the tokens add up to."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping
from typing import Any

import orjson
import pytest

from emulator.code.limits import CodeLimits
from emulator.errors import ModelFault
from emulator.events import CallStarted, Event, Finished, Head, TextDelta, UsageTotal
from emulator.kept import KeptProgram
from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, AnswerHead, AnswerPart, AnswerUsage
from emulator.prompt import Brief, Briefing, Prompts, Transcript
from emulator.protocols.chat import parse_chat
from emulator.protocols.conversation import Message
from emulator.protocols.declared import ToolRules
from emulator.runs import Outcome, ProgramRun, RunLimits
from emulator.strategies.code import answer
from emulator.strategies.effects import READ, Ask, CodeTask, Effect, ProgramTerms, Sent
from emulator.turn import Turn, World
from tests.code.running import CLOCK, interpreter
from tests.code.samples import TOOLS

PROMPTS = Prompts()
USAGE = AnswerUsage(
    {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": {"cached_tokens": 4}}
)


class Scripted:
    """An upstream with its answers written down; remembers what it was asked, and whether each answer was closed."""

    def __init__(self, *answers: list[AnswerPart]) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, Any]] = []
        self.closed = 0

    def ask(
        self, body: Mapping[str, Any], *, authorization: str | None, lifetime: Lifetime
    ) -> Generator[AnswerPart, None, None]:
        self.asked.append(body)
        try:
            yield AnswerHead({"id": f"answer-{len(self.asked)}", "model": "m"})
            yield from self.answers.pop(0)
        finally:
            self.closed += 1


class Kernels:
    """The real interpreter, and a store that only remembers."""

    def __init__(self) -> None:
        self.kept: dict[str, KeptProgram] = {}

    def run(self, program: ProgramRun) -> Outcome:
        return interpreter().run(program)

    def keep(self, key: str, program: KeptProgram) -> None:
        self.kept[key] = program


def turn(upstream: Scripted, kernels: Kernels | None = None, **body: Any) -> Turn:
    request = parse_chat(
        orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]} | body), ToolRules()
    )
    briefing = Briefing("def now(): ...", lambda name, arguments: (name, arguments))
    transcript = Transcript(PROMPTS, [Message("user", "hi", {"role": "user", "content": "hi"})], briefing, Brief())
    keys = (f"{number:024x}" for number in itertools.count())
    terms = ProgramTerms(CLOCK, "UTC", RunLimits(), "model", "owner", "tools")
    strategies = {
        n: answer(CodeTask(n, transcript, TOOLS, CodeLimits(), lambda: next(keys), terms, repairs=1))
        for n in range(request.n)
    }
    return Turn(request, strategies, World(upstream, kernels or Kernels(), Lifetime(60)))


def said(text: str, choice: int = 0) -> AnswerDelta:
    return AnswerDelta(choice, text, finish_reason="stop")


def test_one_question() -> None:
    upstream = Scripted([said("Hello."), USAGE])
    events = list(turn(upstream, temperature=0.5).events())
    assert events == [
        Head({"id": "answer-1", "model": "m"}),
        TextDelta(0, "Hello."),
        Finished(0, "stop"),
        UsageTotal(USAGE.usage),
    ]
    assert upstream.asked == [{"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.5}]
    assert upstream.closed == 1


def test_repairs_add_up_and_keep_the_first_identity() -> None:
    upstream = Scripted([said("get_weather(town='x')"), USAGE], [said("now()"), USAGE])
    events = list(turn(upstream).events())
    assert [e for e in events if isinstance(e, Head)] == [Head({"id": "answer-1", "model": "m"})]
    usage = events[-1]
    assert isinstance(usage, UsageTotal)
    assert usage.usage == {
        "prompt_tokens": 20,
        "completion_tokens": 10,
        "total_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 8},
    }
    assert len(upstream.asked) == 2


def test_choices_share_what_is_asked_aside_and_what_follows_from_it() -> None:
    """Else n choices would ask n times for what is the same for all."""

    def strategy(choice: int) -> Generator[Effect, Sent, None]:
        yield Ask([{"role": "user", "content": "Is a call needed?"}], {"max_tokens": 1}, aside=True)
        heard = yield READ
        assert isinstance(heard, AnswerDelta)
        yield Ask([{"role": "user", "content": f"{heard.text}, so go on."}])
        told = yield READ
        assert isinstance(told, AnswerDelta)
        yield TextDelta(choice, told.text)

    upstream = Scripted([said("yes"), USAGE], [said("B", 1), said("A", 0), USAGE])
    request = parse_chat(
        orjson.dumps({"model": "m", "n": 2, "messages": [{"role": "user", "content": "hi"}]}), ToolRules()
    )
    events = list(Turn(request, {n: strategy(n) for n in range(2)}, World(upstream, Kernels(), Lifetime(60))).events())
    assert sorted(e.choice for e in events if isinstance(e, TextDelta)) == [0, 1]
    assert {e.choice: e.text for e in events if isinstance(e, TextDelta)} == {0: "A", 1: "B"}
    first, second = upstream.asked
    assert "n" not in first and first["max_tokens"] == 1
    assert second["n"] == 2 and second["messages"][0]["content"] == "yes, so go on."


def test_usage_is_estimated_where_the_upstream_does_not_count() -> None:
    usage = list(turn(Scripted([said("x" * 40)])).events())[-1]
    assert isinstance(usage, UsageTotal)
    assert usage.usage["completion_tokens"] == 10
    assert usage.usage["total_tokens"] == usage.usage["prompt_tokens"] + 10 > 10


def test_choices_share_the_first_question_and_repair_alone() -> None:
    upstream = Scripted(
        [AnswerDelta(1, "get_weather(town='x')\n"), said("now()", 0), AnswerDelta(1, finish_reason="stop"), USAGE],
        [said("now()"), USAGE],
    )
    events = list(turn(upstream, n=2).events())
    assert sorted(e.choice for e in events if isinstance(e, CallStarted)) == [0, 1]
    assert sorted(e.choice for e in events if isinstance(e, Finished)) == [0, 1]
    assert [body.get("n") for body in upstream.asked] == [2, 1]


def test_a_choice_that_the_upstream_left_out_is_asked_for() -> None:
    upstream = Scripted([said("One.", 0)], [said("Two.")])
    events = list(turn(upstream, n=2).events())
    assert [(e.choice, e.text) for e in events if isinstance(e, TextDelta)] == [(0, "One."), (1, "Two.")]


def test_calls_leave_before_the_answer_is_over() -> None:
    upstream = Scripted([AnswerDelta(0, "now()\n"), AnswerDelta(0, "now()", finish_reason="stop")])
    events = turn(upstream).events()
    seen: list[Event] = []
    while not any(isinstance(event, CallStarted) for event in seen):
        seen.append(next(events))
    assert upstream.closed == 0
    events.close()
    assert upstream.closed == 1, "whoever stops listening frees the upstream"


def test_a_fault_of_the_model_is_raised() -> None:
    bad: list[AnswerPart] = [said("get_weather(town='x')")]
    with pytest.raises(ModelFault):
        list(turn(Scripted(bad, bad)).events())


def test_the_trace_shows_questions_and_answers() -> None:
    shown = turn(Scripted([said("get_weather(town='x')")], [said("now()")]))
    list(shown.events())
    assert shown.trace.answers == ["get_weather(town='x')", "now()"]
    assert len(shown.trace.questions) == 2


def test_what_is_dropped_after_calls_is_told_to_the_log() -> None:
    bad: list[AnswerPart] = [said("now()\nget_weather(town='x')")]
    shown = turn(Scripted(bad, bad))
    assert Finished(0, "tool_calls") in list(shown.events())
    told = shown.told()
    assert (told["calls"], told["asked"]) == (1, 2)
    assert "unexpected argument town" in told["dropped"][0]


PROGRAM = "```python\nfor city in ['Paris', 'Rome']:\n    print(get_weather(city))\n```"


def test_a_program_is_run_and_kept_for_its_results() -> None:
    kernels = Kernels()
    shown = turn(Scripted([said(PROGRAM)]), kernels)
    started = [event for event in shown.events() if isinstance(event, CallStarted)]
    assert [event.id for event in started] == [f"call_{'0' * 24}{index}" for index in range(2)]
    assert kernels.kept["0" * 24].text == PROGRAM.removeprefix("```python\n").removesuffix("\n```")
    assert shown.told() == {"calls": 2, "asked": 1, "round": 1, "runs": 1, "strategy": "code"}


def test_choices_keep_their_programs_apart() -> None:
    kernels = Kernels()
    upstream = Scripted([AnswerDelta(1, PROGRAM, finish_reason="stop"), said(PROGRAM.replace("Rome", "Oslo"))])
    started = [event for event in turn(upstream, kernels, n=2).events() if isinstance(event, CallStarted)]
    assert {event.id[5:29]: event.choice for event in started} == {"0" * 24: 0, f"{1:024x}": 1}
    assert ["Oslo" in kernels.kept[key].text for key in ("0" * 24, f"{1:024x}")] == [True, False]


def test_the_emulators_own_time_leaves_out_the_model_servers() -> None:
    shown = turn(Scripted([said("Hello.")]))
    list(shown.events())
    assert shown.progress.asked == 1
    assert shown.progress.waited > 0
    assert shown.progress.own_ms >= 0
