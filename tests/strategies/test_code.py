"""The code strategy is tested without I/O: it yields what it needs and is sent canned answers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from emulator.code.limits import CodeLimits
from emulator.errors import EmptyAnswer, ModelFault, ToolCallRequired
from emulator.events import ArgumentsDelta, CallStarted, Event, Finished, ReasoningDelta, TextDelta
from emulator.ports import AnswerDelta
from emulator.prompt import Briefing, Prompts
from emulator.strategies.code import Ask, CodeTask, Dropped, Read, answer
from tests.code.samples import TOOLS

PROMPTS = Prompts()
ASKED = [{"role": "user", "content": "What's the weather?"}]


def briefing(**flags: Any) -> Briefing:
    return Briefing("def now(): ...", lambda name, arguments: (name.replace("-", "_"), arguments), **flags)


def task(**options: Any) -> CodeTask:
    ids = itertools.count()
    options.setdefault("briefing", briefing())
    return CodeTask(
        0, ASKED, TOOLS, prompts=PROMPTS, limits=CodeLimits(), new_id=lambda: f"call_{next(ids)}", **options
    )


def run(answers: Sequence[Iterable[AnswerDelta]], todo: CodeTask) -> tuple[list[Event], list[list[dict[str, Any]]]]:
    """Play ``answers`` to the strategy; what it said, and what it asked."""
    events: list[Event] = []
    asked: list[list[dict[str, Any]]] = []
    left = iter(answers)
    deltas: Iterator[AnswerDelta] = iter(())
    strategy = answer(todo)
    sent: AnswerDelta | None = None
    try:
        while True:
            effect = strategy.send(sent)
            sent = None
            if isinstance(effect, Ask):
                asked.append(effect.messages)
                deltas = iter(next(left))
            elif isinstance(effect, Read):
                sent = next(deltas)
            elif not isinstance(effect, Dropped):
                events.append(effect)
    except StopIteration:
        pass
    return events, asked


def whole(text: str, reason: str = "stop", reasoning: str = "") -> list[AnswerDelta]:
    return [AnswerDelta(0, text, reasoning, reason)]


def calls(events: list[Event]) -> list[tuple[str, str]]:
    names = {e.index: e.name for e in events if isinstance(e, CallStarted)}
    arguments = dict.fromkeys(names, "")
    for event in events:
        if isinstance(event, ArgumentsDelta):
            arguments[event.index] += event.fragment
    return [(names[i], arguments[i]) for i in names]


PARIS = ("get-weather", '{"city": "Paris"}')
ROME = ("get-weather", '{"city": "Rome"}')


def test_calls() -> None:
    events, asked = run([whole("Sure.\nget_weather(city='Paris')\nget_weather(city='Rome')")], task())
    assert events[0] == TextDelta(0, "Sure.")
    assert calls(events) == [PARIS, ROME]
    assert [e.id for e in events if isinstance(e, CallStarted)] == ["call_0", "call_1"]
    assert events[-1] == Finished(0, "tool_calls")
    assert asked == [ASKED]


def test_text() -> None:
    events, _ = run([whole("Hello.")], task())
    assert events == [TextDelta(0, "Hello."), Finished(0, "stop")]


def test_the_upstreams_reasoning_is_passed_on_and_never_read() -> None:
    events, _ = run([whole("Hello.", reasoning="now()\n")], task())
    assert events == [ReasoningDelta(0, "now()\n"), TextDelta(0, "Hello."), Finished(0, "stop")]


def test_a_repair_asks_only_for_what_follows() -> None:
    events, asked = run(
        [
            whole("```python\nget_weather(city='Paris')\nget_weather(town='Rome')\nnow()\n```"),
            whole("Sorry!\n```python\nget_weather(city='Paris')\nget_weather(city='Rome')\nnow()\n```"),
        ],
        task(),
    )
    assert calls(events) == [PARIS, ROME, ("now", "{}")]
    assert not [e for e in events if isinstance(e, TextDelta)], "a repair's apology is not for the client"
    assert events[-1] == Finished(0, "tool_calls")
    question = asked[1][-1]["content"]
    assert "unexpected argument town" in question
    assert 'get_weather(city="Paris")' in question
    assert asked[1][:1] == ASKED


def test_a_repair_may_end_in_words() -> None:
    events, _ = run([whole("get_weather(town='x')"), whole("I can't.")], task())
    assert events == [TextDelta(0, "I can't."), Finished(0, "stop")]


def test_repairs_are_bounded_and_their_failure_is_said() -> None:
    bad = whole("get_weather(town='x')")
    with pytest.raises(ModelFault, match="unexpected argument town"):
        run([bad, bad, bad], task(repairs=2))
    with pytest.raises(ModelFault):
        run([bad], task(repairs=0))


def test_calls_that_have_left_stand_when_repairs_fail() -> None:
    bad = whole("```python\nnow()\nget_weather(town='x')\n```")
    events, _ = run([bad, bad], task(repairs=1))
    assert calls(events) == [("now", "{}")]
    assert events[-1] == Finished(0, "tool_calls")


def test_required_never_ends_in_words_alone() -> None:
    required = briefing(required=True)
    events, asked = run([whole("I'd rather talk."), whole("now()")], task(briefing=required))
    assert calls(events) == [("now", "{}")]
    assert not [e for e in events if isinstance(e, TextDelta)]
    assert "no call" in asked[1][-1]["content"]
    with pytest.raises(ToolCallRequired):
        run([whole("No.")] * 3, task(briefing=required))
    with pytest.raises(ToolCallRequired, match="max tokens"):
        run([whole("now(", reason="length")] * 3, task(briefing=required))


def test_an_empty_answer_is_asked_again_and_never_silent() -> None:
    events, _ = run([whole(" \n"), whole("Yes.")], task())
    assert events == [TextDelta(0, "Yes."), Finished(0, "stop")]
    with pytest.raises(EmptyAnswer):
        run([whole("")] * 3, task())


def test_single() -> None:
    events, _ = run(
        [whole("get_weather(city='Paris')\nget_weather(city='Rome')")], task(briefing=briefing(single=True))
    )
    assert calls(events) == [PARIS]


def test_length_is_passed_on() -> None:
    assert run([whole("Once upon", reason="length")], task())[0][-1] == Finished(0, "length")


def test_logprobs_go_with_the_text_they_belong_to() -> None:
    first, second = {"token": "Hel"}, {"token": "lo"}
    events, _ = run(
        [
            [
                AnswerDelta(0, "The sky", logprobs=(first,)),
                AnswerDelta(0, " is", logprobs=(second,)),
                AnswerDelta(0, finish_reason="stop"),
            ]
        ],
        task(),
    )
    assert [e.logprobs for e in events if isinstance(e, TextDelta)] == [(first,), (second,)]


def test_long_arguments_come_in_pieces() -> None:
    events, _ = run([whole(f"send(to='a', body='{'x' * 5000}')")], task())
    fragments = [e.fragment for e in events if isinstance(e, ArgumentsDelta)]
    assert len(fragments) > 2
    assert len("".join(fragments)) > 5000


def test_a_repeated_call_with_its_keywords_in_another_order_is_the_same() -> None:
    events, _ = run([whole("send(to='a', body='b')\nnow(x=1)"), whole("send(body='b', to='a')\nnow()")], task())
    assert [name for name, _ in calls(events)] == ["send", "now"]


def test_words_of_two_attempts_keep_apart() -> None:
    events, _ = run([whole("Let us go.\n```python\nnow(x=1)\n```"), whole("I can't.")], task())
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Let us go.\n\nI can't."
