"""Arguments that nearly fit their schema → the same arguments in the type that was meant.

Rule: only what loses nothing and has one reading, and only where the validator complains: ``"3"`` → 3
where nothing but a number fits, ``"true"`` → True, a JSON or Python text → its object or list, 3.0 → 3 where an
integer is demanded, a None left out where null isn't allowed and the property is optional.  The places
come from the validator's own errors, so every keyword and reference means here what it means there; and
all edits of a round are made at once, so that a call costs a few validations, whatever its schema.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Final, cast

from jsonschema_rs import ValidationError, ValidationErrorKind, Validator

from emulator.tools.plain import Json, NotJson, Path, Plain

Errors = list[ValidationError]
Edits = dict[Path, Json]
"""What to put at which place; ``_GONE`` takes the key away."""

_GONE: Final = object()
_MAX_ERRORS = 20_000
_MAX_ROUNDS = 6
_MAX_BRANCH_DEPTH = 4
_LONGEST_LITERAL = 1 << 16
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
    value: Json = arguments
    left_out: set[Path] = set()
    needed: set[Path] = set()
    for _ in range(_MAX_ROUNDS):
        errors = _errors(validator, value)
        edits: Edits = {}
        for error in errors:
            edits.update(_edits(value, error, needed, 0) or {})
        # A None that was left out comes back where the key turns out to be required.
        missed = left_out & set(_missing(errors)) if left_out else left_out
        needed |= missed
        edits.update(dict.fromkeys(missed))
        left_out = (left_out - missed) | {path for path, new in edits.items() if new is _GONE}
        if not edits:
            return value, errors
        value = _applied(value, edits)
    return value, _errors(validator, value)


def whole_numbers(validator: Validator, arguments: dict[str, Json], places: Sequence[Path]) -> dict[str, Json]:
    """Valid arguments, with the floats at ``places`` written as integers where the schema asks for integers.

    JSON Schema takes 3.0 for an integer, and the functions behind it often don't.  What the schema asks
    for at a place shows when 0.5 is put there.
    """
    if not places:
        return arguments
    wanted = set(places)
    edits: Edits = {}
    for error in _all(_errors(validator, _applied(arguments, dict.fromkeys(places, 0.5)))):
        place = tuple(error.instance_path)
        if place in wanted and isinstance(error.kind, ValidationErrorKind.Type):
            number = _at(arguments, place)[1]
            if (whole := _converted(number, set(error.kind.types))) is not number:
                edits[place] = whole
    edited = _applied(arguments, edits)
    return edited if validator.is_valid(edited) else arguments


def _errors(validator: Validator, value: Json) -> Errors:
    return list(islice(validator.iter_errors(value), _MAX_ERRORS))


def _missing(errors: Errors) -> Iterator[Path]:
    for error in _all(errors):
        if isinstance(error.kind, ValidationErrorKind.Required):
            yield (*error.instance_path, error.kind.property)


def _edits(value: Json, error: ValidationError, needed: set[Path], depth: int) -> Edits | None:
    """What answers ``error`` in ``value``, or None.  ``needed`` are places of a None that can't be left out."""
    path = tuple(error.instance_path)
    found, here = _at(value, path)
    if not found:
        return None
    if here is None:
        return {path: _GONE} if path and isinstance(path[-1], str) and path not in needed else None
    kind = error.kind
    if isinstance(kind, (ValidationErrorKind.AnyOf, ValidationErrorKind.OneOfNotValid)):
        return _branch_edits(value, error, needed, depth + 1) if depth < _MAX_BRANCH_DEPTH else None
    if isinstance(kind, ValidationErrorKind.Type):
        fitting = _converted(here, set(kind.types))
    elif isinstance(kind, ValidationErrorKind.Enum):
        fitting = _chosen(here, kind.options)
    elif isinstance(kind, ValidationErrorKind.Constant):
        fitting = _chosen(here, [kind.expected_value])
    else:
        return None
    return None if fitting is here else {path: fitting}


def _branch_edits(value: Json, error: ValidationError, needed: set[Path], depth: int) -> Edits | None:
    """The one set of edits under which a branch of anyOf or oneOf can come true, if there is just one."""
    branches = contexts(error)
    # Where a branch takes the value's own type, another branch's type is no reading of it.
    own = [errors for errors in branches if not rejects_type(errors, error.instance_path)]
    only: Edits | None = None
    for errors in own or branches:
        edits: Edits = {}
        for inner in errors:
            answer = _edits(value, inner, needed, depth)
            if answer is None:
                break
            edits.update(answer)
        else:
            if only is not None and repr(edits) != repr(only):
                return None
            only = edits
    return only or None


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
    """The object or array that a text spells without loss, in JSON or else as a Python literal; else None."""
    for spelled in (_json, _literal):
        try:
            return Plain().value(spelled(text))
        except (ValueError, SyntaxError, RecursionError, MemoryError, NotJson):
            continue
    return None


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _literal(text: str) -> Any:
    """What models write between tags for Qwen3-Coder, whose own parser reads it so."""
    if len(text) > _LONGEST_LITERAL:
        raise ValueError("too long for Python's parser")
    spelled = ast.parse(text.strip(), mode="eval")
    for part in ast.walk(spelled):
        if isinstance(part, ast.Dict):
            _unique([(ast.dump(key) if key else "**", None) for key in part.keys])
    return ast.literal_eval(spelled)


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


def _applied(value: Json, edits: Mapping[Path, Json]) -> Json:
    """A copy of ``value`` with all edits made; what they don't touch is shared."""
    copies: dict[Path, Json] = {}

    def copied(path: Path) -> Json:
        """The container at ``path``, copied once and put in its copied parent."""
        if path not in copies:
            if path:
                parent = copied(path[:-1])
                parent[path[-1]] = copies[path] = parent[path[-1]].copy()
            else:
                copies[path] = value.copy()
        return copies[path]

    for path, new in edits.items():
        if new is _GONE:
            copied(path[:-1]).pop(path[-1], None)
        elif path:
            copied(path[:-1])[path[-1]] = new
    return copies.get((), value)
