"""What stands around code to say that it is code, and what notebooks and editors put before its lines."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.styles.cases import Call, Case, Write, styles
from tests.styles.writing import around, code_of, fence, fill, indented, keywords, plain, several


def _filled(template: str, case: Case) -> list[str]:
    """The template for each call: ``CODE``, and its ``NUMBER``."""
    return [fill(template, {"CODE": plain(call), "NUMBER": str(n)}) for n, call in enumerate(case.calls, 1)]


def _blocks(template: str) -> Write:
    """A block for each call, with a sentence between."""

    def written(case: Case, rng: Random) -> str | None:
        return "\n\n".join(_filled(template, case)) if len(case.calls) > 1 else None

    return written


def _prefixed(first: str, more: str, *, lines: bool = True) -> Callable[[Case], str]:
    """Code with a prompt before each statement's first line and another before its further lines; some statements
    take several lines if ``lines``."""

    def written(case: Case) -> str:
        out: list[str] = []
        for number, call in enumerate(case.calls, 1):
            code = _long(call) if lines and len(call.arguments) > 1 else plain(call)
            begin, *rest = code.split("\n")
            out += [
                first.replace("NUMBER", str(number)) + begin,
                *(more.replace("NUMBER", str(number)) + line for line in rest),
            ]
        return "\n".join(out)

    return written


def _long(call: Call) -> str:
    return f"{call.function}(\n    {keywords(call, separator=',' + chr(10) + '    ')}\n)"


def _numbered(template: str, *, start: int = 1) -> Callable[[Case], str]:
    """Each line of the code behind its number."""

    def written(case: Case) -> str:
        lines = [
            "# the calls",
            *"\n".join(_long(call) if call.arguments else plain(call) for call in case.calls).split("\n"),
        ]
        return "\n".join(template.format(number) + line for number, line in enumerate(lines, start))

    return written


def _indented_by(by: str) -> Callable[[Case], str]:
    return lambda case: indented(code_of(case), by)


def _prompt_with_output(case: Case) -> str:
    return "\n".join([*(f">>> {plain(call)}" for call in case.calls), "{'status': 'ok'}"])


def _cells_with_output(case: Case) -> str:
    cells = [f"In [{n}]: {plain(call)}" for n, call in enumerate(case.calls, 1)]
    return "\n\n".join(cells) + f"\nOut[{len(cells)}]: {{'status': 'ok'}}"


def _windows(case: Case, rng: Random) -> str | None:
    return fence(code_of(case)).replace("\n", "\r\n") if case.calls else None


def _quoted_lines(case: Case, rng: Random) -> str | None:
    text = f"Here is the call:\n\n{fence(code_of(case))}"
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n")) if case.calls else None


def _backticked(case: Case, rng: Random) -> str | None:
    return f"`{case.only and plain(case.only)}`" if case.only and "`" not in plain(case.only) else None


def _rows(template: str) -> Write:
    """Every call on a line of its own, without a fence."""

    def written(case: Case, rng: Random) -> str | None:
        return "\n".join(_filled(template, case)) or None if "`" not in code_of(case) else None

    return written


_LANGUAGES = {
    "py": "py",
    "python3": "python3",
    "python_version": "python3.11",
    "capital": "Python",
    "capitals": "PYTHON",
    "tool_code": "tool_code",
    "tool_call": "tool_call",
    "tool_calls": "tool_calls",
    "ipython": "ipython",
    "code": "code",
    "none": "",
    "attribute": 'python title="main.py"',
    "attribute_id": 'python id="a1b2c3"',
    "attribute_braces": "python {linenos=true}",
    "attribute_line": "python {.line-numbers}",
    "pandoc": "{.python}",
    "pandoc_space": "{ .python }",
    "r_markdown": "{python}",
    "colon_file": "python:main.py",
    "comment": "python  # the call",
    "space_before": " python",
    "spaces_behind": "python   ",
}

_FRAMES: dict[str, Write] = {
    "prompts_python": around(fence("CODE"), _prefixed(">>> ", "... ")),
    "prompts_pycon": around(fence("CODE", "pycon"), _prefixed(">>> ", "... ")),
    "prompts_bare": around("CODE", _prefixed(">>> ", "... ")),
    "prompts_output": around(fence("CODE"), _prompt_with_output),
    "cells": around(fence("CODE"), _prefixed("In [NUMBER]: ", "   ...: ")),
    "cells_bare": around("CODE", _prefixed("In [NUMBER]: ", "   ...: ")),
    "cells_one_line": around(fence("CODE", "ipython"), _prefixed("In [NUMBER]: ", "", lines=False)),
    "cells_output": around(fence("CODE"), _cells_with_output),
    "numbers_colon": around(fence("CODE"), _numbered("{}: ")),
    "numbers_bar": around(fence("CODE"), _numbered("{:>2} | ")),
    "numbers_bar_tight": around(fence("CODE"), _numbered("{}|")),
    "numbers_space": around(fence("CODE"), _numbered("{:>3}  ")),
    "numbers_zeros": around(fence("CODE"), _numbered("{:02}  ")),
    "numbers_tab": around(fence("CODE"), _numbered("{:>6}\t")),
    "numbers_dot": around(fence("CODE"), _numbered("{}. ")),
    "block_indented": around(fence("CODE"), _indented_by("    ")),
    "block_indented_by_tab": around(fence("CODE"), _indented_by("\t")),
    "block_indented_markdown": around("BEFORE\n\nCODE\n", _indented_by("    ")),
    "unclosed": around("```python\nCODE"),
    "unclosed_newline": around("BEFORE\n\n```python\nCODE\n"),
    "unclosed_no_language": around("```\nCODE"),
    "closing_on_the_line": around("```python\nCODE```"),
    "closing_too_long": around("```python\nCODE\n`````"),
    "closing_indented": around("```python\nCODE\n  ```"),
    "closed_twice": around("```python\nCODE\n```\n```"),
    "on_one_line": several(around("```python CODE```"), 1),
    "inline_triple": around("BEFORE ```CODE```"),
    "tildes": around("~~~python\nCODE\n~~~"),
    "tildes_no_language": around("~~~\nCODE\n~~~"),
    "four_backticks": around("````python\nCODE\n````"),
    "five_backticks": around("`````py\nCODE\n`````"),
    "nested_in_markdown": around("````markdown\n```python\nCODE\n```\n````"),
    "nested_in_plain": around("```\n```python\nCODE\n```\n```"),
    "doubled_opening": around("```python\n```python\nCODE\n```"),
    "language_on_next_line": around("```\npython\nCODE\n```"),
    "language_twice": around("```python\npython\nCODE\n```"),
    "behind_words": around("BEFORE ```python\nCODE\n```"),
    "no_gap": around("BEFORE\n```python\nCODE\n```\nAFTER"),
    "blank_lines_inside": around("```python\n\n\nCODE\n\n\n```"),
    "in_list_dash": around("- BEFORE\n\n  ```python\n  CODE\n  ```", lambda case: code_of(case).replace("\n", "\n  ")),
    "in_list_number": around(
        "1. BEFORE\n   ```python\n   CODE\n   ```", lambda case: code_of(case).replace("\n", "\n   ")
    ),
    "in_list_deep": around("   - ```python\n     CODE\n     ```", lambda case: code_of(case).replace("\n", "\n     ")),
    "opened_in_list": around("- ```python\nCODE\n```"),
    "fence_indented": around(
        "BEFORE\n\n    ```python\n    CODE\n    ```", lambda case: code_of(case).replace("\n", "\n    ")
    ),
    "quoted": _quoted_lines,
    "quoted_code": around("BEFORE\n\n> ```python\n> CODE\n> ```", lambda case: code_of(case).replace("\n", "\n> ")),
    "windows": _windows,
    "bare": around("CODE"),
    "bare_newline": around("\n\nCODE\n\n"),
    "bare_behind_words": around("BEFORE\n\nCODE"),
    "bare_between_words": around("BEFORE\n\nCODE\n\nAFTER"),
    "bare_list": several(around("[CODE]", lambda case: ", ".join(map(plain, case.calls)))),
    "bare_list_lines": around("[\nCODE\n]", lambda case: ",\n".join("    " + plain(call) for call in case.calls)),
    "bare_assigned": _rows("result_NUMBER = CODE"),
    "bare_awaited": _rows("result_NUMBER = await CODE"),
    "bare_printed": _rows("print(CODE)"),
    "bare_import_first": around("import json\n\nCODE"),
    "bare_comment_first": around("# This is what the user asked for\nCODE"),
    "bare_semicolons": several(around("CODE", lambda case: "; ".join(map(plain, case.calls)))),
    "bare_lines_long": around(
        "CODE", lambda case: "\n".join(_long(call) if call.arguments else plain(call) for call in case.calls)
    ),
    "bare_language_line": around("python\nCODE"),
    "backticks": _backticked,
    "backticks_lines": _rows("`CODE`"),
    "backticks_numbered": _rows("NUMBER. `CODE`"),
    "backticks_bullets": _rows("- `CODE`"),
    "lines_numbered": several(_rows("NUMBER. CODE"), 2),
    "lines_bulleted": several(_rows("- CODE"), 2),
    "lines_starred": several(_rows("* CODE"), 2),
    "lines_labelled": _rows("Call: CODE"),
    "lines_bold": _rows("**Call NUMBER:** `CODE`"),
    "tag_python": around("<python>\nCODE\n</python>"),
    "tag_code": around("<code>\nCODE\n</code>"),
    "tag_tool_code": around("<tool_code>\nCODE\n</tool_code>"),
    "tag_tool_call": around("<tool_call>\nCODE\n</tool_call>"),
    "tag_execute": around("<execute>\nCODE\n</execute>"),
    "tag_end_code": around("Thought: BEFORE\nCode:\n```py\nCODE\n```<end_code>"),
    "tag_brackets": around("[PYTHON]\nCODE\n[/PYTHON]"),
    "blocks": _blocks("```python\nCODE\n```"),
    "blocks_headed": _blocks("### Step NUMBER\n\n```python\nCODE\n```"),
    "blocks_numbered": _blocks("NUMBER. This is part NUMBER:\n\n```python\nCODE\n```"),
    "blocks_in_list": _blocks("NUMBER. Part NUMBER:\n   ```python\n   CODE\n   ```"),
    "blocks_bold": _blocks("**Call NUMBER**\n```py\nCODE\n```"),
    "blocks_mixed_languages": _blocks("```\nCODE\n```\n"),
    "blocks_rule_between": _blocks("```python\nCODE\n```\n\n---"),
    "blocks_adjacent": several(around("CODE", lambda case: "\n".join(fence(plain(call)) for call in case.calls))),
    "fenced_then_bare": several(
        around("CODE", lambda case: fence(plain(case.calls[0])) + "\n" + "\n".join(map(plain, case.calls[1:])))
    ),
}

STYLES = (
    *styles("fences", {f"language_{name}": around(fence("CODE", text)) for name, text in _LANGUAGES.items()}),
    *styles("fences", _FRAMES),
)
