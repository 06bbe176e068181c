"""Python as models write it: literals, calls, fences, and how styles of one call become styles of a whole answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import cast

from tests.styles.cases import Call, Case, Json, Write, WriteCall

WriteValue = Callable[[Json], str]

BEFORE = (
    "I'll look that up for you.",
    "Sure! Let me do that.",
    "I'll call the function with the details you gave.",
    "To answer this, I need to use one of the available functions.",
    "Let me take care of that right away.",
    "Certainly. Here is the call:",
)
BETWEEN = ("Next:", "And now the other one:", "Then I'll do the next part.", "After that:", "Now for the second part.")
AFTER = (
    "I'll let you know as soon as I have the result.",
    "This should give us what you asked for.",
    "Once it returns, I can summarise the outcome for you.",
    "Let me know if you need anything else!",
    "The call above uses exactly the values from your request.",
)


def quoted(text: str, quote: str = '"') -> str:
    """A string literal on one line; characters that are no ASCII stay as they are."""
    out = [_ESCAPES.get(char, char if char.isprintable() else _escape(char)) for char in text]
    return quote + "".join("\\" + char if char == quote else char for char in out) + quote


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def python(value: Json, quote: str = '"') -> str:
    """A value as a Python literal."""
    if isinstance(value, str):
        return quoted(value, quote)
    if isinstance(value, list):
        return "[" + ", ".join(python(item, quote) for item in cast(list[Json], value)) + "]"
    if isinstance(value, dict):
        pairs = cast(dict[str, Json], value).items()
        return "{" + ", ".join(f"{quoted(key, quote)}: {python(item, quote)}" for key, item in pairs) + "}"
    return repr(value)


def single(value: Json) -> str:
    return python(value, "'")


def compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def pretty(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def keywords(call: Call, value: WriteValue = python, separator: str = ", ", equals: str = "=") -> str:
    return separator.join(f"{key}{equals}{value(item)}" for key, item in call.keywords.items())


def plain(call: Call) -> str:
    """The call as the stub's Python."""
    return f"{call.function}({keywords(call)})"


def code_of(case: Case) -> str:
    """The calls, one a line."""
    return "\n".join(plain(call) for call in case.calls)


def fence(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}\n```"


def each(write: WriteCall, separator: str = "\n", *, fenced: bool = True) -> Write:
    """Every call written so, one a line."""

    def written(case: Case, rng: Random) -> str | None:
        found = written_calls(case, rng, write)
        if not found:
            return None
        code = separator.join(found)
        return fence(code) if fenced else code

    return written


def written_calls(case: Case, rng: Random, write: WriteCall) -> list[str] | None:
    """Each call as ``write`` has it, None if one can't be written so."""
    found = [write(call, rng) for call in case.calls]
    return None if None in found else [text for text in found if text is not None]


def fenced(write: Write) -> Write:
    """What ``write`` writes is code, and stands in a fence."""

    def written(case: Case, rng: Random) -> str | None:
        code = write(case, rng)
        return None if code is None else fence(code)

    return written


def fill(template: str, words: Mapping[str, str]) -> str:
    """The template with each of the words, in capitals there, replaced once: what comes in their place stays as it is."""
    names = "|".join(sorted(words, key=len, reverse=True))
    return re.sub(names, lambda found: words[found[0]], template)


def sentences(rng: Random) -> dict[str, str]:
    return {name: rng.choice(said) for name, said in (("BEFORE", BEFORE), ("BETWEEN", BETWEEN), ("AFTER", AFTER))}


def around(template: str, write: Callable[[Case], str] = code_of) -> Write:
    """``CODE`` in the template is the calls; ``BEFORE``, ``BETWEEN`` and ``AFTER`` are a sentence each."""

    def written(case: Case, rng: Random) -> str | None:
        return fill(template, {"CODE": write(case), **sentences(rng)}) if case.calls else None

    return written


def several(write: Write, least: int = 2) -> Write:
    """Only where there are that many calls."""

    def written(case: Case, rng: Random) -> str | None:
        return write(case, rng) if len(case.calls) >= least else None

    return written


def given(write: WriteCall, least: int = 1) -> WriteCall:
    """Only for calls with that many arguments."""

    def written(call: Call, rng: Random) -> str | None:
        return write(call, rng) if len(call.arguments) >= least else None

    return written


def camel(name: str) -> str:
    """``get_weather`` → ``GetWeather``."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_") if word)


def indented(code: str, by: str = "    ") -> str:
    return "\n".join(by + line if line else line for line in code.split("\n"))


def listed(items: Sequence[str]) -> str:
    """``1. …`` lines."""
    return "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))
