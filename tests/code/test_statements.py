"""A call leaves when its statement is closed, so where a statement ends must be known without the rest of the text."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.code.limits import CodeLimits
from emulator.code.statements import StatementScanner, TooMuchCode


def statements(source: str, limits: CodeLimits | None = None) -> list[str]:
    scanner = StatementScanner(limits or CodeLimits())
    found: list[str] = []
    for line in source.split("\n"):
        closed, fence = scanner.line(line)
        found += [statement.source for statement in closed]
        assert fence is None
    return found + [statement.source for statement in scanner.end(closed=True)]


@pytest.mark.parametrize(
    "parts",
    [
        ["f(1)", "g(2)"],
        ["f(\n  1,\n)", "x = [\n]"],
        ["s = 'a(b'", 't = "c\\"["', "u = '''\n(\n'''", 'v = r"\\\\"'],
        ["x = 1 + \\\n  2", "f(x)"],
        ["for i in x:\n    f(i)\n\n    # still\n    g(i)\nelse:\n    h()", "f(1)"],
        ["if a: f(1)\nelif b: f(2)\nelse: f(3)", "g()"],
        ["try:\n    f()\nexcept E:\n    pass\nfinally:\n    g()", "h()"],
        ["@d\n@e\ndef f(a,\n      b):\n    return 1", "f(1, 2)"],
        ["f(1)  # don't", "g(2)"],
        ["f('it''s')", "g()"],
    ],
)
def test_statements_close_where_python_ends_them(parts: list[str]) -> None:
    assert statements("\n".join(parts)) == parts


SIMPLE = [
    "f(1)",
    "x = [1,\n 2]",
    "s = '''a\n  b'''",
    "if x:\n    y = 1\nelse:\n    z = 2",
    "def g():\n    return (\n1)",
    "# note",
    "",
    "f('#', \"(\")",
]


@given(st.lists(st.sampled_from(SIMPLE), max_size=8))
def test_nothing_is_lost_or_split(parts: list[str]) -> None:
    source = "\n".join(parts)
    rejoined = [node for text in statements(source) for node in ast.parse(text).body]
    assert ast.dump(ast.Module(rejoined, [])) == ast.dump(ast.Module(ast.parse(source).body, []))


def test_a_simple_statement_closes_with_its_line() -> None:
    scanner = StatementScanner(CodeLimits())
    assert [s.source for s in scanner.line("f(1)")[0]] == ["f(1)"]
    assert scanner.between


def test_a_fence_is_found_outside_of_strings_only() -> None:
    scanner = StatementScanner(CodeLimits())
    assert scanner.line("f('```')")[1] is None
    assert scanner.line("  g(1)```")[1] == 6
    assert StatementScanner(CodeLimits()).line("```")[1] == 0


def test_a_bracket_left_open_is_not_balanced() -> None:
    scanner = StatementScanner(CodeLimits())
    scanner.line("f([1,")
    (statement,) = scanner.end(closed=False)
    assert (statement.closed, statement.balanced) == (False, False)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("f(1)\n" * 21, "20 lines"),
        ("f('" + "x" * 1000 + "')", "1000 bytes"),
        ("(" * 9, "nested deeper than 8"),
        ("if x:\n" + "".join(f"{' ' * 2 * n}if x:\n" for n in range(1, 12)), "nested deeper than 8"),
    ],
)
def test_caps(source: str, words: str) -> None:
    with pytest.raises(TooMuchCode, match=words):
        statements(source, CodeLimits(bytes=1000, lines=20, nesting=8))
