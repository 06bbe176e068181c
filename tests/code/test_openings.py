"""Where code begins is guessed by a line's beginning: what is taken for prose there is never called."""

from __future__ import annotations

import pytest

from emulator.code.openings import LINE_START, PYTHON_FENCES, aside_source, fence_info, opens_behind_words, ticked_call


@pytest.mark.parametrize(
    ("line", "language", "code"),
    [
        ("```\n", "", ""),
        ("```python\n", "python", ""),
        ("``` Python\n", "python", ""),
        ("```python3.11\n", "python", ""),
        ("```py3\n", "py", ""),
        ("```{.python .numberLines startFrom=1}\n", "python", ""),
        ("```{python}\n", "python", ""),
        ('```python title="a b.py" linenums=1\n', "python", ""),
        ("```python:main.py\n", "python", ""),
        ("```python, main.py\n", "python", ""),
        ("```python {highlight: [1]}\n", "python", ""),
        ("```python f(1)```\n", "python", " f(1)```\n"),
        ("```python x = f(1)\n", "python", " x = f(1)\n"),
        ("```f(1)```\n", "", "f(1)```\n"),
        ("```c++\n", "c++", ""),
        ("```js\n", "js", ""),
    ],
)
def test_what_stands_behind_the_marks(line: str, language: str, code: str) -> None:
    info = fence_info(line, 3)
    assert (info.language, line[info.end :].removesuffix("\n")) == (language, code.removesuffix("\n"))
    assert info.is_python == (language in PYTHON_FENCES)


def test_behind_words_only_a_language_opens_a_block() -> None:
    assert opens_behind_words("```python\n", 3)
    assert opens_behind_words("```\n", 3)
    assert opens_behind_words("```python3 f(1)\n", 3)
    assert not opens_behind_words("```code here``` is fine\n", 3)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("`f(1)`\n", "f(1)"),
        ("``f(1)``", "f(1)"),
        ("- `f(1)`;\n", "f(1)"),
        ("2. **`f(1)`**.\n", "f(1)"),
        ("> f(1)\n", "f(1)"),
        ("Call: f(1)\n", "f(1)"),
        ("**Function call 2:** `[f(1), g(2)]`", "[f(1), g(2)]"),
        ("<code>f(1)</code>", "f(1)"),
        ("`f(1)` does it.", None),
        ("- f(1) does it", None),
        ("`f(1)` and `g(2)`", None),
        ("`f(1)", None),
    ],
)
def test_a_line_of_nothing_but_a_call(line: str, source: str | None) -> None:
    found = LINE_START.match(line)
    assert found is not None
    assert found["aside"]
    assert aside_source(line, found.start("text")) == source


def test_a_call_between_backticks_in_a_line() -> None:
    whole = ticked_call("```f(1)```.\n", 3)
    assert whole is not None
    assert (whole.called, whole.source) == ("f", "f(1)")
    begun = ticked_call("```f(1)\n", 3)
    assert begun is not None
    assert begun.source is None
    assert ticked_call("```f(1)``` does it\n", 3) is None
    assert ticked_call("```x + 1```\n", 3) is None


@pytest.mark.parametrize(
    "line",
    [
        "Hello (world)", "a sentence about f(1)", "import taxes are high\n", "from here on\n", "if you want:\n", "try this:\n", "classes: many\n",
        "for example, this:\n", "x == 5", "1. Open (it)", "- a word", "| f(1) |", "default is 3",
    ],
)  # fmt: skip
def test_prose_begins_no_code(line: str) -> None:
    found = LINE_START.match(line)
    assert found is None or found["called"]
