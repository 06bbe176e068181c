"""The Anthropic SDK reads every event of a stream strictly, and its tool runner is a loop of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import anthropic
import pytest
from anthropic.lib.tools import BetaAsyncFunctionTool, BetaFunctionTool, ToolError
from anthropic.types import Message, MessageParam, ToolParam, ToolResultBlockParam, ToolUseBlock

from tests.clients.model import GREETING
from tests.clients.scenarios import TOOLS as OFFERED
from tests.clients.scenarios import BookTrip, Json, Scenario, Toolbox, ToolFailed, scenarios
from tests.live.server import Server
from tests.live.upstream import USAGE

pytestmark = [
    pytest.mark.clients,
    pytest.mark.anyio,
    pytest.mark.client("anthropic", "Messages", package="anthropic"),
]
both_modes = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])

TOOLS = [ToolParam(name=tool.name, description=tool.about, input_schema=tool.schema) for tool in OFFERED]
WEATHER = "What is the weather in Paris?"
COMMON: dict[str, Any] = {"model": "claude-sonnet-5", "max_tokens": 1024, "system": "You are a kind helper."}


def asks(request: str) -> list[MessageParam]:
    return [{"role": "user", "content": request}]


@pytest.fixture
def client(server: Server) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key="sk-test", max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(server: Server) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=server.url, api_key="sk-test", max_retries=0) as client:
        yield client


def ask(client: anthropic.Anthropic, stream: bool, messages: list[MessageParam], **more: Any) -> Message:
    """One answer, whole or put together from its events by the SDK."""
    options: dict[str, Any] = {**COMMON, "tools": TOOLS, **more}
    if not stream:
        return cast(Message, client.messages.create(messages=messages, **options))
    with client.messages.stream(messages=messages, **options) as events:
        return cast(Message, events.get_final_message())


async def ask_async(client: anthropic.AsyncAnthropic, stream: bool, messages: list[MessageParam]) -> Message:
    options: dict[str, Any] = {**COMMON, "tools": TOOLS}
    if not stream:
        return cast(Message, await client.messages.create(messages=messages, **options))
    async with client.messages.stream(messages=messages, **options) as events:
        words = "".join([text async for text in events.text_stream])
        message = cast(Message, await events.get_final_message())
    assert words == words_of(message)
    return message


def words_of(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def calls_of(message: Message) -> list[ToolUseBlock]:
    return [block for block in message.content if block.type == "tool_use"]


def told(messages: list[MessageParam], message: Message, toolbox: Toolbox) -> None:
    """Put the answer and the results of its calls into the history."""
    results: list[ToolResultBlockParam] = []
    for call in calls_of(message):
        result: ToolResultBlockParam = {"type": "tool_result", "tool_use_id": call.id}
        try:
            result["content"] = toolbox.run(call.name, cast(Json, call.input))
        except ToolFailed as error:
            result["content"] = [{"type": "text", "text": str(error)}]
            result["is_error"] = True
        results.append(result)
    messages.append({"role": "assistant", "content": message.content})
    if results:
        messages.append({"role": "user", "content": results})


@both_modes
@pytest.mark.parametrize("scenario", scenarios())
def test_an_agent_s_loop(client: anthropic.Anthropic, scenario: Scenario, stream: bool) -> None:
    """Until the model asks for nothing more; the code is the one of the documentation."""
    toolbox, messages = Toolbox(), asks(scenario.request)
    while (message := ask(client, stream, messages)).stop_reason == "tool_use":
        told(messages, message, toolbox)
    assert message.stop_reason == "end_turn"
    scenario.check(toolbox, words_of(message))


@both_modes
@pytest.mark.parametrize("scenario", scenarios())
async def test_an_agent_s_asynchronous_loop(
    async_client: anthropic.AsyncAnthropic, scenario: Scenario, stream: bool
) -> None:
    """It has a transport and a reader of streams of its own."""
    toolbox, messages = Toolbox(), asks(scenario.request)
    while (message := await ask_async(async_client, stream, messages)).stop_reason == "tool_use":
        told(messages, message, toolbox)
    scenario.check(toolbox, words_of(message))


def run_as_sdk_tool(toolbox: Toolbox, name: str, given: Json) -> str:
    try:
        return toolbox.run(name, given)
    except ToolFailed as error:
        raise ToolError(str(error)) from error


@pytest.mark.parametrize(
    ("stream", "eager"), [(False, False), (True, False), (True, True)], ids=["plain", "streamed", "eager"]
)
@pytest.mark.parametrize("scenario", scenarios())
def test_the_tool_runner(client: anthropic.Anthropic, scenario: Scenario, stream: bool, eager: bool) -> None:
    """It asks for a thread that the server would keep, and sends whole histories once it is told that there is none."""
    toolbox = Toolbox()

    def runs(name: str) -> Any:
        def run(**given: Any) -> str:
            return run_as_sdk_tool(toolbox, name, given)

        return run

    tools = [
        BetaFunctionTool(runs(tool.name), name=tool.name, description=tool.about, input_schema=tool.schema)
        for tool in OFFERED
    ]
    runner: Any = client.beta.messages.tool_runner(
        **COMMON,
        tools=tools,
        messages=[{"role": "user", "content": scenario.request}],
        stream=stream,
        run_tools_eagerly=eager,
    )
    answers = [answer.get_final_message() if stream else answer for answer in runner]
    scenario.check(toolbox, words_of(answers[-1]))


@both_modes
@pytest.mark.parametrize("scenario", scenarios())
async def test_the_asynchronous_tool_runner(
    async_client: anthropic.AsyncAnthropic, scenario: Scenario, stream: bool
) -> None:
    """The same, with tools that are coroutines."""
    toolbox = Toolbox()

    def runs(name: str) -> Any:
        async def run(**given: Any) -> str:
            return run_as_sdk_tool(toolbox, name, given)

        return run

    tools = [
        BetaAsyncFunctionTool(runs(tool.name), name=tool.name, description=tool.about, input_schema=tool.schema)
        for tool in OFFERED
    ]
    runner: Any = async_client.beta.messages.tool_runner(
        **COMMON, tools=tools, messages=[{"role": "user", "content": scenario.request}], stream=stream
    )
    answers = [await answer.get_final_message() if stream else answer async for answer in runner]
    scenario.check(toolbox, words_of(answers[-1]))


CHOICES: dict[str, tuple[Json, list[str]]] = {
    "any": ({"type": "any"}, ["get_weather"]),
    "tool": ({"type": "tool", "name": "now"}, ["now"]),
    "none": ({"type": "none"}, []),
    "one at a time": ({"type": "auto", "disable_parallel_tool_use": True}, ["get_weather"]),
    "auto": ({"type": "auto"}, ["get_weather", "now"]),
}


@pytest.mark.feature("choice")
@both_modes
@pytest.mark.parametrize(("choice", "made"), CHOICES.values(), ids=CHOICES)
def test_the_choice_is_kept(client: anthropic.Anthropic, choice: Json, made: list[str], stream: bool) -> None:
    """Left to itself, the model would make two calls, or none where it is only greeted."""
    request = "Hello!" if choice["type"] in ("any", "tool") else 'Both.\n@1 get_weather(city="Paris")\n@1 now()'
    message = ask(client, stream, asks(request), tool_choice=choice)
    assert [call.name for call in calls_of(message)] == made
    assert message.stop_reason == ("tool_use" if made else "end_turn")


@pytest.mark.feature("output")
@both_modes
def test_structured_output_is_the_client_s_own_model(client: anthropic.Anthropic, stream: bool) -> None:
    """Its JSON Schema goes to a model server that knows of no formats."""
    said = '{"stops": [{"city": "Rome"}], "travel_class": "first", "paid_by": {}}'
    messages = asks(f"A trip.\n@json {said}")
    if stream:
        with client.messages.stream(**COMMON, messages=messages, output_format=BookTrip) as events:
            trip = events.get_final_message().parsed_output
    else:
        trip = client.messages.parse(**COMMON, messages=messages, output_format=BookTrip).parsed_output
    assert trip == BookTrip.model_validate_json(said)


@pytest.mark.feature("conversation")
@both_modes
def test_a_conversation_goes_on_behind_calls(client: anthropic.Anthropic, stream: bool) -> None:
    """A user's words may stand in one message with the results of calls."""
    toolbox, messages = Toolbox(), asks(WEATHER)
    told(messages, ask(client, stream, messages), toolbox)
    results = cast("list[Any]", messages[-1]["content"])
    results.append({"type": "text", "text": "And what time is it now?"})
    told(messages, ask(client, stream, messages), toolbox)
    told(messages, ask(client, stream, messages), toolbox)
    messages.append({"role": "user", "content": [{"type": "text", "text": "Thank you!"}]})
    assert words_of(ask(client, stream, messages)) == GREETING
    assert toolbox.made == [("get_weather", {"city": "Paris"}), ("now", {})]


