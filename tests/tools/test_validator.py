"""A client's schema judges as its draft says, reaches for nothing outside, and can't be made to take years."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.tools.schema import SchemaError
from emulator.tools.validator import compile_schema, declared_properties


def doubling(steps: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(steps)}
    return {"$defs": definitions | {f"d{steps}": {"type": "object"}}, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        ({"prefixItems": [{"type": "integer"}]}, [1], ["x"]),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}]}, [1], ["x"]),
        ({"items": [{"type": "integer"}]}, [1], ["x"]),
        ({"minimum": 1, "exclusiveMinimum": True}, 2, 1),
        ({"$schema": "https://example.com/own", "type": "string"}, "x", 1),
        ({"pattern": "^a(?!b)"}, "ac", "ab"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}}, "x", 1),
        ({"anyOf": [{"type": "null"}, {"properties": {"next": {"$ref": "#"}}, "type": "object"}]}, {"next": None}, {"next": 1}),
        (doubling(8), {}, 1),
    ],
)  # fmt: skip
def test_a_schema_judges_by_its_draft(schema: dict[str, Any], valid: Any, invalid: Any) -> None:
    validator = compile_schema(schema)
    assert validator.is_valid(valid)
    assert not validator.is_valid(invalid)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "nothing"}, "not valid under any"),
        ({"properties": {"a": {"required": "b"}}}, "not of type"),
        ({"pattern": "("}, "regex"),
        ({"pattern": r"(\d{1,1000}){1,1000}(?=x)"}, "regex"),
        ({"$ref": "#/$defs/none"}, "points to nothing"),
        ({"$ref": "https://example.com/schema"}, "does not begin with"),
        ({"$ref": "file:///etc/passwd"}, "does not begin with"),
        ({"not": {"$ref": "other.json"}}, "does not begin with"),
        ({"$ref": 1}, "must be a string"),
        (doubling(60), "multiply"),
        ({"$defs": {"x": {"$id": "http://e.com/", "$defs": doubling(60)["$defs"]}}, "$ref": "#/$defs/x"}, "own \\$id"),
        ({"properties": {"$schema": {"type": 1}}}, "not valid"),
    ],
)
def test_a_schema_that_can_not_judge_is_refused_with_the_reason(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        compile_schema(schema)


def test_a_schema_nested_beyond_any_stack_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(20_000):
        deep = {"not": deep}
    with pytest.raises(SchemaError, match="deep"):
        compile_schema(deep)


def test_the_place_of_the_mistake_is_said() -> None:
    with pytest.raises(SchemaError) as caught:
        compile_schema({"properties": {"a": {"items": {"type": "text"}}}})
    assert caught.value.path == "parameters.properties.a.items.type"


DECLARED: list[tuple[dict[str, Any], list[str] | None]] = [
    ({}, None),
    ({"properties": {}}, []),
    ({"properties": {"b": {}, "a": {}}}, ["b", "a"]),
    ({"properties": {"a": {}}, "additionalProperties": False}, None),
    ({"properties": {"a": {}}, "anyOf": [{"properties": {"b": {}}}, {"required": ["a"]}]}, ["a", "b"]),
    ({"properties": {"a": {}}, "if": {"patternProperties": {}}}, None),
    ({"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a": {}}, "allOf": [{"$ref": "#"}]}}}, ["a"]),
]


@pytest.mark.parametrize(("schema", "names"), DECLARED)
def test_the_declared_properties(schema: dict[str, Any], names: list[str] | None) -> None:
    found = declared_properties(schema)
    assert (found if found is None else list(found)) == names
