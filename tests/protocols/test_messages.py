"""Anthropic's clients send its parameters and read its errors: both must mean here what they mean there."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from emulator.errors import EmulatorError, InvalidRequest, UpstreamTimeout
from emulator.protocols.conversation import ResponseFormat, ToolChoice
from emulator.protocols.declared import ToolRules
from emulator.protocols.messages import MessagesRequest, parse_messages
from emulator.protocols.messages_errors import error_body, error_type
from emulator.protocols.request import chat_form, upstream_body

Json = dict[str, Any]

USER = {"role": "user", "content": "hi"}
TOOLS: list[Json] = [
    {"name": "weather", "description": "Weather.", "input_schema": {"type": "object", "properties": {}}},
    {"name": "news", "type": "custom", "input_schema": {"type": "object"}, "strict": True},
]
SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "integer"}}}


def parse(**body: Any) -> MessagesRequest:
    given = {"model": "m", "max_tokens": 9, "messages": [USER]} | body
    return parse_messages(orjson.dumps({key: value for key, value in given.items() if value != "absent"}), ToolRules())


SENT: list[tuple[Json, Json]] = [
    ({}, {}),
    ({"temperature": 0.5, "top_p": 1, "top_k": 40}, {"temperature": 0.5, "top_p": 1, "top_k": 40}),
    ({"stop_sequences": ["END", "\n"]}, {"stop": ["END", "\n"]}),
    ({"stop_sequences": []}, {}),
    ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
    ({"stream": False}, {}),
    ({"metadata": {"user_id": "u"}}, {"user": "u"}),
    ({"metadata": {"user_id": None}}, {}),
    ({"output_config": {"effort": "low"}}, {"reasoning_effort": "low"}),
    ({"output_config": {"effort": "max"}}, {"reasoning_effort": "high"}),
    ({"tools": TOOLS, "tool_choice": {"type": "any"}}, {}),
    (
        {
            "cache_control": {"type": "ephemeral"},
            "container": None,
            "context_management": {"edits": []},
            "inference_geo": "eu",
            "mcp_servers": [],
            "service_tier": "auto",
            "speed": "standard",
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        },
        {},
    ),
]


@pytest.mark.parametrize(("given", "sent"), SENT)
def test_parameters_in_the_upstreams_words(given: Json, sent: Json) -> None:
    """What only concerns Anthropic's servers stays here."""
    assert parse(**given).body == {"model": "m", "max_tokens": 9} | sent


def test_an_upstream_is_sent_nothing_of_tool_calling() -> None:
    request = parse(tools=TOOLS, tool_choice={"type": "tool", "name": "news"}, system="Be brief.")
    assert upstream_body(request, [USER], n=1) == {"model": "m", "max_tokens": 9, "messages": [USER]}


def test_an_upstream_that_calls_tools_is_sent_them_as_chat_completions_has_them() -> None:
    calls = [{"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}}]
    results = [{"type": "tool_result", "tool_use_id": "a", "content": "20"}]
    history = [USER, {"role": "assistant", "content": calls}, {"role": "user", "content": results}]
    choice = {"type": "any", "disable_parallel_tool_use": True}
    body = chat_form(parse(messages=history, system="Be brief.", tools=TOOLS, tool_choice=choice))
    called = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
    assert body == {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            {"role": "system", "content": "Be brief."},
            USER,
            {"role": "assistant", "content": None, "tool_calls": [called]},
            {"role": "tool", "tool_call_id": "a", "content": "20"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "Weather.", "parameters": TOOLS[0]["input_schema"]},
            },
            {"type": "function", "function": {"name": "news", "parameters": {"type": "object"}, "strict": True}},
        ],
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }


PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
AS_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("results", "told", "beside"),
    [
        ([{"content": "no city", "is_error": True}], ["Error: no city"], []),
        ([{"content": "Error: no city", "is_error": True}], ["Error: no city"], []),
        ([{"is_error": True}], ["Error: "], []),
        ([{"content": "no city"}], ["no city"], []),
        ([{"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}], ["a\nb"], []),
        (
            [{"content": [{"type": "text", "text": "a map"}, PICTURE]}, {"content": [PICTURE], "is_error": True}],
            ["a map", "Error: "],
            [
                {"type": "text", "text": "From the result of the call 0:"},
                AS_PART,
                {"type": "text", "text": "From the result of the call 1:"},
                AS_PART,
            ],
        ),
    ],
)
def test_what_chat_completions_has_no_field_for_is_told_in_other_ways(
    results: list[Json], told: list[str], beside: list[Json]
) -> None:
    calls: list[Json] = [
        {"type": "tool_use", "id": str(at), "name": "weather", "input": {}} for at in range(len(results))
    ]
    blocks: list[Json] = [{"type": "tool_result", "tool_use_id": str(at)} | result for at, result in enumerate(results)]
    history: list[Json] = [USER, {"role": "assistant", "content": calls}, {"role": "user", "content": blocks}]
    sent = chat_form(parse(messages=history, tools=TOOLS))["messages"][2:]
    behind = [{"role": "user", "content": beside}] if beside else []
    assert sent == [
        *({"role": "tool", "tool_call_id": str(at), "content": text} for at, text in enumerate(told)),
        *behind,
    ]


BOTH = ("weather", "news")
CHOICES: list[tuple[Json | None, ToolChoice, bool]] = [
    (None, ToolChoice("auto", BOTH), True),
    ({"type": "auto"}, ToolChoice("auto", BOTH), True),
    ({"type": "auto", "disable_parallel_tool_use": True}, ToolChoice("auto", BOTH), False),
    ({"type": "any"}, ToolChoice("required", BOTH), True),
    ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required", BOTH), False),
    ({"type": "tool", "name": "news"}, ToolChoice("required", ("news",), named=True), True),
    ({"type": "none"}, ToolChoice("none", BOTH), True),
]


@pytest.mark.parametrize(("given", "choice", "parallel"), CHOICES)
def test_what_may_be_called(given: Json | None, choice: ToolChoice, parallel: bool) -> None:
    request = parse(tools=TOOLS, tool_choice=given)
    assert (request.choice, request.parallel) == (choice, parallel)


def test_without_tools_nothing_may_be_called() -> None:
    bodies: list[Json] = [{}, {"tools": []}, {"tools": None}, {"tool_choice": {"type": "auto"}}]
    for given in bodies:
        assert parse(**given).choice == ToolChoice("none", ())


@pytest.mark.parametrize(
    ("thinking", "shown"),
    [
        (None, "shown"),
        ({"type": "adaptive"}, "shown"),
        ({"type": "between_tools"}, "shown"),
        ({"type": "enabled", "budget_tokens": 1024, "display": "summarized"}, "shown"),
        ({"type": "enabled", "budget_tokens": 1024, "display": "omitted"}, "omitted"),
        ({"type": "disabled"}, "hidden"),
    ],
)
def test_what_is_seen_of_thoughts(thinking: Json | None, shown: str) -> None:
    assert parse(thinking=thinking).thoughts == shown


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, "output_config.format.schema"),
        ({"output_format": {"type": "json_schema", "schema": SCHEMA}}, "output_format.schema"),
    ],
)
def test_the_format_of_the_words(given: Json, place: str) -> None:
    request = parse(**given)
    assert request.format == ResponseFormat(SCHEMA, place=place)
    assert "response_format" not in request.body


def test_a_request_to_be_counted_needs_no_limit() -> None:
    raw = orjson.dumps({"model": "m", "messages": [USER]})
    assert parse_messages(raw, ToolRules(), counting=True).body == {"model": "m"}


