"""Clients spell schemas in ways of their own; what they mean must not change, and data in them least of all."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.protocols.schemas import standard_schema


@pytest.mark.parametrize(
    ("schema", "standard"),
    [
        ({"type": "object", "title": None, "items": None}, {"type": "object"}),
        ({"properties": {"a": {"anyOf": None, "type": "STRING"}}}, {"properties": {"a": {"type": "string"}}}),
        ({"type": ["STRING", "NULL"]}, {"type": ["string", "null"]}),
        ({"type": "Thing"}, {"type": "Thing"}),
        ({"$ref": "/$defs/A"}, {"$ref": "#/$defs/A"}),
        ({"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}),
        ({"$ref": "http://x/A"}, {"$ref": "http://x/A"}),
        ({"anyOf": [{"type": "INTEGER"}, True]}, {"anyOf": [{"type": "integer"}, True]}),
        ({"items": {"type": "NUMBER"}}, {"items": {"type": "number"}}),
        ({"const": None}, {"const": None}),
        ({"default": None}, {"default": None}),
        ({"enum": [None, {"type": "STRING", "x": None}]}, {"enum": [None, {"type": "STRING", "x": None}]}),
        ({"properties": {"default": {"type": "STRING"}}}, {"properties": {"default": {"type": "string"}}}),
        ({"properties": {"type": {"type": "STRING"}}}, {"properties": {"type": {"type": "string"}}}),
        ({"properties": {"a": None}}, {"properties": {"a": None}}),
        ({"dependentRequired": {"type": ["STRING"]}}, {"dependentRequired": {"type": ["STRING"]}}),
        ({"required": ["type", "STRING"]}, {"required": ["type", "STRING"]}),
        (True, True),
        (None, None),
        ("x", "x"),
    ],
)
def test_standard_schemas(schema: Any, standard: Any) -> None:
    assert standard_schema(schema) == standard


def test_what_is_nested_beyond_the_stack_stays_as_it_is() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"items": schema}
    assert standard_schema(schema) is schema
