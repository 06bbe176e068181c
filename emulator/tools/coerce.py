"""Arguments that nearly fit their schema → the same arguments in the type that was meant.

Rule: only what loses nothing and has one reading, and only where the validator complains: ``"3"`` → 3
where nothing but a number fits, ``"true"`` → True, a JSON text → its object or list, 3.0 → 3 where an
integer is demanded, a None left out where null isn't allowed and the property is optional.  The places
come from the validator's own errors, so every keyword and reference means here what it means there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, cast

from jsonschema_rs import ValidationError, ValidationErrorKind, Validator

from emulator.tools.plain import Json, NotJson, Path, Plain

Errors = list[ValidationError]
ErrorsOf = Callable[[Json], Errors]

_MAX_ERRORS = 200
_MAX_ROUNDS = 8
_MAX_BRANCH_DEPTH = 4
_MAX_RUNS = 300
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,4000})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_TYPE_NAMES: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}


def coerce(validator: Validator, arguments: dict[str, Json]) -> tuple[dict[str, Json], Errors]:
    """The arguments with every lossless correction made, and the errors that remain."""
    return _Coercion(validator).settle(arguments)


def whole_numbers(validator: Validator, arguments: dict[str, Json], places: Sequence[Path]) -> dict[str, Json]:
    """Valid arguments, with the floats at ``places`` written as integers where the schema asks for integers.

    JSON Schema takes 3.0 for an integer, and the functions behind it often don't.  What the schema asks
    for at a place shows when 0.5 is put there.
    """
    probe: Json = arguments
    for place in places:
        probe = _put(probe, place, 0.5)
    wanted = set(places)
    edited: Json = arguments
    for error in _all(list(islice(validator.iter_errors(probe), _MAX_ERRORS))):
        place = tuple(error.instance_path)
        if place in wanted and isinstance(error.kind, ValidationErrorKind.Type):
            edited = _put(edited, place, _converted(_at(edited, place)[1], set(error.kind.types)))
    return edited if validator.is_valid(edited) else arguments


class _Coercion:
    """One call's; counts validations, because a hostile schema can have many branches."""

    __slots__ = ("_left", "_validator")

    def __init__(self, validator: Validator) -> None:
        self._validator = validator
        self._left = _MAX_RUNS

    def settle(self, arguments: dict[str, Json]) -> tuple[dict[str, Json], Errors]:
        return self._settled(arguments, self._errors, 0)

    def _errors(self, value: Json) -> Errors:
        self._left -= 1
        return list(islice(self._validator.iter_errors(value), _MAX_ERRORS))

    def _settled(self, value: Json, errors_of: ErrorsOf, depth: int) -> tuple[Json, Errors]:
        errors = errors_of(value)
        for _ in range(_MAX_ROUNDS):
            before = value
            for error in errors:
                if self._left > 0:
                    value = self._edited(value, error, errors_of, depth)
            if value is before:
                break
            errors = errors_of(value)
        return value, errors

    def _edited(self, value: Json, error: ValidationError, errors_of: ErrorsOf, depth: int) -> Json:
        """``value`` without what ``error`` complains of, or the very same ``value``."""
        path = tuple(error.instance_path)
        found, here = _at(value, path)
        if not found:
            return value  # an earlier edit took the place away
        if here is None:
            return self._without(value, path, errors_of)
        kind = error.kind
        if isinstance(kind, (ValidationErrorKind.AnyOf, ValidationErrorKind.OneOfNotValid)):
            return self._by_branch(value, error, errors_of, depth) if depth < _MAX_BRANCH_DEPTH else value
        if isinstance(kind, ValidationErrorKind.Type):
            fitting = _converted(here, set(kind.types))
        elif isinstance(kind, ValidationErrorKind.Enum):
            fitting = _chosen(here, kind.options)
        elif isinstance(kind, ValidationErrorKind.Constant):
            fitting = _chosen(here, [kind.expected_value])
        else:
            return value
        return value if fitting is here else _put(value, path, fitting)

    def _without(self, value: Json, path: Path, errors_of: ErrorsOf) -> Json:
        if not path or not isinstance(path[-1], str):
            return value
        edited = _drop(value, path)
        for error in _all(errors_of(edited)):
            kind = error.kind
            missing = isinstance(kind, ValidationErrorKind.Required) and kind.property == path[-1]
            if missing and tuple(error.instance_path) == path[:-1]:
                return value
        return edited

    def _by_branch(self, value: Json, error: ValidationError, errors_of: ErrorsOf, depth: int) -> Json:
        """The one reading under which a branch of anyOf or oneOf comes true, if there is just one."""
        branches = contexts(error)
        # A branch that takes the value's own type knows best what is wrong with it.
        open_ = [index for index, errors in enumerate(branches) if not rejects_type(errors, error.instance_path)]
        readings: dict[str, Json] = {}
        for index in open_ or range(len(branches)):
            edited, left = self._settled(value, _branch_errors(error, index, errors_of), depth + 1)
            if not left and edited is not value:
                readings[repr(edited)] = edited
        return next(iter(readings.values())) if len(readings) == 1 else value


