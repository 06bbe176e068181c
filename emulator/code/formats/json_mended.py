"""Broken JSON → the one value that it can mean.

Rule: every character that was written is in the value, or the text stays unread.  What may differ from JSON is said
here and nowhere else: other quotes, keys without any, Python's constants, comments, a comma too many before a closing
bracket or too few before a key or between objects, brackets missing where an outer one or the text ends, or surplus at
the end.  A string is never ended for the model, and none is made of what has no quotes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn, cast

import regex

DEEPEST = 64
"""Brackets inside of brackets."""
_LONGEST = 32 * 1024
_TOKEN = regex.compile(
    r"""(?P<space>\s++)|(?P<mark>[{}\[\],:])|(?P<comment>(?<=[\s,{\[]|^)(?:(?://|\#)[^\n]*+\n?+|/\*.*?\*/))"""
    r"""|"(?P<text>(?:[^"\\]|\\.)*+)"|'(?P<text>(?:[^'\\]|\\.)*+)'(?=\s*+(?:[:,}\]]|$))"""
    r"""|“(?P<smart>[^“”]*+)”|‘(?P<smart>[^‘’]*+)’(?=\s*+[:,}\]])"""
    r"""|(?P<key>(?:[^\W\d]|\$)[\w$.-]*+)(?=\s*+:)|(?P<word>[^\s{}\[\],:"'“”‘’]++)""",
    regex.DOTALL,
)
"""An apostrophe ends a string only where something follows that may stand behind one."""
_ESCAPE = regex.compile(
    r"""(?P<json>\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))|\\x(?P<code>[0-9a-fA-F]{2})|\\?(?P<quote>["'])|(?P<other>\\)"""
)
_NUMBER = regex.compile(r"-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?")
_CONSTANTS = {
    "true": "true",
    "True": "true",
    "false": "false",
    "False": "false",
    "null": "null",
    "None": "null",
}
_CLOSINGS = {"{": "}", "[": "]"}


class NoJson(ValueError):
    """Why a text isn't JSON that a call can be made of; a phrase for the model."""


def without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its pairs.  Raises NoJson if a key comes again, since one of the values would get lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twin = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise NoJson(f"the key {twin[:100]!r} stands twice in one object")
    return found


def no_constant(name: str) -> NoReturn:
    """NaN and the infinities, which Python's decoder would take.  Raises NoJson."""
    raise NoJson(f"{name} is no JSON value")


def sendable(value: Any) -> Any:
    """``value``.  Raises NoJson if it can't be sent: too deep, infinite, half of a surrogate pair."""
    if _is_deeper(value, DEEPEST):
        raise NoJson(f"more than {DEEPEST} brackets inside of one another")
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NoJson("half of a surrogate pair is no character") from None
    except ValueError:
        raise NoJson("a number is out of range") from None
    return value


def mended(text: str) -> dict[str, Any] | list[Any] | None:
    """The object or list that broken JSON or a literal of Python means; None if that isn't sure, or if it is empty."""
    if len(text) > _LONGEST or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        source = _Writer().written(_tokens(text))
        value = sendable(json.loads(source, strict=False, object_pairs_hook=without_twins, parse_constant=no_constant))
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any] | list[Any]", value) if isinstance(value, dict | list) and value else None


def _is_deeper(value: Any, most: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = cast("dict[str, Any]", value).values() if isinstance(value, dict) else cast("list[Any]", value)
    return most <= 0 or any(_is_deeper(part, most - 1) for part in inner)


def _tokens(text: str) -> Iterator[str]:
    """Brackets, commas and colons as they are, values as JSON; "" for the end of a line comment that ends the text.

    Raises NoJson at anything else.
    """
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NoJson("a quote stands where none can")
        at = found.end()
        match found.lastgroup:
            case "space":
                pass
            case "comment":
                if at == len(text) and found.group()[-1] not in "\n/":
                    yield ""
            case "mark":
                yield found.group()
            case "text":
                yield f'"{_ESCAPE.sub(_as_json, found["text"])}"'
            case "smart" | "key" as group:
                yield json.dumps(found[group])
            case _:
                yield _constant(found.group())


def _as_json(found: regex.Match[str]) -> str:
    """An escape of Python's or of JSON's, or a quote without one, inside of a string."""
    if found["other"]:
        raise NoJson("an escape that JSON doesn't have")
    if quote := found["quote"]:
        return '\\"' if quote == '"' else quote
    return found["json"] or f"\\u00{found['code']}"


def _constant(word: str) -> str:
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if _NUMBER.fullmatch(word):
        return word
    raise NoJson("a text without quotes")


class _Writer:
    """Writes tokens down as JSON, with the commas and brackets that lack."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._closings: list[str] = []
        self._last = ""
        self._comma = False  # one has come, and nothing behind it yet

    def written(self, parts: Iterator[str]) -> str:
        """Raises NoJson where there is more than one way to go on."""
        for part in parts:
            if part in ("}", "]"):
                self._close(part)
            elif part == ",":
                self._separate()
            elif part == ":":
                self._put(part)
            elif part:
                self._begin(part)
            elif self._closings:
                raise NoJson("a comment that hides the end")
        return "".join([*self._out, *reversed(self._closings)])

    def _close(self, closing: str) -> None:
        self._comma = False
        if self._out and not self._closings:
            return  # It is surplus: what follows may only be more of them.
        if closing not in self._closings:
            raise NoJson("a bracket that nothing opens")
        while (last := self._closings.pop()) != closing:
            self._out.append(last)
        self._put(closing)

    def _separate(self) -> None:
        if self._comma or self._last in ("", "{", "[", ":"):
            raise NoJson("a comma without a value")
        self._comma = True

    def _begin(self, part: str) -> None:
        """A value or a key; a string behind another one in a list may be the same one's second half."""
        if self._out and not self._closings:
            raise NoJson("more than one value")
        if self._last not in ("", "{", "[", ":"):
            in_list = self._closings[-1] == "]"
            if in_list and not self._comma and (self._last not in ("}", "]") or part not in _CLOSINGS):
                raise NoJson("a comma that may lack")
            self._out.append(",")
        self._comma = False
        self._put(part)
        if part in _CLOSINGS:
            self._closings.append(_CLOSINGS[part])
            if len(self._closings) > DEEPEST:
                raise NoJson("too deep")

    def _put(self, part: str) -> None:
        self._out.append(part)
        self._last = part
