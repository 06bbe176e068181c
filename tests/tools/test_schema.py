"""Schemas are hostile input to a code generator: what the allow-list lets through, and what it says when it doesn't."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.tools.schema import SchemaError, SchemaLimits, rebuild

LIMITS = SchemaLimits(bytes=20_000, depth=12, properties=40, enum=30)


def props(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize("nothing", [None, True, {}])
def test_no_schema_means_no_parameters(nothing: object) -> None:
    assert rebuild(nothing, LIMITS).get("properties") is None


def test_only_the_keywords_of_json_schema_go_on() -> None:
    schema = props(
        a={"type": "string", "x-python-import": {"module": "os"}, "customTypePath": "os.system", "$id": "file:///"}
    )
    assert rebuild(schema, LIMITS) == props(a={"type": "string"})


def test_the_input_is_left_alone() -> None:
    schema = {**props(a={"$ref": "#/$defs/A", "x-y": 1}), "$defs": {"A": {"exclusiveMinimum": True, "minimum": 1}}}
    before = copy.deepcopy(schema)
    rebuild(schema, LIMITS)
    assert schema == before


def test_what_is_referred_to_is_gathered_under_plain_keys() -> None:
    schema = {
        **props(
            a={"$ref": "#/definitions/io.k8s.Pod"},
            b={"$ref": "#/properties/a"},
            c={"$ref": "#"},
            d={"$ref": "#/extra/x~1y/0"},
        ),
        "definitions": {"io.k8s.Pod": {"type": "integer"}, "unused": {"type": "string"}},
        "extra": {"x/y": [{"type": "boolean"}]},
    }
    rebuilt = rebuild(schema, LIMITS)
    assert rebuilt["properties"] == {
        "a": {"$ref": "#/$defs/Pod"},
        "b": {"$ref": "#/$defs/a"},
        "c": {"$ref": "#/$defs/self"},
        "d": {"$ref": "#/$defs/_0"},
    }
    assert rebuilt["$defs"]["Pod"] == {"type": "integer"}
    assert rebuilt["$defs"]["a"] == {"$ref": "#/$defs/Pod"}
    assert rebuilt["$defs"]["_0"] == {"type": "boolean"}
    assert rebuilt["$defs"]["self"]["properties"] == rebuilt["properties"]
    assert "unused" not in rebuilt["$defs"]


def test_old_drafts_are_read_as_the_new_one() -> None:
    schema = props(
        n={"minimum": 1, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False},
        t={"items": [{"type": "string"}]},
        d={"dependencies": {"a": ["b"], "b": props(c={})}},
    )
    assert rebuild(schema, LIMITS)["properties"] == {
        "n": {"exclusiveMinimum": 1, "maximum": 9},
        "t": {"prefixItems": [{"type": "string"}]},
        "d": {"dependentSchemas": {"b": props(c={})}},
    }


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return props(a=schema)


def chained(levels: int) -> dict[str, Any]:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return props(a={"default": value})


@pytest.mark.parametrize(
    ("schema", "path", "words"),
    [
        ("object", "parameters", "must be a JSON Schema object"),
        (False, "parameters", "must be a JSON Schema object"),
        ({"type": "string"}, "parameters", 'must be of type "object"'),
        ({"type": ["array", "null"]}, "parameters", 'got ["array", "null"]'),
        (props(a=3), "parameters.properties.a", "an object or a boolean"),
        (props(a={"type": "text"}), "parameters.properties.a.type", "must be one of array, boolean"),
        (props(a={"items": {"enum": "x"}}), "parameters.properties.a.items.enum", "must be an array"),
        (props(a={"anyOf": [{}, {"minLength": -1}]}), "parameters.properties.a.anyOf[1].minLength", "whole number"),
        (props(a={"required": True}), "parameters.properties.a.required", "array of property names"),
        ({"properties": []}, "parameters.properties", "an object of schemas"),
        (props(a={"$ref": "http://example.org/x"}), "parameters.properties.a.$ref", "inside the schema"),
        (props(a={"$ref": "/etc/passwd"}), "parameters.properties.a.$ref", "inside the schema"),
        (props(a={"$ref": "#anchor"}), "parameters.properties.a.$ref", "inside the schema"),
        (props(a={"$ref": "#/$defs/nope"}), "parameters.properties.a.$ref", "refers to #/$defs/nope"),
        (
            props(a={"$ref": "#/required/99999999999999999999"}) | {"required": ["a"]},
            "parameters.properties.a.$ref",
            "refers to",
        ),
        (props(a={"enum": list(range(31))}), "parameters.properties.a.enum", "31 values; at most 30"),
        (props(**{f"p{n}": {} for n in range(41)}), "parameters.properties", "more than 40 properties"),
        (nested(12), "parameters.properties.a" + ".items" * 11, "deeper than 12 levels"),
        (chained(10_000), "parameters", "nested deeper than"),
        (props(a={"description": "x" * 20_000}), "parameters", "at most 20000"),
        (props(a={"default": float("nan")}), "parameters", "not JSON"),
        (props(a={"default": {1, 2}}), "parameters", "not JSON"),
    ],
)
def test_what_is_refused_says_where_and_why(schema: object, path: str, words: str) -> None:
    with pytest.raises(SchemaError) as caught:
        rebuild(schema, LIMITS)
    assert caught.value.path == path
    assert words in caught.value.message


KEYWORDS = st.sampled_from(
    "type properties required items prefixItems $ref $defs anyOf oneOf allOf not if then enum const default pattern format title "
    "description minimum exclusiveMinimum maxLength additionalProperties patternProperties nullable dependencies x-thing".split()
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["#", "#/$defs/a", "string", "object", "\ud800", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | st.sampled_from("ab"), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_anything_is_rebuilt_or_refused(schema: object) -> None:
    try:
        rebuilt = rebuild(schema, LIMITS)
    except SchemaError as error:
        assert error.path.startswith("parameters")
    else:
        assert rebuild(rebuilt, LIMITS).keys() == rebuilt.keys()
