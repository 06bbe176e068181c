"""Code in a thought is no call: whatever tags a model thinks in, and however its text is cut, none of it may pass."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, AnswerHead, AnswerPart, AnswerUsage
from emulator.upstream.thoughts import TaggedUpstream, ThoughtSplitter

TAGS = ("[THINK]", "[/THINK]")


def split(*pieces: str, inside: bool = False) -> tuple[str, str]:
    """What was thought, and what was said."""
    splitter = ThoughtSplitter(*TAGS, inside=inside)
    deltas = [splitter.split(AnswerDelta(0, piece)) for piece in pieces]
    deltas.append(splitter.split(AnswerDelta(0, "", finish_reason="stop")))
    return "".join(delta.reasoning for delta in deltas), "".join(delta.text for delta in deltas)


@pytest.mark.parametrize(
    ("text", "inside", "thought", "said"),
    [
        ("[THINK]f()[/THINK]\n\nHi", False, "f()", "Hi"),
        (" \n[THINK]a[/THINK] [THINK]b[/THINK]\nHi", False, "ab", "Hi"),
        ("a[/THINK]Hi", True, "a", "Hi"),
        ("a", True, "a", ""),
        ("[THINK]cut [/THI", False, "cut [/THI", ""),
        ("[THINK][/THINK]", False, "", ""),
        ("[THIN", False, "", "[THIN"),
        ("Hi [THINK] is a tag[/THINK]", False, "", "Hi [THINK] is a tag[/THINK]"),
        ("[/THINK]Hi", False, "", "[/THINK]Hi"),
        ("  Hi", False, "", "  Hi"),
        (" " * 400 + "[THINK]a[/THINK]Hi", False, "a", "Hi"),
        ("", False, "", ""),
    ],
)
def test_thoughts_and_answers_however_they_are_cut(text: str, inside: bool, thought: str, said: str) -> None:
    assert split(text, inside=inside) == (thought, said)
    assert split(*text, inside=inside) == (thought, said)
    for at in range(len(text)):
        assert split(text[:at], text[at:], inside=inside) == (thought, said)


@given(st.lists(st.sampled_from(["[THINK]", "[/THINK]", "[", "/", "THINK]", "f()", " ", "\n"])), st.booleans())
def test_the_cuts_never_matter_and_words_are_never_lost(pieces: list[str], inside: bool) -> None:
    whole = "".join(pieces)
    thought, said = split(whole, inside=inside)
    assert split(*whole, inside=inside) == (thought, said)
    assert whole.endswith(said)
    assert (thought + said).count("f()") == whole.count("f()")


def test_an_answer_flows_at_once() -> None:
    splitter = ThoughtSplitter(*TAGS, inside=False)
    first = AnswerDelta(0, "Hello", logprobs=({"token": "Hello"},))
    assert splitter.split(first) is first
    assert splitter.split(AnswerDelta(0, " [TH")).text == " [TH"


def test_a_thought_flows_but_for_what_may_be_its_end() -> None:
    splitter = ThoughtSplitter(*TAGS, inside=False)
    assert splitter.split(AnswerDelta(0, "[THINK]one [/")).reasoning == "one "
    last = splitter.split(AnswerDelta(0, "two", finish_reason="length", logprobs=({"token": "two"},)))
    assert last == AnswerDelta(0, "", "[/two", finish_reason="length")


def test_a_server_that_tells_thoughts_apart_has_opened_none() -> None:
    splitter = ThoughtSplitter(*TAGS, inside=True)
    thinks = AnswerDelta(0, reasoning="hm")
    assert splitter.split(thinks) is thinks
    assert splitter.split(AnswerDelta(0, "Hi")).text == "Hi"


class Canned:
    """An upstream with two choices whose deltas take turns."""

    closed = False

    def ask(
        self, body: Mapping[str, Any], *, authorization: str | None, lifetime: Lifetime
    ) -> Generator[AnswerPart, None, None]:
        try:
            yield AnswerHead(dict(body))
            yield AnswerDelta(0, "[THI")
            yield AnswerDelta(1, "Hi")
            yield AnswerDelta(0, "NK]a[/THINK]b", finish_reason="stop")
            yield AnswerDelta(1, " there", finish_reason="stop")
            yield AnswerUsage({"total_tokens": 1})
        finally:
            self.closed = True


def test_choices_think_apart_and_all_else_passes() -> None:
    canned = Canned()
    tagged = TaggedUpstream(canned, TAGS, inside=False)
    head, *deltas, usage = tagged.ask({"id": "x"}, authorization=None, lifetime=Lifetime(1.0))
    assert (head, usage) == (AnswerHead({"id": "x"}), AnswerUsage({"total_tokens": 1}))
    heard = [(d.choice, d.reasoning, d.text) for d in deltas if isinstance(d, AnswerDelta)]
    assert heard == [(0, "", ""), (1, "", "Hi"), (0, "a", "b"), (1, "", " there")]


def test_whoever_stops_listening_closes_the_connection() -> None:
    canned = Canned()
    parts = TaggedUpstream(canned, TAGS, inside=False).ask({}, authorization=None, lifetime=Lifetime(1.0))
    next(parts)
    parts.close()
    assert canned.closed