WRONG: list[tuple[Json, str]] = [
    ({"model": "absent"}, "model: Field required"),
    ({"max_tokens": "absent"}, "max_tokens: Field required"),
    ({"messages": "absent"}, "messages: Field required"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"max_tokens": 0}, "max_tokens: must be greater than or equal to 1"),
    ({"max_tokens": True}, "Invalid type for 'max_tokens': expected an integer, but got a boolean instead."),
    ({"temperature": "1"}, "Invalid type for 'temperature': expected a number, but got a string instead."),
    ({"top_k": 1.5}, "Invalid type for 'top_k': expected an integer, but got a number instead."),
    ({"stop_sequences": "x"}, "Invalid type for 'stop_sequences': expected an array of strings, but got a string"),
    ({"stop_sequences": ["x", 1]}, "Invalid type for 'stop_sequences.1': expected a string, but got an integer"),
    ({"stop_sequences": [""]}, "stop_sequences.0: a stop sequence can't be empty"),
    ({"stream": "yes"}, "Invalid type for 'stream': expected a boolean, but got a string instead."),
    ({"tools": [TOOLS[0], {"name": "x"}]}, "tools.1.input_schema: Field required"),
    ({"tools": [TOOLS[0], TOOLS[0]]}, "Invalid 'tools.1.name': 'weather' is already that of tools[0]."),
    ({"tools": ["x"]}, "Invalid type for 'tools.0': expected an object, but got a string instead."),
    ({"tool_choice": {"type": "any"}}, "tool_choice: may only be specified while providing tools"),
    ({"tools": TOOLS, "tool_choice": {}}, "tool_choice.type: Field required"),
    ({"tools": TOOLS, "tool_choice": {"type": "required"}}, "tool_choice: Input tag 'required' found using 'type'"),
    ({"tools": TOOLS, "tool_choice": {"type": "tool", "name": "x"}}, "tool_choice.name: Tool 'x' not found in"),
    ({"thinking": {"type": "on"}}, "thinking: Input tag 'on' found using 'type' does not match any of the expected"),
    ({"output_config": {"effort": "huge"}}, "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh'"),
    ({"output_config": {"format": {"type": "text"}}}, "output_config.format.type: Input should be 'json_schema'"),
    ({"output_format": {"type": "json_schema"}}, "output_format.schema: Field required"),
    ({"container": "c"}, "container: not supported, since no code runs on this server."),
    ({"mcp_servers": [{"type": "url"}]}, "mcp_servers: not supported, since this server connects to no MCP servers"),
    ({"compaction": {"type": "x"}}, "compaction: not supported, since"),
]


def error_of(request: Any) -> Json:
    with pytest.raises(InvalidRequest) as raised:
        request()
    assert raised.value.status == 400
    body = error_body(raised.value, "req_1")
    assert (body["type"], body["request_id"]) == ("error", "req_1")
    return body["error"]


@pytest.mark.parametrize(("given", "sentence"), WRONG)
def test_what_is_wrong_is_named_in_the_sentence(given: Json, sentence: str) -> None:
    """Anthropic's errors have no parameter beside it."""
    error = error_of(lambda: parse(**given))
    assert error.keys() == {"type", "message"}
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith(sentence)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff"])
def test_bodies_that_are_no_json_object(raw: bytes) -> None:
    assert error_of(lambda: parse_messages(raw, ToolRules()))["type"] == "invalid_request_error"


DEEP = b"[" * 1000 + b"]" * 1000


@pytest.mark.parametrize(
    "field",
    [
        b'"metadata": {"x": %b}' % DEEP,
        b'"metadata": {"x": [12345678901234567890, %b]}' % DEEP,
        b'"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": %b}}]}]'
        % DEEP,
        b'"tools": [{"name": "f", "input_schema": {"x": %b}}]' % DEEP,
    ],
    ids=["metadata", "beside a long number", "arguments", "a schema"],
)
def test_what_is_nested_too_deeply_is_the_clients_fault(field: bytes) -> None:
    """In a stack as deep as a server's, or deeper."""
    given = orjson.dumps({"model": "m", "max_tokens": 9, "messages": [USER]})[:-1] + b", " + field + b"}"
    try:
        parse_messages(given, ToolRules())
    except InvalidRequest as error:
        assert error.status == 400


@pytest.mark.parametrize("thread", [{"type": "create"}, {"type": "continue", "previous_message_id": "msg_1"}])
def test_a_thread_is_refused_so_that_the_sdk_sends_whole_histories(thread: Json) -> None:
    error = error_of(lambda: parse(thread=thread))
    assert error["details"] == {"error_code": "thread_unsupported_request"}


@pytest.mark.parametrize(
    ("status", "type"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_types_by_status(status: int, type: str) -> None:
    assert error_type(status) == type


def test_a_part_that_no_sentence_names_stands_before_it() -> None:
    error = EmulatorError("It is wrong.", param="tools")
    assert error_body(error, "r")["error"] == {"type": "api_error", "message": "tools: It is wrong."}
    assert error_body(UpstreamTimeout("Late."), "r")["error"] == {"type": "timeout_error", "message": "Late."}
