"""A model reads the compact form in place of black's, so the two must differ in white space and in nothing else."""

from __future__ import annotations

import ast

import black
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.tools.compact import compact
from emulator.tools.types import literal

MODE = black.Mode(line_length=1_000_000, magic_trailing_comma=False)


@pytest.mark.parametrize(
    ("source", "short"),
    [
        ("", ""),
        ("def f(*, a: int, b: str = None) -> Any:", "def f(*, a: int, b: str=None) -> Any:"),
        ("def f(**others: dict[str, int]) -> Any:", "def f(**others: dict[str, int]) -> Any:"),
        ('a: str = " = "  #  = b', 'a: str=" = " #  = b'),
        ("class A(BaseModel):\n    pass", "class A(BaseModel):\n pass"),
        (
            "class A(BaseModel):  # one\n    b: int | None = -1\n    c: C = None\n\n\nclass B(BaseModel):\n    d: A\n",
            "class A(BaseModel): # one\n b: int | None=-1\n c: C=None\n\nclass B(BaseModel):\n d: A",
        ),
        ("a: list = [1, {2: (3,)}]\n\n\n\n\nb: int\n", "a: list=[1, {2: (3,)}]\n\nb: int"),
    ],
)
def test_white_space_is_what_goes(source: str, short: str) -> None:
    assert compact(source) == short
    assert compact(short) == short


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(VALUES, VALUES)
def test_literals_survive(one: object, other: object) -> None:
    source = black.format_str(f"class A:\n    a: Any = {literal(one)}\n    b: Any = {literal(other)}\n", mode=MODE)
    short = compact(source)
    assert ast.dump(ast.parse(short)) == ast.dump(ast.parse(source))
    assert len(short) < len(source)
