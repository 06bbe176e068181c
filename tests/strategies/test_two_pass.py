"""Two passes: whether a tool is needed at all, by how sure the model is; and then calls and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.code.vocabulary import Vocabulary
from emulator.errors import ToolCallRequired
from emulator.ports import AnswerDelta, Capabilities
from emulator.protocols.conversation import Message
from emulator.strategies.effects import CodeTask
from emulator.strategies.two_pass import two_pass, yes_margin
from tests.code.samples import TOOLS, Tool
from tests.strategies.playing import Client, Forms, Played, fenced, formed, play, whole

GRAMMAR = Capabilities("gbnf")
NOW = ("now", "{}")


def entry(**likely: float) -> dict[str, Any]:
    """The first token of an answer, with what it might have been."""
    return {"token": "x", "top_logprobs": [{"token": token, "logprob": logprob} for token, logprob in likely.items()]}


def sure(word: str, **likely: float) -> list[AnswerDelta]:
    return [AnswerDelta(0, word, logprobs=(entry(**likely),)), AnswerDelta(0, finish_reason="length")]


def only(*names: str, **options: Any) -> CodeTask:
    """A task with these tools."""
    task = formed(**options)
    return replace(task, vocabulary=Vocabulary({name: TOOLS.tools[name] for name in names}, {}))


def shown(task: CodeTask) -> list[str]:
    """The tools that the calls were asked for with."""
    assert isinstance(task.renderings, Forms)
    return task.renderings.shown


def run(*answers: Any, **options: Any) -> Played:
    return play(two_pass(only("now", **options)), answers, GRAMMAR)


def test_yes_is_followed_by_calls_alone() -> None:
    played = run(whole("yes"), fenced("now()"))
    first, second = played.asks
    assert first.aside and (first.fields["max_tokens"], first.fields["logprobs"]) == (1, True)
    assert "Is one of these functions made for this request?" in first.messages[-1]["content"]
    assert "What's the weather?" in first.messages[-1]["content"]
    assert not second.aside and dict(second.fields) == {"grammar": "calls"}
    assert played.calls == [NOW]


def test_who_says_yes_and_makes_no_call_is_asked_plainly() -> None:
    played = run(whole("yes"), whole("I'd rather talk."), whole("It is noon."), repairs=0)
    assert played.text == "It is noon." and not played.calls
    assert dict(played.asks[2].fields) == {}


@pytest.mark.parametrize("words", ["no", "No.", " no, none of them"])
def test_no_is_followed_by_words(words: str) -> None:
    played = run(whole(words), whole("Call `now()`:\n```python\nnow()\n```"))
    assert not played.calls and "now()" in played.text
    assert dict(played.asks[1].fields) == {}


@pytest.mark.parametrize(
    ("word", "likely", "calls"),
    [
        ("yes", {"yes": -0.7, "no": -0.8}, False),  # not by enough
        ("no", {"yes": -0.7, "no": -0.6}, False),
        ("yes", {"yes": -0.2, "no": -1.7}, True),
        ("maybe", {"Yes": -1.0, "maybe": -0.5, " yes": -1.2, "no": -3.0}, True),  # however it is written
        ("yes", {"maybe": -0.1}, True),  # neither is likely: the word decides
    ],
)
def test_how_sure_the_model_is_decides(word: str, likely: dict[str, float], calls: bool) -> None:
    answers = sure(word, **likely), fenced("now()") if calls else whole("It is noon.")
    assert bool(run(*answers).calls) is calls


@pytest.mark.parametrize(
    ("logprobs", "margin"),
    [
        ([], None),
        ([{"top_logprobs": "none"}], None),
        ([entry(other=-0.1)], None),
        ([entry(yes=-1.0, no=-2.0)], 1.0),
        ([entry(yes=-1.0, other=-3.0)], 2.0),  # "no" is less likely than the last one listed
        ([entry(no=-1.0, other=-4.0)], -3.0),
        ([{"top_logprobs": [None, {"token": 5}, {"token": "yes", "logprob": "0"}]}], None),
        ([entry(yes=float("nan"), no=-1.0)], 0.0),
    ],
)
def test_margin(logprobs: list[dict[str, Any]], margin: float | None) -> None:
    assert yes_margin(logprobs) == (None if margin is None else pytest.approx(margin))


PARIS = "get_weather(city='Paris')"


@pytest.mark.parametrize(
    ("likely", "asked", "calls"),
    [
        ({"yes": -0.1, "no": -5.0}, "How is the weather in Paris?", True),
        ({"yes": -0.1, "no": -5.0}, "What's the weather?", False),  # nobody said Paris, however sure it is
        ({"yes": -0.9, "no": -0.8}, "How is the weather in Paris?", True),  # not sure, but Paris was said
        ({"yes": -2.0, "no": -0.2}, "How is the weather in Paris?", False),
    ],
)
def test_values_that_nobody_said_are_not_called_with(likely: dict[str, float], asked: str, calls: bool) -> None:
    request = Message("user", asked, {"role": "user", "content": asked})
    second = [] if likely["yes"] == -2.0 else [fenced(PARIS)]
    last = [] if calls else [whole("It depends.")]
    played = play(
        two_pass(only("get_weather", conversation=[request])), [sure("yes", **likely), *second, *last], GRAMMAR
    )
    assert bool(played.calls) is calls
    assert played.text == ("" if calls else "It depends.")
    assert bool(played.dropped) is (bool(second) and not calls)


def test_a_call_that_is_demanded_needs_no_question() -> None:
    played = run(fenced("now()"), required=True)
    assert len(played.asks) == 1 and played.calls == [NOW]
    with pytest.raises(ToolCallRequired):
        run(whole("No."), required=True, repairs=0)


def test_each_tool_is_asked_for_by_itself_and_the_likeliest_are_shown() -> None:
    """Whatever is near the best may be needed beside it."""
    margins = [sure("yes", yes=-1.0, no=-1.1), sure("no", yes=-3.0, no=-0.1), sure("yes", yes=-0.8, no=-1.1)]
    task = only("get_weather", "send", "now")
    played = play(two_pass(task), [*margins, fenced("now()\nget_weather(city='weather')")], GRAMMAR)
    assert [ask.aside for ask in played.asks] == [True, True, True, False]
    assert shown(task) == ["get_weather", "now"]
    assert [name for name, _ in played.calls] == ["now", "get-weather"]


def test_who_writes_a_call_of_another_tool_than_the_likeliest_is_asked_for_that_alone() -> None:
    margins = [sure("yes", yes=-1.0, no=-1.1), sure("yes", yes=-0.8, no=-1.1)]
    task = only("get_weather", "now")
    played = play(two_pass(task), [*margins, fenced("get_weather(city='x')"), fenced("now()")], GRAMMAR)
    assert shown(task) == ["now"] and played.calls == [NOW]


def test_a_call_that_is_demanded_among_several_is_of_the_likeliest() -> None:
    margins = [sure("no", yes=-3.0, no=-0.1), sure("no", yes=-1.0, no=-0.5)]
    task = only("get_weather", "now", required=True)
    assert play(two_pass(task), [*margins, fenced("now()")], GRAMMAR).calls == [NOW]
    assert shown(task) == ["now"]


def test_among_many_the_model_chooses_first() -> None:
    many = {f"tool_{index}": Tool(f"tool-{index}", ()) for index in range(20)}
    task = replace(formed(), vocabulary=Vocabulary({**TOOLS.tools, **many}, {}))
    played = play(two_pass(task), [whole("yes"), whole("`tool-3`, now"), fenced("tool_3()\nnow()")], GRAMMAR)
    _, which, _ = played.asks
    assert which.aside and which.fields["grammar"] == "names"
    assert played.calls == [("tool-3", "{}"), NOW]
    unknown = play(two_pass(task), [whole("yes"), whole("none"), fenced("tool_3()")], GRAMMAR)
    assert unknown.calls == [("tool-3", "{}")], "who names none has all of them"


def test_results_are_for_the_whole_conversation_to_judge() -> None:
    client = Client()
    client.give(client.ask(fenced("now()")), "12:00")
    played = play(two_pass(formed(conversation=client.conversation)), [whole("Noon.")], GRAMMAR)
    assert played.text == "Noon." and not played.asks[0].aside


def test_without_grammars_it_works_by_words() -> None:
    played = play(two_pass(only("now")), [whole("Yes!"), fenced("now()")])
    assert played.calls == [NOW] and dict(played.asks[1].fields) == {}
