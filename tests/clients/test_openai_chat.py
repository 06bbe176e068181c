"""The openai SDK asks in many ways, and agents are written with each of them: all end in the same calls and words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import openai
import pytest
from openai.types.chat import (
    ChatCompletionMessage,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
    ChatCompletionToolUnionParam,
    ParsedChatCompletion,
)

from tests.clients.model import GREETING
from tests.clients.scenarios import TOOLS as OFFERED
from tests.clients.scenarios import BookTrip, GetWeather, Scenario, Toolbox, ToolFailed, scenarios
from tests.live.server import Server
from tests.live.upstream import USAGE

pytestmark = [
    pytest.mark.clients,
    pytest.mark.anyio,
    pytest.mark.client("openai (Python)", "Chat Completions", package="openai"),
]
both_modes = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])

TOOLS = [
    cast(
        ChatCompletionToolUnionParam,
        {"type": "function", "function": {"name": tool.name, "description": tool.about, "parameters": tool.schema}},
    )
    for tool in OFFERED
]
WEATHER = "What is the weather in Paris?"
MODEL = "gpt-4o"


def asks(request: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "system", "content": "You are a kind helper."}, {"role": "user", "content": request}]


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(server: Server) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


def ask(client: openai.OpenAI, stream: bool, messages: list[ChatCompletionMessageParam], **more: Any) -> Any:
    """One answer, whole or from the stream helper, which parses as it goes and is strict about the deltas' order."""
    options: dict[str, Any] = {"model": MODEL, "tools": TOOLS, **more}
    if not stream:
        return cast(Any, client.chat.completions.create(messages=messages, **options))
    with client.chat.completions.stream(messages=messages, **options) as events:
        return cast(Any, events.get_final_completion())


def told(messages: list[ChatCompletionMessageParam], message: ChatCompletionMessage, toolbox: Toolbox) -> None:
    """Put the calls and their results into the history, as the SDK's documentation does."""
    sent = message.model_dump(exclude={"parsed"}, exclude_none=True)
    for call in sent.get("tool_calls", []):
        call["function"].pop("parsed_arguments", None)
    messages.append(cast(ChatCompletionMessageParam, sent))
    for call in message.tool_calls or []:
        assert isinstance(call, ChatCompletionMessageFunctionToolCall)
        try:
            result = toolbox.run(call.function.name, call.function.arguments)
        except ToolFailed as error:
            result = f"Error: {error}"
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


@both_modes
@pytest.mark.parametrize("scenario", scenarios())
def test_an_agent_s_loop(client: openai.OpenAI, scenario: Scenario, stream: bool) -> None:
    """Until the model asks for nothing more; the code is the one of the SDK's documentation."""
    toolbox, messages = Toolbox(), asks(scenario.request)
    while True:
        choice = ask(client, stream, messages).choices[0]
        if choice.finish_reason != "tool_calls":
            break
        told(messages, choice.message, toolbox)
    assert choice.finish_reason == "stop"
    scenario.check(toolbox, choice.message.content)


@both_modes
@pytest.mark.parametrize("scenario", scenarios())
async def test_an_agent_s_asynchronous_loop(async_client: openai.AsyncOpenAI, scenario: Scenario, stream: bool) -> None:
    """It has a transport of its own, and most servers are written with it; deltas are put together by hand here."""
    toolbox, messages = Toolbox(), asks(scenario.request)
    while True:
        message = await (ask_for_deltas if stream else ask_async)(async_client, messages)
        if not message.tool_calls:
            break
        told(messages, message, toolbox)
    scenario.check(toolbox, message.content or "")


async def ask_async(client: openai.AsyncOpenAI, messages: list[ChatCompletionMessageParam]) -> ChatCompletionMessage:
    return (await client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)).choices[0].message


