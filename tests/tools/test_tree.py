"""The tree is what a model is told of a schema: each construct of JSON Schema has to arrive as the right type, and recursion has to end."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.tools.schema import SchemaError, SchemaLimits, rebuild
from emulator.tools.tree import build_tree
from emulator.tools.types import Tree, annotation

LIMITS = SchemaLimits(bytes=200_000, depth=32, properties=1000, enum=1000)


def tree(schema: dict[str, Any]) -> Tree:
    return build_tree(rebuild(schema, LIMITS), tool="tool")


def type_of(schema: Any, **definitions: Any) -> str:
    built = tree({"type": "object", "properties": {"value": schema}, "$defs": definitions})
    return annotation(built.root.fields[0].type)


POINT = {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, "Any"),
        (True, "Any"),
        ({"type": "string"}, "str"),
        ({"type": ["string", "null"]}, "str | None"),
        ({"type": "integer", "nullable": True}, "int | None"),
        ({"type": ["integer", "number"]}, "float"),
        ({"enum": ["a", "b"]}, 'Literal["a", "b"]'),
        ({"enum": ["a", None]}, 'Literal["a"] | None'),
        ({"enum": [1, True, "1"]}, 'Literal[1, True, "1"]'),
        ({"type": "string", "enum": ["a", 1]}, 'Literal["a"]'),
        ({"enum": [0.5, 1.5]}, "float"),
        ({"enum": [[1], {"a": 1}]}, "list | dict"),
        ({"const": 3}, "Literal[3]"),
        ({"const": None}, "None"),
        ({"type": "array"}, "list"),
        ({"items": {"type": "integer"}}, "list[int]"),
        ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]}, "tuple[str, float]"),
        ({"type": "array", "items": [{"type": "string"}, {}]}, "tuple[str, Any]"),
        ({"type": "object"}, "dict"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "dict[str, int]"),
        ({"patternProperties": {"^a": {"type": "integer"}, "^b": {"type": "string"}}}, "dict[str, int | str]"),
        (POINT, "Value"),
        ({"type": "array", "items": POINT}, "list[Value]"),
        ({"type": "object", "required": ["x"]}, "Value"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "str | None"),
        ({"oneOf": [POINT, {"type": "string"}]}, "Value | str"),
        ({"type": "string", "anyOf": [{"format": "date"}, {"pattern": "x"}]}, "str"),
        ({"anyOf": [{"const": "a"}, {"const": "b"}]}, 'Literal["a", "b"]'),
        ({"anyOf": [{"type": "string"}, {}]}, "Any"),
        ({"anyOf": [False, {"type": "string"}]}, "str"),
        ({"type": ["integer", "string"], "anyOf": [{"type": ["string", "boolean"]}]}, "str"),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, "int"),
        ({"allOf": [{"type": ["integer", "string"]}, {"type": ["number", "null"]}]}, "int"),
        ({"allOf": [{"enum": [1, 2, 3]}, {"enum": [2, 3, 4]}]}, "Literal[2, 3]"),
        ({"allOf": [POINT, {"properties": {"y": {"type": "integer"}}}]}, "Value"),
        ({"$ref": "#/$defs/Point", "description": "Where"}, "Point"),
        ({"allOf": [{"$ref": "#/$defs/Point"}]}, "Point"),
        ({"anyOf": [{"$ref": "#/$defs/Point"}, {"type": "null"}]}, "Point | None"),
        ({"type": "object", "oneOf": [{"$ref": "#/$defs/Point"}]}, "Point"),
        ({"$ref": "#/$defs/Id"}, "int"),
        ({"$ref": "#/$defs/Json"}, "list | str"),
        ({"$ref": "#/$defs/Loop"}, "Any"),
        ({"$ref": "#/$defs/Grown"}, "Grown"),
    ],
)
def test_types(schema: Any, expected: str) -> None:
    definitions = {
        "Point": POINT,
        "Id": {"$ref": "#/$defs/Number"},
        "Number": {"type": "integer"},
        "Json": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Json"}}, {"type": "string"}]},
        "Loop": {"$ref": "#/$defs/Loop"},
        "Grown": {"properties": {"in": {"$ref": "#/$defs/Grown", "required": ["in"]}}},
    }
    assert type_of(schema, **definitions) == expected


def test_allof_joins_properties_demands_and_bounds() -> None:
    parts = [
        {"properties": {"a": {"type": "number"}}, "required": ["a"]},
        {"properties": {"a": {"type": "integer", "maximum": 9}, "b": {}}, "required": ["b"]},
    ]
    built = tree({"type": "object", "allOf": parts})
    found = {field.wire: (annotation(field.type), field.required, field.facts.limits) for field in built.root.fields}
    assert found == {"a": ("int", True, (("maximum", 9),)), "b": ("Any", True, ())}


def test_alternatives_at_the_root_become_optional_parameters() -> None:
    built = tree(
        {
            "properties": {"id": {"type": "integer"}},
            "required": ["id"],
            "oneOf": [
                {"properties": {"a": {"type": "string"}, "k": {"const": 1}}, "required": ["a", "k"]},
                {"properties": {"b": {"type": "string"}, "k": {"const": 2}}, "required": ["b", "k"]},
            ],
        }
    )
    found = {field.wire: (annotation(field.type), field.required) for field in built.root.fields}
    assert found == {"id": ("int", True), "a": ("str", False), "k": ("Literal[1, 2]", True), "b": ("str", False)}
    assert built.root.facts.parts[0][1].limits == (("required", [["a", "k"], ["b", "k"]]),)


def test_conditions_add_optional_parameters_and_false_takes_one_away() -> None:
    built = tree(
        {
            "properties": {"a": {}, "gone": False},
            "if": {"required": ["a"]},
            "then": {"properties": {"b": {"type": "integer"}}, "required": ["b"]},
        }
    )
    assert [(field.wire, field.required) for field in built.root.fields] == [("a", False), ("b", False)]


def test_a_definition_is_one_class_and_may_hold_itself() -> None:
    node = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
    }
    built = tree(
        {"properties": {"a": {"$ref": "#/$defs/Node"}, "b": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}
    )
    assert [model.name for model in built.models] == ["Node"]
    assert annotation(built.models[0].fields[1].type) == "list[Node]"


def test_a_root_that_holds_itself() -> None:
    built = tree({"type": "object", "properties": {"then": {"$ref": "#"}}})
    assert [annotation(field.type) for field in (*built.root.fields, *built.models[0].fields)] == [
        "Self",
        "Self",
    ]


def test_the_same_object_twice_is_one_class_and_others_of_its_name_are_not() -> None:
    size = {"type": "object", "properties": {"mm": {"type": "integer"}}}
    other: dict[str, Any] = {
        "type": "object",
        "properties": {
            "box": {"type": "object", "properties": {"width": {"type": "object", "properties": {"in": {}}}}}
        },
    }
    built = tree({"properties": {"width": size, "height": size, "outer": other}})
    assert [annotation(field.type) for field in built.root.fields] == ["Width", "Width", "Outer"]
    assert [model.name for model in built.models] == ["Width", "Outer", "Box", "BoxWidth"]


def test_long_enums_are_written_once_and_catalogues_as_text() -> None:
    choice = {"enum": [f"choice number {n}" for n in range(8)]}
    catalogue = {"items": {"enum": [f"A{n}" for n in range(40)]}}
    built = tree({"properties": {"a": choice, "b": choice, "c": catalogue, "d": catalogue}})
    a, b, c, d = built.root.fields
    assert annotation(a.type).startswith('Literal["choice number 0", ')
    assert (annotation(b.type), b.facts.limits) == ("str", (("like", "a"),))
    assert annotation(c.type) == "list[str]"
    assert c.facts.limits == (("values", tuple(f"A{n}" for n in range(40))),)
    assert d.facts.limits == (("like", "c"),)


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"type": "string"}, {"type": "array"}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        {"allOf": [{"type": "object"}, {"type": "string"}]},
    ],
)
def test_a_root_that_no_object_fits_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        tree(schema)


def test_references_that_multiply_are_refused() -> None:
    definitions = {f"d{n}": {"prefixItems": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)} | {"d30": {}}
    with pytest.raises(SchemaError, match="once its references are followed"):
        tree({"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions})


def test_a_long_chain_of_references_ends() -> None:
    definitions = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(100)} | {"d100": {"type": "integer"}}
    assert type_of({"$ref": "#/$defs/d0"}, **definitions) == "int"
