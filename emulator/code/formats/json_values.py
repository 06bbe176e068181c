"""JSON as models write it → values; and where a JSON value ends in a text that is still coming.

Rule: what is JSON is read as JSON, but for what no call can be made of: a key that stands twice, halves of surrogate
pairs, brackets without end.  Anything else may be mended, where the frame allows it.
"""

from __future__ import annotations

import json
from typing import Any

import regex

from emulator.code.formats.json_mended import DEEPEST, NoJson, mended, no_constant, sendable, without_twins

_SEPARATORS = regex.compile(r"[\s;,]*")
_FENCE = regex.compile(
    r"\s*(?:`{3,}|~{3,})[^\n`~]*\n?(?P<inside>[^`~]*+(?:(?!```|~~~)[`~][^`~]*+)*+)(?:`{3,}|~{3,})?\s*"
)
_SCANNED = regex.compile(r"""\[(?:ARGS|CALL_ID|TOOL_CALLS)\]|["'\\{}\[\]“”]""")
"""Mistral's tokens are no brackets."""
_SUSPECT = regex.compile(r"\\u[dD]|\d[eE]|\d{300}")
"""Halves of surrogate pairs and numbers out of range are written so."""
_QUOTES = {'"': '"', "'": "'", "“": "”"}
_BEFORE_TEXT = ("", "{", "[", ",", ":", "(")
"""What a string in single quotes stands behind; elsewhere, it is an apostrophe."""


_DECODER = json.JSONDecoder(strict=False, parse_constant=no_constant, object_pairs_hook=without_twins)
"""Takes line ends inside strings, which models write."""


def unfenced(text: str) -> str:
    """``text`` without the fence of backticks around it, if that is all there is."""
    found = _FENCE.fullmatch(text)
    return (found["inside"] if found else text).strip()


def json_values(text: str, *, mend: bool = False) -> list[Any] | None:
    """The values that ``text`` is: one or several, with spaces, commas or semicolons between them.  None for others."""
    values: list[Any] = []
    at, end = _start(text, 0), len(text)
    try:
        while at < end:
            value, at = _decoded(text, at)
            values.append(value)
            at = _start(text, at)
    except (ValueError, RecursionError):
        whole = mended(text) if mend else None
        return None if whole is None else [whole]
    return values or None


def leading_value(text: str, at: int) -> tuple[Any, int] | None:
    """The JSON value that begins at ``at``, and where it ends."""
    try:
        return _decoded(text, at)
    except (ValueError, RecursionError):
        return None


def json_fault(text: str) -> str | None:
    """Where and why ``text`` is no JSON, as a sentence; None if it doesn't begin as JSON or is none of a kind."""
    body = unfenced(text)
    if body[:1] not in ("{", "["):
        return None
    try:
        _decoded(body, 0)
    except json.JSONDecodeError as error:
        return f"JSON: {error.msg} (line {error.lineno}, column {error.colno})"
    except NoJson as error:
        return f"JSON: {error}"
    except (ValueError, RecursionError):
        return "JSON: a number or a nesting is out of all bounds"
    return None


def _decoded(text: str, at: int) -> tuple[Any, int]:
    """The value at an offset, and where it ends.  Raises ValueError, RecursionError."""
    value, end = _DECODER.raw_decode(text, at)
    # Most values can't but be sent, which their text shows for less than looking through them.
    if _SUSPECT.search(text, at, end) or text.count("{", at, end) + text.count("[", at, end) > DEEPEST:
        sendable(value)
    return value, end


def _start(text: str, at: int) -> int:
    """Where the next value begins."""
    found = _SEPARATORS.match(text, at)
    return found.end() if found else at


class BracketScanner:
    """Follows brackets and strings, so that the end of a value is seen without parsing; looks at a character once."""

    def __init__(self) -> None:
        self.depth = 0
        self.values = 0
        """Values in brackets that have ended."""
        self._quote: str = ""
        self._escaped = False
        self._last = ""

    @property
    def quoted(self) -> bool:
        """A string is open."""
        return self._quote != ""

    @property
    def whole(self) -> bool:
        """A value has come, and nothing is open."""
        return self.values > 0 and self.depth == 0 and not self._quote

    def feed(self, text: str, begin: int = 0, end: int | None = None) -> int | None:
        """Scan ``text[begin:end]``, or up to the end of the next value: the offset behind that, or None."""
        at, end = begin, len(text) if end is None else end
        if self._escaped and at < end:
            at, self._escaped = at + 1, False
        while (found := _SCANNED.search(text, at, end)) is not None:
            self._last = _last_of(text, at, found.start()) or self._last
            at, mark = found.end(), str(found.group())
            if mark == "\\":
                self._escaped = at >= end
                at += 1
            elif self._quote:
                self._quote = "" if mark == self._quote else self._quote
            elif mark in _QUOTES:
                opens = mark == '"' or self._last in _BEFORE_TEXT
                self._quote = _QUOTES[mark] if opens else ""
            elif self._bracket(mark):
                return at
        self._last = _last_of(text, at, end) or self._last
        return None

    def _bracket(self, mark: str) -> bool:
        """Whether ``mark`` ends a value."""
        self._last = mark[-1]
        if mark in ("{", "["):
            self.depth += 1
        elif mark in ("}", "]") and self.depth:
            self.depth -= 1
            self.values += self.depth == 0
            return self.depth == 0
        return False


def _last_of(text: str, begin: int, end: int) -> str:
    """The last character between the offsets that is no space, "" if there is none."""
    while end > begin:
        end -= 1
        if not text[end].isspace():
            return text[end]
    return ""
