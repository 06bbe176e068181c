"""The bridge: a decision in JSON becomes words or proven calls, and whatever else the model writes is asked for again."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.code.readings import Manner
from emulator.errors import EmptyAnswer, ModelFault, ToolCallRequired
from emulator.events import Finished, ReasoningDelta, RefusalDelta, TextDelta
from emulator.ports import AnswerDelta, Capabilities
from emulator.strategies.bridge import bridge
from emulator.tools.answer_format import AnswerFormat
from tests.strategies.playing import KEYS, Played, formed, play, whole

NOW = ("now", "{}")
PARIS = ("get-weather", '{"city": "Paris"}')
CALLS = '{"calls": [{"name": "get-weather", "arguments": {"city": "Paris"}}, {"name": "now", "arguments": {}}]}'
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def run(*answers: str, json_schema: bool = False, reason: str = "stop", **options: Any) -> Played:
    return play(bridge(formed(**options)), [whole(text, reason) for text in answers], Capabilities(None, json_schema))


@pytest.mark.parametrize("text", [CALLS, f"```json\n{CALLS}\n```", f"<think>Hm.</think>\n{CALLS}\nThat is all."])
def test_calls(text: str) -> None:
    played = run(text)
    assert played.calls == [PARIS, NOW]
    assert played.ids == [f"call_{KEYS[0]}0", f"call_{KEYS[0]}1"]
    assert played.events[-1] == Finished(0, "tool_calls")
    assert not played.text


def test_words() -> None:
    assert run('{"answer": "Hello."}').events == [TextDelta(0, "Hello."), Finished(0, "stop")]
    assert run("Hello.").text == "Hello.", "a model that doesn't decide has answered"


def test_a_refusal_is_an_answer() -> None:
    declined = [AnswerDelta(0, refusal="No."), *whole("")]
    played = play(bridge(formed()), [declined], Capabilities())
    assert played.events == [RefusalDelta(0, "No."), Finished(0, "stop")]


def test_the_upstream_is_held_to_the_schema_where_it_can_be() -> None:
    assert run('{"answer": "Hi."}', json_schema=True).asks[0].fields == {"response_format": "decision"}
    assert run('{"answer": "Hi."}').asks[0].fields == {}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ('{"calls": [{"name": "fly", "arguments": {}}]}', "no function named fly"),
        ('{"calls": [{"name": "now", "arguments": {"x": 1}}]}', "unexpected argument x"),
        ('{"calls": [{"name": "now", "arguments": "{}"}]}', "A call is"),
        ('{"calls": [', "no JSON object"),
        ('{"result": 5}', "neither"),
    ],
)
def test_what_cannot_be_used_is_asked_again_and_then_said(wrong: str, reason: str) -> None:
    played = run(wrong, '{"name": "Now"}')
    assert played.calls == [NOW], "a near miss of a name is understood"
    assert reason in played.question and played.repairs == 1
    with pytest.raises(ModelFault, match=reason):
        run(wrong, repairs=0)


@pytest.mark.parametrize(
    "text",
    [
        "```python\nget_weather(city='Paris')\nnow()\n```",
        """<tool_call>{"name": "get-weather", "arguments": {"city": "Paris"}}</tool_call>
<tool_call>{"name": "now", "arguments": {}}</tool_call>""",
    ],
)
def test_calls_written_otherwise_are_calls_too(text: str) -> None:
    assert run(text).calls == [PARIS, NOW]


def test_a_call_written_otherwise_that_does_not_hold_is_no_text() -> None:
    """Else a model that calls wrongly in one way would count as one that answers in words in another."""
    with pytest.raises(ModelFault, match="unexpected argument town"):
        run("```python\nget_weather(town=5)\n```", repairs=0)


def test_many_backticks_take_no_time() -> None:
    assert run("```\n" + "`" * 200_000 + "x").text.endswith("x")


def test_required() -> None:
    played = run('{"answer": "No."}', CALLS, required=True)
    assert "no call" in played.question and played.calls == [PARIS, NOW]
    with pytest.raises(ToolCallRequired):
        run('{"answer": "No."}', required=True, repairs=0)


def test_nothing() -> None:
    with pytest.raises(EmptyAnswer):
        run('{"answer": ""}', " ", repairs=1)


def test_single() -> None:
    played = run(CALLS, manner=Manner(single=True))
    assert played.calls == [PARIS] and "1 further" in played.dropped[0]


def test_words_that_a_limit_cut_are_words_and_calls_are_none() -> None:
    assert run('{"answer": "Once upo', reason="length").events == [TextDelta(0, "Once upo"), Finished(0, "length")]
    with pytest.raises(ModelFault, match="cut off"):
        run(CALLS[:60], reason="length", repairs=0)


def test_thoughts_are_heard_once() -> None:
    played = run("<think>Hm.</think>{", '<think>Oh.</think>{"answer": "Hi."}')
    assert [event for event in played.events if isinstance(event, ReasoningDelta)] == [ReasoningDelta(0, "Hm.")]


def test_words_keep_to_the_format_that_the_client_wants() -> None:
    played = run('{"answer": "five"}', '{"answer": {"a": 5}}', format=AnswerFormat(SCHEMA))
    assert played.text == '{"a": 5}'
    assert "no JSON" in played.question
