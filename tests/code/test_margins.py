"""What stands before code must go, and nothing of the code itself: a margin misread changes what is called."""

from __future__ import annotations

import pytest

from emulator.code.margins import Margin


def stripped(text: str, *, quoted: bool = False) -> list[str | None]:
    """Each line's code, None for lines that are none."""
    margin = Margin(quoted=quoted)
    lines = text.split("\n")
    offsets = [margin.offset(line, inside=False) for line in lines]
    return [None if offset is None else line[offset:] for line, offset in zip(lines, offsets, strict=True)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("f(1)\n  g(2)", ["f(1)", "  g(2)"]),
        (">>> if x:\n...     f()\n...\n3", ["if x:", "    f()", "", None]),
        ("In [1]: f(\n   ...:     1)\nOut[1]: 3\n\nIn [2]: g()", ["f(", "    1)", None, "", "g()"]),
        ("1. f()\n2. g()", ["f()", "g()"]),
        ("1: f(\n2:     1\n3: )", ["f(", "    1", ")"]),
        ("1 | f()\n2 |\n3 | g()", ["f()", "", "g()"]),
        (" 9  f()\n10  g()", ["f()", "g()"]),
        ("1\tf()\n2\t\tg()", ["f()", "\tg()"]),
        ("1. f()\ng()\n2. h()\n4. i()", ["f()", "g()", "h()", "4. i()"]),
        ("- f()\n- g()\nh()", ["f()", "g()", "h()"]),
        ("- 1\n- 2", ["- 1", "- 2"]),
        ("1 + 1\n2", ["1 + 1", "2"]),
        ("python\nf()", [None, "f()"]),
        (">>> f()\n```", ["f()", "```"]),
    ],
)
def test_only_a_margin_goes(text: str, lines: list[str | None]) -> None:
    assert stripped(text) == lines


def test_quotations() -> None:
    assert stripped("> f(\n>     1\n>)\n> >>> g()", quoted=True) == ["f(", "    1", ")", ">>> g()"]
    assert stripped("> >>> f()\n> ...\n> 3", quoted=True) == ["f()", "", None]
    assert stripped("> f()") == ["> f()"]


def test_what_continues_a_bracket_needs_no_prompt() -> None:
    margin = Margin()
    assert margin.offset(">>> f(", inside=False) == 4
    assert margin.offset("    1)", inside=True) == 0
    assert margin.session
