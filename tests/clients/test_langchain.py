"""LangChain's chat models add deltas up by themselves, over three APIs, and each has its own form for the history."""

from __future__ import annotations

import functools
import operator
from typing import Any, cast

import anthropic
import openai
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from tests.clients.langchain_models import ModelOf, messages, over_apis, responses, tools_of
from tests.clients.model import GREETING
from tests.clients.scenarios import BookTrip, GetWeather, Scenario, Toolbox, scenarios
from tests.live.server import Server
from tests.live.upstream import USAGE

pytestmark = [
    pytest.mark.clients,
    pytest.mark.anyio,
    pytest.mark.usefixtures("one_loop"),
    pytest.mark.filterwarnings("ignore::UserWarning:pydantic"),  # Of how the client puts structured answers together.
]
both_modes = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
over_each_api = over_apis("LangChain", "langchain-openai", messages="langchain-anthropic")

WEATHER = "What is the weather in Paris?"


def asks(request: str) -> list[BaseMessage]:
    return [SystemMessage("You are a kind helper."), HumanMessage(request)]


def ask(model: Any, stream: bool, history: list[BaseMessage]) -> AIMessage:
    if not stream:
        return cast(AIMessage, model.invoke(history))
    return cast(AIMessage, functools.reduce(operator.add, model.stream(history)))


async def ask_async(model: Any, stream: bool, history: list[BaseMessage]) -> AIMessage:
    if not stream:
        return cast(AIMessage, await model.ainvoke(history))
    return cast(AIMessage, functools.reduce(operator.add, [chunk async for chunk in model.astream(history)]))


def told(history: list[BaseMessage], message: AIMessage, toolbox: Toolbox) -> None:
    tools = {tool.name: tool for tool in tools_of(toolbox)}
    assert not message.invalid_tool_calls
    history.append(message)
    history += [tools[call["name"]].invoke(call) for call in message.tool_calls]


@over_each_api
@both_modes
@pytest.mark.parametrize("scenario", scenarios())
def test_an_agent_s_loop(server: Server, model_of: ModelOf, scenario: Scenario, stream: bool) -> None:
    """A name or an id that came twice would be doubled by the addition of chunks."""
    toolbox, history = Toolbox(), asks(scenario.request)
    model = model_of(server).bind_tools(tools_of(toolbox))
    while (message := ask(model, stream, history)).tool_calls:
        told(history, message, toolbox)
    scenario.check(toolbox, message.text)


@over_each_api
@both_modes
@pytest.mark.parametrize("scenario", scenarios())
async def test_an_agent_s_asynchronous_loop(
    server: Server, model_of: ModelOf, scenario: Scenario, stream: bool
) -> None:
    """The same over another transport."""
    toolbox, history = Toolbox(), asks(scenario.request)
    model = model_of(server).bind_tools(tools_of(toolbox))
    while (message := await ask_async(model, stream, history)).tool_calls:
        told(history, message, toolbox)
    scenario.check(toolbox, message.text)


CHOICES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "any": ({"tool_choice": "any"}, ["get_weather"]),
    "named": ({"tool_choice": "now"}, ["now"]),
    "one at a time": ({"parallel_tool_calls": False}, ["get_weather"]),
    "auto": ({"tool_choice": "auto"}, ["get_weather", "now"]),
}


@over_each_api
@pytest.mark.feature("choice")
@both_modes
@pytest.mark.parametrize(("options", "made"), CHOICES.values(), ids=CHOICES)
def test_the_choice_is_kept(
    server: Server, model_of: ModelOf, options: dict[str, Any], made: list[str], stream: bool
) -> None:
    """Left to itself, the model would make two calls, or none where it is only greeted."""
    request = (
        "Hello!" if options.get("tool_choice") in ("any", "now") else 'Both.\n@1 get_weather(city="Paris")\n@1 now()'
    )
    model = model_of(server).bind_tools(tools_of(Toolbox()), **options)
    assert [call["name"] for call in ask(model, stream, asks(request)).tool_calls] == made


