"""Forms travel with every stub, so they have to be small, and never say more than the schema does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.tools.toolstub import ToolStub
from tests.tools.grammar.reading import function, stubs_of

TABLE: dict[str, tuple[dict[str, Any], Any]] = {
    "text": ({"type": "string"}, "s"),
    "long text": ({"type": "string", "minLength": 1, "maxLength": 5000}, ["s", 1, None]),
    "short text": ({"type": "string", "maxLength": 2}, ["s", 0, 2]),
    "integer": ({"type": "integer", "minimum": 1, "maximum": 10}, ["i", 1, 10]),
    "exclusive bounds": ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 10}, ["i", 2, 9]),
    "fractions as bounds": ({"type": "integer", "minimum": 0.5, "maximum": 9.5}, ["i", 1, 9]),
    "number": ({"type": "number", "exclusiveMinimum": 0}, ["f", 0, None]),
    "number and integer": ({"type": ["integer", "number"]}, "f"),
    "boolean": ({"type": "boolean"}, "b"),
    "nothing said": ({}, "a"),
    "enum": ({"enum": ["a", "b", 1, True]}, ["e", "a", "b", 1, True]),
    "enum of fractions": ({"enum": [0.5, "x"]}, ["e", 0.5, "x"]),
    "constant": ({"const": "x"}, ["e", "x"]),
    "nullable": ({"type": ["string", "null"]}, ["u", "s", "n"]),
    "list": (
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
        ["l", ["i", 0, None], 1, None],
    ),
    "long list": ({"type": "array", "minItems": 30, "maxItems": 40}, ["l", "a", 16, None]),
    "tuple": (
        {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
        ["t", 2, 2, "f", "s"],
    ),
    "map": ({"type": "object", "additionalProperties": {"type": "integer"}}, ["d", "i"]),
    "alternatives": (
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        ["u", "s", ["l", "s", 0, None]],
    ),
    # Which of the two the length holds for isn't known any more once both are strings.
    "alternatives of one type": ({"anyOf": [{"type": "string"}, {"type": "string", "maxLength": 1}]}, "s"),
}


def made(*, required: bool = True, **properties: Any) -> ToolStub:
    schema = {"type": "object", "properties": properties, "required": list(properties) if required else []}
    [stub] = stubs_of([function("f", schema)])
    return stub


@pytest.mark.parametrize(("schema", "form"), TABLE.values(), ids=TABLE)
def test_a_value_has_the_form(schema: dict[str, Any], form: Any) -> None:
    assert made(a=schema).forms == {"": [form]}


def test_what_may_be_left_out_may_be_none_where_the_stub_shows_none() -> None:
    assert made(required=False, a={"type": "string"}, b={"type": "string", "default": "x"}).forms == {
        "": [["?", ["u", "s", "n"]], ["?", "s"]]
    }


def test_parameters_stand_in_the_order_of_the_signature_and_fields_in_that_of_the_class() -> None:
    inner = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "string"}}, "required": ["y"]}
    closed = {**inner, "properties": {"z": {"type": "boolean"}}, "required": ["z"], "additionalProperties": False}
    schema = {"type": "object", "properties": {"a": inner, "b": closed}, "required": ["b"]}
    [stub] = stubs_of([function("f", schema)])
    assert list(stub.parameters) == ["b", "a"]
    assert stub.forms == {
        "": [["m", "B"], ["?", ["u", ["m", "A"], "n"]]],
        "A": [["?", ["u", "i", "n"]], "s", ["+", "a"]],
        "B": ["b"],
    }


def test_further_names_that_the_stub_shows_have_a_form() -> None:
    more = {"type": "integer"}
    schema: dict[str, Any] = {"properties": {"a": {}}, "required": ["a"], "additionalProperties": more}
    [stub] = stubs_of([function("f", schema)])
    assert stub.forms == {"": ["a", ["*", "i"]]}


def test_the_branches_of_a_condition_all_count() -> None:
    """Whichever of them holds, its values are valid."""
    branch: dict[str, Any] = {key: {"properties": {"a": {"const": key}}} for key in ("then", "else")}
    [stub] = stubs_of([function("f", {"type": "object", "properties": {"b": {}}, "required": ["a"], **branch})])
    assert stub.forms[""] == [["e", "then", "else"], ["?", "a"]]


def test_what_is_too_large_is_said_more_loosely() -> None:
    many = {"enum": [f"value {index}" for index in range(1000)]}
    assert made(a=many).forms == {"": ["s"]}
    wide: dict[str, Any] = {
        f"p{index}": {"enum": [f"{index} {n} {'x' * 40}" for n in range(100)]} for index in range(20)
    }
    assert made(**wide).forms == {}


def test_forms_survive_the_way_between_processes() -> None:
    stub = made(a={"type": "array", "items": {"type": "string"}})
    assert ToolStub.from_json(json.loads(json.dumps(stub.to_json()))) == stub
