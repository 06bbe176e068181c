"""A mended call is made without the model being asked: a wrong guess would do something that nobody meant."""

from __future__ import annotations

import ast
import io
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.code.mend import LONGEST, candidates
from emulator.code.reindent import reindented


def mended(source: str, *, ends: bool = True) -> set[str]:
    """The candidates that are Python, as Python writes them."""
    found: set[str] = set()
    for candidate in candidates(source, ends=ends):
        try:
            found.add(ast.unparse(ast.parse(candidate)))
        except SyntaxError:
            continue
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f(1", "f(1)"),
        ("f([1, {'a': (2", "f([1, {'a': 2}])"),
        ("f({'a': 1)", "f({'a': 1})"),
        ("f(1))", "f(1)"),
        ("f(a=1 b=2)", "f(a=1, b=2)"),
        ("f(\n a='x'\n b='y'\n)", "f(a='x', b='y')"),
        ("f({'a': 'x' 'b': 'y'})", "f({'a': 'x', 'b': 'y'})"),
        ("[f(1)\n g(2)]", "[f(1), g(2)]"),
        ("f(a=1,,)", "f(a=1)"),
        ("f(a: 1, 'b': 2, 'c'=3, d => 4)", "f(a=1, b=2, c=3, d=4)"),
        ("f(a: str = 'x', b: list[int] | None = [1])", "f(a='x', b=[1])"),
        ("f(from='a', class='b', in='c')", "f(from_='a', class_='b', in_='c')"),
        ("f('from': 'a')", "f(from_='a')"),
        ("f(“a”, ‘b’, „c“, «d»)", "f('a', 'b', 'c', 'd')"),
        ("f(“it's \"so\" ”)", "f('it\\'s \"so\" ')"),
        ("f(“a\", \"b”)", "f('a', 'b')"),
        ("f(a=“x“)", "f(a='x')"),
        ('f(\\"a\\")', "f('a')"),
        ("f（a＝1，b＝2）", "f(a=1, b=2)"),
        ("f(a=1,\u00a0b=2)\u200b", "f(a=1, b=2)"),
        ("f(b=0.05 c=2019 d=10)", "f(b=0.05, c=2019, d=10)"),
        ("get\\_it(1)", "get_it(1)"),
        ("for x in [1]\n    f(x)", "for x in [1]:\n    f(x)"),
        ("f(1) -> {'a': 2}", "f(1)"),
        ("if a:\n    f(1)\n      g(2)\n  h(3)", "if a:\n    f(1)\n    g(2)\n    h(3)"),
        ("if a:\n\tf(1)\n        g(2)", "if a:\n    f(1)\n    g(2)"),
    ],
)  # fmt: skip
def test_what_is_meant_is_plain(source: str, expected: str) -> None:
    assert mended(source) == {ast.unparse(ast.parse(expected))}


@pytest.mark.parametrize(
    "source",
    [
        "f('a",
        'f("""a',
        "f(1,",
        "f(a=",
        "f(1 +",
        "x is y z",
        "f(1) g",
        "f(" * 100,
        "f(a b)" + " " * LONGEST,
        "f(a=05)",
        "f(2024-01-02)",
        "f(10 000)",
        "f([1\n2])",
        "f(a=1 2)",
        "f(1,,3)",
        "f(a=1,, b=2)",
        "f(, 1)",
        'f(["version "2" is out"])',
        'f(["say "hi""])',
        'f("a" b)',
        "f(a='say 'b='x')",
        'f(["say ""hi"" now" 1])',
        "if a:\nf(1)",
        "if a:\n  if b:\n  f(1)\n  g(2)",
    ],
)
def test_what_is_not_is_left_alone(source: str) -> None:
    assert mended(source) == set()


def test_open_brackets_are_closed_at_the_end_only() -> None:
    assert mended("f(1", ends=False) == set()
    assert mended("f(a b)", ends=False) == {"f(a, b)"}


VALUES = ["1", "20", "0.5", "007", "'x'", '"y z"', "“q”"]


@given(
    st.lists(
        st.sampled_from(
            [*VALUES, " a ", " True ", "k=", "'k': ", ",", ", ", " ", "\n", "[", "]", "{", "}", "(", ")", "-"]
        ),
        max_size=14,
    )
)
def test_numbers_and_strings_stay_as_they_are(parts: list[str]) -> None:
    """Whatever else is mended: a value that nobody wrote must never be called with.

    But for zeros: where two numbers touch, as in ``0070.5``, Python itself has another spelling of their value.
    """
    source = f"f({''.join(parts)})"
    given = [value[1:-1] if not value[0].isdigit() else value for value in parts if value in VALUES]
    for text in mended(source):
        assert "".join(_values(text)).replace("k", "").replace("0", "") == "".join(given).replace("0", "")


def _values(text: str) -> list[str]:
    """The numbers and strings of a source, in order."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [
        part.string if part.type == tokenize.NUMBER else ast.literal_eval(part.string)
        for part in tokens
        if part.type in (tokenize.NUMBER, tokenize.STRING)
    ]


@given(st.text(alphabet="f(){}[]'\"“”‘,:=> \n\t\\#1ab_.-", max_size=60))
def test_anything_can_be_looked_at(source: str) -> None:
    found = list(candidates(source, ends=True))
    assert len(found) == len(set(found)) <= 3
    assert source not in found


@pytest.mark.parametrize(
    "unit", ["(", "“", "'", '"', "\\", "f(a: ", "a b ", "\u200b", '“a" ', "x: str ", "=> ", "‘", '\\"', "if a\n"]
)
def test_long_text_is_looked_at_once(unit: str) -> None:
    """Every rule meets what a hostile model may write at the greatest length: quadratic rules would never end here."""
    source = "f(" + unit * (LONGEST // len(unit) - 2)
    assert len(list(candidates(source, ends=True))) <= 3


def test_lines_of_a_long_string_stay_where_they_are() -> None:
    assert reindented('if a:\n  f("""\n x""")\n   g()', 4) is None
