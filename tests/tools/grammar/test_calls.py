"""A grammar that refuses a valid call makes the model say something else; one that admits an invalid one is of no use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.tools.grammar.words import quoted
from tests.tools.grammar.reading import Reader, fenced, function, reader, stubs_of

PLACE = {
    "type": "object",
    "properties": {"street": {"type": "string"}, "house-number": {"type": "integer"}, "flat": {"type": "string"}},
    "required": ["street", "house-number"],
    "additionalProperties": False,
}
TREE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
    "required": ["value"],
}
TOOLS = [
    function(
        "book",
        {
            "type": "object",
            "properties": {
                "nights": {"type": "integer", "minimum": 1, "maximum": 30},
                "name": {"type": "string", "minLength": 1},
                "room": {"enum": ["single", "double", 'the "suite"']},
                "price": {"type": ["number", "null"]},
                "breakfast": {"type": "boolean", "default": True},
                "guests": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
            },
            "required": ["name", "nights"],
        },
    ),
    function("move-to", {"type": "object", "properties": {"place": PLACE, "at": {}}, "required": ["place"]}),
    function("grow", {"type": "object", "properties": {"root": {"$ref": "#/$defs/node"}}, "$defs": {"node": TREE}}),
    function("tag", {"type": "object", "additionalProperties": {"type": "string"}}),
    function("now", {"type": "object", "properties": {}}),
    function(
        "mark", {"type": "object", "properties": {"point": {"prefixItems": [{"type": "number"}, {"type": "string"}]}}}
    ),
]

VALID = [
    'book(nights=3, name="Ada")',
    'book(nights=30, name="A", room="double", price=99.5, breakfast=False, guests=["a", "b"])',
    'book(nights=1, name="Ada", price=None, guests=["a"])',
    'book(nights=1, name="Ada", room=None)',
    'book(nights=1, name="Zoë \\"Z\\" \\u00e9\\n\\\\ `x`", room="the \\"suite\\"")',
    'book(nights=1, name="Ada", room=\'the "suite"\')',
    'move_to(place=Place(street="Main", house_number=-5))',
    'move_to(place={"street": "Main", "house_number": 5, "flat": "b"})',
    'move_to(place={"street": "Main", "house-number": 5})',
    'move_to(place=Place(street="", house_number=0), at=[1, {"x": [True, None, "s"], "y": -1.5e-07}])',
    "grow()",
    "grow(root=Node(value=1))",
    'grow(root=Node(value=1, children=[Node(value=2, children=[]), {"value": 3}]))',
    'grow(root={"value": 1, "further": [1]})',
    "tag()",
    'tag(color="red", größe="L")',
    'tag(color="red", **{"a-b": "c"})',
    "now()",
    'mark(point=[1.5, "a"])',
    'mark(point=(1, "a"))',
    "mark(point=[])",
    'mark(point=[1, "a", None])',
]

INVALID = {
    "a tool that isn't there": "cancel()",
    "a name that only begins alike": "nows()",
    "positional": 'book(3, "Ada")',
    "without what is required": "book(nights=3)",
    "in another order": 'book(name="Ada", nights=3)',
    "an unknown keyword": 'book(nights=3, name="Ada", pool=True)',
    "twice the same": 'book(nights=3, nights=3, name="Ada")',
    "a string for an integer": 'book(nights="3", name="Ada")',
    "beyond the bounds": 'book(nights=31, name="Ada")',
    "below the bounds": 'book(nights=0, name="Ada")',
    "too short": 'book(nights=3, name="")',
    "not in the enum": 'book(nights=3, name="Ada", room="triple")',
    "JSON's words": 'book(nights=3, name="Ada", breakfast=true)',
    "None where it isn't shown": 'book(nights=3, name="Ada", breakfast=None)',
    "too few items": 'book(nights=3, name="Ada", guests=[])',
    "too many items": 'book(nights=3, name="Ada", guests=["a", "b", "c", "d"])',
    "an item of another type": 'book(nights=3, name="Ada", guests=[1])',
    "a string without end": 'book(nights=3, name="Ada',
    "a string over two lines": 'book(nights=3, name="A\nda")',
    "a variable": "book(nights=nights, name=name)",
    "a comma at the end": 'book(nights=3, name="Ada",)',
    "a dash in the name": "move-to(place=None)",
    "a field that is missing": 'move_to(place=Place(street="Main"))',
    "a field too much": 'move_to(place={"street": "Main", "house_number": 5, "further": 1})',
    "the class of another tool": "move_to(place=Node(value=1))",
    "a value of another type deep inside": 'grow(root=Node(value=1, children=[Node(value="2")]))',
    "a model without its class": "grow(root=(value=1))",
    "a value of another type behind a free name": "tag(color=1)",
    "arguments for none": "now(a=1)",
    "a tuple of one": "mark(point=(1))",
    "code": "import os",
    "a call inside": "book(nights=3, name=now())",
}


@pytest.fixture(scope="module")
def calls() -> Reader:
    return reader(stubs_of(TOOLS), required=True)


@pytest.mark.parametrize("call", VALID)
def test_a_valid_call_is_admitted(calls: Reader, call: str) -> None:
    assert calls.admits(fenced(call))


@pytest.mark.parametrize("call", INVALID.values(), ids=INVALID)
def test_an_invalid_call_is_not(calls: Reader, call: str) -> None:
    assert not calls.admits(fenced(call))


@pytest.mark.parametrize(
    "call", ["f(b=1)", "f(a=1)", "f(c=1)", "f(a=1, c=1)", "f(b=1, c=1)", "f(a=1, b=1, c=1)", "f()"]
)
def test_each_parameter_that_may_be_left_out_is_left_out_by_itself(call: str) -> None:
    properties = {name: {"type": "integer"} for name in "abc"}
    assert reader(stubs_of([function("f", {"type": "object", "properties": properties})])).admits(fenced(call))


@pytest.mark.parametrize(
    "text", ['" | [a-z]', "\\", "]^-", "\n# comment", '"\n x ::= "', "}{", "*+?()|/", "é\u2028\x7f", "%llguidance"]
)
def test_names_and_values_mean_nothing_to_a_grammar(text: str) -> None:
    """They are the client's, and whoever wrote them may want them to be rules."""
    schema: dict[str, Any] = {"type": "object", "properties": {text: {"enum": [text]}}, "required": [text]}
    [stub] = stubs_of([function("f", {"type": "object", "properties": {"a": schema, "b": {"enum": [text]}}})])
    calls = reader([stub])
    assert calls.admits(fenced(f"f(a={{{quoted(text)}: {quoted(text)}}}, b={quoted(text)})"))
    assert not calls.admits(fenced('f(b="x")'))


def test_a_stub_without_forms_has_its_names_only() -> None:
    [stub] = stubs_of(TOOLS[1:2])
    calls = reader([replace(stub, forms={})])
    assert calls.admits(fenced('move_to(place=Place(street="Main", rooms=[Room(size=1)]), at="now")'))
    assert not calls.admits(fenced("move_to(where=1)"))


def test_a_declared_key_of_an_open_object_has_no_other_value() -> None:
    """Else a value that its enum forbids comes in as that of any further key."""
    mode = {"type": "object", "properties": {"mode": {"enum": ["COOL", "DRY"]}, "mo": {"type": "integer"}}}
    read = reader(stubs_of([function("set_air", {"type": "object", "properties": {"body": mode}})]))
    for body in (
        '{"mode": "COOL"}',
        '{"other": "HOT"}',
        '{"mod": 1}',
        '{"modes": 1}',
        '{"m": 1}',
        '{"": 1}',
        '{"mo": 1, "x": []}',
    ):
        assert read.admits(fenced(f"set_air(body={body})")), body
    for body in ('{"mode": "HOT"}', '{"mo": "x"}', '{"x": 1, "mode": "HOT"}'):
        assert not read.admits(fenced(f"set_air(body={body})")), body