@pytest.mark.feature("conversation")
@both_modes
def test_a_thread_keeps_its_history(client: anthropic.Anthropic, stream: bool) -> None:
    """The SDK holds it where the server says that it can't."""
    thread = client.beta.messages.thread(**COMMON, unsupported_request_behavior="continue_unthreaded")
    for request in ("Hello!", "Hello again!"):
        thread.append({"role": "user", "content": request})
        if stream:
            with thread.stream() as events:
                reply = events.get_final_message()
        else:
            reply = thread.send()
        assert words_of(reply) == GREETING
    assert len(thread.messages) == 4


@pytest.mark.feature("thoughts")
@both_modes
def test_thoughts_come_in_blocks_and_go_back(client: anthropic.Anthropic, stream: bool) -> None:
    """Each has a signature, and the history is refused by the SDK's types without it."""
    messages = asks(f"{WEATHER}\n@think I could call now().")
    thinking = {"type": "enabled", "budget_tokens": 1024}
    message = ask(client, stream, messages, thinking=thinking, max_tokens=2048)
    thought, call = message.content
    assert thought.type == "thinking" and thought.thinking == "I could call now()." and thought.signature
    assert call.type == "tool_use" and call.name == "get_weather"
    told(messages, message, Toolbox())
    assert "12 °C in Paris" in words_of(ask(client, stream, messages, thinking=thinking, max_tokens=2048))


