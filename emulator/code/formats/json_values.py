"""JSON as models write it → values; and where a JSON value ends in a text that is still coming.

Rule: what is JSON is read as JSON.  Anything else is mended only inside a frame that can't be but calls, only up to a
size, and never where a string is open at the end: nobody knows what it would have said.
"""

from __future__ import annotations

import ast
import json
from typing import Any, NoReturn, cast

import json_repair
import regex

_MOST_MENDED = 32 * 1024
_SEPARATORS = regex.compile(r"[\s;,]*")
_FENCE = regex.compile(
    r"\s*(?:`{3,}|~{3,})[^\n`~]*\n?(?P<inside>[^`~]*+(?:(?!```|~~~)[`~][^`~]*+)*+)(?:`{3,}|~{3,})?\s*"
)
_SCANNED = regex.compile(r"""\[(?:ARGS|CALL_ID|TOOL_CALLS)\]|["'\\{}\[\]“”]""")
"""Mistral's tokens are no brackets."""
_PARTS = regex.compile(
    r""""(?:[^"\\]|\\.)*+"|(?P<comment>(?://|\#)[^\n]*|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?+)"""
    r"|“(?P<smart>[^“”]*+)”|‘(?P<smart>[^‘’]*+)’(?=\s*[:,}\]])"
    r"|(?<=[{,]\s*)(?P<key>[A-Za-z_$][\w$.-]*+)(?=\s*:)",
    regex.DOTALL,
)
"""Strings, which stay as they are, and what is better taken out of their way before a repair."""
_WORD = regex.compile(r"\w++")
_ESCAPE = regex.compile(r"\\(?:u[0-9a-fA-F]{4}|.)", regex.DOTALL)
_SAME = {"True": "true", "False": "false", "None": "null"}
_QUOTES = {'"': '"', "'": "'", "“": "”"}
_BEFORE_TEXT = ("", "{", "[", ",", ":", "(")
"""What a string in single quotes stands behind; elsewhere, it is an apostrophe."""


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse)
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
            value, at = _DECODER.raw_decode(text, at)
            values.append(value)
            at = _start(text, at)
    except (ValueError, RecursionError):
        return mended(text) if mend else None
    return values or None


def leading_value(text: str, at: int) -> tuple[Any, int] | None:
    """The JSON value that begins at ``at``, and where it ends."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None
    return value, end


def json_fault(text: str) -> str | None:
    """Where and why ``text`` is no JSON, as a sentence; None if it doesn't begin as JSON or is none of a kind."""
    body = unfenced(text)
    if body[:1] not in ("{", "["):
        return None
    try:
        _DECODER.raw_decode(body)
    except json.JSONDecodeError as error:
        return f"JSON: {error.msg} (line {error.lineno}, column {error.colno})"
    except (ValueError, RecursionError) as error:
        return f"JSON: {error}"
    return None


def mended(text: str) -> list[Any] | None:
    """The one object or list that broken JSON means; also what is a literal of Python."""
    if len(text) > _MOST_MENDED or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value: Any = ast.literal_eval(text.strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        value = _repaired(text)
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return None
    found: list[Any] = [value]
    return found if isinstance(value, dict | list) and value else None


def _repaired(text: str) -> Any:
    """What json_repair makes of it, if all that was written is in it; None for others.

    It makes something of any text, and leaves out what it doesn't understand.
    """
    scanner = BracketScanner()
    at: int | None = 0
    while at is not None:
        at = scanner.feed(text, at)
    if scanner.quoted:
        return None
    clean = _PARTS.sub(_cleaned, text)
    try:
        value: Any = json_repair.repair_json(clean, return_objects=True, skip_json_loads=True)
    except (ValueError, RecursionError):
        return None
    return value if _words(clean) == _words(json.dumps(value, ensure_ascii=False)) else None


def _cleaned(found: regex.Match[str]) -> str:
    if (smart := found["smart"]) is not None:
        return json.dumps(smart, ensure_ascii=False)
    if found["key"]:
        return f'"{found["key"]}"'
    return " " if found["comment"] else found.group()


def _words(text: str) -> list[str]:
    words = cast(list[str], _WORD.findall(_ESCAPE.sub(" ", text)))
    return [_SAME.get(word, word) for word in words]


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
