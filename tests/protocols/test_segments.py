"""Streams may not differ by how their upstream cut the text: the borders have to follow from the text alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import UpstreamBroken
from emulator.events import (
    ArgumentsDelta,
    CallStarted,
    Event,
    Finished,
    Head,
    OtherFields,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
)
from emulator.protocols.segments import segmented

LONG = "x" * 70


def texts(*pieces: str) -> list[str]:
    said = segmented([*(TextDelta(0, piece) for piece in pieces), Finished(0, "stop")])
    return [event.text for event in said if isinstance(event, TextDelta)]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("It is sunny.\n\nBye", ["It", " is", " sunny.", "\n\nBye"]),
        ("a ", ["a", " "]),
        (LONG, ["x" * 32, "x" * 32, "x" * 6]),
        ("晴れ。 ok", ["晴", "れ", "。", " ok"]),
        (" " * 40 + "a", [" " * 32, " " * 8 + "a"]),
        ("สวัสดี", list("สวัสดี")),
        ("一。\u3000abc\u3000\u3000def", ["一", "。", "\u3000abc", "\u3000\u3000def"]),
        ("", []),
    ],
)
def test_segments(text: str, segments: list[str]) -> None:
    assert texts(text) == segments


@given(
    st.lists(
        st.text(st.sampled_from("ab .\n\u00a0\u3000晴😀e\u0301" + "x" * 3), max_size=50)
        | st.just(LONG)
        | st.just(" " * 45)
    ),
    st.data(),
)
def test_segments_depend_on_the_text_only(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    cut = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert "".join(texts(text)) == text
    assert texts(text) == texts(*cut) == texts(*text)


def test_a_word_is_said_when_the_next_begins() -> None:
    pieces = iter(["Hel", "lo wor", "ld"])
    said = segmented(TextDelta(0, piece) for piece in pieces)
    assert next(said) == TextDelta(0, "Hello")
    assert next(pieces) == "ld", "nothing more was needed for it"


def test_whatever_comes_between_ends_a_word() -> None:
    call: list[Event] = [CallStarted(0, 0, "call_1", "f"), ArgumentsDelta(0, 0, '{"a b": 1}')]
    events: list[Event] = [
        Head({}),
        ReasoningDelta(0, "so "),
        ReasoningDelta(0, "be"),
        TextDelta(0, "Wa"),
        *call,
        TextDelta(0, "it"),
    ]
    assert list(segmented(events)) == [
        Head({}),
        ReasoningDelta(0, "so"),
        ReasoningDelta(0, " be"),
        TextDelta(0, "Wa"),
        *call,
        TextDelta(0, "it"),
    ]


def test_what_stands_beside_words_does_not_part_them() -> None:
    beside = OtherFields(0, {"annotations": [1]})
    events = [TextDelta(0, "one tw"), beside, TextDelta(0, "o three")]
    assert list(segmented(events)) == [TextDelta(0, "one"), beside, TextDelta(0, " two"), TextDelta(0, " three")]


def test_choices_have_words_of_their_own() -> None:
    events: list[Event] = [
        TextDelta(1, "on"),
        TextDelta(0, "ze"),
        TextDelta(1, "e"),
        TextDelta(0, "ro"),
        Finished(0, "stop"),
    ]
    assert list(segmented(events)) == [TextDelta(1, "one"), TextDelta(0, "zero"), Finished(0, "stop")]


def test_tokens_with_probabilities_stay_as_they_are() -> None:
    token = TextDelta(0, "wor", ({"token": "wor"},))
    assert list(segmented([TextDelta(0, "Hel"), token])) == [TextDelta(0, "Hel"), token]


def test_tokens_that_nobody_asked_for_are_no_borders() -> None:
    events = [TextDelta(0, piece, ({"token": piece},)) for piece in ("Hel", "lo", " wor", "ld")]
    assert list(segmented(events, tokens=False)) == [TextDelta(0, "Hello"), TextDelta(0, " world")]


def test_an_error_loses_no_words() -> None:
    def broken() -> Iterator[Event]:
        yield TextDelta(0, "almo")
        raise UpstreamBroken("cut")

    said = segmented(broken())
    assert next(said) == TextDelta(0, "almo")
    with pytest.raises(UpstreamBroken):
        next(said)


def test_a_refusal_is_cut_like_any_words() -> None:
    said = [RefusalDelta(0, "I c"), RefusalDelta(0, "an't do"), RefusalDelta(0, " that."), Finished(0, "stop")]
    assert list(segmented(said)) == [
        RefusalDelta(0, "I"),
        RefusalDelta(0, " can't"),
        RefusalDelta(0, " do"),
        RefusalDelta(0, " that."),
        Finished(0, "stop"),
    ]
