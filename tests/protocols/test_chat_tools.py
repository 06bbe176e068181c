"""Custom tools beside functions: declared, chosen and called before, and shown to servers that know functions only."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from emulator.errors import InvalidRequest
from emulator.protocols.chat import ChatRequest, parse_chat
from emulator.protocols.conversation import PastCall, Result, ToolChoice
from emulator.protocols.declared import ToolRules

USER = {"role": "user", "content": "hi"}
NEWS = {"type": "function", "function": {"name": "news"}}
SQL = {"type": "custom", "custom": {"name": "sql", "description": "Runs SQL."}}
CALL = {"id": "a", "type": "custom", "custom": {"name": "sql", "input": 'SELECT "x"'}}
NAMED = {"type": "custom", "custom": {"name": "sql"}}


def parse(**body: Any) -> ChatRequest:
    return parse_chat(orjson.dumps({"model": "m", "messages": [USER]} | body), ToolRules())


def grammar(**parts: Any) -> dict[str, Any]:
    return {"type": "custom", "custom": {"name": "sql", "format": {"type": "grammar", "grammar": parts}}}


def allowed(*tools: Any) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": list(tools)}}


def test_a_custom_tool_is_a_function_of_one_text() -> None:
    request = parse(tools=[NEWS, SQL])
    [news, sql] = request.tools.tools
    assert (news.custom, news.place) == (False, "tools[0].function.parameters")
    assert (sql.name, sql.description, sql.custom, sql.grammar) == ("sql", "Runs SQL.", True, None)
    assert list(sql.parameters["properties"]) == ["input"]
    assert request.customs == {"sql"}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (NAMED, ToolChoice("required", ("sql",), named=True)),
        ({"type": "function", "function": {"name": "news"}}, ToolChoice("required", ("news",), named=True)),
        (allowed(NAMED), ToolChoice("auto", ("sql",))),
        (allowed(NAMED, NEWS), ToolChoice("auto", ("news", "sql"))),
        (allowed({"function": {"name": "news"}}), ToolChoice("auto", ("news",))),
    ],
)
def test_tool_choice(choice: object, expected: ToolChoice) -> None:
    assert parse(tools=[NEWS, SQL], tool_choice=choice).choice == expected


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"tools": [{"type": "custom"}]}, "tools[0].custom", "missing_required_parameter"),
    ({"tools": [{"type": "custom", "custom": {}}]}, "tools[0].custom.name", "missing_required_parameter"),
    ({"tools": [{"type": "custom", "custom": {"name": "a b"}}]}, "tools[0].custom.name", "invalid_value"),
    (
        {"tools": [{"type": "custom", "custom": {"name": "a", "description": 1}}]},
        "tools[0].custom.description",
        "invalid_type",
    ),
    ({"tools": [NEWS, SQL, SQL]}, "tools[2].custom.name", "invalid_value"),
    (
        {"tools": [{"type": "custom", "custom": {"name": "a", "format": 1}}]},
        "tools[0].custom.format",
        "invalid_type",
    ),
    (
        {"tools": [{"type": "custom", "custom": {"name": "a", "format": {"type": "json"}}}]},
        "tools[0].custom.format.type",
        "invalid_value",
    ),
    (
        {"tools": [grammar(definition="a")]},
        "tools[0].custom.format.grammar.syntax",
        "missing_required_parameter",
    ),
    (
        {"tools": [grammar(syntax="ebnf", definition="a")]},
        "tools[0].custom.format.grammar.syntax",
        "invalid_value",
    ),
    (
        {"tools": [grammar(syntax="regex")]},
        "tools[0].custom.format.grammar.definition",
        "missing_required_parameter",
    ),
    ({"tools": [SQL], "tool_choice": {"type": "custom"}}, "tool_choice.custom", "missing_required_parameter"),
    (
        {"tools": [SQL], "tool_choice": {"type": "function", "function": {"name": "sql"}}},
        "tool_choice",
        "invalid_value",
    ),
    ({"tools": [NEWS], "tool_choice": NAMED}, "tool_choice", "invalid_value"),
    ({"tools": [NEWS], "tool_choice": allowed(1)}, "tool_choice.allowed_tools.tools[0]", "invalid_type"),
    (
        {"tools": [NEWS], "tool_choice": allowed({"type": "web"})},
        "tool_choice.allowed_tools.tools[0].type",
        "invalid_value",
    ),
    (
        {"messages": [{"role": "assistant", "tool_calls": [CALL | {"custom": {"input": "x"}}]}]},
        "messages[0].tool_calls[0].custom.name",
        "missing_required_parameter",
    ),
]


@pytest.mark.parametrize(("body", "param", "code"), WRONG)
def test_what_is_wrong(body: dict[str, Any], param: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(**body)
    assert (raised.value.param, raised.value.code) == (param, code)


HISTORY: list[dict[str, Any]] = [
    USER,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "a", "content": "1 row"},
]


def test_earlier_calls_of_custom_tools() -> None:
    turn = parse(messages=HISTORY, tools=[SQL]).messages[1]
    assert turn.calls == (PastCall("a", "sql", '{"input":"SELECT \\"x\\""}'),)
    assert turn.results == (Result("a", "1 row"),)


@pytest.mark.parametrize("tools", [[SQL], [NEWS]])
def test_a_server_that_calls_tools_hears_of_functions_only(tools: list[Any]) -> None:
    body = parse(messages=HISTORY, tools=tools).native_body()
    [tool] = body["tools"]
    assert tool["type"] == "function"
    assert body["messages"][1]["tool_calls"] == [
        {
            "id": "a",
            "type": "function",
            "function": {"name": "sql", "arguments": '{"input":"SELECT \\"x\\""}'},
        }
    ]


def test_a_request_of_functions_goes_to_such_a_server_as_it_came() -> None:
    request = parse(tools=[NEWS])
    assert request.native_body() is request.body
