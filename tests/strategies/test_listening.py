"""Strategies that judge an answer as a whole judge what was heard here: a thought taken for words, or a piece lost
between two deltas, would make them judge something that the model hasn't said."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.events import ReasoningDelta
from emulator.ports import AnswerDelta
from emulator.strategies.effects import READ
from emulator.strategies.listening import Heard, listen
from tests.strategies.playing import task


def hear(deltas: Iterable[AnswerDelta], *, aloud: bool = True, **options: Any) -> tuple[Heard, list[str]]:
    """What was heard, and the thoughts that the client heard meanwhile; every delta must be asked for."""
    heard, thoughts, left = Heard(), list[str](), iter(deltas)
    listening = listen(task(**options), heard, aloud=aloud)
    effect = next(listening, None)
    while effect is not None:
        if isinstance(effect, ReasoningDelta):
            assert effect.choice == 0
            thoughts.append(effect.text)
            effect = next(listening, None)
        else:
            assert effect is READ
            try:
                effect = listening.send(next(left))
            except StopIteration:
                effect = None
    assert next(left, None) is None
    return heard, thoughts


def pieces(*texts: str, reason: str = "stop") -> list[AnswerDelta]:
    """Texts, the last of them with the end."""
    return [*(AnswerDelta(0, text) for text in texts[:-1]), AnswerDelta(0, texts[-1], finish_reason=reason)]


CALL = '{"name": "get_weather"}'
CASES: list[tuple[str, list[AnswerDelta], str, str, list[str]]] = [
    ("words", pieces("Hel", "lo"), "Hello", "Hello", []),
    ("nothing", pieces(""), "", "", []),
    ("nothing at all", [AnswerDelta(0, finish_reason="stop")], "", "", []),
    ("the end by itself", pieces("Hello", ""), "Hello", "Hello", []),
    ("white space is kept", pieces(" \nHello ", "\n"), " \nHello \n", " \nHello \n", []),
    ("a tag", pieces("<think>hm</think>", "Yes."), "<think>hm</think>Yes.", "Yes.", ["hm"]),
    ("a tag in pieces", pieces("<th", "ink>h", "m</thi", "nk>\nYes."), "<think>hm</think>\nYes.", "Yes.", ["hm"]),
    ("a thought cut short", pieces("<think>hm", "m", reason="length"), "<think>hmm", "", ["hmm"]),
    ("apart", [AnswerDelta(0, "", "h"), AnswerDelta(0, "", "m"), *pieces("Yes.")], "Yes.", "Yes.", ["h", "m"]),
    ("in one piece", [AnswerDelta(0, "A", "h"), AnswerDelta(0, "B", "m", "stop")], "AB", "AB", ["h", "m"]),
    ("code is words here", pieces("```python\nf(1)\n", "```"), "```python\nf(1)\n```", "```python\nf(1)\n```", []),
    ("so is what looks like a call", pieces(CALL), CALL, CALL, []),
    ("no tag", pieces("a<b and </", "x"), "a<b and </x", "a<b and </x", []),
]


@pytest.mark.parametrize(("deltas", "raw", "words", "thoughts"), [row[1:] for row in CASES], ids=[r[0] for r in CASES])
def test_what_is_heard(deltas: list[AnswerDelta], raw: str, words: str, thoughts: list[str]) -> None:
    heard, told = hear(deltas)
    assert heard == Heard(raw, words, reason=deltas[-1].finish_reason or "")
    assert told == thoughts
    assert hear(deltas, aloud=False) == (heard, [])


IN_THOUGHT: list[tuple[str, list[AnswerDelta], str, list[str]]] = [
    ("it ends", pieces("h", "m</think>Yes."), "Yes.", ["h", "m"]),
    ("the server tells thoughts apart", [AnswerDelta(0, "", "hm"), *pieces("Yes.")], "Yes.", ["hm"]),
    ("it never ends, so it was none", pieces("Yes."), "Yes.", ["Yes."]),
    ("it was cut short", pieces("hm", reason="length"), "", ["hm"]),
]


@pytest.mark.parametrize(
    ("deltas", "words", "thoughts"), [row[1:] for row in IN_THOUGHT], ids=[r[0] for r in IN_THOUGHT]
)
def test_answers_that_begin_inside_a_thought(deltas: list[AnswerDelta], words: str, thoughts: list[str]) -> None:
    """A model's template may have opened it in the question."""
    heard, told = hear(deltas, in_thought=True)
    assert (heard.words, told) == (words, thoughts)


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "eos_token"])
def test_the_reason_is_the_upstreams(reason: str) -> None:
    assert hear(pieces("a", "b", reason=reason))[0].reason == reason


def test_nothing_is_read_beyond_the_end() -> None:
    heard = Heard()
    listening = listen(task(), heard, aloud=True)
    assert next(listening) is READ
    with pytest.raises(StopIteration):
        listening.send(AnswerDelta(0, "Yes.", finish_reason="stop"))
    assert heard.raw == "Yes."


def test_refusals_are_no_words() -> None:
    heard, _ = hear([AnswerDelta(0, "Well.", refusal="I "), AnswerDelta(0, refusal="won't.", finish_reason="stop")])
    assert (heard.words, heard.refusal) == ("Well.", "I won't.")


def test_logprobs_are_those_of_the_whole_answer() -> None:
    first, second, third = ({"token": token, "logprob": -1} for token in "abc")
    heard, _ = hear([AnswerDelta(0, "ab", logprobs=(first, second)), AnswerDelta(0, "c", "", "stop", (third,))])
    assert heard.logprobs == [first, second, third]


texts = st.lists(
    st.sampled_from(["<think>", "</think>", "hm", "Yes.", "\n", " ", "```python\n", "```", "f(1)", "ü", "<", "{}"]),
    max_size=9,
).map("".join)


@given(
    text=texts, cuts=st.sets(st.integers(0, 60)), in_thought=st.booleans(), reason=st.sampled_from(["stop", "length"])
)
def test_how_the_answer_is_cut_makes_no_difference(text: str, cuts: set[int], in_thought: bool, reason: str) -> None:
    borders = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    cut = [text[start:end] for start, end in itertools.pairwise(borders)]
    whole, thoughts = hear(pieces(text, reason=reason), in_thought=in_thought)
    heard, told = hear(pieces(*cut, reason=reason), in_thought=in_thought)
    assert heard == whole
    assert heard.raw == text
    assert "".join(told) == "".join(thoughts)
