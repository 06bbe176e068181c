"""The openai SDK is the client that most others are built on: all of its ways to ask must work unchanged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Literal, cast

import openai
import pytest
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
    ChatCompletionMessageToolCallUnion,
    ChatCompletionToolChoiceOptionParam,
    ChatCompletionToolUnionParam,
)
from pydantic import BaseModel, Field

from tests.live.server import PARIS, Server
from tests.live.upstream import MODEL, USAGE, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

TOOLS: list[ChatCompletionToolUnionParam] = [
    {
        "type": "function",
        "function": {
            "name": "get-weather",
            "description": "Current weather in a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
                "required": ["city"],
            },
        },
    },
    {"type": "function", "function": {"name": "now", "description": "The time."}},
]
ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "What is the weather like in Paris?"}]
TWO = 'I will look.\n```python\nget_weather(city="Paris")\nnow()\n```'
BOTH: list[tuple[str, Any]] = [("get-weather", {"city": "Paris"}), ("now", {})]


@pytest.fixture
def client(server: Server, scripted: ScriptedUpstream) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


def named(calls: list[ChatCompletionMessageToolCallUnion] | None) -> list[tuple[str, Any]]:
    functions = [call for call in calls or [] if isinstance(call, ChatCompletionMessageFunctionToolCall)]
    return [(call.function.name, json.loads(call.function.arguments)) for call in functions]


def test_a_plain_answer_has_the_calls_and_the_words(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """The simplest use there is."""
    scripted.say(TWO)
    completion = client.chat.completions.create(model=MODEL, messages=ASK, tools=TOOLS)
    [choice] = completion.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "I will look."
    assert named(choice.message.tool_calls) == BOTH
    ids = [call.id for call in choice.message.tool_calls or []]
    assert len(set(ids)) == 2
    assert all(id.startswith("call_") and len(id) <= 40 for id in ids)
    assert completion.usage is not None
    assert completion.usage.to_dict() == USAGE
    assert completion.model == MODEL


def test_without_words_content_is_null(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """Clients tell by it that there is nothing to show."""
    scripted.say(PARIS)
    completion = client.chat.completions.create(model=MODEL, messages=ASK, tools=TOOLS)
    assert completion.choices[0].message.content is None


def test_a_stream_says_words_calls_and_usage(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """Deltas are put together by every client itself: index, id, type and name must come once, and first."""
    scripted.say(TWO)
    words, calls, reasons, usages = "", dict[int, list[str]](), list[str](), list[Any]()
    stream = client.chat.completions.create(
        model=MODEL, messages=ASK, tools=TOOLS, stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        usages.append(chunk.usage and chunk.usage.to_dict())
        for choice in chunk.choices:
            words += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
            for call in choice.delta.tool_calls or []:
                assert call.function is not None
                if call.index not in calls:
                    assert call.type == "function"
                    assert (call.id or "").startswith("call_")
                    calls[call.index] = [call.function.name or "", ""]
                else:
                    assert call.id is None
                    assert call.function.name is None
                calls[call.index][1] += call.function.arguments or ""
    assert words == "I will look."
    assert [(name, json.loads(arguments)) for name, arguments in calls.values()] == BOTH
    assert list(calls) == [0, 1]
    assert reasons == ["tool_calls"]
    assert usages[-1] == USAGE
    assert not any(usages[:-1])


def test_a_stream_without_the_option_has_no_usage(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """A chunk without choices that was not asked for breaks clients that look at choices[0]."""
    scripted.say(TWO)
    chunks = list(client.chat.completions.create(model=MODEL, messages=ASK, tools=TOOLS, stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


def test_the_stream_helper_parses_as_it_goes(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """The helper checks the order of deltas far more strictly than a loop over chunks."""
    scripted.say(TWO)
    with client.chat.completions.stream(model=MODEL, messages=ASK, tools=TOOLS) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert named([*(final.choices[0].message.tool_calls or [])]) == BOTH
    assert final.choices[0].message.content == "I will look."
    assert kinds.count("tool_calls.function.arguments.done") == 2
    assert kinds.index("content.delta") < kinds.index("tool_calls.function.arguments.delta")


def test_the_async_client_gets_the_same(server: Server, scripted: ScriptedUpstream) -> None:
    """It has a transport of its own, and most servers are written with it."""
    scripted.say(TWO, TWO)

    async def ask() -> list[list[tuple[str, Any]]]:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0) as client:
            plain = await client.chat.completions.create(model=MODEL, messages=ASK, tools=TOOLS)
            async with client.chat.completions.stream(model=MODEL, messages=ASK, tools=TOOLS) as stream:
                final = await stream.get_final_completion()
        return [named(plain.choices[0].message.tool_calls), named([*(final.choices[0].message.tool_calls or [])])]

    assert asyncio.run(ask()) == [BOTH, BOTH]


@pytest.mark.parametrize("stream", [False, True])
def test_results_go_back_and_an_answer_comes(client: openai.OpenAI, scripted: ScriptedUpstream, stream: bool) -> None:
    """The whole loop of an agent: the model sees its call as the code that it wrote, and the result unaltered."""
    result = 'It is "12 °C"\n```python\nnow()\n```'
    scripted.say(PARIS, "It is cold in Paris.")
    first = client.chat.completions.create(model=MODEL, messages=ASK, tools=TOOLS).choices[0].message
    assert first.tool_calls
    scripted.question()
    history: list[ChatCompletionMessageParam] = [
        *ASK,
        {
            "role": "assistant",
            "content": first.content,
            "tool_calls": [call.to_dict() for call in first.tool_calls],  # pyright: ignore[reportAssignmentType]
        },
        {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": result},
    ]
    if stream:
        chunks = client.chat.completions.create(model=MODEL, messages=history, tools=TOOLS, stream=True)
        said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    else:
        said = client.chat.completions.create(model=MODEL, messages=history, tools=TOOLS).choices[0].message.content
    assert said == "It is cold in Paris."
    messages = scripted.question().body["messages"]
    assert PARIS in [message["content"] for message in messages if message["role"] == "assistant"]
    assert result in messages[-1]["content"]


CHOICES: dict[str, tuple[ChatCompletionToolChoiceOptionParam, list[str], list[str], list[tuple[str, Any]]]] = {
    "required, prose first": ("required", ["It is sunny.", PARIS], [], [BOTH[0]]),
    "named, another first": (
        {"type": "function", "function": {"name": "now"}},
        ["get_weather(city='Paris')", "now()"],
        ["get_weather("],
        [BOTH[1]],
    ),
    "allowed_tools": (
        {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "now"}}]},
        },
        ["```python\nget_weather(city='Paris')\n```", "```python\nnow()\n```"],
        ["get_weather("],
        [BOTH[1]],
    ),
    "auto": ("auto", [PARIS], [], [BOTH[0]]),
}


@pytest.mark.parametrize("case", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("stream", [False, True])
def test_tool_choice_is_enforced(
    client: openai.OpenAI,
    scripted: ScriptedUpstream,
    case: tuple[ChatCompletionToolChoiceOptionParam, list[str], list[str], list[tuple[str, Any]]],
    stream: bool,
) -> None:
    """Models don't obey; clients that demand a call crash on anything else."""
    choice, answers, unseen, expected = case
    scripted.say(*answers)
    calls = ask_for_calls(client, stream, tools=TOOLS, tool_choice=choice)
    assert calls == expected
    first = scripted.question().body["messages"][-1]["content"]
    assert not any(f"def {name}" in first for name in unseen)