@over_each_api
@pytest.mark.feature("nested")
@both_modes
def test_calls_are_parsed_into_the_client_s_own_models(server: Server, model_of: ModelOf, stream: bool) -> None:
    """Of both models that were offered, in a stream more and more of them."""
    script = (
        '@1 BookTrip(stops=[Stop(city="Rome", nights=2, sights=[])], travel_class="second", paid_by={}, note="Hi")\n'
        '@1 GetWeather(city="Rome", unit="fahrenheit")'
    )
    message = ask(model_of(server).bind_tools([BookTrip, GetWeather]), stream, asks(script))
    trip, weather = message.tool_calls
    assert BookTrip.model_validate(trip["args"]).stops[0].nights == 2
    assert GetWeather.model_validate(weather["args"]) == GetWeather(city="Rome", unit="fahrenheit")


@over_each_api
@pytest.mark.feature("output")
@both_modes
def test_raw_answers_stand_beside_structured_ones(server: Server, model_of: ModelOf, stream: bool) -> None:
    """For those who want to know what the model said, too."""
    said = '{"city": "Paris", "unit": "celsius"}'
    model = cast(Any, model_of(server)).with_structured_output(GetWeather, method="json_schema", include_raw=True)
    found: Any = functools.reduce(operator.add, model.stream(f"Where?\n@json {said}")) if stream else None
    found = found or model.invoke(f"Where?\n@json {said}")
    assert found["parsed"] == GetWeather(city="Paris")
    assert found["parsing_error"] is None
    assert found["raw"].text == said


@over_each_api
@pytest.mark.feature("usage")
@both_modes
def test_tokens_are_counted_once(server: Server, model_of: ModelOf, stream: bool) -> None:
    """Chunks are added up, and so would be what each of them counts."""
    usage = ask(model_of(server).bind_tools(tools_of(Toolbox())), stream, asks(WEATHER)).usage_metadata
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"]) == (USAGE["prompt_tokens"], USAGE["completion_tokens"])


@pytest.mark.parametrize(
    ("model_of", "options"),
    [
        pytest.param(
            responses,
            {"reasoning": {"summary": "auto"}},
            marks=pytest.mark.client("LangChain", "Responses", package="langchain-openai"),
        ),
        pytest.param(
            messages,
            {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048},
            marks=pytest.mark.client("LangChain", "Messages", package="langchain-anthropic"),
        ),
    ],
    ids=["Responses", "Messages"],
)
@pytest.mark.feature("thoughts")
@both_modes
def test_thoughts_are_blocks_of_their_own(
    server: Server, model_of: ModelOf, options: dict[str, Any], stream: bool
) -> None:
    """They go back with the history, which neither API takes without them where it once had them."""
    toolbox, history = Toolbox(), asks(f"{WEATHER}\n@think I could call now().")
    model = model_of(server).model_copy(update=options).bind_tools(tools_of(toolbox))
    message = ask(model, stream, history)
    thoughts = [block for block in message.content_blocks if block["type"] == "reasoning"]
    assert [block.get("reasoning") for block in thoughts] == ["I could call now()."]
    told(history, message, toolbox)
    assert "12 °C in Paris" in ask(model, stream, history).text


@over_each_api
@pytest.mark.feature("faults")
@both_modes
def test_faults_are_the_client_s_own_exceptions(server: Server, model_of: ModelOf, stream: bool) -> None:
    """Those of the SDK beneath, by which LangChain knows whether to try again."""
    model = model_of(server).bind_tools(tools_of(Toolbox()))
    with pytest.raises((openai.RateLimitError, anthropic.RateLimitError)):
        ask(model, stream, asks("Hello!\n@status 429"))


@over_each_api
@pytest.mark.feature("conversation")
@both_modes
def test_a_conversation_goes_on_behind_calls(server: Server, model_of: ModelOf, stream: bool) -> None:
    """In the client's own form of what was said."""
    toolbox, history = Toolbox(), asks(WEATHER)
    model = model_of(server).bind_tools(tools_of(toolbox))
    for request in ("", "And what time is it now?", "Thank you!"):
        history += [HumanMessage(request)] if request else []
        while (message := ask(model, stream, history)).tool_calls:
            told(history, message, toolbox)
        history.append(message)
    assert toolbox.made == [("get_weather", {"city": "Paris"}), ("now", {})]
    assert history[-1].text == GREETING
