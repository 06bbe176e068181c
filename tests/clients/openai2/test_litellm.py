"""LiteLLM puts every answer into classes of its own, speaks all three protocols as if they were one, and puts streams
together again itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import litellm
import pytest
from pydantic import BaseModel

from tests.clients.scenarios import TOOLS, Scenario, Toolbox, ToolFailed, scenarios
from tests.live.server import Server
from tests.live.upstream import MODEL, USAGE

Json = dict[str, Any]
CHAT, MESSAGES = "Chat Completions", "Messages"
PROVIDERS = {CHAT: "openai", MESSAGES: "anthropic"}
DECLARED: list[Json] = [
    {"type": "function", "function": {"name": tool.name, "description": tool.about, "parameters": tool.schema}}
    for tool in TOOLS
]


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float


def speaking(*apis: str) -> pytest.MarkDecorator:
    rows = [pytest.param(api, marks=pytest.mark.client("LiteLLM", api, package="litellm")) for api in apis]
    return pytest.mark.parametrize("api", rows)


by_both = speaking(CHAT, MESSAGES)
both_ways = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
pytestmark = [
    pytest.mark.clients,
    both_ways,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]  # of Pydantic


@pytest.fixture
def place(server: Server, api: str) -> Json:
    """The model, and where it is."""
    base = f"{server.url}/v1" if api == CHAT else server.url
    return {"model": f"{PROVIDERS[api]}/{MODEL}", "api_base": base, "api_key": "sk-test", "max_retries": 0}


def said(text: str) -> list[Json]:
    return [{"role": "user", "content": text}]


def answer(place: Json, messages: Sequence[Any], streamed: bool, **options: Any) -> Any:
    """The whole answer; a streamed one as LiteLLM puts it together."""
    if not streamed:
        return litellm.completion(messages=messages, **place, **options)
    usage = {"stream_options": {"include_usage": True}}
    chunks = list(litellm.completion(messages=messages, stream=True, **usage, **place, **options))
    return litellm.stream_chunk_builder(chunks, messages=messages)


def outcome(toolbox: Toolbox, name: str, arguments: str) -> str:
    """What a tool says to a call."""
    try:
        return toolbox.run(name, arguments)
    except ToolFailed as error:
        return f"Error: {error}"


def results(toolbox: Toolbox, message: Any) -> list[Json]:
    """What the tools say to a message's calls."""
    told = [(call.id, outcome(toolbox, call.function.name, call.function.arguments)) for call in message.tool_calls]
    return [{"role": "tool", "tool_call_id": identifier, "content": text} for identifier, text in told]


@by_both
@pytest.mark.parametrize("scenario", scenarios())
def test_scenarios(place: Json, streamed: bool, scenario: Scenario) -> None:
    """Its message goes back as it came, and the results behind it."""
    toolbox, messages = Toolbox(), list[Any](said(scenario.request))
    while True:
        [choice] = answer(place, messages, streamed, tools=DECLARED).choices
        if not choice.message.tool_calls:
            assert choice.finish_reason == "stop"
            break
        assert choice.finish_reason == "tool_calls"
        messages += [choice.message, *results(toolbox, choice.message)]
    scenario.check(toolbox, choice.message.content)


@by_both
@pytest.mark.feature("call")
def test_the_asynchronous_functions(place: Json, streamed: bool) -> None:
    """The same over asyncio."""
    messages = said('Say "Oslo", temperature.\n@words I look.\n@1 get_weather(city="Oslo")')

    async def whole() -> Any:
        if not streamed:
            return await litellm.acompletion(messages=messages, tools=DECLARED, **place)
        stream: Any = await litellm.acompletion(messages=messages, tools=DECLARED, stream=True, **place)
        return litellm.stream_chunk_builder([chunk async for chunk in stream], messages=messages)

    message = asyncio.run(whole()).choices[0].message
    assert message.content == "I look."
    assert [json.loads(call.function.arguments) for call in message.tool_calls] == [{"city": "Oslo"}]


@by_both
@pytest.mark.feature("choice")
@pytest.mark.parametrize("choice", ["auto", "required", "none", "now"])
def test_the_choice_of_tools_is_heeded(place: Json, streamed: bool, choice: str) -> None:
    """In OpenAI's words, whichever the protocol."""
    named = {"type": "function", "function": {"name": choice}} if choice == "now" else choice
    request = said("Say something about user 7.\n@say Done." if choice == "none" else "Say something about user 7.")
    message = answer(place, request, streamed, tools=DECLARED, tool_choice=named).choices[0].message
    called = [call.function.name for call in message.tool_calls or []]
    assert called == {"auto": ["get_user"], "required": ["get_user"], "none": [], "now": ["now"]}[choice]


