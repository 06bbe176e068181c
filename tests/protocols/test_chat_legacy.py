"""Programs written for ``functions`` still run: they must work with the same core, over several rounds of the same call."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from emulator.errors import InvalidRequest
from emulator.protocols.chat import ChatRequest, parse_chat
from emulator.protocols.conversation import FunctionTool, PastCall, Result, ToolChoice
from emulator.protocols.declared import ToolRules
from emulator.protocols.request import upstream_body

USER = {"role": "user", "content": "hi"}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "weather", "description": "Weather.", "parameters": CITY}
NEWS = {"name": "news"}
TOOL = {"type": "function", "function": {"name": "weather"}}
CALL = {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
RESULT = {"role": "function", "name": "weather", "content": "sunny"}


def parse(rules: ToolRules | None = None, **body: Any) -> ChatRequest:
    return parse_chat(orjson.dumps({"model": "m", "messages": [USER]} | body), rules or ToolRules())


def test_functions_are_tools_of_which_one_is_called() -> None:
    request = parse(functions=[WEATHER, NEWS])
    assert request.tools.tools == (
        FunctionTool("weather", "Weather.", CITY, place="functions[0].parameters"),
        FunctionTool("news", None, None, place="functions[1].parameters"),
    )
    assert (request.legacy, request.parallel, request.plain_chat) == (True, False, False)
    assert parse(functions=[WEATHER], parallel_tool_calls=True).parallel is False, "its answers have room for one"
    assert upstream_body(request, [USER], n=1) == {"model": "m", "messages": [USER]}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice("auto", ("weather", "news"))),
        ("auto", ToolChoice("auto", ("weather", "news"))),
        ("none", ToolChoice("none", ("weather", "news"))),
        ({"name": "news"}, ToolChoice("required", ("news",), named=True)),
    ],
)
def test_function_call(choice: object, expected: ToolChoice) -> None:
    assert parse(functions=[WEATHER, NEWS], function_call=choice).choice == expected


WRONG: list[tuple[dict[str, Any], str, str | None]] = [
    ({"functions": {}}, "functions", "invalid_type"),
    ({"functions": []}, "functions", "empty_array"),
    ({"functions": [1]}, "functions[0]", "invalid_type"),
    ({"functions": [{}]}, "functions[0].name", "missing_required_parameter"),
    ({"functions": [{"name": "a b"}]}, "functions[0].name", "invalid_value"),
    ({"functions": [NEWS, {"name": "x", "description": 1}]}, "functions[1].description", "invalid_type"),
    ({"functions": [NEWS, NEWS]}, "functions[1].name", "invalid_value"),
    ({"functions": [NEWS], "tools": [TOOL]}, "functions", "invalid_value"),
    ({"functions": [NEWS], "tool_choice": "auto"}, "functions", "invalid_value"),
    ({"function_call": "auto", "tools": [TOOL]}, "function_call", "invalid_value"),
    ({"function_call": "auto"}, "function_call", "invalid_value"),
    ({"functions": [NEWS], "function_call": "required"}, "function_call", "invalid_value"),
    ({"functions": [NEWS], "function_call": 1}, "function_call", "invalid_type"),
    ({"functions": [NEWS], "function_call": {}}, "function_call.name", "missing_required_parameter"),
    ({"functions": [NEWS], "function_call": {"name": "weather"}}, "function_call", "invalid_value"),
    ({"messages": [USER, CALL]}, "messages", None),
    ({"messages": [USER, CALL, USER]}, "messages", None),
    ({"messages": [USER, CALL, RESULT, RESULT]}, "messages", None),
    ({"messages": [USER, RESULT]}, "messages", None),
    ({"messages": [USER, CALL | {"function_call": {"arguments": "{}"}}]}, "messages[1].function_call.name", None),
    ({"messages": [CALL | {"role": "user", "content": "x"}]}, "messages", "invalid_value"),
]


@pytest.mark.parametrize(("body", "param", "code"), WRONG)
def test_what_is_wrong(body: dict[str, Any], param: str, code: str | None) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(**body)
    assert raised.value.param == param
    assert code is None or raised.value.code == code


def test_too_many_functions_and_empty_lists_are_settings() -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(ToolRules(max_tools=1), functions=[WEATHER, NEWS])
    assert (raised.value.param, raised.value.code) == ("functions", "array_above_max_length")
    assert parse(ToolRules(allow_empty_tools=True), functions=[]).tools.tools == ()


def test_the_same_function_over_several_rounds() -> None:
    request = parse(messages=[USER, CALL, RESULT, CALL, RESULT | {"content": "rain"}, USER], functions=[WEATHER])
    turns = [message for message in request.messages if message.calls]
    assert [turn.calls for turn in turns] == [
        (PastCall("function_call_1", "weather", '{"city": "Oslo"}'),),
        (PastCall("function_call_3", "weather", '{"city": "Oslo"}'),),
    ]
    assert [turn.results for turn in turns] == [
        (Result("function_call_1", "sunny"),),
        (Result("function_call_3", "rain"),),
    ]
    assert not any("function_call" in turn.fields for turn in turns)


def test_a_server_that_calls_tools_is_asked_in_its_own_words() -> None:
    request = parse(
        messages=[USER, CALL, RESULT], functions=[WEATHER], function_call={"name": "weather"}, temperature=0
    )
    weather = {"name": "weather", "arguments": '{"city": "Oslo"}'}
    assert request.native_body() == {
        "model": "m",
        "temperature": 0,
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "function_call_1", "type": "function", "function": weather}],
            },
            {"role": "tool", "tool_call_id": "function_call_1", "content": "sunny"},
        ],
        "tools": [{"type": "function", "function": WEATHER}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
    }
