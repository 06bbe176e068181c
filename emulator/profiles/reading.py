"""A profile's file, as text → the profiles in it.

Rule: whatever is wrong is one sentence that names the file, the line and what would be right.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from emulator.options import SettingsError
from emulator.profiles.keys import KEYS, MATCH, MODELS, Unfit
from emulator.profiles.profile import Profile, PromptStyle

LONGEST_FILE = 64 << 10
"""Bytes; a file of profiles has some hundred."""
DEFAULT = "default"

Steps = tuple[str | int, ...]
"""Keys and indexes that lead to a value in the file."""

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_STYLE = frozenset(field.name for field in fields(PromptStyle))


class ProfileError(SettingsError):
    """A file of profiles can't be used; the message is a sentence that names file and line."""


@dataclass(frozen=True, slots=True)
class Family:
    """A file's ``profile``, and before it those of its models that differ, each with what their names must match."""

    match: re.Pattern[str]
    profile: Profile
    models: tuple[tuple[re.Pattern[str], Profile], ...] = ()

    def of(self, model: str) -> Profile | None:
        if not self.match.search(model):
            return None
        return next((profile for match, profile in self.models if match.search(model)), self.profile)


def read_family(name: str, data: bytes, shown: str) -> Family:
    """What the file ``name``.toml says; ``shown`` is how the user knows the file.  Raises ProfileError."""
    return _File(shown, *_parsed(data, shown)).family(name)


def _parsed(data: bytes, shown: str) -> tuple[str, dict[str, Any]]:
    if len(data) > LONGEST_FILE:
        raise ProfileError(f"{shown}, line 1: the file is too large; profiles have at most {LONGEST_FILE} bytes.")
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProfileError(f"{shown}, line {line}: the file is not UTF-8 text.") from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        line = place["line"] if place and place["line"] else text.count("\n") + 1
        raise ProfileError(f"{shown}, line {line}: this is no TOML: {_PLACE.sub('', str(error))}.") from None
    except RecursionError:
        raise ProfileError(f"{shown}, line 1: the values are nested too deeply.") from None


@dataclass(frozen=True, slots=True)
class _File:
    shown: str
    text: str
    document: dict[str, Any]

    def family(self, name: str) -> Family:
        entries = self._entries()
        own = {key: value for key, value in self.document.items() if key != MODELS}
        if name == DEFAULT:
            if MATCH.name in own:
                raise self._error("the default is for all models that no other file is for: no 'match' here", "match")
            match = re.compile("")
        else:
            match = self._match(own, ())
        values = self._values(own, ())
        models: list[tuple[re.Pattern[str], Profile]] = []
        for index, entry in enumerate(entries):
            at: Steps = (MODELS, index)
            pattern = self._match(entry, at)
            models.append((pattern, _profile(f"{name}/{entry['match']}", values | self._values(entry, at))))
        return Family(match, _profile(name, values), tuple(models))

    def _entries(self) -> list[dict[str, Any]]:
        entries = self.document.get(MODELS, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in cast(list[Any], entries)):
            raise self._error("'models' must be tables, each begun by a line [[models]]", MODELS)
        return cast(list[dict[str, Any]], entries)

    def _match(self, table: Mapping[str, Any], at: Steps) -> re.Pattern[str]:
        if MATCH.name not in table:
            where = "[[models]]" if at else "the file"
            raise self._error(f"{where} has no 'match', a regular expression that tells its models by their names", *at)
        return self._read(MATCH.name, table[MATCH.name], at)

    def _values(self, table: Mapping[str, Any], at: Steps) -> dict[str, Any]:
        """The table's values as the code has them, without ``match``."""
        return {key: self._read(key, value, at) for key, value in table.items() if key != MATCH.name}

    def _read(self, name: str, value: Any, at: Steps) -> Any:
        key = MATCH if name == MATCH.name else KEYS.get(name)
        if key is None:
            known = [MATCH.name, *KEYS, *([] if at else [MODELS])]
            close = difflib.get_close_matches(name, known, n=1)
            advice = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}."
            raise self._error(f"there is no key {_short(name)}; {advice}".removesuffix("."), *at, name)
        try:
            return key.read(value)
        except Unfit as unfit:
            raise self._error(f"{name!r} {unfit}; it is {_short(value)}", *at, name, *unfit.at) from None

    def _error(self, sentence: str, *at: str | int) -> ProfileError:
        end = "" if sentence.endswith("?") else "."
        return ProfileError(f"{self.shown}, line {_line_of(self.text, at)}: {sentence}{end}")


def _profile(name: str, values: Mapping[str, Any]) -> Profile:
    style = PromptStyle(**{key: value for key, value in values.items() if key in _STYLE})
    return Profile(name=name, style=style, **{key: value for key, value in values.items() if key not in _STYLE})


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"


def _line_of(text: str, path: Iterable[str | int]) -> int:
    """The line, from 1, on which the value at ``path`` begins; ``text`` is TOML that parses.

    Beginnings of the text are parsed until one has the value: only the parser knows what a line means.  So the value
    begins right behind the longest beginning that parses without it.
    """
    at = tuple(path)
    lines = text.split("\n")
    without = 0
    for count in range(1, len(lines) + 1):
        try:
            beginning = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
        if _has(beginning, at):
            return without + 1
        without = count
    return 1


def _has(value: Any, path: Steps) -> bool:
    for step in path:
        if isinstance(step, int) and isinstance(value, list):
            entries = cast(list[Any], value)
            if step >= len(entries):
                return False
            value = entries[step]
        elif isinstance(value, dict) and step in value:
            value = cast(dict[Any, Any], value)[step]
        else:
            return False
    return True
