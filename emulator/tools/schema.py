"""A client's JSON Schema → the same schema in an allow-list of keywords, with every reference inside it.

Rule: nothing that isn't read here goes on.  Vendor keywords vanish, references that leave the schema
are refused, and whatever was referred to lies in ``$defs`` under a plain key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote

from emulator.tools.naming import identifier

Schema = dict[str, Any]
Subschema = Schema | bool

DEEPEST = 64
"""Levels that no limit goes beyond: what reads schemas is recursive, and Python's stack is finite."""

_TYPES = frozenset(["string", "number", "integer", "boolean", "array", "object", "null"])
_ONE = frozenset("additionalItems additionalProperties contains propertyNames not if then else".split())
_LIST = frozenset(["allOf", "anyOf", "oneOf", "prefixItems"])
_NAMED = frozenset(["properties", "patternProperties", "dependentSchemas"])


class SchemaError(Exception):
    """The schema can't be used.  ``path`` is where, e.g. ``parameters.properties.a.items``."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(f"{message} (at {path})")
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True)
class SchemaLimits:
    """``bytes`` of the schema as compact JSON, ``depth`` in nested schemas, ``properties`` in the whole
    schema, ``enum`` values in one enum."""

    bytes: int
    depth: int
    properties: int
    enum: int


def rebuild(schema: object, limits: SchemaLimits) -> Schema:
    """The schema of a tool's ``parameters``, safe to read further; the input isn't touched.

    None, ``{}`` and ``true`` mean no parameters.  Raises SchemaError for what isn't an object schema,
    breaks JSON Schema in a keyword read here, refers to what isn't there, or exceeds a limit.
    """
    if schema is None or schema is True:
        return {"type": "object"}
    rebuilt = rebuild_value(schema, limits)
    _check_root(rebuilt)
    return rebuilt


def rebuild_value(schema: object, limits: SchemaLimits) -> Schema:
    """The same for a schema of any value.  Raises SchemaError as ``rebuild`` does, also for a boolean."""
    if not isinstance(schema, dict):
        raise SchemaError("must be a JSON Schema object", "parameters")
    root = cast(Schema, schema)
    _measure(root, limits)
    rebuilding = _Rebuilding(root, limits)
    rebuilt = cast(Schema, rebuilding.schema(root, "parameters", 1))
    rebuilding.definitions_of(rebuilt)
    return rebuilt


def _measure(schema: Schema, limits: SchemaLimits) -> None:
    """Nesting first and without recursion, since everything later recurses."""
    level: list[Any] = [schema]
    for _ in range(4 * DEEPEST):
        level = [child for value in level for child in _children(value)]
        if not level:
            break
    else:
        raise SchemaError(f"nested deeper than {4 * DEEPEST} levels of JSON", "parameters")
    try:
        text = json.dumps(schema, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SchemaError(f"not JSON: {error}", "parameters") from None
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > limits.bytes:
        raise SchemaError(f"{size} bytes long; at most {limits.bytes} are allowed", "parameters")


def _children(value: object) -> list[Any]:
    found: list[Any] = []
    if isinstance(value, dict):
        found.extend(cast(Schema, value).values())
    elif isinstance(value, list):
        found.extend(cast(list[Any], value))
    return [child for child in found if isinstance(child, (dict, list))]


def _check_root(rebuilt: Schema) -> None:
    kinds: str | list[str] = rebuilt.get("type", "object")
    if kinds != "object" and "object" not in listed(kinds):
        said = json.dumps(kinds)
        raise SchemaError(f'must be of type "object", since a call\'s arguments have names; got {said}', "parameters")


@dataclass(slots=True)
class _Rebuilding:
    root: Schema
    limits: SchemaLimits
    properties: int = 0
    keys: dict[str, str] = field(default_factory=dict[str, str])
    """Each pointer that is referred to → its key in ``$defs``."""
    waiting: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def definitions_of(self, rebuilt: Schema) -> None:
        """Adds what is referred to, and what that refers to, as ``$defs``."""
        definitions: Schema = {}
        while self.waiting:
            pointer, path = self.waiting.pop()
            definitions[self.keys[pointer]] = self.schema(self.target(pointer, path), _dotted(pointer), 1)
        if definitions:
            rebuilt["$defs"] = definitions

    def schema(self, schema: object, path: str, depth: int) -> Subschema:
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, dict):
            raise SchemaError("must be a JSON Schema: an object or a boolean", path)
        deepest = min(self.limits.depth, DEEPEST)
        if depth > deepest:
            raise SchemaError(f"nested deeper than {deepest} levels", path)
        rebuilt: Schema = {}
        for keyword, value in cast(Schema, schema).items():
            self.keyword(rebuilt, keyword, value, f"{path}.{keyword}", depth + 1)
        return _modern(rebuilt)

    def keyword(self, rebuilt: Schema, keyword: str, value: Any, path: str, depth: int) -> None:
        if keyword == "$ref":
            rebuilt[keyword] = self.reference(value, path)
        elif keyword in _ONE or (keyword == "items" and not isinstance(value, list)):
            rebuilt[keyword] = self.schema(value, path, depth)
        elif keyword == "items":
            rebuilt["prefixItems"] = self.several(value, path, depth)
        elif keyword in _LIST:
            rebuilt[keyword] = self.several(value, path, depth)
        elif keyword in _NAMED:
            rebuilt[keyword] = self.named(value, path, depth)
        elif keyword == "dependencies":
            named = cast(Schema, _checked(value, _is_object, "an object", path))
            schemas = {name: item for name, item in named.items() if not isinstance(item, list)}
            rebuilt["dependentSchemas"] = self.named(schemas, path, depth)
        elif keyword in _PLAIN:
            test, wanted = _PLAIN[keyword]
            rebuilt[keyword] = _checked(value, test, wanted, path)
            if keyword == "enum" and (count := len(cast(list[Any], value))) > self.limits.enum:
                raise SchemaError(f"{count} values; at most {self.limits.enum} are allowed", path)

    def several(self, value: Any, path: str, depth: int) -> list[Subschema]:
        items = cast(list[Any], _checked(value, _is_list, "an array of schemas", path))
        return [self.schema(item, f"{path}[{index}]", depth) for index, item in enumerate(items)]

    def named(self, value: Any, path: str, depth: int) -> Schema:
        items = cast(Schema, _checked(value, _is_object, "an object of schemas", path))
        self.properties += len(items)
        if self.properties > self.limits.properties:
            raise SchemaError(f"more than {self.limits.properties} properties in all", path)
        return {name: self.schema(item, f"{path}.{name}", depth) for name, item in items.items()}

    def reference(self, value: Any, path: str) -> str:
        pointer = cast(str, _checked(value, _is_string, "a string", path))
        if pointer != "#" and not pointer.startswith("#/"):
            raise SchemaError("only references inside the schema can be followed: # and #/…", path)
        pointer = pointer.rstrip("/") if pointer == "#/" else pointer
        if pointer not in self.keys:
            self.target(pointer, path)
            self.keys[pointer] = identifier(_title(pointer), taken=self.keys.values())
            self.waiting.append((pointer, path))
        return f"#/$defs/{self.keys[pointer]}"

    def target(self, pointer: str, path: str) -> Any:
        value: Any = self.root
        for step in _steps(pointer):
            if isinstance(value, dict) and step in value:
                value = cast(Schema, value)[step]
            elif step.isdecimal() and isinstance(value, list) and int(step[:9]) < len(items := cast(list[Any], value)):
                value = items[int(step[:9])]
            else:
                raise SchemaError(f"refers to {pointer}, which isn't in the schema", path)
        return value


def listed(kinds: str | list[str]) -> list[str]:
    """A schema's ``type`` as a list."""
    return kinds if isinstance(kinds, list) else [kinds]


