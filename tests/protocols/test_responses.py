"""A Responses request must reach the model server in Chat Completions' words, come back in the answer as it was asked,
and be refused with OpenAI's own error where it is wrong: client libraries and people read it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from emulator.errors import EmulatorError
from emulator.protocols.conversation import ResponseFormat, ToolChoice
from emulator.protocols.declared import ToolRules
from emulator.protocols.request import upstream_body
from emulator.protocols.responses import ResponsesRequest, parse_responses, read_responses
from emulator.protocols.responses_items import Past

Json = dict[str, Any]

WEATHER: Json = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
NEWS: Json = {"type": "function", "name": "news", "description": "News.", "strict": True}
SHOUT: Json = {"type": "custom", "name": "shout", "description": "Shouts."}
CRM: Json = {"type": "namespace", "name": "crm", "description": "Customers.", "tools": [NEWS, SHOUT]}
SCHEMA: Json = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}


def parse(past: Past | None = None, rules: ToolRules | None = None, **body: Any) -> ResponsesRequest:
    raw = orjson.dumps({"model": "m", "input": "hi"} | body)
    return parse_responses(read_responses(raw), past or Past(), rules or ToolRules())


WRONG: list[tuple[Json, str | None, str | None]] = [
    ({"input": None}, "input", "missing_required_parameter"),
    ({"input": 3}, "input", "invalid_type"),
    ({"input": []}, "input", "empty_array"),
    ({"input": ""}, "input", "empty_array"),
    ({"input": {}}, "input", "invalid_type"),
    ({"input": {}, "previous_response_id": "resp_1"}, "input", "invalid_type"),
    ({"input": 0, "previous_response_id": "resp_1"}, "input", "invalid_type"),
    ({"input": False, "previous_response_id": "resp_1"}, "input", "invalid_type"),
    ({"input": [3]}, "input[0]", "invalid_type"),
    ({"input": [{"role": "king", "content": "x"}]}, "input[0].role", "invalid_value"),
    ({"input": [{"type": "message", "content": "x"}]}, "input[0].role", "missing_required_parameter"),
    ({"input": [{"content": "x"}]}, "input[0].role", "missing_required_parameter"),
    ({"input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter"),
    ({"input": [{"role": "user", "content": 3}]}, "input[0].content", "invalid_type"),
    ({"input": [{"role": "user", "content": [3]}]}, "input[0].content[0]", "invalid_type"),
    ({"input": [{"type": "computer_call_output", "output": {}}]}, "input[0].type", "invalid_value"),
    ({"instructions": 3}, "instructions", "invalid_type"),
    ({"stream": "yes"}, "stream", "invalid_type"),
    ({"stream_options": 1}, "stream_options", "invalid_type"),
    ({"store": 1}, "store", "invalid_type"),
    ({"previous_response_id": 1}, "previous_response_id", "invalid_type"),
    ({"conversation": "conv_1"}, "conversation", "unsupported_parameter"),
    ({"prompt": {"id": "p"}}, "prompt", "unsupported_parameter"),
    ({"background": True, "store": False}, "background", "invalid_value"),
    ({"parallel_tool_calls": 1}, "parallel_tool_calls", "invalid_type"),
    ({"temperature": "hot"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
    ({"temperature": -1}, "temperature", "decimal_below_min_value"),
    ({"top_p": 1.5}, "top_p", "decimal_above_max_value"),
    ({"max_output_tokens": 0}, "max_output_tokens", "integer_below_min_value"),
    ({"max_output_tokens": 1.5}, "max_output_tokens", "invalid_type"),
    ({"top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
    ({"max_tool_calls": -1}, "max_tool_calls", "integer_below_min_value"),
    ({"metadata": []}, "metadata", "invalid_type"),
    ({"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
    ({"metadata": {str(n): "x" for n in range(17)}}, "metadata", "object_above_max_properties"),
    ({"metadata": {"a": "x" * 513}}, "metadata.a", "string_above_max_length"),
    ({"include": "all"}, "include", "invalid_type"),
    ({"include": [1]}, "include[0]", "invalid_type"),
    ({"include": ["everything"]}, "include[0]", "invalid_value"),
    ({"truncation": "some"}, "truncation", "invalid_value"),
    ({"reasoning": "much"}, "reasoning", "invalid_type"),
    ({"reasoning": {"effort": 3}}, "reasoning.effort", "invalid_type"),
    ({"reasoning": {"summary": 3}}, "reasoning.summary", "invalid_type"),
    ({"reasoning": {"summary": "long"}}, "reasoning.summary", "invalid_value"),
    ({"service_tier": 3}, "service_tier", "invalid_type"),
    ({"service_tier": "nope"}, "service_tier", "invalid_value"),
    ({"model": 5}, "model", "invalid_type"),
    ({"user": {}}, "user", "invalid_type"),
    ({"safety_identifier": [1]}, "safety_identifier", "invalid_type"),
    ({"safety_identifier": "x" * 65}, "safety_identifier", "string_above_max_length"),
    ({"prompt_cache_key": 5}, "prompt_cache_key", "invalid_type"),
    ({"prompt_cache_retention": "x"}, "prompt_cache_retention", "invalid_value"),
    ({"text": []}, "text", "invalid_type"),
    ({"text": {"verbosity": 3}}, "text.verbosity", "invalid_type"),
    ({"text": {"verbosity": "chatty"}}, "text.verbosity", "invalid_value"),
    ({"text": {"format": SCHEMA | {"strict": 1}}}, "text.format.strict", "invalid_type"),
    ({"text": {"format": SCHEMA | {"description": 1}}}, "text.format.description", "invalid_type"),
    ({"text": {"format": "json"}}, "text.format", "invalid_type"),
    ({"text": {"format": {}}}, "text.format.type", "missing_required_parameter"),
    ({"text": {"format": {"type": "xml"}}}, "text.format.type", "invalid_value"),
    ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema", "missing_required_parameter"),
    ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name", "missing_required_parameter"),
]


@pytest.mark.parametrize(("body", "param", "code"), WRONG, ids=str)
def test_requests_that_are_wrong(body: Json, param: str, code: str) -> None:
    with pytest.raises(EmulatorError) as raised:
        parse(**body)
    assert (raised.value.status, raised.value.param, raised.value.code) == (400, param, code)


@pytest.mark.parametrize(
    ("raw", "code"), [(b"", "invalid_json"), (b"[]", "invalid_type"), (b'"\\ud800"', "invalid_json")]
)
def test_bodies_that_are_none(raw: bytes, code: str) -> None:
    with pytest.raises(EmulatorError) as raised:
        read_responses(raw)
    assert (raised.value.status, raised.value.code) == (400, code)


def test_parameters_in_the_model_servers_words() -> None:
    asked = parse(
        stream=True,
        temperature=0.5,
        top_p=0.9,
        max_output_tokens=99,
        top_logprobs=2,
        include=["message.output_text.logprobs"],
        reasoning={"effort": "low", "summary": "auto"},
        user="u",
        seed=7,
        stop=["x"],
        top_k=3,
        tools=[WEATHER],
        tool_choice="auto",
        parallel_tool_calls=True,
        metadata={"a": "b"},
        store=True,
        truncation="auto",
        service_tier="flex",
        prompt_cache_key="k",
        safety_identifier="s",
        text={"format": SCHEMA, "verbosity": "low"},
        client_metadata={"x": "y"},
        instructions="Be brief.",
    )
    assert upstream_body(asked, [{"role": "user", "content": "hi"}], n=1) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 99,
        "verbosity": "low",
        "logprobs": True,
        "top_logprobs": 2,
        "reasoning_effort": "low",
        "user": "u",
        "seed": 7,
        "stop": ["x"],
        "top_k": 3,
    }
    assert asked.stop_given
    assert asked.format == ResponseFormat({"type": "object"}, "n", "text.format.schema")


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    assert parse(temperature=None, reasoning={"summary": "auto"}, seed=None).body == {"model": "m"}


def test_what_was_asked_stands_in_the_answer() -> None:
    echo = parse(
        instructions="Be brief.",
        max_output_tokens=99,
        metadata={"a": "b"},
        parallel_tool_calls=False,
        reasoning={"effort": "low", "generate_summary": "auto"},
        service_tier="flex",
        store=False,
        temperature=0,
        text={"verbosity": "low"},
        tool_choice="required",
        tools=[WEATHER, SHOUT],
        top_logprobs=1,
        top_p=0.5,
        truncation="auto",
        user="u",
        safety_identifier="s",
        prompt_cache_key="k",
    ).echo
    assert echo == {
        "background": False,
        "instructions": "Be brief.",
        "max_output_tokens": 99,
        "max_tool_calls": None,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "prompt_cache_key": "k",
        "reasoning": {"effort": "low", "summary": "auto"},
        "safety_identifier": "s",
        "service_tier": "flex",
        "store": False,
        "temperature": 0,
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tool_choice": "required",
        "tools": [WEATHER | {"strict": None}, SHOUT],
        "top_logprobs": 1,
        "top_p": 0.5,
        "truncation": "auto",
        "user": "u",
    }


def test_defaults_are_openais() -> None:
    echo = parse().echo
    assert (echo["temperature"], echo["top_p"], echo["tool_choice"], echo["tools"]) == (1.0, 1.0, "auto", [])
    assert (echo["store"], echo["truncation"], echo["text"]) == (True, "disabled", {"format": {"type": "text"}})


def test_everything_given_back_can_be_said() -> None:
    """Integers beyond 64 bits are JSON, and orjson has no words for them."""
    schema = b'{"type": "json_schema", "name": "n", "schema": {"minimum": 36893488147419103232}}'
    asked = read_responses(b'{"input": "x", "text": {"format": ' + schema + b"}}")
    orjson.dumps(parse_responses(asked, Past(), ToolRules()).echo)


@pytest.mark.parametrize("where", [b'"tool_choice": %s', b'"input": [{"role": "user", "content": "x", "more": %s}]'])
def test_what_could_not_be_said_again_is_refused(where: bytes) -> None:
    with pytest.raises(EmulatorError, match="nested too deeply") as raised:
        read_responses(b'{"input": "x", ' + where % (b"[" * 252 + b"]" * 252) + b"}")
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, None),
        ({"text": {}}, None),
        ({"text": {"format": {"type": "text"}}}, None),
        ({"text": {"format": {"type": "json_object"}}}, ResponseFormat()),
    ],
)
def test_formats(fields: Json, wanted: ResponseFormat | None) -> None:
    assert parse(**fields).format == wanted


def test_what_is_shown_of_thoughts_and_tokens() -> None:
    asked = parse(reasoning={"summary": "auto"}, include=["reasoning.encrypted_content"])
    assert (asked.summary, asked.sealed, asked.logprobs) == (True, True, False)
    assert not parse(reasoning={"effort": "high"}).summary
    assert parse(include=["message.output_text.logprobs"]).body["logprobs"] is True


def test_instructions_stand_first_and_the_past_before_the_input() -> None:
    past = Past(({"type": "message", "role": "user", "content": "before"},))
    asked = parse(past, instructions="Be brief.", previous_response_id="resp_1")
    assert [(m.role, m.content) for m in asked.messages] == [
        ("system", "Be brief."),
        ("user", "before"),
        ("user", "hi"),
    ]
    assert asked.previous == "resp_1"


def test_a_request_may_go_on_without_new_input() -> None:
    past = Past(({"type": "message", "role": "user", "content": "before"},))
    assert [m.content for m in parse(past, input=None, previous_response_id="resp_1").messages] == ["before"]


def test_a_choice_is_what_the_tools_admit() -> None:
    assert parse(tools=[WEATHER]).choice == ToolChoice("auto", ("weather",))
    assert parse(tools=[], tool_choice="auto").choice == ToolChoice("none", ())
    assert not parse(tools=[WEATHER], parallel_tool_calls=False).parallel


def test_namespaces_and_custom_tools_are_known_by_their_inner_names() -> None:
    asked = parse(tools=[CRM, SHOUT])
    assert asked.tools.names == ("crm__news", "crm__shout", "shout")
    assert asked.names == {"crm__news": ("crm", "news"), "crm__shout": ("crm", "shout")}
    assert asked.customs == {"crm__shout", "shout"}
