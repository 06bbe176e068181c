"""A client's own JSON Schema, compiled: the judge of every call.

The schema is taken as it is and never fetched from anywhere else; formats are not asserted.  It is
hostile input: what could make one validation slow (regular expressions that backtrack, references
that multiply) is refused or bounded here, before it can hold up the serving loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import unquote

import jsonschema_rs

from emulator.tools.schema import SchemaError

# A schema that names no draft is read as 2020-12.  Many tools still carry draft 7's `items: [...]` or draft 4's
# `exclusiveMinimum: true` without saying so: those are judged by the newest draft under which they mean something.
_DRAFTS = (
    jsonschema_rs.Draft202012Validator,
    jsonschema_rs.Draft7Validator,
    jsonschema_rs.Draft4Validator,
)
_REGEX_SIZE = 1024 * 1024
_LINEAR = jsonschema_rs.RegexOptions(size_limit=_REGEX_SIZE, dfa_size_limit=2 * _REGEX_SIZE)
_BACKTRACKING = jsonschema_rs.FancyRegexOptions(
    backtrack_limit=50_000, size_limit=_REGEX_SIZE, dfa_size_limit=2 * _REGEX_SIZE
)

# How many subschemas one value may be held against.  jsonschema-rs follows 10⁶ in about 12 ms.
_MAX_WEIGHT = 20_000

_ONE = ("not", "if", "then", "else")
_MANY = ("allOf", "anyOf", "oneOf")
_BY_NAME = ("dependentSchemas", "dependencies")
_ELSEWHERE_ONE = (
    "items", "additionalItems", "unevaluatedItems", "contains", "additionalProperties", "unevaluatedProperties",
    "propertyNames", "contentSchema",
)  # fmt: skip
_ELSEWHERE_MANY = ("prefixItems", "items")
_ELSEWHERE_BY_NAME = ("properties", "patternProperties", "$defs", "definitions")
_REFS = ("$ref", "$dynamicRef", "$recursiveRef")


def compile_schema(schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    """The validator of ``schema``, by the draft that its ``$schema`` names, else 2020-12.

    Raises SchemaError where the schema isn't one, refers to anything outside itself, or would take
    too long to check a value against.
    """
    try:
        _check_weight(schema)
        return _compile(dict(schema))
    except RecursionError:
        raise SchemaError("the schema is nested too deeply", "parameters") from None


def _compile(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    first: SchemaError | None = None
    # The engine without backtracking is tried first; lookarounds and backreferences need the other.
    for patterns in (_LINEAR, _BACKTRACKING):
        try:
            return jsonschema_rs.validator_for(schema, offline=True, validate_formats=False, pattern_options=patterns)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            first = first or _translated(error)
    if not _names_known_draft(schema):
        for draft in _DRAFTS:
            for patterns in (_LINEAR, _BACKTRACKING):
                try:
                    return draft(schema, offline=True, validate_formats=False, pattern_options=patterns)
                except (ValueError, jsonschema_rs.ReferencingError):
                    continue
    assert first is not None
    raise first


def _names_known_draft(schema: dict[str, Any]) -> bool:
    named = schema.get("$schema")
    if not isinstance(named, str):
        return False
    try:
        jsonschema_rs.validator_for({"$schema": named}, offline=True)
    except ValueError:
        return False
    return True


def _translated(error: Exception) -> SchemaError:
    if isinstance(error, jsonschema_rs.ValidationError):
        path = "parameters" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.instance_path)
        reason = error.message
    else:
        path, reason = "parameters", str(error)
    return SchemaError(_clip(reason, 300), _clip(path, 200))


def _clip(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"


def declared_properties(schema: Mapping[str, Any]) -> Mapping[str, None] | None:
    """The top-level properties that the schema declares, in order, or None where it says that others may come.

    JSON Schema admits any property that isn't forbidden.  A function's argument that its signature
    doesn't have is a mistake all the same, unless the schema speaks of further properties itself.
    """
    names: dict[str, None] = {}
    seen: set[int] = set()
    waiting: list[Any] = [schema]
    declares = False
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict) or id(cast(object, part)) in seen:
            continue
        here = cast(dict[str, Any], part)
        seen.add(id(here))
        if any(
            key in here
            for key in ("additionalProperties", "patternProperties", "unevaluatedProperties", "propertyNames")
        ):
            return None
        properties = here.get("properties")
        if isinstance(properties, dict):
            declares = True
            names.update(dict.fromkeys(cast(dict[str, Any], properties)))
        waiting.extend(_in_place(here, schema))
    return names if declares else None


def _in_place(part: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Any]:
    """The subschemas that judge the same value as ``part`` does."""
    yield from _children(part, _ONE, _MANY, _BY_NAME)
    for key in _REFS:
        if key in part:
            yield target(part[key], root)


def _elsewhere(part: Mapping[str, Any]) -> Iterator[Any]:
    """The subschemas that judge values inside of the one that ``part`` judges, or none until referred to."""
    yield from _children(part, _ELSEWHERE_ONE, _ELSEWHERE_MANY, _ELSEWHERE_BY_NAME)


def _children(
    part: Mapping[str, Any], one: tuple[str, ...], many: tuple[str, ...], by_name: tuple[str, ...]
) -> Iterator[Any]:
    for key in one:
        if isinstance(part.get(key), dict):
            yield part[key]
    for key in many:
        if isinstance(part.get(key), list):
            yield from cast(list[Any], part[key])
    for key in by_name:
        if isinstance(part.get(key), dict):
            yield from cast(dict[str, Any], part[key]).values()


def target(ref: object, root: Mapping[str, Any]) -> object:
    """What a reference inside the schema points to; raises SchemaError for any other reference."""
    if not isinstance(ref, str):
        raise SchemaError("a reference must be a string", "parameters")
    if ref != "#" and not ref.startswith("#/"):
        raise SchemaError(f"the reference {_clip(repr(ref), 100)} does not begin with '#/'", "parameters")
    node: object = root
    for raw in ref[2:].split("/") if len(ref) > 1 else ():
        step = _unescape(raw)
        if isinstance(node, dict) and step in node:
            node = cast(dict[str, object], node)[step]
        elif isinstance(node, list) and step.isascii() and step.isdigit() and len(step) < 8:
            items = cast(list[object], node)
            node = items[int(step)] if int(step) < len(items) else None
        else:
            node = None
    if not isinstance(node, (dict, bool)):
        raise SchemaError(f"the reference {_clip(repr(ref), 100)} points to nothing", "parameters")
    return cast(object, node)


def _unescape(step: str) -> str:

    return unquote(step).replace("~1", "/").replace("~0", "~")


def _check_weight(root: Mapping[str, Any]) -> None:
    """Refuse a schema that holds one value against more subschemas than ``_MAX_WEIGHT``.

    ``allOf`` of two references, each to an ``allOf`` of two references, and so on doubles with every
    step, so a schema of 2 kB can ask for years.
    """
    weights: dict[int, int] = {}

    def weight(part: object) -> int:
        if not isinstance(part, dict):
            return 1
        here = cast(dict[str, Any], part)
        known = weights.get(id(here))
        if known is not None:
            return known
        weights[id(here)] = 1  # a loop of references is followed once by jsonschema-rs
        total = 1 + sum(weight(child) for child in _in_place(here, root))
        if total > _MAX_WEIGHT:
            raise SchemaError("its references multiply beyond what can be checked", "parameters")
        weights[id(here)] = total
        return total

    waiting: list[object] = [root]
    seen: set[int] = set()
    refers = renamed = False
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict) or id(cast(object, part)) in seen:
            continue
        here = cast(dict[str, Any], part)
        seen.add(id(here))
        refers = refers or any(key in here for key in _REFS)
        renamed = renamed or (here is not root and "$id" in here)
        if refers and renamed:
            # An $id inside the schema changes what the references beneath it point to.
            raise SchemaError("references beside a subschema with its own $id are not supported", "parameters")
        weight(here)
        waiting.extend(_in_place(here, root))
        waiting.extend(_elsewhere(here))


def with_null(schema: Any) -> Any:
    """``schema`` in which every ``nullable: true`` is said in JSON Schema's way."""
    if not isinstance(schema, dict):
        return schema
    given = cast(dict[str, Any], schema)
    changed: dict[str, Any] = {}
    for key in (*_ONE, *_ELSEWHERE_ONE):
        if isinstance(given.get(key), dict):
            changed[key] = with_null(given[key])
    for key in (*_MANY, *_ELSEWHERE_MANY):
        if isinstance(given.get(key), list):
            changed[key] = [with_null(part) for part in given[key]]
    for key in (*_BY_NAME, *_ELSEWHERE_BY_NAME):
        if isinstance(given.get(key), dict):
            changed[key] = {name: with_null(part) for name, part in given[key].items()}
    result = given | changed
    if given.get("nullable") is not True:
        return result
    plain = {key: value for key, value in result.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]}