def _branch_errors(error: ValidationError, index: int, errors_of: ErrorsOf) -> ErrorsOf:
    place = (error.evaluation_path, error.instance_path)

    def of(value: Json) -> Errors:
        for again in errors_of(value):
            if (again.evaluation_path, again.instance_path) == place:
                branches = contexts(again)
                # Without branches it is a oneOf of which several came true: not solved.
                return branches[index] if index < len(branches) and branches[index] else [again]
        return []

    return of


def contexts(error: ValidationError) -> list[Errors]:
    """The errors of each branch of an anyOf or oneOf."""
    kind = error.kind
    if isinstance(
        kind, (ValidationErrorKind.AnyOf, ValidationErrorKind.OneOfNotValid, ValidationErrorKind.OneOfMultipleValid)
    ):
        return kind.context
    return []


def rejects_type(errors: Errors, path: list[str | int]) -> bool:
    """Whether one of ``errors`` says that the value at ``path`` is of another kind altogether."""
    kinds = (ValidationErrorKind.Type, ValidationErrorKind.Enum, ValidationErrorKind.Constant)
    return any(isinstance(error.kind, kinds) and error.instance_path == path for error in errors)


def _all(errors: Errors) -> Iterator[ValidationError]:
    for error in errors:
        yield error
        for branch in contexts(error):
            yield from _all(branch)


def _converted(value: Json, types: set[str]) -> Json:
    """``value`` as the one of ``types`` that it spells, or the very same ``value``."""
    if isinstance(value, float) and value.is_integer() and "integer" in types and "number" not in types:
        return int(value) if abs(value) <= 2**53 else value
    if not isinstance(value, str) or "string" in types:
        return value
    if "boolean" in types and value in _BOOLEANS:
        return _BOOLEANS[value]
    if types & {"integer", "number"} and _INTEGER.fullmatch(value):
        return int(value)
    if "number" in types and _NUMBER.fullmatch(value):
        number = float(value)
        return number if number - number == 0 and Decimal(repr(number)) == Decimal(value) else value
    if types & {"object", "array"} and value.lstrip()[:1] in ("{", "["):
        parsed = _parsed(value)
        kind = "array" if isinstance(parsed, list) else "object"
        return cast(Json, parsed) if parsed is not None and kind in types else value
    return value


def _chosen(value: Json, options: Sequence[Json]) -> Json:
    """The option that ``value`` spells, where no option is a string; or the very same ``value``."""
    converted = _converted(value, {_TYPE_NAMES.get(option.__class__, "null") for option in options})
    same = [option for option in options if option.__class__ is converted.__class__ and option == converted]
    return converted if same else value


def _parsed(text: str) -> Json:
    """The object or array that a JSON text spells without loss, else None."""
    try:
        parsed = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        return Plain().value(parsed)
    except (ValueError, RecursionError, NotJson):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _at(value: Json, path: Path) -> tuple[bool, Json]:
    for step in path:
        if isinstance(step, str):
            if not isinstance(value, dict) or step not in value:
                return False, None
            value = cast(dict[str, Json], value)[step]
        else:
            if not isinstance(value, list) or step >= len(cast(list[Json], value)):
                return False, None
            value = cast(list[Json], value)[step]
    return True, value


def _put(value: Json, path: Path, new: Json) -> Json:
    """A copy of ``value`` with ``new`` at ``path``, in the same order."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _put(value[path[0]], path[1:], new)
    return copy


def _drop(value: Json, path: Path) -> Json:
    parent = cast(dict[str, Json], _at(value, path[:-1])[1])
    return _put(value, path[:-1], {key: item for key, item in parent.items() if key != path[-1]})