@by_both
@pytest.mark.feature("choice")
def test_calls_may_have_to_come_one_at_a_time(place: Json, streamed: bool) -> None:
    """``parallel_tool_calls`` is false: whatever the model writes, one call leaves."""
    request = said("?\n@1 now()\n@1 get_user(user_id=1)")
    message = answer(place, request, streamed, tools=DECLARED, parallel_tool_calls=False).choices[0].message
    assert [call.function.name for call in message.tool_calls] == ["now"]


@by_both
@pytest.mark.feature("output")
def test_output_that_fits_a_model(place: Json, streamed: bool) -> None:
    """Its ``response_format`` may be a class."""
    wanted = Weather(city="Oslo", degrees=-3.5)
    script = f"?\n@json {wanted.model_dump_json()}\n@1 json_tool_call(**{wanted.model_dump()})"
    request = said(script if place["model"].startswith("anthropic") else script.rpartition("\n")[0])
    message = answer(place, request, streamed, response_format=Weather).choices[0].message
    assert Weather.model_validate_json(message.content) == wanted


@by_both
@pytest.mark.feature("conversation")
def test_a_conversation_goes_on(place: Json, streamed: bool) -> None:
    """Calls and results of the first request are in the history of the second."""
    toolbox, messages = Toolbox(), list[Any](said("What time is it now?\n@1 now()\n@say Noon."))
    for _ in range(2):
        message = answer(place, messages, streamed, tools=DECLARED).choices[0].message
        messages += [message, *(results(toolbox, message) if message.tool_calls else [])]
    messages += said('And the weather?\n@1 get_weather(city="Rome")')
    message = answer(place, messages, streamed, tools=DECLARED).choices[0].message
    assert json.loads(message.tool_calls[0].function.arguments) == {"city": "Rome"}


@by_both
@pytest.mark.feature("thoughts")
def test_thoughts_are_apart_from_words(place: Json, streamed: bool) -> None:
    """In a field of the message that all providers share; they go back with the message that has them."""
    toolbox, messages = Toolbox(), list[Any](said("?\n@think I had better look.\n@words Wait.\n@1 now()\n@say Noon."))
    first = answer(place, messages, streamed, tools=DECLARED).choices[0].message
    assert (first.reasoning_content, first.content) == ("I had better look.", "Wait.")
    messages += [first, *results(toolbox, first)]
    assert answer(place, messages, streamed, tools=DECLARED).choices[0].message.content == "Noon."


@by_both
@pytest.mark.feature("usage")
def test_tokens_are_counted(place: Json, streamed: bool) -> None:
    """As the model server has counted them."""
    usage = answer(place, said("?\n@say Hello."), streamed).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (USAGE["prompt_tokens"], USAGE["completion_tokens"])


@by_both
@pytest.mark.feature("faults")
@pytest.mark.parametrize(
    ("status", "raised"),
    [(400, litellm.BadRequestError), (429, litellm.RateLimitError), (404, litellm.NotFoundError)],
    ids=["400", "429", "404"],
)
def test_failures_are_its_own_exceptions(place: Json, streamed: bool, status: int, raised: type[Exception]) -> None:
    """It tells them apart by status and by what the body says."""
    with pytest.raises(raised, match=f"Scripted failure {status}"):
        answer(place, said(f"?\n@status {status}"), streamed)


@pytest.mark.client("LiteLLM", "Responses", package="litellm")
@pytest.mark.parametrize("scenario", scenarios())
def test_scenarios_of_responses(server: Server, streamed: bool, scenario: Scenario) -> None:
    """By ``litellm.responses``: results alone are sent, and the id of the response that called for them."""
    place: Json = {"model": f"openai/{MODEL}", "api_base": f"{server.url}/v1", "api_key": "sk-test"}
    tools = [{"type": "function", **tool["function"], "strict": False} for tool in DECLARED]

    def response(given: Any, previous: str | None) -> Any:
        options = {"tools": tools, "stream": streamed, "previous_response_id": previous}
        found: Any = litellm.responses(input=given, **options, **place)
        return next(event for event in found if event.type == "response.completed").response if streamed else found

    toolbox = Toolbox()
    answer = response(scenario.request, None)
    while calls := [item for item in answer.output if item.type == "function_call"]:
        told = [outcome(toolbox, call.name, call.arguments) for call in calls]
        results = [
            {"type": "function_call_output", "call_id": call.call_id, "output": result}
            for call, result in zip(calls, told, strict=True)
        ]
        answer = response(results, answer.id)
    scenario.check(toolbox, answer.output[-1].content[0].text)
