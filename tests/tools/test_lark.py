"""A custom tool's input must keep to its grammar, and a model that misses it must learn where."""

from __future__ import annotations

import pytest

from emulator.protocols.custom import as_lark
from emulator.tools.jobs import GrammarTooSlow
from emulator.tools.lark import fault, mismatch

SUM = 'start: term ("+" term)*\nterm: INT\n%import common.INT\n%ignore " "'


def judged(grammar: str, text: str) -> str | None:
    assert fault(grammar) is None
    return mismatch(grammar, text, seconds=60)


@pytest.mark.parametrize(
    ("grammar", "text", "said"),
    [
        (SUM, "4 + 40", None),
        (SUM, "", "must match its grammar as a whole; it ends too early"),
        (SUM, "4 +", "must match its grammar as a whole; it ends too early"),
        (SUM, "4 + x", "must match its grammar; it can't go on at line 1, column 5, with 'x'"),
        ('start: ("é" "\\n")+', "é\né\né€€", "must match its grammar; it can't go on at line 3, column 2, with '€€'"),
        ('start: "a"', "b" * 41, f"must match its grammar; it can't go on at line 1, column 1, with '{'b' * 40}…'"),
        ('start: "a"', "\ud800", "must match its grammar; it can't go on at line 1, column 1, with '���'"),
        ('start: "a"*', "a" * 1000, None),
        ('start: "a"*', "a" * 1000 + "b", "must match its grammar; it can't go on at line 1, column 1001, with 'b'"),
    ],
)
def test_what_a_model_is_told(grammar: str, text: str, said: str | None) -> None:
    assert judged(grammar, text) == said


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"\d{4}-\d\d", "2026-11", True),
        (r"\d{4}-\d\d", "2026-1", False),
        (r"\d{4}-\d\d", "x 2026-11", False),
        (r"a|b/c", "a", True),
        (r"a|b/c", "b/c", True),
        (r"a|b/c", "ab/c", False),
        (r"b\/c", "b/c", True),
        (r"\\/", "\\/", True),
        (r"\\\/", "\\/", True),
        (r"[[:alpha:]]+", "ab", True),
        (r"(?i)ab", "AB", True),
        (r"(?x) a # any" + "\n b", "ab", True),
        (r"a.b", "a\nb", False),
        (r"(?s)a.b", "a\nb", True),
        (r"é\p{L}", "éü", True),
        (r'"', '"', True),
        (r"", "", True),
        ("/\nstart: x", "/\nstart: x", True),
        (r"", "a", False),
    ],
)
def test_regular_expressions_mean_what_rust_means_by_them(pattern: str, text: str, matches: bool) -> None:
    assert (judged(as_lark(pattern), text) is None) == matches


@pytest.mark.parametrize(
    "grammar",
    ["", "start: x", 'start: "a', "a: b\nb: a", "start: " + "(" * 300 + '"a"' + ")" * 300]
    + [as_lark(pattern) for pattern in ("(", "a)|(b", "(?=a)a", "\\", "\\bx")],
)
def test_grammars_that_can_not_be_compiled_say_why(grammar: str) -> None:
    assert fault(grammar)


AMBIGUOUS = 'start: a\na: a a | "x"'
SECTIONS = "start: section+\nsection: title? line+\ntitle: /#.*/ LF\nline: /[a-z ]*/ LF\n%import common.LF"
"""Each line may begin a section, so a text costs the square of its lines."""


def test_a_grammar_that_takes_too_long_to_compile_is_refused() -> None:
    assert fault('start: "x"', seconds=0) == "it takes too long to compile"


def test_a_grammar_with_too_many_symbols_is_refused_at_once() -> None:
    names = [f"a{number}" for number in range(1900)]
    hostile = "start: " + " ".join(names) + "".join(f'\n{name}: "x"{{0,1000}}' for name in names)
    reason = fault(hostile)
    assert reason is not None
    assert "too big" in reason


def test_a_language_of_a_thousand_keywords_is_no_such_grammar() -> None:
    names = [f"kw{number}" for number in range(1000)]
    language = "start: stmt+\nstmt: " + " | ".join(f'{name} /[a-z]+/ ";"' for name in names)
    language += "".join(f'\n{name}: "{name} "i' for name in names)
    assert judged(language, "kw3 abc;KW999 x;") is None


@pytest.mark.parametrize(
    ("grammar", "text", "seconds"),
    [
        (AMBIGUOUS, "x" * 512, 0),
        ("start: " + " ".join(['"x"?'] * 3000), "x", 60),  # the parser has more to remember than it is given
    ],
)
def test_a_short_text_that_can_not_be_matched_is_the_grammars_fault(grammar: str, text: str, seconds: float) -> None:
    assert fault(grammar) is None
    with pytest.raises(GrammarTooSlow):
        mismatch(grammar, text, seconds=seconds)


def test_a_long_text_is_to_be_written_shorter() -> None:
    text = "a line of words\n" * 3000
    assert mismatch(SECTIONS, text[:1600]) is None
    said = mismatch(SECTIONS, text)
    assert said == "is too long to be matched against its grammar in reasonable time; write less of it in one call"
