"""A rebuilt schema with its references and ``allOf`` → one flat schema that says the same.

Rule: merging is lossless where one schema can say it, and otherwise keeps the outer word: the client's
own schema judges the call, this only tells the model what to write.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from emulator.tools.schema import Schema, SchemaError, Subschema, listed

ANNOTATIONS = frozenset(["title", "description", "default", "examples", "deprecated", "readOnly"])

_MOST_STEPS = 20_000
_GROUPS = ("anyOf", "oneOf")
_CONDITIONAL = ("then", "else")
_HIGHER = frozenset(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"])
_LOWER = frozenset(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"])
_LISTS = frozenset(["$groups", "$maybe"])
NOTHING: Schema = {"enum": []}
"""What ``false`` becomes: no value fits."""


def reference_of(schema: Subschema) -> tuple[str, Schema] | None:
    """The one definition that ``schema`` stands for, with the annotations beside it; None if it says more."""
    if not isinstance(schema, dict):
        return None
    beside = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
    if not beside.keys() <= ANNOTATIONS or ("$ref" in schema) == ("allOf" in schema):
        return None
    if "$ref" in schema:
        return cast(str, schema["$ref"]).removeprefix("#/$defs/"), beside
    branches = cast(list[Subschema], schema["allOf"])
    inner = reference_of(branches[0]) if len(branches) == 1 else None
    return (inner[0], inner[1] | beside) if inner else None


@dataclass(slots=True)
class Merger:
    """Flattens the schemas of one tool; counts its steps, since references can multiply.

    A flat schema has no ``$ref``, ``allOf``, ``anyOf``, ``oneOf``, ``const``; it has ``$groups``, each a list of
    alternatives, and ``$maybe``, schemas that hold under some condition.
    """

    definitions: Schema
    steps: int = field(default=0, init=False)

    def step(self) -> None:
        """Raises SchemaError when the schema, written out, would be too large."""
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise SchemaError("too large once its references are followed", "parameters")

    def flat(self, schema: Subschema, followed: set[str] | None = None, trail: frozenset[str] = frozenset()) -> Schema:
        """One schema for ``schema``; ``followed`` collects the definitions that went into it."""
        self.step()
        if isinstance(schema, bool):
            return {} if schema else NOTHING
        merged = _alone(schema)
        parts: list[tuple[Subschema, frozenset[str]]] = [(part, trail) for part in schema.get("allOf", ())]
        if "$ref" in schema:
            name = cast(str, schema["$ref"]).removeprefix("#/$defs/")
            if followed is not None:
                followed.add(name)
            if name not in trail:  # a definition that includes itself adds nothing the second time
                parts.insert(0, (self.definitions[name], trail | {name}))
        for part, path in parts:
            merged = both(merged, self.flat(part, followed, path))
        return merged


def _alone(schema: Schema) -> Schema:
    left_out = {"$ref", "$defs", "allOf", "if", "const", "dependentSchemas", *_GROUPS, *_CONDITIONAL}
    plain = {key: value for key, value in schema.items() if key not in left_out}
    if "const" in schema:
        plain = both(plain, {"enum": [schema["const"]]})
    groups = [schema[key] for key in _GROUPS if schema.get(key)]
    maybe = [schema[key] for key in _CONDITIONAL if key in schema]
    maybe.extend(cast(Schema, schema.get("dependentSchemas", {})).values())
    if groups:
        plain["$groups"] = groups
    if maybe:
        plain["$maybe"] = maybe
    return plain


def both(outer: Schema, inner: Schema) -> Schema:
    """What fits both flat schemas; annotations are the outer's where both have them."""
    merged = dict(outer)
    for keyword, theirs in inner.items():
        if keyword not in merged:
            merged[keyword] = theirs
        elif (join := _JOINS.get(keyword)) is not None:
            merged[keyword] = join(merged[keyword], theirs)
    if merged.get("type") == []:
        return NOTHING
    return merged


def same(one: Any, other: Any) -> bool:
    """JSON's equality: true is not 1, 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (dict, list)):
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    return one == other


def _types(ours: Any, theirs: Any) -> list[str]:
    mine, other = listed(ours), listed(theirs)
    kept = [kind for kind in mine if kind in other or (kind == "integer" and "number" in other)]
    narrowed = [kind for kind in other if kind == "integer" and "number" in mine and kind not in kept]
    return kept + narrowed


def _values(ours: list[Any], theirs: list[Any]) -> list[Any]:
    return [value for value in ours if any(same(value, other) for other in theirs)]


def _names(ours: list[str], theirs: list[str]) -> list[str]:
    return list(dict.fromkeys([*ours, *theirs]))


def _schemas(ours: Schema, theirs: Schema) -> Schema:
    return ours | {name: _each(ours[name], item) if name in ours else item for name, item in theirs.items()}


def _each(ours: Subschema, theirs: Subschema) -> Subschema:
    if ours is False or theirs is False:
        return False
    if ours == theirs or theirs is True:
        return ours
    return theirs if ours is True else {"allOf": [ours, theirs]}


def _chain(ours: list[Any], theirs: list[Any]) -> list[Any]:
    return [*ours, *theirs]


_JOINS: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(_HIGHER, max),
    **dict.fromkeys(_LOWER, min),
    **dict.fromkeys(_LISTS, _chain),
    **dict.fromkeys(["properties", "patternProperties"], _schemas),
    **dict.fromkeys(["items", "additionalProperties", "propertyNames"], _each),
    "type": _types,
    "enum": _values,
    "required": _names,
}