def ask_for_calls(client: openai.OpenAI, stream: bool, **options: Any) -> list[tuple[str, Any]]:
    if not stream:
        completion = cast(ChatCompletion, client.chat.completions.create(model=MODEL, messages=ASK, **options))
        return named(completion.choices[0].message.tool_calls)
    with client.chat.completions.stream(model=MODEL, messages=ASK, **options) as helper:
        return named([*(helper.get_final_completion().choices[0].message.tool_calls or [])])


@pytest.mark.parametrize("stream", [False, True])
def test_tool_choice_none_never_yields_a_call(client: openai.OpenAI, scripted: ScriptedUpstream, stream: bool) -> None:
    """The most frequent failing of other emulators, above all while streaming: the code is only text here."""
    scripted.say(PARIS)
    if stream:
        with client.chat.completions.stream(model=MODEL, messages=ASK, tools=TOOLS, tool_choice="none") as helper:
            choice = helper.get_final_completion().choices[0]
            content, calls, reason = choice.message.content, choice.message.tool_calls, choice.finish_reason
    else:
        plain = client.chat.completions.create(model=MODEL, messages=ASK, tools=TOOLS, tool_choice="none").choices[0]
        content, calls, reason = plain.message.content, plain.message.tool_calls, plain.finish_reason
    assert not calls
    assert reason == "stop"
    assert content is not None
    assert content.strip() == PARIS
    assert "get_weather" not in scripted.question().text


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_that_is_required_and_never_comes_is_an_error(
    client: openai.OpenAI, scripted: ScriptedUpstream, stream: bool
) -> None:
    """Text alone would be taken for a success."""
    scripted.script = lambda asked: Reply(text="I would rather not.")
    with pytest.raises(openai.APIError) as raised:
        ask_for_calls(client, stream, tools=TOOLS, tool_choice="required")
    assert raised.value.code == "tool_call_required"