def _modern(schema: Schema) -> Schema:
    """Draft 4's exclusive bounds (booleans beside the bound) as numbers."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        value = schema.get(exclusive)
        if isinstance(value, bool):
            del schema[exclusive]
            if value and bound in schema:
                schema[exclusive] = schema.pop(bound)
    return schema


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in unquote(pointer[1:]).split("/")[1:]]


def _title(pointer: str) -> str:
    """What a definition is called: of ``io.k8s.api.core.v1.Pod`` or a URL the last part, if that is a word."""
    key = _steps(pointer)[-1] if pointer != "#" else "self"
    last = re.split(r"[./#:]", key.rstrip("./#:"))[-1]
    return last if last[:1].isalpha() and len(last) > 2 else key


def _dotted(pointer: str) -> str:
    return ".".join(["parameters", *_steps(pointer)])


def _checked(value: Any, test: Callable[[Any], bool], wanted: str, path: str) -> Any:
    if not test(value):
        raise SchemaError(f"must be {wanted}", path)
    return value


def _is_anything(_: Any) -> bool:
    return True


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_bound(value: Any) -> bool:
    return isinstance(value, (int, float))


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in cast(list[Any], value))


def _is_type(value: Any) -> bool:
    kinds = cast(list[Any], value if isinstance(value, list) else [value])
    return bool(kinds) and all(isinstance(kind, str) and kind in _TYPES for kind in kinds)


_PLAIN: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(["title", "description", "format", "pattern", "contentEncoding"], (_is_string, "a string")),
    **dict.fromkeys(["default", "const"], (_is_anything, "any value")),
    **dict.fromkeys(["uniqueItems", "deprecated", "readOnly", "nullable"], (_is_boolean, "a boolean")),
    **dict.fromkeys(["minimum", "maximum", "multipleOf"], (_is_number, "a number")),
    **dict.fromkeys(["exclusiveMinimum", "exclusiveMaximum"], (_is_bound, "a number")),
    **dict.fromkeys(
        ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"],
        (_is_count, "a whole number from 0"),
    ),
    **dict.fromkeys(["enum", "examples"], (_is_list, "an array")),
    "required": (_is_names, "an array of property names"),
    "type": (_is_type, f"one of {', '.join(sorted(_TYPES))}, or an array of these"),
}