@pytest.mark.feature("usage")
@both_modes
def test_tokens_are_counted(client: anthropic.Anthropic, stream: bool) -> None:
    """In a stream they come at the beginning and at the end, and the SDK keeps the last."""
    usage = ask(client, stream, asks(WEATHER)).usage
    assert (usage.input_tokens, usage.output_tokens) == (USAGE["prompt_tokens"], USAGE["completion_tokens"])


@pytest.mark.feature("usage")
def test_tokens_are_counted_beforehand(client: anthropic.Anthropic) -> None:
    """Of the prompt that would be sent, tools and all."""
    messages = asks(WEATHER)
    few = client.messages.count_tokens(model=COMMON["model"], messages=messages).input_tokens
    many = client.messages.count_tokens(model=COMMON["model"], messages=messages, tools=TOOLS).input_tokens
    assert 0 < few < many


FAULTS: dict[str, tuple[str, Json, type[anthropic.APIStatusError], str]] = {
    "a wrong tool": (
        WEATHER,
        {"tools": [{"name": "no good name", "input_schema": {"type": "object"}}]},
        anthropic.BadRequestError,
        "tools.0.name",
    ),
    "an unknown server tool": (
        WEATHER,
        {"tools": [{"name": "web_search", "type": "web_search_20250305"}]},
        anthropic.BadRequestError,
        "web_search",
    ),
    "too many requests": ("@status 429", {}, anthropic.RateLimitError, ""),
    "a wrong key": ("@status 401", {}, anthropic.AuthenticationError, ""),
    "a failure": ("@status 500", {}, anthropic.InternalServerError, ""),
}


@pytest.mark.feature("faults")
@both_modes
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults_are_the_client_s_own_exceptions(
    client: anthropic.Anthropic, fault: tuple[str, Json, type[anthropic.APIStatusError], str], stream: bool
) -> None:
    """Programs catch them by class: a stream that failed before it began must not begin."""
    request, options, kind, named = fault
    with pytest.raises(kind) as raised:
        ask(client, stream, asks(request), **options)
    body = cast(Json, raised.value.body)
    assert body["type"] == "error"
    assert named in body["error"]["message"]
    assert raised.value.request_id


@pytest.mark.feature("faults", mode="streamed")
def test_a_stream_that_breaks_off_is_an_error(client: anthropic.Anthropic) -> None:
    """Words have been shown by then; their end would pass for the whole answer."""
    words: list[str] = []
    with (
        client.messages.stream(**COMMON, messages=asks("@cut"), tools=TOOLS) as events,
        pytest.raises(anthropic.APIStatusError, match="model server"),
    ):
        words.extend(events.text_stream)
    assert any(words) and GREETING.startswith("".join(words))
