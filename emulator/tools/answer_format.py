"""A model's words → the JSON that the client's ``response_format`` admits, or the reasons why they aren't that.

Rule: the JSON is found, never made up: fences and words around it are dropped, the value itself stays as the model
wrote it, and the client's own schema judges it.
Source: OpenAI's API reference, ``response_format`` of POST /v1/chat/completions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import jsonschema_rs
import regex

from emulator.tools.validator import compile_schema, with_null

_BEGIN = regex.compile(r"[{\[]")
_TRIES = 8
_LONGEST_ERROR = 300


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refused)


class Misfit(Exception):
    """The words aren't what was asked for; the message says why, to the model."""


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """What an answer in words has to be: a JSON object, or with a ``schema`` a JSON value that it admits.

    Raises SchemaError where the schema is none.
    """

    schema: Mapping[str, Any] | None = None
    name: str = ""
    _validator: jsonschema_rs.Validator | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        validator = None if self.schema is None else compile_schema(cast(Mapping[str, Any], with_null(self.schema)))
        object.__setattr__(self, "_validator", validator)

    @property
    def text(self) -> str:
        """The schema for the model, "" where any object will do."""
        return "" if self.schema is None else json.dumps(self.schema, ensure_ascii=False)

    def fitting(self, words: str) -> str:
        """The JSON text in ``words`` that fits.  Raises Misfit."""
        wrong: Misfit | None = None
        fitting: dict[str, str] = {}
        for text, value in _values(words):
            try:
                self._check(value)
            except Misfit as misfit:
                wrong = wrong or misfit
            else:
                fitting.setdefault(json.dumps(value, sort_keys=True), text)
        if len(fitting) > 1:
            raise Misfit("The answer holds several JSON values; only one may be there.")
        if not fitting:
            raise wrong or Misfit("The answer holds no JSON.")
        return next(iter(fitting.values()))

    def _check(self, value: Any) -> None:
        if self._validator is None:
            if not isinstance(value, dict):
                raise Misfit("The answer must be one JSON object.")
            return
        for error in self._validator.iter_errors(value):
            path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
            where = f"at {path.lstrip('.')}: " if path else ""
            raise Misfit(f"The JSON does not fit the schema: {where}{error.message}"[:_LONGEST_ERROR])


def _values(words: str) -> Iterator[tuple[str, Any]]:
    """The JSON values in ``words`` with their texts: all of it, or what fences hold, or what begins at a bracket."""
    found = False
    for text in [words.strip(), *_fenced(words)][:_TRIES]:
        try:
            value = _DECODER.decode(text)
        except (ValueError, RecursionError):
            continue
        found = True
        yield _strict(text, value), value
    at = 0
    for _ in range(0 if found else _TRIES):
        begin = _BEGIN.search(words, at)
        if begin is None:
            return
        try:
            value, at = _DECODER.raw_decode(words, begin.start())
        except (ValueError, RecursionError):
            at = begin.end()
        else:
            yield _strict(words[begin.start() : at], value), value


def _fenced(words: str) -> Iterator[str]:
    """What stands between lines of backticks."""
    inside: list[str] | None = None
    for line in words.split("\n"):
        if line.lstrip().startswith("```"):
            if inside is not None:
                yield "\n".join(inside).strip()
            inside = [] if inside is None else None
        elif inside is not None:
            inside.append(line)


def _strict(text: str, value: Any) -> str:
    """``text``, or the value written anew where a line break stands as itself in a string, which JSON doesn't allow."""
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(value)
    return text