@pytest.mark.parametrize("stream", [False, True])
def test_without_parallel_calls_only_the_first_is_sent(
    client: openai.OpenAI, scripted: ScriptedUpstream, stream: bool
) -> None:
    """Clients that ask for it run one call at a time and lose the others."""
    scripted.say(TWO)
    assert ask_for_calls(client, stream, tools=TOOLS, parallel_tool_calls=False) == [BOTH[0]]


def test_each_of_n_choices_has_its_own_calls(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """Choices share one stream: what belongs to which is told by the index alone."""
    scripted.say(*[Reply(text=(PARIS, "now()"))] * 2)
    plain = client.chat.completions.create(model=MODEL, messages=ASK, tools=TOOLS, n=2)
    assert [named(choice.message.tool_calls) for choice in plain.choices] == [[BOTH[0]], [BOTH[1]]]
    with client.chat.completions.stream(model=MODEL, messages=ASK, tools=TOOLS, n=2) as stream:
        final = stream.get_final_completion()
    assert [named([*(choice.message.tool_calls or [])]) for choice in final.choices] == [[BOTH[0]], [BOTH[1]]]
    assert len({call.id for choice in final.choices for call in choice.message.tool_calls or []}) == 2
    assert scripted.question().body["n"] == 2


class Stop(BaseModel):
    """A place on the way."""

    city: str = Field(description="Name of the city")
    nights: int = 1


class Trip(BaseModel):
    """Books a trip."""

    stops: list[Stop]
    travel_class: Literal["first", "second"]


def test_parse_gives_the_clients_own_model(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """Strict Pydantic tools come with $defs, additionalProperties and everything required."""
    scripted.say('```python\nTrip(stops=[Stop(city="Rome", nights=2)], travel_class="first")\n```')
    completion = client.chat.completions.parse(model=MODEL, messages=ASK, tools=[openai.pydantic_function_tool(Trip)])
    [call] = completion.choices[0].message.tool_calls or []
    assert call.function.parsed_arguments == Trip(stops=[Stop(city="Rome", nights=2)], travel_class="first")


def test_a_call_that_does_not_hold_is_put_right_by_the_model(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """The client only ever sees calls that its own schema admits; usage counts both answers."""
    scripted.say('get_weather(city="Paris", unit="kelvin")', 'get_weather(city="Paris", unit="celsius")')
    completion = client.chat.completions.create(model=MODEL, messages=ASK, tools=TOOLS)
    assert named(completion.choices[0].message.tool_calls) == [("get-weather", {"city": "Paris", "unit": "celsius"})]
    assert completion.usage is not None
    assert completion.usage.total_tokens == 2 * USAGE["total_tokens"]
    scripted.question()
    told = scripted.question().body["messages"][-1]["content"]
    assert '"celsius"' in told
    assert "kelvin" in told


def test_thoughts_arrive_as_reasoning_content(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """The SDK keeps the field it doesn't know, and clients show it; code in a thought is no call."""
    scripted.say(Reply(text="now()", reasoning="I could call get_weather(city='Rome')"))
    message = client.chat.completions.create(model=MODEL, messages=ASK, tools=TOOLS).choices[0].message
    assert (message.model_extra or {})["reasoning_content"] == "I could call get_weather(city='Rome')"
    assert named(message.tool_calls) == [BOTH[1]]


def test_other_parameters_reach_the_model_server(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """Only what is of tool calling is taken out, whatever else a client sends."""
    scripted.say(PARIS)
    options: dict[str, Any] = {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 99,
        "max_completion_tokens": 98,
        "stop": ["\n\n\n"],
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "user": "me",
        "metadata": {"a": "b"},
        "reasoning_effort": "low",
        "response_format": {"type": "text"},
    }
    extra = {"chat_template_kwargs": {"enable_thinking": False}}
    client.chat.completions.create(
        model=MODEL,
        messages=ASK,
        tools=TOOLS,
        tool_choice="auto",
        parallel_tool_calls=True,
        extra_body=extra,
        **options,
    )
    body = scripted.question().body
    del body["messages"]
    assert body == {"model": MODEL, **options, **extra}


def test_pictures_reach_the_model_server(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """A model that sees can be asked about a picture with tools at hand."""
    scripted.say(PARIS)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content: Any = [{"type": "text", "text": "Where is this?"}, picture]
    client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}], tools=TOOLS)
    assert picture in scripted.question().body["messages"][-1]["content"]


def test_models_are_those_of_the_model_server(client: openai.OpenAI) -> None:
    """Clients fill their menus from it, and ask for one model to see that it is there."""
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no/such-model")
