"""Tools → the JSON Schema of a decision in the client's own names: calls of some of them, or an answer in words.

Rule: only keywords that every server's decoder knows, since some refuse a schema for a word they don't; what is left
out makes the schema looser.  References of all tools lie in one ``$defs``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from emulator.tools.schema import DEEPEST, Schema, SchemaLimits, Subschema, rebuild

_UNLIMITED = SchemaLimits(bytes=1 << 62, depth=DEEPEST, properties=1 << 62, enum=1 << 62)
"""The schemas have been held to the limits when their stubs were made."""

_AS_THEY_ARE = frozenset(
    "type enum const required minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems "
    "maxItems".split()
)
_LISTS = ("anyOf", "oneOf", "allOf")
_COMPOSED = frozenset([*_LISTS, "$ref", "additionalProperties", "patternProperties", "if", "dependentSchemas"])


def decision_schema(tools: Iterable[tuple[str, Any]], *, required: bool = False, single: bool = False) -> Schema:
    """``tools`` are names with the schemas of their parameters, both as the client wrote them.

    ``required``: an answer in words won't do; ``single``: one call only.
    """
    definitions: Schema = {}
    calls = [_call(name, parameters, f"t{index}_", definitions) for index, (name, parameters) in enumerate(tools)]
    items: Schema = {"anyOf": calls} if len(calls) > 1 else calls[0]
    array: Schema = {"type": "array", "items": items, "minItems": 1}
    if single:
        array["maxItems"] = 1
    decision = _object({"calls": array})
    if not required:
        decision = {"anyOf": [decision, _object({"answer": {"type": "string"}})]}
    return decision | ({"$defs": definitions} if definitions else {})


def _call(name: str, parameters: Any, prefix: str, definitions: Schema) -> Schema:
    rebuilt = rebuild(parameters, _UNLIMITED)
    for key, schema in cast(Schema, rebuilt.get("$defs", {})).items():
        definitions[prefix + key] = _plain(schema, prefix)
    arguments = {"type": "object"} | cast(Schema, _plain(rebuilt, prefix))
    if not rebuilt.keys() & _COMPOSED:
        # Names that no schema speaks of are refused as arguments, whatever JSON Schema says of them.
        arguments.setdefault("properties", {})
        arguments["additionalProperties"] = False
    return _object({"name": {"const": name}, "arguments": arguments})


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _plain(schema: Subschema, prefix: str) -> Subschema:
    """A rebuilt schema in the common keywords."""
    if isinstance(schema, bool):
        return schema
    plain: Schema = {key: value for key, value in schema.items() if key in _AS_THEY_ARE}
    for key in _LISTS:
        if key in schema:
            # The branches of oneOf may overlap for a decoder, which looks at one at a time.
            plain.setdefault("anyOf" if key == "oneOf" else key, _branches(schema[key], prefix))
    if "properties" in schema:
        properties = cast(Schema, schema["properties"])
        plain["properties"] = {name: _inner(item, prefix) for name, item in properties.items() if item is not False}
    if isinstance(schema.get("items"), dict):
        plain["items"] = _plain(schema["items"], prefix)
    if "prefixItems" in schema:
        plain["prefixItems"] = [_inner(item, prefix) for item in schema["prefixItems"]]
    if "additionalProperties" in schema and "patternProperties" not in schema:
        plain["additionalProperties"] = _plain(schema["additionalProperties"], prefix)
    if "$ref" in schema:
        plain["$ref"] = f"#/$defs/{prefix}{cast(str, schema['$ref']).removeprefix('#/$defs/')}"
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") else plain


def _branches(branches: Sequence[Subschema], prefix: str) -> list[Schema]:
    return [_inner(branch, prefix) for branch in branches if branch is not False] or [{}]


def _inner(schema: Subschema, prefix: str) -> Schema:
    plain = _plain(schema, prefix)
    return plain if isinstance(plain, dict) else {}
