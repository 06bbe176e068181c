"""A decision's schema goes to servers that know few keywords, and holds several tools' references at once."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import llguidance
import pytest

from emulator.tools.grammar.decisions import decision_schema
from tests.tools.grammar.test_corpus import SCHEMAS, rows

Json = dict[str, Any]
TREE: Json = {
    "type": "object",
    "properties": {"root": {"$ref": "#/definitions/node"}},
    "required": ["root"],
    "definitions": {
        "node": {
            "type": "object",
            "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/definitions/node", "description": "x"}},
        }
    },
}
LIST: Json = {**TREE, "definitions": {"node": {"type": "array", "items": {"$ref": "#/definitions/node"}}}}


def calls(*named: tuple[str, Any]) -> Json:
    return {"calls": [{"name": name, "arguments": arguments} for name, arguments in named]}


def test_it_is_calls_or_an_answer() -> None:
    schema = decision_schema(
        [("get-weather", {"type": "object", "properties": {"città": {"type": "string"}}}), ("now", None)]
    )
    admitted = jsonschema_rs.validator_for(schema).is_valid
    assert admitted(calls(("get-weather", {"città": "Rome"}), ("now", {})))
    assert admitted({"answer": "Hello!"})
    refused: list[Json] = [
        {"calls": []},
        {},
        {"answer": "Hello!", **calls(("now", {}))},
        calls(("get_weather", {})),
        calls(("get-weather", {"citta": "Rome"})),
        calls(("now", {"a": 1})),
        {"calls": [{"name": "now"}]},
    ]
    assert [value for value in refused if admitted(value)] == []


def test_a_call_may_be_required_and_be_the_only_one() -> None:
    schema = decision_schema([("now", {})], required=True, single=True)
    admitted = jsonschema_rs.validator_for(schema).is_valid
    assert admitted(calls(("now", {})))
    assert not admitted(calls(("now", {}), ("now", {})))
    assert not admitted({"answer": "Hello!"})


def test_references_of_several_tools_keep_apart() -> None:
    schema = decision_schema([("tree", TREE), ("list", LIST)])
    admitted = jsonschema_rs.validator_for(schema).is_valid
    nested: Any = [[], [[]]]
    assert admitted(calls(("tree", {"root": {"value": 1, "next": {"value": 2}}}), ("list", {"root": nested})))
    assert not admitted(calls(("list", {"root": {"value": 1}})))
    assert not admitted(calls(("tree", {"root": {"next": {"value": "2"}}})))


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"type": "string", "nullable": True}, None),
        ({"type": "object", "patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False}, {"x": 1}),
        ({"oneOf": [{"type": "integer"}, {"minimum": 2}, False]}, 1),
        ({"type": "array", "items": [{"type": "integer"}, True], "additionalItems": False}, [1, "x"]),
        ({"if": {"const": 1}, "then": False, "not": {"const": 3}}, 2),
        (True, [None]),
    ],
)
def test_what_is_left_out_makes_it_looser(declared: Any, value: Any) -> None:
    parameters = {"type": "object", "properties": {"a": declared, "b": False}}
    assert jsonschema_rs.is_valid(decision_schema([("f", parameters)]), calls(("f", {"a": value})))


@pytest.mark.parametrize("row", SCHEMAS, ids=lambda row: str(row["id"]))
def test_decoders_take_the_decision_of_every_schema(row: Any) -> None:
    schema = decision_schema([("f", row["schema"]), ("g", row["schema"])])
    assert jsonschema_rs.meta.is_valid(schema)
    assert llguidance.LLMatcher.validate_grammar(llguidance.LLMatcher.grammar_from_json_schema(schema)) == ""


def test_the_calls_of_the_cases_are_decisions() -> None:
    for row in rows():
        tools = [(tool["function"]["name"], tool["function"]["parameters"]) for tool in row["tools"]]
        decision = calls(*((call["name"], call["arguments"]) for call in row["expected"]))
        assert jsonschema_rs.is_valid(decision_schema(tools), decision), row["id"]
