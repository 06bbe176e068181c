"""What an upstream is sent of a request: nothing of tool calling where it has none, and all of it, as Chat Completions
has it, where it calls tools by itself."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.protocols.conversation import (
    DeclaredTools,
    FunctionTool,
    Message,
    PastCall,
    ResponseFormat,
    Result,
    ToolChoice,
)
from emulator.protocols.request import TOOL_PARAMETERS, TurnRequest, aside_body, chat_form, upstream_body

Json = dict[str, Any]

USER: Json = {"role": "user", "content": "hi"}
SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = (
    FunctionTool("weather", "Weather.", SCHEMA, strict=True, returns={"type": "string"}, serial=True),
    FunctionTool("news", None, None),
)
NAMES = ("weather", "news")
NO_TOOLS = DeclaredTools()
DECLARED = DeclaredTools(b"k", TOOLS, NAMES)
AUTO = ToolChoice("auto", NAMES)
CALL = PastCall("a", "weather", '{"city": "Rome"}')
CALLED = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
PICTURE: Json = {"type": "image_url", "image_url": {"url": "u"}}


def text(said: str) -> Json:
    return {"type": "text", "text": said}


def request(*messages: Message, body: Json | None = None, tools: DeclaredTools = NO_TOOLS, **more: Any) -> TurnRequest:
    more.setdefault("choice", AUTO if tools.tools else ToolChoice("none", ()))
    return TurnRequest(
        body={"model": "m"} if body is None else body,
        messages=messages or (Message("user", "hi"),),
        tools=tools,
        **more,
    )


def of_tools(**more: Any) -> Json:
    return chat_form(request(tools=DECLARED, **more))


SENT: list[tuple[Json, Json]] = [
    ({"model": "m", "temperature": 0.5, "seed": 1}, {"model": "m", "temperature": 0.5, "seed": 1}),
    ({"model": "m", "messages": [{"role": "user", "content": "as it came"}]}, {"model": "m"}),
    ({"model": "m", "n": 4}, {"model": "m", "n": 2}),
    ({"model": "m"} | dict.fromkeys(TOOL_PARAMETERS, 1), {"model": "m"}),
    ({"model": "m", "response_format": {"type": "grammar"}}, {"model": "m", "response_format": {"type": "grammar"}}),
]


@pytest.mark.parametrize(("body", "sent"), SENT)
def test_an_upstream_is_sent_the_parameters_but_those_of_tools(body: Json, sent: Json) -> None:
    before = copy.deepcopy(body)
    assert upstream_body(request(body=body), [USER], n=2) == sent | {"messages": [USER]}
    assert body == before, "a request is asked again for repairs"


def test_a_format_of_the_words_is_not_the_codes() -> None:
    body: Json = {"model": "m", "response_format": {"type": "json_object"}}
    assert "response_format" not in upstream_body(request(body=body, format=ResponseFormat()), [USER], n=1)


NAME = st.text(max_size=8) | st.sampled_from([*TOOL_PARAMETERS, "model", "n", "stream", "user", "response_format"])


@given(st.dictionaries(NAME, st.none() | st.integers() | st.text(max_size=3)))
def test_no_upstream_sees_anything_of_tool_calling(body: Json) -> None:
    given = request(body=body, tools=DECLARED)
    for sent in (upstream_body(given, [USER], n=1), aside_body(given, [USER])):
        assert not sent.keys() & TOOL_PARAMETERS
        assert sent["messages"] == [USER]


def test_a_question_beside_is_of_the_same_model_in_the_same_manner() -> None:
    kept: Json = {"model": "m", "stream": True, "stream_options": {"include_usage": True}, "user": "u"}
    other: Json = {"temperature": 1, "n": 3, "stop": "x", "max_tokens": 1, "logprobs": True, "tools": [1]}
    assert aside_body(request(body=kept | other), [USER]) == kept | {"messages": [USER], "temperature": 0}
    assert aside_body(request(), [USER]) == {"model": "m", "messages": [USER], "temperature": 0}


ANSWERED = Message("assistant", None, calls=(CALL,), results=(Result("a", "20"),))
WORDS_ONLY: list[tuple[TurnRequest, bool]] = [
    (request(), True),
    (request(Message("user", "a"), Message("assistant", "b"), Message("user", "c")), True),
    (request(tools=DECLARED), False),
    (request(tools=DECLARED, choice=ToolChoice("none", NAMES)), False),
    (request(format=ResponseFormat()), False),
    (request(Message("user", "a"), ANSWERED), False),
]


@pytest.mark.parametrize(("given", "expected"), WORDS_ONLY)
def test_whether_words_are_all_that_is_wanted(given: TurnRequest, expected: bool) -> None:
    assert given.words_only is expected


def test_tools_as_chat_completions_has_them() -> None:
    """What only the core knows of them stays here."""
    assert of_tools() == {
        "model": "m",
        "messages": [USER],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "Weather.", "parameters": SCHEMA, "strict": True},
            },
            {"type": "function", "function": {"name": "news"}},
        ],
        "tool_choice": "auto",
    }


def test_without_tools_nothing_of_them_is_said() -> None:
    given = request(parallel=False, body={"model": "m", "tool_choice": "none", "parallel_tool_calls": False})
    assert chat_form(given) == given.native_body() == {"model": "m", "messages": [USER]}


NAMED = {"type": "function", "function": {"name": "news"}}
CHOICES: list[tuple[ToolChoice, Any]] = [
    (ToolChoice("auto", NAMES), "auto"),
    (ToolChoice("required", NAMES), "required"),
    (ToolChoice("none", NAMES), "none"),
    (ToolChoice("none", ()), "none"),
    (ToolChoice("required", ("news",), named=True), NAMED),
    (ToolChoice("auto", ("news",)), {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}),
    (
        ToolChoice("required", ("news",)),
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}},
    ),
]


@pytest.mark.parametrize(("choice", "sent"), CHOICES)
def test_what_may_be_called(choice: ToolChoice, sent: Any) -> None:
    assert of_tools(choice=choice)["tool_choice"] == sent


@pytest.mark.parametrize(("parallel", "sent"), [(True, None), (False, False)])
def test_whether_several_calls_may_be_made_at_once(parallel: bool, sent: object) -> None:
    assert of_tools(parallel=parallel).get("parallel_tool_calls") is sent


FORMATS: list[tuple[ResponseFormat | None, Any]] = [
    (None, None),
    (ResponseFormat(), {"type": "json_object"}),
    (ResponseFormat(SCHEMA, "city"), {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}),
    (ResponseFormat(SCHEMA), {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}),
    (ResponseFormat({}), {"type": "json_schema", "json_schema": {"name": "answer", "schema": {}}}),
]


@pytest.mark.parametrize(("format", "sent"), FORMATS)
def test_the_format_of_the_words(format: ResponseFormat | None, sent: Any) -> None:
    assert of_tools(format=format).get("response_format") == sent


def test_the_number_of_answers_is_the_clients() -> None:
    assert chat_form(request(body={"model": "m", "n": 3}, n=3))["n"] == 3


MESSAGES: list[tuple[str, list[Message], list[Json]]] = [
    ("words", [Message("user", "hi")], [USER]),
    ("nothing", [Message("assistant", None)], [{"role": "assistant", "content": None}]),
    ("parts", [Message("user", [text("a"), PICTURE])], [{"role": "user", "content": [text("a"), PICTURE]}]),
    ("other fields", [Message("user", "hi", {"name": "Ann", "role": "x", "content": "y"})], [USER | {"name": "Ann"}]),
    ("a call", [ANSWERED, Message("user", "hi")], [
        {"role": "assistant", "content": None, "tool_calls": [CALLED]},
        {"role": "tool", "tool_call_id": "a", "content": "20"},
        USER,
    ]),
    ("a call beside words", [Message("assistant", "Look.", {"reasoning_content": "hm"}, (CALL,), (Result("a", ""),))], [
        {"role": "assistant", "content": "Look.", "reasoning_content": "hm", "tool_calls": [CALLED]},
        {"role": "tool", "tool_call_id": "a", "content": ""},
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("messages", "sent"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES])
def test_messages(messages: list[Message], sent: list[Json]) -> None:
    fields = [dict(message.fields) for message in messages]
    assert chat_form(request(*messages))["messages"] == sent
    assert [message.fields for message in messages] == fields, "they are the client's"


RESULTS: list[tuple[Result, str, list[Json]]] = [
    (Result("a", "20"), "20", []),
    (Result("a", [text("x"), text("y")]), "x\ny", []),
    (Result("a", []), "", []),
    (Result("a", "no city", error=True), "Error: no city", []),
    (Result("a", "ERROR 404", error=True), "ERROR 404", []),
    (Result("a", [text("gone")], error=True), "Error: gone", []),
    (Result("a", "Error: it says", error=False), "Error: it says", []),
    (Result("a", [text("a map"), PICTURE]), "a map", [text("From the result of the call a:"), PICTURE]),
    (Result("a", [PICTURE], error=True), "Error: ", [text("From the result of the call a:"), PICTURE]),
]


@pytest.mark.parametrize(("result", "told", "beside"), RESULTS)
def test_results(result: Result, told: str, beside: list[Json]) -> None:
    [_, tool, *behind] = chat_form(request(Message("assistant", None, calls=(CALL,), results=(result,))))["messages"]
    assert tool == {"role": "tool", "tool_call_id": "a", "content": told}
    assert behind == ([{"role": "user", "content": beside}] if beside else [])


def test_pictures_stand_behind_all_results() -> None:
    """Between them they would part calls from their results, which servers refuse."""
    calls = (CALL, PastCall("b", "news", "{}"))
    results = (Result("a", [PICTURE]), Result("b", [text("x"), PICTURE]))
    [_, *behind] = chat_form(request(Message("assistant", None, calls=calls, results=results)))["messages"]
    assert [(said["role"], said.get("tool_call_id")) for said in behind] == [
        ("tool", "a"),
        ("tool", "b"),
        ("user", None),
    ]
    labels = [part["text"] for part in behind[2]["content"] if part["type"] == "text"]
    assert labels == ["From the result of the call a:", "From the result of the call b:"]
