"""A word too many here takes calls for examples, a word too few makes calls that nobody wanted."""

from __future__ import annotations

import pytest

from emulator.code.wording import (
    asks_leave,
    ends_asking,
    has_placeholder,
    is_example,
    is_possible,
    is_quotation,
    last_sentence,
    tells_not_made,
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", ""),
        ("One. Two:\n", "Two:"),
        ("One\n\nTwo:\n\n", "Two:"),
        ("Cities, e.g. Paris, are big:", "Cities, e.g. Paris, are big:"),
        ("> One\n>\n> Two:\n>\n", "> Two:"),
    ],
)
def test_the_last_sentence(text: str, sentence: str) -> None:
    assert last_sentence(text) == sentence


def test_introductions() -> None:
    for sentence in ("The tool answered:", "**The website says:**", "Here is what the function returned:"):
        assert is_quotation(sentence)
    for sentence in ("The user says they want rain:", "The tool to use:", "The tool answered", "I call the function:"):
        assert not is_quotation(sentence)
    assert is_example("It would look like this:")
    assert not is_example("I look it up:")
    assert is_possible("I can now call it:")
    assert not is_possible("I will call it:")
    assert asks_leave("Shall I run it?")
    assert not asks_leave("What is the weather?")


def test_what_follows() -> None:
    for text in ("I have not executed this.", "I won't do that.", "I ignored it.", "I did not run this."):
        assert tells_not_made(text)
    assert not tells_not_made("I have run this, and ignored nothing.")
    for text in ("Is that right?", "Which one?**\n", "Please confirm."):
        assert ends_asking(text)
    for text in ("Is there anything else I can do?", "Why? I know it.", "That is all."):
        assert not ends_asking(text)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('f(a="<city>")', True),
        ("f(a='YOUR_KEY')", True),
        ('f(a="{city}")', True),
        ('f(a="[your city]")', True),
        ('f(a=f"{city}")', False),
        ('f(a="{city}".format(city=1))', False),
        ('f(a="in <city>")', False),
        ('f(a="</div>")', False),
        ('f(a="x < 3", b=[1], c={"a": 1})', False),
    ],
)
def test_placeholders(source: str, found: bool) -> None:
    assert has_placeholder(source) is found
