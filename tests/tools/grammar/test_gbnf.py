"""Five readers of GBNF differ in their escapes; what is sent must mean the same to all of them."""

from __future__ import annotations

import pytest

from emulator.tools.grammar.choosing import one_of, some_of
from emulator.tools.grammar.expressions import Chars, Grammar, Literal, Repeat, choice, none_of, sequence, some
from emulator.tools.grammar.gbnf import gbnf
from tests.tools.grammar.reading import Reader


def test_expressions_as_text() -> None:
    rule = choice(
        [
            sequence("a", Repeat(choice(["b", "c"]), 1), Repeat(Literal("d"), 2, 3)),
            Repeat(Repeat(Literal("e"), 2, 2)),
            "",
        ]
    )
    assert gbnf(Grammar({"root": rule})) == 'root ::= "a" ("b" | "c")+ "d"{2,3} | ("e"{2})* | ""\n'


def test_characters_with_a_meaning_are_escaped_and_stand_last() -> None:
    chars = Chars((("]", "]"), ("a", "f"), ("\x00", "\x1f"), ("é", "é")), negated=True)
    assert (
        gbnf(Grammar({"root": sequence(chars, '"\\\n\r\té')}))
        == 'root ::= [^a-fé\\x5D\\x00-\\x1F] "\\"\\\\\\n\\r\\té"\n'
    )


@pytest.mark.parametrize("char", [chr(code) for code in range(1, 128)] + ["é", "\u2028", "日", "🎉"])
def test_every_character_is_itself(char: str) -> None:
    for part in (Literal(char), some(char)):
        read = Reader(gbnf(Grammar({"root": sequence("<", part, ">")})))
        assert read.admits(f"<{char}>")
        assert not read.admits("<\x80>")
    assert not Reader(gbnf(Grammar({"root": sequence("<", none_of(char), ">")}))).admits(f"<{char}>")


def test_one_of_several_texts() -> None:
    read = Reader(gbnf(one_of(["yes", "no"])))
    assert [read.ends_after(text) for text in ("yes", "no", "yesno", "", "maybe")] == [True, True, False, False, False]


def test_some_of_several_names() -> None:
    read = Reader(gbnf(some_of(["a", "ab"], "none")))
    assert [read.admits(text) for text in ("none", "a", "ab, a", "none, a", "a,ab", "")] == [True] * 3 + [False] * 3