async def ask_for_deltas(
    client: openai.AsyncOpenAI, messages: list[ChatCompletionMessageParam]
) -> ChatCompletionMessage:
    words, calls = "", dict[int, dict[str, Any]]()
    stream = await client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS, stream=True)
    async for chunk in stream:
        delta = chunk.choices[0].delta
        words += delta.content or ""
        for piece in delta.tool_calls or []:
            assert piece.function is not None
            if piece.index not in calls:
                new = {"name": piece.function.name, "arguments": ""}
                calls[piece.index] = {"id": piece.id, "type": "function", "function": new}
            calls[piece.index]["function"]["arguments"] += piece.function.arguments or ""
    made = [calls[index] for index in sorted(calls)] or None
    return ChatCompletionMessage.model_validate({"role": "assistant", "content": words, "tool_calls": made})


@pytest.mark.feature("nested")
@both_modes
def test_parsed_arguments_are_the_client_s_own_models(client: openai.OpenAI, stream: bool) -> None:
    """Strict tools of Pydantic models come with $defs, additionalProperties and everything required."""
    tools: list[Any] = [openai.pydantic_function_tool(BookTrip), openai.pydantic_function_tool(GetWeather)]
    script = (
        '@1 BookTrip(stops=[Stop(city="Rome", nights=2, sights=[])], travel_class="second", paid_by={}, note="Hi")\n'
        '@1 GetWeather(city="Rome", unit="fahrenheit")'
    )
    if stream:
        with client.chat.completions.stream(model=MODEL, messages=asks(script), tools=tools) as events:
            done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
            parsed = [event.parsed_arguments for event in done]
            assert [event.index for event in done] == [0, 1]
    else:
        completion = client.chat.completions.parse(model=MODEL, messages=asks(script), tools=tools)
        parsed = [call.function.parsed_arguments for call in completion.choices[0].message.tool_calls or []]
    trip = BookTrip.model_validate(
        {"stops": [{"city": "Rome", "nights": 2}], "travel_class": "second", "paid_by": {}, "note": "Hi"}
    )
    assert parsed == [trip, GetWeather(city="Rome", unit="fahrenheit")]


CHOICES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "required": ({"tool_choice": "required"}, ["get_weather"]),
    "named": ({"tool_choice": {"type": "function", "function": {"name": "now"}}}, ["now"]),
    "allowed": (
        {
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "now"}}]},
            }
        },
        ["now"],
    ),
    "none": ({"tool_choice": "none"}, []),
    "one at a time": ({"parallel_tool_calls": False}, ["get_weather"]),
    "auto": ({"tool_choice": "auto"}, ["get_weather", "now"]),
}


@pytest.mark.feature("choice")
@both_modes
@pytest.mark.parametrize(("options", "made"), CHOICES.values(), ids=CHOICES)
def test_the_choice_is_kept(client: openai.OpenAI, options: dict[str, Any], made: list[str], stream: bool) -> None:
    """Left to itself, the model would make two calls, or none where it is only greeted."""
    unwilling = options.get("tool_choice") not in (None, "auto", "none")
    request = "Hello!" if unwilling else 'Both.\n@1 get_weather(city="Paris")\n@1 now()'
    choice = ask(client, stream, asks(request), **options).choices[0]
    calls: list[Any] = choice.message.tool_calls or []
    assert [call.function.name for call in calls] == made
    assert choice.finish_reason == ("tool_calls" if made else "stop")


@pytest.mark.feature("output")
@both_modes
def test_structured_output_is_the_client_s_own_model(client: openai.OpenAI, stream: bool) -> None:
    """Its JSON Schema goes to a model server that knows of no formats; the words are the model's JSON all the same."""
    messages = asks(
        'A trip.\n@json {"stops": [{"city": "Rome", "nights": 2, "sights": []}], "travel_class": "first", "paid_by": {"Ada": 1}, "note": null}'
    )
    if stream:
        with client.chat.completions.stream(model=MODEL, messages=messages, response_format=BookTrip) as events:
            completion: ParsedChatCompletion[BookTrip] = events.get_final_completion()
    else:
        completion = client.chat.completions.parse(model=MODEL, messages=messages, response_format=BookTrip)
    trip = completion.choices[0].message.parsed
    assert trip is not None
    assert (trip.stops[0].city, trip.travel_class, trip.paid_by) == ("Rome", "first", {"Ada": 1})


