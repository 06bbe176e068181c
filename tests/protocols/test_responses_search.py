"""A client that looks for its tools itself (Codex does) has a tool, a call and an output of a kind of their own; to the
model that is a function like any other, and the search that OpenAI does is none."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from emulator.errors import InvalidRequest
from emulator.events import ArgumentsDelta, CallStarted, Event, Finished, TextDelta
from emulator.protocols.conversation import Message, PastCall, Result, ToolChoice
from tests.protocols.responses_cases import END, HEAD, KEY, asked, streamed, whole

Json = dict[str, Any]

QUERY: Json = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
SEARCH: Json = {"type": "tool_search", "execution": "client", "description": "Finds tools.", "parameters": QUERY}
CRM: Json = {"type": "namespace", "name": "crm", "description": "C.", "tools": [{"type": "function", "name": "g"}]}
FUNCTION: Json = {"type": "function", "name": "tool_search"}
CALL: Json = {
    "type": "tool_search_call",
    "call_id": "call_1",
    "execution": "client",
    "arguments": {"query": "ö", "n": 1},
}
OUTPUT: Json = {
    "type": "tool_search_output",
    "call_id": "call_1",
    "execution": "client",
    "status": "completed",
    "tools": [CRM, {"type": "function", "name": "f"}],
}
FOUND = "These functions can be called from now on: crm__g, f."
USER: Json = {"role": "user", "content": "hi"}
ARGUMENTS = '{"query":"\\"ö","n":123456789012345678901}'
EVENTS: list[Event] = [
    HEAD,
    TextDelta(0, "Let me look."),
    CallStarted(0, 0, "call_1", "tool_search"),
    ArgumentsDelta(0, 0, ARGUMENTS[:9]),
    ArgumentsDelta(0, 0, ARGUMENTS[9:]),
    Finished(0, "tool_calls"),
    END,
]


def test_it_is_a_function_with_its_parameters() -> None:
    request = asked(tools=[SEARCH, CRM])
    [search, _] = request.tools.tools
    assert (search.name, search.description, search.parameters) == ("tool_search", "Finds tools.", QUERY)
    assert (search.place, search.custom, request.choice.names) == (
        "tools[0].parameters",
        False,
        ("tool_search", "crm__g"),
    )
    assert request.echo["tools"][0] == SEARCH


def test_it_may_bring_itself_and_its_like() -> None:
    request = asked(tools=[], input=[USER, {"type": "additional_tools", "tools": [SEARCH]}])
    assert request.tools.names == ("tool_search",) and request.search


CHOICES: list[tuple[Any, ToolChoice]] = [
    ({"type": "tool_search"}, ToolChoice("required", ("tool_search",), named=True)),
    (
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "tool_search"}]},
        ToolChoice("auto", ("tool_search",)),
    ),
]


@pytest.mark.parametrize(("choice", "wanted"), CHOICES, ids=str)
def test_it_may_be_chosen(choice: Json, wanted: ToolChoice) -> None:
    assert asked(tools=[SEARCH, CRM], tool_choice=choice).choice == wanted


WRONG: list[tuple[Json, str, str]] = [
    ({"tools": [{"type": "tool_search"}]}, "tools[0].type", "unsupported_tool"),
    ({"tools": [SEARCH | {"execution": "server"}]}, "tools[0].type", "unsupported_tool"),
    ({"tools": [CRM | {"tools": [SEARCH]}]}, "tools[0].tools[0].type", "unsupported_tool"),
    ({"tools": [SEARCH | {"parameters": 3}]}, "tools[0].parameters", "invalid_type"),
    ({"tools": [SEARCH, SEARCH]}, "tools[1].name", "invalid_value"),
    ({"tools": [FUNCTION, SEARCH]}, "tools[1].name", "invalid_value"),
    ({"tools": [FUNCTION], "tool_choice": {"type": "tool_search"}}, "tool_choice.type", "unsupported_tool"),
    ({"input": [USER, CALL | {"execution": 3}]}, "input[1].execution", "invalid_type"),
    ({"input": [USER, CALL | {"call_id": 3}]}, "input[1].call_id", "invalid_type"),
    ({"input": [USER, CALL | {"arguments": "{}"}]}, "input[1].arguments", "invalid_type"),
    ({"input": [USER, CALL, OUTPUT | {"tools": None}]}, "input[2].tools", "missing_required_parameter"),
    ({"input": [USER, CALL, OUTPUT | {"tools": [{"type": "mcp"}]}]}, "input[2].tools[0].type", "unsupported_tool"),
]


@pytest.mark.parametrize(("fields", "param", "code"), WRONG, ids=str)
def test_what_is_wrong(fields: Json, param: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        asked(**fields)
    assert (raised.value.param, raised.value.code) == (param, code)


def test_a_call_needs_an_output() -> None:
    with pytest.raises(InvalidRequest, match="No tool output found"):
        asked(input=[USER, CALL])


def test_an_output_without_a_call_brings_its_tools() -> None:
    request = asked(tools=[], input=[USER, OUTPUT])
    assert [message.role for message in request.messages] == ["user"]
    assert request.tools.names == ("crm__g", "f")


UNSAID: Json = {"execution": None}


@pytest.mark.parametrize("more", [{}, UNSAID], ids=["said", "unsaid"])
def test_what_it_found_is_told_and_can_be_called(more: Json) -> None:
    request = asked(tools=[SEARCH], input=[USER, CALL | more, OUTPUT | more])
    past = PastCall("call_1", "tool_search", '{"query":"ö","n":1}')
    assert request.messages[1:] == (Message("assistant", None, {}, (past,), (Result("call_1", FOUND),)),)
    assert request.tools.names == ("tool_search", "crm__g", "f")


def test_it_may_find_nothing() -> None:
    [_, message] = asked(tools=[SEARCH], input=[USER, CALL, OUTPUT | {"tools": []}]).messages
    assert message.results[0].content == "No functions were found."


@pytest.mark.parametrize(
    "more",
    [{"execution": "server", "call_id": None}, {"execution": "server"}, {"execution": None, "call_id": None}],
    ids=str,
)
def test_a_search_of_openais_is_no_call(more: Json) -> None:
    request = asked(tools=[], input=[USER, CALL | more, OUTPUT | more])
    assert [message.role for message in request.messages] == ["user"]
    assert request.tools.names == ("crm__g", "f")


def test_its_call_is_an_item_without_pieces() -> None:
    events = streamed(EVENTS, tools=[SEARCH])
    of_it = [event for event in events if event.get("output_index") == 1]
    assert [event["type"] for event in of_it] == ["response.output_item.added", "response.output_item.done"]
    item = {"id": f"tsc_{KEY}1", "type": "tool_search_call", "call_id": "call_1", "execution": "client"}
    assert of_it[0]["item"] == item | {"status": "in_progress", "arguments": {}}
    assert of_it[1]["item"] == item | {"status": "completed", "arguments": orjson.loads(ARGUMENTS)}
    assert events[-1]["response"]["output"][1] == of_it[1]["item"]


def test_its_arguments_are_given_as_they_were_proven() -> None:
    response = whole(EVENTS, tools=[SEARCH])
    assert ARGUMENTS.encode() in orjson.dumps(response)
    assert orjson.loads(orjson.dumps(response["output"])) == streamed(EVENTS, tools=[SEARCH])[-1]["response"]["output"]


def test_a_function_of_that_name_is_a_function() -> None:
    assert whole(EVENTS, tools=[FUNCTION])["output"][1]["type"] == "function_call"
