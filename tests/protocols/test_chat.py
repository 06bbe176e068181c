"""A bad request must get OpenAI's own error, with the path of what is wrong: client libraries and people read it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from emulator.errors import InvalidRequest
from emulator.protocols.chat import ChatRequest, parse_chat
from emulator.protocols.conversation import PastCall, ResponseFormat, Result, ToolChoice
from emulator.protocols.declared import ToolRules
from emulator.protocols.request import TOOL_PARAMETERS, upstream_body

USER = {"role": "user", "content": "hi"}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
NEWS = {"type": "function", "function": {"name": "news"}}
CALL = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def parse(rules: ToolRules | None = None, **body: Any) -> ChatRequest:
    return parse_chat(orjson.dumps({"model": "m", "messages": [USER]} | body), rules or ToolRules())


@pytest.mark.parametrize(
    ("raw", "param", "code"),
    [
        (b"", None, "invalid_json"),
        (b"{", None, "invalid_json"),
        (b"\xff", None, "invalid_json"),
        (b"[]", None, "invalid_type"),
        (b"{}", "messages", "missing_required_parameter"),
        (b'{"messages": 3}', "messages", "invalid_type"),
        (b'{"messages": []}', "messages", "empty_array"),
        (b'{"messages": ["x"]}', "messages[0]", "invalid_type"),
        (b'{"messages": [{}]}', "messages[0].role", "missing_required_parameter"),
        (b'{"messages": [{"role": "king", "content": "x"}]}', "messages[0].role", "invalid_value"),
        (b'{"messages": [{"role": "user"}]}', "messages[0].content", "missing_required_parameter"),
        (b'{"messages": [{"role": "user", "content": 3}]}', "messages[0].content", "invalid_type"),
        (b'{"messages": [{"role": "user", "content": [3]}]}', "messages[0].content[0]", "invalid_type"),
        (
            b'{"messages": [{"role": "user", "content": [{"type": "text"}]}]}',
            "messages[0].content[0].text",
            "missing_required_parameter",
        ),
    ],
)
def test_bodies_that_are_wrong(raw: bytes, param: str | None, code: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_chat(raw, ToolRules())
    assert (raised.value.param, raised.value.code, raised.value.status) == (param, code, 400)


WRONG: list[tuple[dict[str, Any], str, str | None]] = [
    ({"stream": "yes"}, "stream", "invalid_type"),
    ({"n": "2"}, "n", "invalid_type"),
    ({"n": True}, "n", "invalid_type"),
    ({"n": 0}, "n", "integer_below_min_value"),
    ({"n": 1_000_000}, "n", "integer_above_max_value"),
    ({"stream_options": 1}, "stream_options", "invalid_type"),
    ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "invalid_type"),
    ({"parallel_tool_calls": 1}, "parallel_tool_calls", "invalid_type"),
    ({"tools": {}}, "tools", "invalid_type"),
    ({"tools": []}, "tools", "empty_array"),
    ({"tools": [WEATHER] * 2}, "tools[1].function.name", "invalid_value"),
    ({"tools": [3]}, "tools[0]", "invalid_type"),
    ({"tools": [{"function": {"name": "x"}}]}, "tools[0].type", "missing_required_parameter"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type", "invalid_value"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name", "missing_required_parameter"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", "invalid_value"),
    ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name", "invalid_value"),
    ({"tools": [{"type": "function", "function": {"name": "x" * 65}}]}, "tools[0].function.name", "invalid_value"),
    (
        {"tools": [{"type": "function", "function": {"name": "x", "description": 1}}]},
        "tools[0].function.description",
        "invalid_type",
    ),
    (
        {"tools": [{"type": "function", "function": {"name": "x", "strict": "y"}}]},
        "tools[0].function.strict",
        "invalid_type",
    ),
    ({"tool_choice": "auto"}, "tool_choice", "invalid_value"),
    ({"tools": [WEATHER], "tool_choice": "any"}, "tool_choice", "invalid_value"),
    ({"tools": [WEATHER], "tool_choice": 3}, "tool_choice", "invalid_type"),
    ({"tools": [WEATHER], "tool_choice": {}}, "tool_choice.type", "missing_required_parameter"),
    ({"tools": [WEATHER], "tool_choice": {"type": "web"}}, "tool_choice.type", "invalid_value"),
    (
        {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "news"}}},
        "tool_choice",
        "invalid_value",
    ),
    (
        {"tools": [WEATHER], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "x", "tools": []}}},
        "tool_choice.allowed_tools.mode",
        "invalid_value",
    ),
    (
        {
            "tools": [WEATHER],
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
        },
        "tool_choice.allowed_tools.tools",
        "empty_array",
    ),
    ({"messages": [USER, {"role": "tool", "tool_call_id": "a", "content": "x"}]}, "messages", None),
    ({"messages": [USER, {"role": "function", "name": "weather", "content": "x"}]}, "messages", None),
    ({"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}]}, "messages", None),
    ({"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}, USER]}, "messages", None),
    ({"messages": [{"role": "user", "content": "x", "tool_calls": [CALL]}]}, "messages", "invalid_value"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "x"}}]}]},
        "messages[0].tool_calls[0].id",
        "missing_required_parameter",
    ),
    (
        {"messages": [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": "x"}]},
        "messages[1].tool_call_id",
        "missing_required_parameter",
    ),
]


@pytest.mark.parametrize(("body", "param", "code"), WRONG)
def test_parameters_that_are_wrong(body: dict[str, Any], param: str, code: str | None) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(**body)
    assert (raised.value.param, raised.value.code) == (param, code)
    assert raised.value.message


def test_too_many_tools_is_a_setting() -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(ToolRules(max_tools=1), tools=[WEATHER, NEWS])
    assert raised.value.code == "array_above_max_length"


def test_empty_tools_count_as_none_where_the_setting_says_so() -> None:
    request = parse(ToolRules(allow_empty_tools=True), tools=[])
    assert request.tools.tools == ()
    assert not request.plain_chat
    assert "tools" not in upstream_body(request, [], n=1)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice("auto", ("weather", "news"))),
        ("none", ToolChoice("none", ("weather", "news"))),
        ("required", ToolChoice("required", ("weather", "news"))),
        ({"type": "function", "function": {"name": "news"}}, ToolChoice("required", ("news",), named=True)),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "news"}}]},
            },
            ToolChoice("auto", ("news",)),
        ),
    ],
)
def test_tool_choice(choice: object, expected: ToolChoice) -> None:
    assert parse(tools=[WEATHER, NEWS], tool_choice=choice).choice == expected


def test_results_are_attached_to_their_calls_in_the_order_of_the_calls() -> None:
    second = CALL | {"id": "b"}
    request = parse(
        messages=[
            USER,
            {"role": "assistant", "content": None, "tool_calls": [CALL, second]},
            {"role": "tool", "tool_call_id": "b", "content": "two"},
            {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "one"}]},
            USER,
        ]
    )
    turn = request.messages[1]
    assert turn.calls == (PastCall("a", "weather", "{}"), PastCall("b", "weather", "{}"))
    assert turn.results == (Result("a", [{"type": "text", "text": "one"}]), Result("b", "two"))
    assert "tool_calls" not in turn.fields
    assert [m.role for m in request.messages] == ["user", "assistant", "user"]
    assert not request.plain_chat


def test_what_only_answers_have_is_left_out() -> None:
    """Clients send back what an answer had; strict servers refuse fields of which they never heard."""
    answer: dict[str, Any] = {
        "role": "assistant",
        "content": "Hi",
        "refusal": None,
        "annotations": [{"type": "url_citation"}],
        "provider_specific_fields": {"refusal": None},
        "audio": None,
        "name": "a",
    }
    [_, message, _] = parse(messages=[USER, answer, USER], tools=[WEATHER]).messages
    assert message.fields == {"role": "assistant", "content": "Hi", "name": "a"}


def test_other_parameters_reach_the_upstream_untouched() -> None:
    others: dict[str, Any] = {
        "temperature": 0.3,
        "logit_bias": {"1": 2},
        "made_up": [1],
        "response_format": {"type": "text"},
        "n": 2,
    }
    request = parse(tools=[WEATHER], tool_choice="auto", parallel_tool_calls=False, **others)
    body = upstream_body(request, [USER], n=request.n)
    assert body == {"model": "m", "messages": [USER]} | others
    assert not TOOL_PARAMETERS & body.keys()
    assert upstream_body(request, [], n=1)["n"] == 1


def test_a_chat_without_tools_is_plain() -> None:
    assert parse().plain_chat
    assert not parse(tools=[WEATHER]).plain_chat
    assert not parse(parallel_tool_calls=True).plain_chat


def test_integers_beyond_64_bits_reach_the_upstream_as_they_are() -> None:
    raw = b'{"messages": [{"role": "user", "content": "x"}], "weird": {"x": [12345678901234567890123]}}'
    assert parse_chat(raw, ToolRules()).body["weird"] == {"x": [12345678901234567890123]}


SCHEMA: dict[str, Any] = {"type": "OBJECT", "title": None}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, ResponseFormat()),
        ({"type": "json_schema", "json_schema": {"name": "a"}}, ResponseFormat({}, "a")),
        (
            {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
            ResponseFormat({"type": "object"}, "a"),
        ),
        ({"type": "json_schema", "schema": SCHEMA}, ResponseFormat({"type": "object"})),
        ({"type": "json_object", "schema": SCHEMA}, ResponseFormat({"type": "object"})),
    ],
)
def test_formats_in_all_places_where_servers_have_them(given: dict[str, Any], wanted: ResponseFormat | None) -> None:
    assert parse(response_format=given).format == wanted


def test_tools_are_read_in_any_spelling_of_schemas() -> None:
    spelt = {
        "name": "f",
        "parameters": {"type": "OBJECT", "description": None, "properties": {"a": {"type": "STRING"}}},
    }
    [tool] = parse(tools=[{"type": "function", "function": spelt}]).tools.tools
    assert tool.parameters == {"type": "object", "properties": {"a": {"type": "string"}}}
