"""LangGraph's ReAct agents run tools side by side, stream tokens out of the middle of a graph, and remember."""

from __future__ import annotations

import json
import warnings
from typing import Any, cast

import anthropic
import langchain.agents
import langgraph.prebuilt
import openai
import pytest
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.memory import InMemorySaver

from tests.clients.langchain_models import ModelOf, over_apis, tools_of
from tests.clients.model import GREETING
from tests.clients.scenarios import BookTrip, Json, Scenario, Toolbox, scenarios
from tests.live.server import Server

pytestmark = [pytest.mark.clients, pytest.mark.anyio, pytest.mark.usefixtures("one_loop")]

create_agent: Any = cast(Any, langchain.agents).create_agent
create_react_agent: Any = cast(Any, langgraph.prebuilt).create_react_agent


both_modes = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
langgraph_over_apis = over_apis("LangGraph", "langgraph")
agents_over_apis = over_apis("LangChain agents", "langchain")


def react_agent(model: BaseChatModel, tools: list[BaseTool], **more: Any) -> Any:
    """LangGraph's own, which most agents there are still made with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return create_react_agent(model, tools, prompt="You are a kind helper.", **more)


def last_words(agent: Any, request: str, stream: bool, **config: Any) -> str:
    """What the agent says at the end; of a stream, the tokens behind the last result."""
    given = {"messages": [HumanMessage(request)]}
    if not stream:
        return agent.invoke(given, config)["messages"][-1].text
    words = ""
    for message, _ in agent.stream(given, config, stream_mode="messages"):
        words = words + message.text if isinstance(message, AIMessageChunk) else ""
    return words


@langgraph_over_apis
@both_modes
@pytest.mark.parametrize("scenario", scenarios())
def test_a_react_agent(server: Server, model_of: ModelOf, scenario: Scenario, stream: bool) -> None:
    """Its graph runs the calls of one answer in threads, so their order is told by the results."""
    toolbox = Toolbox()
    words = last_words(react_agent(model_of(server), tools_of(toolbox)), scenario.request, stream)
    scenario.check(toolbox, words, threads=True)


@langgraph_over_apis
@both_modes
@pytest.mark.parametrize("scenario", scenarios())
async def test_an_asynchronous_react_agent(server: Server, model_of: ModelOf, scenario: Scenario, stream: bool) -> None:
    """The same over another transport; its events are what interfaces show."""
    toolbox, words = Toolbox(), ""
    agent = react_agent(model_of(server), tools_of(toolbox))
    given = {"messages": [HumanMessage(scenario.request)]}
    if stream:
        async for event in agent.astream_events(given, version="v2"):
            if event["event"] == "on_tool_end":
                words = ""
            elif event["event"] == "on_chat_model_stream":
                words += event["data"]["chunk"].text
    else:
        words = (await agent.ainvoke(given))["messages"][-1].text
    scenario.check(toolbox, words, threads=True)


@langgraph_over_apis
@pytest.mark.feature("conversation")
@both_modes
def test_a_react_agent_remembers(server: Server, model_of: ModelOf, stream: bool) -> None:
    """A checkpointer keeps the messages in the client's own form from one request to the next."""
    toolbox = Toolbox()
    agent = react_agent(model_of(server), tools_of(toolbox), checkpointer=InMemorySaver())
    said = [
        last_words(agent, request, stream, configurable={"thread_id": "1"})
        for request in ("What is the weather in Paris?", "And what time is it now?", "Thank you!")
    ]
    assert toolbox.made == [("get_weather", {"city": "Paris"}), ("now", {})]
    assert said == ["The results are: 12 °C in Paris", "The results are: 12:34", GREETING]


@langgraph_over_apis
@pytest.mark.feature("output")
@both_modes
def test_a_react_agent_answers_in_a_model(server: Server, model_of: ModelOf, stream: bool) -> None:
    """One more request at the end asks for it."""
    toolbox = Toolbox()
    agent = react_agent(model_of(server), tools_of(toolbox), response_format=BookTrip)
    given = {"messages": [HumanMessage("What is the weather in Paris?")]}
    *_, state = agent.stream(given, stream_mode="values") if stream else [agent.invoke(given)]
    assert toolbox.made == [("get_weather", {"city": "Paris"})]
    assert isinstance(state["structured_response"], BookTrip)


@agents_over_apis
@both_modes
@pytest.mark.parametrize("scenario", scenarios())
def test_an_agent(server: Server, model_of: ModelOf, scenario: Scenario, stream: bool) -> None:
    """The successor of the ReAct agent: the same graph with hooks."""
    toolbox = Toolbox()
    agent = create_agent(model_of(server), tools_of(toolbox), system_prompt="You are a kind helper.")
    scenario.check(toolbox, last_words(agent, scenario.request, stream), threads=True)


@agents_over_apis
@pytest.mark.feature("output")
@both_modes
@pytest.mark.parametrize("by_tool", [True, False], ids=["tool", "schema"])
def test_an_agent_answers_in_a_model(server: Server, model_of: ModelOf, by_tool: bool, stream: bool) -> None:
    """By a tool that ends the loop, so that a call is demanded in every request, or by a format beside the tools."""
    toolbox = Toolbox()
    strategy = ToolStrategy(BookTrip) if by_tool else ProviderStrategy(BookTrip)
    agent = create_agent(model_of(server), tools_of(toolbox), response_format=strategy)
    trip: Json = {
        "stops": [{"city": "Rome", "nights": 2, "sights": []}],
        "travel_class": "first",
        "paid_by": {},
        "note": None,
    }
    script = (
        "Book a trip when you know the weather.",
        '@1 get_weather(city="Rome", unit="celsius")',
        f"@2 BookTrip(**{trip!r})" if by_tool else f"@json {json.dumps(trip)}",
    )
    given = {"messages": [HumanMessage("\n".join(script))]}
    *_, state = agent.stream(given, stream_mode="values") if stream else [agent.invoke(given)]
    assert toolbox.made == [("get_weather", {"city": "Rome", "unit": "celsius"})]
    assert state["structured_response"] == BookTrip.model_validate(trip)


@langgraph_over_apis
@pytest.mark.feature("faults")
@both_modes
def test_faults_are_the_client_s_own_exceptions(server: Server, model_of: ModelOf, stream: bool) -> None:
    """They come out of the middle of the graph as what the SDK beneath raises."""
    agent = react_agent(model_of(server), tools_of(Toolbox()))
    with pytest.raises((openai.RateLimitError, anthropic.RateLimitError)):
        last_words(agent, "Hello!\n@status 429", stream)
