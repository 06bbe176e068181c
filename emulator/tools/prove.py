"""Arguments that a program made → arguments proven against the client's own schema, or reasons for the model.

Rule: what is valid stays as it is; what isn't is corrected only where that loses nothing (see coerce.py);
nothing else ever reaches the client.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from emulator.tools.coerce import coerce, whole_numbers
from emulator.tools.explain import Explainer
from emulator.tools.plain import Json, NotJson, Plain
from emulator.tools.validator import compile_schema, declared_properties, with_null


@dataclass(frozen=True, slots=True)
class Proven:
    """``arguments`` fit the schema and are plain JSON; see plain.arguments_json for their text."""

    arguments: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Refused:
    """``errors`` are sentences for the model, at most five, each beginning with the function's name."""

    errors: tuple[str, ...]


def effective_schema(parameters: object) -> Mapping[str, Any]:
    """What judges the calls of a tool with these ``parameters``.

    None, true and ``{}`` declare no parameters, as OpenAI has it; JSON Schema would admit any.  ``nullable: true`` is
    OpenAPI 3.0's word for a type that admits null, which JSON Schema doesn't know.
    """
    if parameters is None or parameters is True or parameters == {}:
        return {"type": "object", "properties": {}}
    return cast(Mapping[str, Any], with_null(parameters))


class Prover:
    """Judges the calls of one tool by ``parameters``, the client's schema.  Raises SchemaError if that is none.

    ``function`` and ``names`` (wire name → the signature's) are how the errors speak to the model.
    """

    __slots__ = ("_declared", "_explain", "_validator")

    def __init__(self, parameters: object, *, function: str, names: Mapping[str, str] | None = None) -> None:
        schema = effective_schema(parameters)
        self._validator = compile_schema(schema)
        self._declared = declared_properties(schema)
        self._explain = Explainer(function, schema, names or {})

    def prove(self, arguments: Mapping[str, object]) -> Proven | Refused:
        """``arguments`` by their wire names; their values may be any that Python's literals make."""
        plain = Plain()
        try:
            given: dict[str, Json] = plain.value(dict(arguments))
        except NotJson as error:
            return Refused((self._explain.prefixed(f"{self._explain.subject(error.path)} {error.reason}"),))
        surplus = [] if self._declared is None else [name for name in given if name not in self._declared]
        if not surplus and self._validator.is_valid(given):
            return Proven(whole_numbers(self._validator, given, plain.whole_floats))
        return self._corrected(given, surplus)

    def _corrected(self, given: dict[str, Json], surplus: list[str]) -> Proven | Refused:
        fitting, errors = coerce(self._validator, given)
        if not surplus and not errors:
            # A second look also turns the whole floats that a correction brought in, and is the proof itself.
            plain = Plain()
            fitting = plain.value(fitting)
            if self._validator.is_valid(fitting):
                return Proven(whole_numbers(self._validator, fitting, plain.whole_floats))
        known = list(self._declared or ())
        unexpected = self._explain.unexpected(surplus, known, given)
        said = [self._explain.prefixed(sentence) for sentence in unexpected]
        said.extend(self._explain.sentences(fitting, errors))
        return Refused(tuple(dict.fromkeys(said))[:5])
