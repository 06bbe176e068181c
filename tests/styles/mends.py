"""Python with one slip in it that leaves no doubt about what is meant."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from random import Random

from tests.styles.cases import Call, Case, Write, WriteCall, styles
from tests.styles.writing import as_json, code_of, each, fence, given, keywords, plain, python, single


def _last(spoil: Callable[[str], str], template: str = "```python\nCODE\n```") -> Write:
    """The last call is spoilt."""

    def written(case: Case, rng: Random) -> str | None:
        if not case.calls or not case.calls[-1].arguments:
            return None
        *before, last = map(plain, case.calls)
        return template.replace("CODE", "\n".join([*before, spoil(last)]))

    return written


def _long(call: Call, separator: str = ",\n", end: str = ",\n)") -> str:
    lines = (f"    {key}={python(value)}" for key, value in call.keywords.items())
    return f"{call.function}(\n{separator.join(lines)}{end}"


def _last_lines(case: Case, rng: Random) -> str | None:
    """The last call stands on several lines, and its closing bracket is forgotten."""
    if not case.calls or not case.calls[-1].arguments:
        return None
    *before, last = case.calls
    return fence("\n".join([*map(plain, before), _long(last, end="")]))


def _one_comma_missing(call: Call, rng: Random) -> str:
    lines = [f"    {key}={python(value)}," for key, value in call.keywords.items()]
    at = rng.randrange(len(lines) - 1)
    lines[at] = lines[at][:-1]
    return "\n".join([f"{call.function}(", *lines, ")"])


def _comma_missing_inline(call: Call, rng: Random) -> str:
    parts = [f"{key}={python(value)}" for key, value in call.keywords.items()]
    at = rng.randrange(len(parts) - 1)
    return f"{call.function}({', '.join(parts[: at + 1])} {', '.join(parts[at + 1 :])})"


def _smart(opening: str, closing: str) -> WriteCall:
    def written(call: Call, rng: Random) -> str | None:
        text = plain(call)
        fits = '"' in text and "\\" not in text and "'" not in text and not set("“”‘’") & set(text)
        if not fits:
            return None
        parts = text.split('"')
        return "".join(part + (opening if n % 2 == 0 else closing) for n, part in enumerate(parts[:-1])) + parts[-1]

    return written


def _stray_indentation(case: Case, rng: Random) -> str | None:
    if len(case.calls) < 2:
        return None
    at = rng.randrange(1, len(case.calls))
    return "\n".join(
        (" " * rng.choice([1, 2, 4]) if n == at else "") + plain(call) for n, call in enumerate(case.calls)
    )


def _first_indented(case: Case, rng: Random) -> str | None:
    if len(case.calls) < 2:
        return None
    return " " + code_of(case)


def _first_not_indented(case: Case, rng: Random) -> str | None:
    """A block whose first line lost its indentation."""
    return code_of(case).replace("\n", "\n    ") if len(case.calls) > 1 else None


def _mixed_tabs(case: Case, rng: Random) -> str | None:
    if len(case.calls) < 2:
        return None
    lines = [("\t" if n % 2 else "        ") + plain(call) for n, call in enumerate(case.calls)]
    return "\n".join(["def main():", *lines, "", "main()"])


def _mixed_tabs_block(case: Case, rng: Random) -> str | None:
    if len(case.calls) < 2:
        return None
    return "\n".join(("\t" if n % 2 else "    ") + plain(call) for n, call in enumerate(case.calls))


def _colons(call: Call, rng: Random) -> str:
    return f"{call.function}({keywords(call, equals=': ')})"


def _colons_json(call: Call, rng: Random) -> str:
    return f"{call.function}({keywords(call, as_json, equals=': ')})"


def _one_colon(call: Call, rng: Random) -> str:
    (key, value), *rest = call.keywords.items()
    return f"{call.function}({', '.join([f'{key}: {python(value)}', *(f'{k}={python(v)}' for k, v in rest)])})"


def _colon_lines(call: Call, rng: Random) -> str:
    return f"{call.function}(\n    {keywords(call, separator=',' + chr(10) + '    ', equals=': ')}\n)"


def _quoted_names(call: Call, rng: Random) -> str:
    """``f("a": "b")``: the inside of a JSON object."""
    return f"{call.function}({as_json(dict(call.keywords))[1:-1]})"


def _keyword_names(call: Call, rng: Random) -> str | None:
    """A parameter that Python can't have by that name, by that name."""
    if not any(keyword.iskeyword(name) for name in call.arguments):
        return None
    return f"{call.function}({', '.join(f'{key}={python(value)}' for key, value in call.arguments.items())})"


def _keyword_in_dict(call: Call, rng: Random) -> str | None:
    if not any(keyword.iskeyword(name) for name in call.arguments):
        return None
    return f"{call.function}(**{python(dict(call.arguments))})"


def _all_unclosed(case: Case, rng: Random) -> str | None:
    if len(case.calls) < 2:
        return None
    return "[" + ", ".join(map(plain, case.calls))


STYLES = styles(
    "mends",
    {
        "unclosed_call": _last(lambda call: call[:-1]),
        "unclosed_call_open_fence": _last(lambda call: call[:-1], "```python\nCODE"),
        "unclosed_call_bare": _last(lambda call: call[:-1], "CODE"),
        "unclosed_print": _last(lambda call: f"print({call}"),
        "unclosed_list": lambda case, rng: (text := _all_unclosed(case, rng)) and fence(text),
        "unclosed_lines": _last_lines,
        "extra_paren": _last(lambda call: call + ")"),
        "extra_bracket": _last(lambda call: f"{call}]"),
        "no_closing_fence": _last(str, "```python\nCODE\n\n"),
        "comma_missing_on_lines": each(given(lambda call, rng: _long(call, "\n", "\n)"), 2)),
        "comma_missing_once": each(given(_one_comma_missing, 2)),
        "comma_missing_inline": each(given(_comma_missing_inline, 2)),
        "comma_missing_in_list": lambda case, rng: (
            fence("[\n" + "\n".join(f"    {plain(call)}" for call in case.calls) + "\n]")
            if len(case.calls) > 1
            else None
        ),
        "smart_quotes": each(_smart("“", "”")),
        "smart_quotes_half": each(_smart('"', "”")),
        "smart_single_quotes": each(_smart("‘", "’")),
        "stray_indentation": lambda case, rng: (code := _stray_indentation(case, rng)) and fence(code),
        "first_indented": lambda case, rng: (code := _first_indented(case, rng)) and fence(code),
        "first_not_indented": lambda case, rng: (code := _first_not_indented(case, rng)) and fence(code),
        "mixed_tabs": lambda case, rng: (code := _mixed_tabs(case, rng)) and fence(code),
        "mixed_tabs_block": lambda case, rng: (code := _mixed_tabs_block(case, rng)) and fence(code),
        "no_break_spaces": each(
            given(lambda call, rng: f"{call.function}({keywords(call, separator=',' + chr(160))})", 2)
        ),
        "colons": each(given(_colons)),
        "colons_json": each(given(_colons_json)),
        "colon_once": each(given(_one_colon, 2)),
        "colon_lines": each(given(_colon_lines)),
        "quoted_names_colons": each(given(_quoted_names)),
        "dict_single_quotes": each(given(lambda call, rng: f"{call.function}({single(dict(call.arguments))})")),
        "dict_json": each(given(lambda call, rng: f"{call.function}({as_json(dict(call.arguments))})")),
        "keyword_name": each(_keyword_names),
        "keyword_name_spread": each(_keyword_in_dict),
    },
)
