"""Clients that fill defaults in send a call back as another text: it must be the same call, and no other must become so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.tools.defaults import without_defaults

DAYS = {"type": "integer", "default": 1}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": DAYS,
        "deep": {"type": "boolean", "default": False},
        "tags": {"type": "array", "items": {"type": "string"}, "default": []},
        "place": {"$ref": "#/$defs/Place"},
        "places": {"type": "array", "items": {"$ref": "#/$defs/Place"}},
        "maybe": {"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}], "default": None},
        "either": {"anyOf": [{"$ref": "#/$defs/Place"}, {"$ref": "#/$defs/Other"}]},
    },
    "$defs": {
        "Place": {
            "allOf": [{"properties": {"zoom": {"default": 1.5}}}],
            "properties": {"in": {"$ref": "#/$defs/Place"}},
        },
        "Other": {"properties": {"zoom": {"default": 3}}},
        "Circle": {"$ref": "#/$defs/Circle"},
    },
}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ({"city": "Oslo", "days": 1, "deep": False, "tags": []}, {"city": "Oslo"}),
        ({"city": "Oslo", "days": 2, "deep": True, "tags": ["a"]}, None),
        ({"days": True, "deep": 0}, None),  # Python has them equal; JSON doesn't.
        ({"days": 1.0}, {}),
        ({"unknown": 1}, None),
        ({"place": {"zoom": 1.5, "in": {"zoom": 1.5, "in": {"zoom": 2}}}}, {"place": {"in": {"in": {"zoom": 2}}}}),
        ({"places": [{"zoom": 1.5}, {"zoom": 2}]}, {"places": [{}, {"zoom": 2}]}),
        ({"maybe": None}, {}),
        ({"maybe": {"zoom": 1.5}}, {"maybe": {}}),
        ({"either": {"zoom": 3}}, None),  # Which of the two it is isn't known.
        ({"city": ["no", {"text": 1}]}, None),
    ],
)
def test_only_what_repeats_a_default_goes(written: dict[str, Any], kept: dict[str, Any] | None) -> None:
    assert without_defaults(SCHEMA, written) == (written if kept is None else kept)


SAYING_NOTHING: list[Any] = [
    None,
    True,
    {"properties": []},
    {"properties": {"a": True}},
    {"$ref": "#/$defs/none"},
    {"$ref": 1},
    {"$ref": "#"},
    {"allOf": [{"$ref": "#"}, {"$ref": "#"}], "anyOf": 3},
    {"items": [{}], "anyOf": [{"$ref": "#"}]},
]


@pytest.mark.parametrize("schema", SAYING_NOTHING)
def test_a_schema_that_says_nothing_takes_nothing_off(schema: object) -> None:
    """It came from a client, and may be anything."""
    arguments = {"a": [1, {"b": None}], "c": {"a": "x"}}
    assert without_defaults(schema, arguments) == arguments


@given(
    st.dictionaries(
        st.sampled_from(["city", "days", "deep", "tags", "maybe"]), st.sampled_from([1, False, [], None, "x"])
    )
)
def test_a_call_with_its_defaults_filled_in_is_the_call(arguments: dict[str, Any]) -> None:
    """As the clients do it: what isn't there is put there."""
    defaults = {name: schema["default"] for name, schema in SCHEMA["properties"].items() if "default" in schema}
    assert without_defaults(SCHEMA, defaults | arguments) == without_defaults(SCHEMA, arguments)