@pytest.mark.feature("output")
@both_modes
def test_structured_output_follows_calls(client: openai.OpenAI, stream: bool) -> None:
    """The format holds for the words alone: calls come first, in the same conversation."""
    toolbox, messages = Toolbox(), asks(f'{WEATHER}\n@1 get_weather(city="Paris")\n@json {{"city": "Paris"}}')
    options = {"response_format": {"type": "json_object"}}
    told(messages, ask(client, stream, messages, **options).choices[0].message, toolbox)
    assert toolbox.made == [("get_weather", {"city": "Paris"})]
    assert json.loads(ask(client, stream, messages, **options).choices[0].message.content) == {"city": "Paris"}


@pytest.mark.feature("conversation")
@both_modes
def test_a_conversation_goes_on_behind_calls(client: openai.OpenAI, stream: bool) -> None:
    """Every request of it has all that came before, calls and results among them."""
    toolbox, messages = Toolbox(), asks(WEATHER)
    for request in ("", "And what time is it now?", "Thank you!"):
        if request:
            messages.append({"role": "user", "content": request})
        message = ask(client, stream, messages).choices[0].message
        told(messages, message, toolbox)
        if message.tool_calls:
            messages.append({"role": "assistant", "content": ask(client, stream, messages).choices[0].message.content})
    assert toolbox.made == [("get_weather", {"city": "Paris"}), ("now", {})]
    assert messages[-1].get("content") == GREETING


@pytest.mark.feature("thoughts")
@both_modes
def test_thoughts_stand_beside_the_words(client: openai.OpenAI, stream: bool) -> None:
    """In the field that the SDK keeps, though it doesn't know it."""
    message = ask(client, stream, asks(f"{WEATHER}\n@think I could call now().")).choices[0].message
    assert message.model_extra["reasoning_content"] == "I could call now()."
    assert [call.function.name for call in message.tool_calls] == ["get_weather"]


@pytest.mark.feature("usage")
@both_modes
def test_tokens_are_counted(client: openai.OpenAI, stream: bool) -> None:
    """In a stream only where it is asked for."""
    options = {"stream_options": {"include_usage": True}} if stream else {}
    assert ask(client, stream, asks(WEATHER), **options).usage.total_tokens == USAGE["total_tokens"]


FAULTS: dict[str, tuple[str, dict[str, Any], type[openai.APIStatusError], str | None]] = {
    "a wrong tool": (
        WEATHER,
        {"tools": [{"type": "function", "function": {"name": "no good name"}}]},
        openai.BadRequestError,
        "tools[0].function.name",
    ),
    "too many requests": ("@status 429", {}, openai.RateLimitError, None),
    "a wrong key": ("@status 401", {}, openai.AuthenticationError, None),
    "a failure": ("@status 500", {}, openai.InternalServerError, None),
}


@pytest.mark.feature("faults")
@both_modes
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults_are_the_client_s_own_exceptions(
    client: openai.OpenAI, fault: tuple[str, dict[str, Any], type[openai.APIStatusError], str | None], stream: bool
) -> None:
    """Programs catch them by class: a stream that failed before it began must not begin."""
    request, options, kind, param = fault
    with pytest.raises(kind) as raised:
        ask(client, stream, asks(request), **options)
    assert raised.value.param == param
    assert raised.value.message


@pytest.mark.feature("faults", mode="streamed")
def test_a_stream_that_breaks_off_is_an_error(client: openai.OpenAI) -> None:
    """Words have been shown by then; their end would pass for the whole answer."""
    words: list[str] = []
    stream = client.chat.completions.create(model=MODEL, messages=asks("@cut"), tools=TOOLS, stream=True)
    with pytest.raises(openai.APIError, match="model server"):
        words.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    assert any(words) and GREETING.startswith("".join(words))
