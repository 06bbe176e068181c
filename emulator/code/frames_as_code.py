"""The calls of a frame as statements of Python: ``get_weather(**{'city': 'Paris'})``.

Rule: values stay the JSON that they are.  Where a format says nothing of types, a value is the text that stands there,
unless the tool's schema takes only what the text spells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import regex

from emulator.code.check import CodeError
from emulator.code.formats.interface import Miswritten, Scope, Written, WrittenCall, WrittenCode
from emulator.code.formats.json_values import json_fault, json_values
from emulator.code.formats.table import read_inside
from emulator.code.judge import Judge
from emulator.code.limits import CodeLimits
from emulator.code.markup import Markup
from emulator.code.statements import Statement, StatementScanner, TooMuchCode
from emulator.code.values import ParsedCall
from emulator.tools.naming import identifier

_WORDS = {"null": None, "None": None, "none": None, "true": True, "True": True, "false": False, "False": False}
_MISSING = object()
_NAMES = regex.compile(r"[^\W\d][\w.-]*+")
_LOOKED_AT = 2000


@dataclass(frozen=True, slots=True)
class FramesAsCode:
    """Reads frames with the tools that ``judge`` knows."""

    judge: Judge
    limits: CodeLimits

    def mentions(self, source: str) -> bool:
        """A statement calls a tool."""
        return self.judge.vocabulary.mentioned(source)

    def statements(self, markup: Markup) -> list[Statement] | None:
        """The calls of a frame, in order; None where there is none in it.  Broken JSON may be mended."""
        if len(markup.inside) > self.limits.bytes:
            return None
        sure = markup.frame.sure
        try:
            written = self._read(markup)
        except (RecursionError, Miswritten):
            return None
        if written is None:
            return None
        if isinstance(written, WrittenCode):
            return self._code(written.source, sure=sure)
        sources = [self._source(call, sure=sure) for call in written]
        if None in sources:
            return None
        return [Statement(source, line) for line, source in enumerate(cast(list[str], sources), 1)]

    def fault(self, markup: Markup) -> str | None:
        """Why a frame that must be a call can't be read as one; None if it names no tool."""
        inside = markup.inside[:_LOOKED_AT]
        if not any(self.judge.vocabulary.meant(found.group()) for found in _NAMES.finditer(inside)):
            return None
        try:
            self._read(markup)
        except RecursionError:
            pass
        except Miswritten as error:
            return f"{error}; write the call in Python"
        return json_fault(markup.inside) or "this can't be read as a call; write it in Python"

    def _read(self, markup: Markup) -> Written | None:
        scope = Scope(self.judge.vocabulary.meant, sure=markup.frame.sure, closed=markup.closed)
        return read_inside(markup.frame, markup.inside, scope)

    def _code(self, source: str, *, sure: bool) -> list[Statement] | None:
        if not (sure or self.judge.vocabulary.mentioned(source)):
            return None
        scanner = StatementScanner(self.limits)
        statements: list[Statement] = []
        try:
            for line in source.split("\n"):
                statements += scanner.line(line)[0]
        except TooMuchCode:
            return None
        return [*statements, *scanner.end(closed=True)]

    def _source(self, call: WrittenCall, *, sure: bool) -> str | None:
        """The call as Python; None for what is no call after all."""
        python = self.judge.vocabulary.meant(call.name)
        if python is None:
            return _python(identifier(call.name), call.arguments) if sure else None
        first: str | None = None
        for arguments in _ways(call):
            source = _python(python, arguments)
            if call.clear and not call.textual and not isinstance(call.arguments, str):
                return source
            if self._holds(python, arguments):
                return source
            first = first or source
        return first if call.clear and not isinstance(call.arguments, str) else None

    def _holds(self, python: str, arguments: Any) -> bool:
        tool = self.judge.vocabulary.tools[python]
        if isinstance(arguments, list) and len(tool.parameters) != 1:
            return False
        positional = tuple(cast(list[Any], arguments)) if isinstance(arguments, list) else ()
        keywords = cast(dict[str, Any], arguments) if isinstance(arguments, dict) else {}
        try:
            self.judge.call(ParsedCall(python, positional, keywords))
        except CodeError:
            return False
        return True


def _python(name: str, arguments: Any) -> str:
    if not arguments:
        return f"{name}()"
    return f"{name}(**{arguments!r})" if isinstance(arguments, dict) else f"{name}(*{arguments!r})"


def _ways(call: WrittenCall) -> Iterator[Any]:
    """The readings of the arguments, likeliest first."""
    arguments = call.arguments
    if isinstance(arguments, str):
        yield [arguments]
        decoded = _decoded(arguments)
        if decoded is not arguments:
            yield decoded if isinstance(decoded, dict) else [decoded]
        return
    yield arguments
    if call.textual and isinstance(arguments, dict):
        decoded = {key: _decoded(value) for key, value in arguments.items()}
        # A number may be meant as its digits, so that only words are decoded, then structures, too, then all.
        yield _only(arguments, decoded, (type(None),))
        yield _only(arguments, decoded, (type(None), bool, dict, list))
        yield decoded


def _only(texts: Mapping[str, Any], decoded: Mapping[str, Any], types: tuple[type, ...]) -> dict[str, Any]:
    return {key: decoded[key] if isinstance(decoded[key], types) else text for key, text in texts.items()}


def _decoded(value: Any) -> Any:
    """The JSON value that a text spells, or the very same ``value``."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    word = _WORDS.get(text, _MISSING)
    if word is not _MISSING:
        return word
    values = json_values(text) if text[:1] and text[0] in '{["-0123456789' else None
    return values[0] if values is not None and len(values) == 1 else value
