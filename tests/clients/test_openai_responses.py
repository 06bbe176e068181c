"""The openai SDK's Responses: agents send items back or name the response before, and its tool runner checks every item."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import openai
import pytest
from openai.lib.responses_tool_runner import (
    AsyncRegisteredFunction,
    AsyncResponsesToolRunner,
    RegisteredFunction,
    ResponsesToolRunner,
)
from openai.types.responses import FunctionToolParam, Response, ResponseFunctionToolCall

from tests.clients.model import GREETING
from tests.clients.scenarios import TOOLS as OFFERED
from tests.clients.scenarios import BookTrip, GetWeather, Json, Scenario, Toolbox, ToolFailed, scenarios
from tests.live.server import Server
from tests.live.upstream import USAGE

pytestmark = [
    pytest.mark.clients,
    pytest.mark.anyio,
    pytest.mark.client("openai (Python)", "Responses", package="openai"),
]
both_modes = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])

TOOLS: list[FunctionToolParam] = [
    {"type": "function", "name": tool.name, "description": tool.about, "parameters": tool.schema, "strict": False}
    for tool in OFFERED
]
WEATHER = "What is the weather in Paris?"
COMMON: Json = {"model": "gpt-4o", "instructions": "You are a kind helper."}


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(server: Server) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


def ask(client: openai.OpenAI, stream: bool, given: Any, **more: Any) -> Response:
    """One response, whole or put together from its events by the SDK."""
    options: Json = {**COMMON, "tools": TOOLS, "input": given, **more}
    if not stream:
        return cast(Response, client.responses.create(**options))
    with client.responses.stream(**options) as events:
        return cast(Response, events.get_final_response())


async def ask_async(client: openai.AsyncOpenAI, stream: bool, given: Any, **more: Any) -> Response:
    """One response; of a stream, the one that its last event has, after all that should come before it."""
    options: Json = {**COMMON, "tools": TOOLS, "input": given, **more}
    if not stream:
        return cast(Response, await client.responses.create(**options))
    events = [event async for event in cast(Any, await client.responses.create(**options, stream=True))]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert [event.item for event in events if event.type == "response.output_item.done"] == events[-1].response.output
    return cast(Response, events[-1].response)


def calls_of(response: Response) -> list[ResponseFunctionToolCall]:
    return [item for item in response.output if item.type == "function_call"]


def results_of(response: Response, toolbox: Toolbox) -> list[Json]:
    return [
        {"type": "function_call_output", "call_id": call.call_id, "output": run(toolbox, call.name, call.arguments)}
        for call in calls_of(response)
    ]


def run(toolbox: Toolbox, name: str, arguments: str | Json) -> str:
    try:
        return toolbox.run(name, arguments)
    except ToolFailed as error:
        return f"Error: {error}"


@both_modes
@pytest.mark.parametrize("scenario", scenarios())
def test_an_agent_s_loop_that_sends_items_back(client: openai.OpenAI, scenario: Scenario, stream: bool) -> None:
    """As agents do whose server is to keep nothing."""
    toolbox, items = Toolbox(), cast("list[Any]", [{"role": "user", "content": scenario.request}])
    while calls_of(response := ask(client, stream, items, store=False)):
        items += [*response.output, *results_of(response, toolbox)]
    assert response.status == "completed"
    scenario.check(toolbox, response.output_text)


@both_modes
@pytest.mark.parametrize("scenario", scenarios())
async def test_an_asynchronous_agent_s_loop_that_names_the_response_before(
    async_client: openai.AsyncOpenAI, scenario: Scenario, stream: bool
) -> None:
    """Only what is new is sent; the server has the rest."""
    toolbox = Toolbox()
    response = await ask_async(async_client, stream, scenario.request)
    while calls_of(response):
        results = results_of(response, toolbox)
        response = await ask_async(async_client, stream, results, previous_response_id=response.id)
    scenario.check(toolbox, response.output_text)


@pytest.mark.parametrize(
    ("stream", "eager"), [(False, False), (True, False), (True, True)], ids=["plain", "streamed", "eager"]
)
@pytest.mark.parametrize("scenario", scenarios())
def test_the_tool_runner(client: openai.OpenAI, scenario: Scenario, stream: bool, eager: bool) -> None:
    """It refuses items and streams that differ in any way from what the API promises."""
    toolbox = Toolbox()

    def runs(name: str) -> Callable[[Json], str]:
        return lambda given: run(toolbox, name, given)

    runner = ResponsesToolRunner(functions=[RegisteredFunction(tool, runs(tool["name"])) for tool in TOOLS])
    response = runner.run(
        client, cast(Any, {**COMMON, "input": scenario.request}), stream=stream, eager=eager, max_concurrent_calls=1
    )
    scenario.check(toolbox, response.output_text)


@both_modes
@pytest.mark.parametrize("scenario", scenarios())
async def test_the_asynchronous_tool_runner(async_client: openai.AsyncOpenAI, scenario: Scenario, stream: bool) -> None:
    """The same, with tools that are coroutines."""
    toolbox = Toolbox()

    def runs(name: str) -> Any:
        async def call(given: Json) -> str:
            return run(toolbox, name, given)

        return call

    runner = AsyncResponsesToolRunner(functions=[AsyncRegisteredFunction(tool, runs(tool["name"])) for tool in TOOLS])
    params = cast(Any, {**COMMON, "input": scenario.request})
    response = await runner.run(async_client, params, max_concurrent_calls=1, stream=stream)
    scenario.check(toolbox, response.output_text)


@pytest.mark.feature("nested")
@both_modes
def test_parsed_arguments_are_the_client_s_own_models(client: openai.OpenAI, stream: bool) -> None:
    """Strict tools of Pydantic models come with $defs, additionalProperties and everything required."""
    script = (
        '@1 BookTrip(stops=[Stop(city="Rome", nights=2, sights=[])], travel_class="second", paid_by={}, note="Hi")\n'
        '@1 GetWeather(city="Rome", unit="fahrenheit")'
    )
    tools = [openai.pydantic_responses_function_tool(model) for model in (BookTrip, GetWeather)]
    options: Json = {**COMMON, "input": script, "tools": tools}
    if stream:
        with client.responses.stream(**options) as events:
            response: Any = events.get_final_response()
    else:
        response = client.responses.parse(**options)
    trip = BookTrip.model_validate(
        {"stops": [{"city": "Rome", "nights": 2}], "travel_class": "second", "paid_by": {}, "note": "Hi"}
    )
    parsed = [item.parsed_arguments for item in response.output]
    assert parsed == [trip, GetWeather(city="Rome", unit="fahrenheit")]


CHOICES: dict[str, tuple[Json, list[str]]] = {
    "required": ({"tool_choice": "required"}, ["get_weather"]),
    "named": ({"tool_choice": {"type": "function", "name": "now"}}, ["now"]),
    "allowed": (
        {
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "now"}],
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
def test_the_choice_is_kept(client: openai.OpenAI, options: Json, made: list[str], stream: bool) -> None:
    """Left to itself, the model would make two calls, or none where it is only greeted."""
    unwilling = options.get("tool_choice") not in (None, "auto", "none")
    request = "Hello!" if unwilling else 'Both.\n@1 get_weather(city="Paris")\n@1 now()'
    assert [call.name for call in calls_of(ask(client, stream, request, **options))] == made


@pytest.mark.feature("choice")
@both_modes
def test_a_custom_tool_is_given_text(client: openai.OpenAI, stream: bool) -> None:
    """Its input is no JSON: it comes as the model meant it."""
    tools = [{"type": "custom", "name": "shout", "description": "Says it loudly."}]
    response = ask(client, stream, 'Shout.\n@1 shout(input="Hey, \\"you\\"!")', tools=tools)
    [item] = response.output
    assert item.type == "custom_tool_call"
    assert (item.name, item.input) == ("shout", 'Hey, "you"!')
    result = {"type": "custom_tool_call_output", "call_id": item.call_id, "output": "shouted"}
    after = ask(client, stream, [result], tools=tools, previous_response_id=response.id)
    assert "shouted" in after.output_text


@pytest.mark.feature("output")
@both_modes
def test_structured_output_is_the_client_s_own_model(client: openai.OpenAI, stream: bool) -> None:
    """Its JSON Schema goes to a model server that knows of no formats."""
    said = (
        '{"stops": [{"city": "Rome", "nights": 2, "sights": []}], "travel_class": "first", "paid_by": {}, "note": null}'
    )
    options: Json = {**COMMON, "input": f"A trip.\n@json {said}"}
    if stream:
        with client.responses.stream(**options, text_format=BookTrip) as events:
            trip = events.get_final_response().output_parsed
    else:
        trip = client.responses.parse(**options, text_format=BookTrip).output_parsed
    assert trip == BookTrip.model_validate_json(said)


@pytest.mark.feature("conversation")
@both_modes
def test_a_conversation_is_kept_by_the_server(client: openai.OpenAI, stream: bool) -> None:
    """Every request names the response before it; what was kept can be read, and deleted."""
    toolbox = Toolbox()
    first = ask(client, stream, WEATHER)
    second = ask(client, stream, results_of(first, toolbox), previous_response_id=first.id)
    third = ask(client, stream, "And what time is it now?", previous_response_id=second.id)
    fourth = ask(client, stream, results_of(third, toolbox), previous_response_id=third.id)
    last = ask(client, stream, "Thank you!", previous_response_id=fourth.id)
    assert toolbox.made == [("get_weather", {"city": "Paris"}), ("now", {})]
    assert last.output_text == GREETING
    assert client.responses.retrieve(last.id).output_text == GREETING
    *_, begun, over = client.responses.retrieve(last.id, stream=True)
    assert over.type == "response.completed" and over.response.output_text == GREETING
    assert list(client.responses.retrieve(last.id, stream=True, starting_after=begun.sequence_number)) == [over]
    assert next(iter(client.responses.input_items.list(last.id, order="desc"))).type == "message"
    client.responses.delete(last.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(last.id)


@pytest.mark.feature("thoughts")
@both_modes
def test_thoughts_are_items_and_go_back(client: openai.OpenAI, stream: bool) -> None:
    """In front of the calls that they led to."""
    items: list[Any] = [{"role": "user", "content": f"{WEATHER}\n@think I could call now()."}]
    response = ask(client, stream, items)
    thought, call = response.output
    assert thought.type == "reasoning" and call.type == "function_call"
    assert [part.text for part in thought.content or []] == ["I could call now()."]
    items += [thought, call, *results_of(response, Toolbox())]
    assert "12 °C in Paris" in ask(client, stream, items).output_text


@pytest.mark.feature("usage")
@both_modes
def test_tokens_are_counted(client: openai.OpenAI, stream: bool) -> None:
    """A stream has them in its last event."""
    usage = ask(client, stream, WEATHER).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (USAGE["prompt_tokens"], USAGE["completion_tokens"])
    assert usage.input_tokens_details.cached_tokens == 0


FAULTS: dict[str, tuple[str, Json, type[openai.APIStatusError], str | None]] = {
    "a wrong tool": (
        WEATHER,
        {"tools": [{"type": "function", "name": "no good name", "parameters": {"type": "object"}}]},
        openai.BadRequestError,
        "tools[0].name",
    ),
    "an unknown tool": (WEATHER, {"tools": [{"type": "web_search"}]}, openai.BadRequestError, "tools[0].type"),
    "an unknown response": (
        WEATHER,
        {"previous_response_id": "resp_none"},
        openai.BadRequestError,
        "previous_response_id",
    ),
    "too many requests": ("@status 429", {}, openai.RateLimitError, None),
    "a failure": ("@status 500", {}, openai.InternalServerError, None),
}


@pytest.mark.feature("faults")
@both_modes
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults_are_the_client_s_own_exceptions(
    client: openai.OpenAI, fault: tuple[str, Json, type[openai.APIStatusError], str | None], stream: bool
) -> None:
    """Programs catch them by class: a stream that failed before it began must not begin."""
    request, options, kind, param = fault
    with pytest.raises(kind) as raised:
        ask(client, stream, request, **options)
    assert raised.value.param == param
    assert raised.value.message


@pytest.mark.feature("faults", mode="streamed")
def test_a_stream_that_breaks_off_has_failed(client: openai.OpenAI) -> None:
    """Words have been shown by then.  The SDK raises nothing here: its events tell it, and what the response is then."""
    events = list(client.responses.create(**COMMON, input="@cut", tools=TOOLS, stream=True))
    words = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert words and GREETING.startswith(words)
    *_, error, failed = events
    assert error.type == "error" and "model server" in error.message
    assert failed.type == "response.failed" and failed.response.status == "failed"
    assert failed.response.error is not None and failed.response.error.message == error.message
