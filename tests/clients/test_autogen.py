"""AutoGen reads streamed chunks by its own rules (words and calls never in one chunk, the reason of the end before the
usage), and its teams of agents re-send everybody's words under names."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal

import openai
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import HandoffTermination, TextMentionTermination
from autogen_agentchat.messages import (
    ModelClientStreamingChunkEvent,
    StructuredMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_agentchat.teams import RoundRobinGroupChat, Swarm
from autogen_core.models import CreateResult, ModelFamily, UserMessage
from autogen_core.tools import FunctionTool
from autogen_ext.models.openai import OpenAIChatCompletionClient
from pydantic import BaseModel

from tests.live.server import Server
from tests.live.upstream import MODEL, USAGE

DEGREES = {"Oslo": -3.5, "Lisbon": 21.0}

pytestmark = [
    pytest.mark.clients,
    pytest.mark.client("AutoGen", "Chat Completions", package="autogen-ext"),
    pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"]),
]


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float


class Leg(BaseModel):
    start: str
    end: str
    by: Literal["train", "boat"]


class Trip(BaseModel):
    name: str
    legs: list[Leg]


async def temperature(city: str) -> float:
    """Temperature in a city, in degrees Celsius."""
    return DEGREES[city]


def plan(trip: Trip, days: int = 1) -> str:
    """Plan a trip."""
    return f"{trip.name}: {' → '.join([trip.legs[0].start, *(leg.end for leg in trip.legs)])} in {days} days"


def note(text: str) -> str:
    """Keep a note."""
    return text


@pytest.fixture
def chat(server: Server) -> OpenAIChatCompletionClient:
    return OpenAIChatCompletionClient(
        model=MODEL,
        base_url=f"{server.url}/v1",
        api_key="sk-test",
        max_retries=0,
        model_info={
            "vision": False,
            "function_calling": True,
            "json_output": True,
            "structured_output": True,
            "family": ModelFamily.UNKNOWN,
        },
    )


@pytest.fixture
def agent(chat: OpenAIChatCompletionClient, streamed: bool) -> AssistantAgent:
    return AssistantAgent(
        "helper",
        chat,
        tools=[temperature, plan, note],
        model_client_stream=streamed,
        max_tool_iterations=5,
        reflect_on_tool_use=True,
    )


def run(agent: AssistantAgent, task: str) -> TaskResult:
    return asyncio.run(agent.run(task=task))


def calls(result: TaskResult) -> list[list[tuple[str, Any]]]:
    asked = [message.content for message in result.messages if isinstance(message, ToolCallRequestEvent)]
    return [[(call.name, json.loads(call.arguments)) for call in made] for made in asked]


def outputs(result: TaskResult) -> list[str]:
    done = [message.content for message in result.messages if isinstance(message, ToolCallExecutionEvent)]
    return [output.content for made in done for output in made]


def last_words(result: TaskResult) -> str:
    return result.messages[-1].to_text()


@pytest.mark.feature("call")
def test_a_tool_is_called_and_its_result_is_put_into_words(agent: AssistantAgent) -> None:
    """Words before a call are its thought."""
    result = run(agent, 'How warm?\n@words I look.\n@1 temperature(city="Oslo")')
    assert calls(result) == [[("temperature", {"city": "Oslo"})]]
    assert [message.content for message in result.messages if isinstance(message, ThoughtEvent)] == ["I look."]
    assert last_words(result) == "The results are: -3.5"


@pytest.mark.feature("parallel")
def test_parallel_calls_are_all_made(agent: AssistantAgent) -> None:
    """It adds up what it is told of a call by the call's index, names and ids included."""
    result = run(agent, '?\n@1 temperature(city="Oslo")\n@1 temperature(city="Lisbon")\n@1 note(text="x")')
    oslo, lisbon = ({"city": city} for city in ("Oslo", "Lisbon"))
    assert calls(result) == [[("temperature", oslo), ("temperature", lisbon), ("note", {"text": "x"})]]
    assert last_words(result) == "The results are: -3.5; 21.0; x"


@pytest.mark.feature("rounds")
def test_calls_follow_each_other_over_rounds(agent: AssistantAgent) -> None:
    """As many as ``max_tool_iterations``."""
    result = run(agent, '?\n@1 temperature(city="Oslo")\n@2 note(text="cold")\n@3 note(text="end")\n@say Done.')
    assert (outputs(result), last_words(result)) == (["-3.5", "cold", "end"], "Done.")


@pytest.mark.feature("rounds")
def test_agents_hand_off_to_each_other(chat: OpenAIChatCompletionClient, streamed: bool) -> None:
    """A hand-off is a call, and what the other has done is in the next one's history."""
    triage = AssistantAgent(
        "triage", chat, handoffs=["expert"], model_client_stream=streamed, system_message="@1 transfer_to_expert()"
    )
    expert = AssistantAgent(
        "expert",
        chat,
        tools=[temperature],
        model_client_stream=streamed,
        system_message='@1 temperature(city="Oslo")\n@say It is cold. DONE',
        reflect_on_tool_use=True,
    )
    team = Swarm(
        [triage, expert], termination_condition=TextMentionTermination("DONE") | HandoffTermination("user"), max_turns=4
    )
    result = asyncio.run(team.run(task="How warm is it?"))
    assert [name for ((name, _),) in calls(result)] == ["transfer_to_expert", "temperature"]
    assert last_words(result) == "It is cold. DONE"


@pytest.mark.feature("nested")
def test_models_are_arguments(agent: AssistantAgent) -> None:
    """It validates them with models that it makes of the signature."""
    legs = '[Leg(start="Bergen", end="Oslo", by="train"), Leg(start="Oslo", end="Kiel", by="boat")]'
    result = run(agent, f'Plan.\n@1 plan(trip=Trip(name="North", legs={legs}), days=3)')
    assert last_words(result) == "The results are: North: Bergen → Oslo → Kiel in 3 days"


@pytest.mark.feature("unicode")
def test_other_scripts_and_code_arrive_unchanged(agent: AssistantAgent) -> None:
    """In arguments and in words."""
    text = 'Grüße 日本 🦆 "quoted" \\n ```python\nnote(text="x")\n``` \' end'
    result = run(agent, f"Note it.\n@1 note(text={text!r})\n@say Größe 🦆 “日本” {{}} \\n.")
    assert (outputs(result), last_words(result)) == ([text], "Größe 🦆 “日本” {} \\n.")


@pytest.mark.feature("tool errors")
def test_a_tool_that_fails_is_told_of(agent: AssistantAgent) -> None:
    """The exception's words are the result."""
    result = run(agent, '?\n@1 temperature(city="Atlantis")\n@2 temperature(city="Lisbon")\n@say Warm.')
    assert "Atlantis" in outputs(result)[0]
    assert (outputs(result)[1:], last_words(result)) == (["21.0"], "Warm.")


@pytest.mark.feature("output")
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # It logs what ``parse`` has made.
def test_typed_output_after_a_tool(chat: OpenAIChatCompletionClient, streamed: bool) -> None:
    """With the SDK's ``parse`` underneath, plain and streamed; its tools are strict then."""
    agent = AssistantAgent(
        "reporter",
        chat,
        tools=[FunctionTool(temperature, "Temperature in a city.", strict=True)],
        output_content_type=Weather,
        model_client_stream=streamed,
    )
    result = run(agent, '?\n@1 temperature(city="Oslo")\n@json {"city": "Oslo", "degrees": -3.5}')
    last = result.messages[-1]
    assert isinstance(last, StructuredMessage)
    assert last.content == Weather(city="Oslo", degrees=-3.5)


@pytest.mark.feature("choice")
@pytest.mark.parametrize("choice", ["auto", "required", "none", "note"])
def test_the_choice_of_tools_is_heeded(chat: OpenAIChatCompletionClient, streamed: bool, choice: Any) -> None:
    """The client itself, without an agent."""
    tools = {tool.name: tool for tool in (FunctionTool(temperature, "Degrees."), FunctionTool(note, "Keep a note."))}
    messages = [UserMessage(content='Say temperature in "Oslo".\n@say Done.', source="user")]
    options: dict[str, Any] = {"tools": list(tools.values()), "tool_choice": tools.get(choice, choice)}

    async def answer() -> CreateResult:
        if not streamed:
            return await chat.create(messages, **options)
        *_, last = [part async for part in chat.create_stream(messages, **options)]
        assert isinstance(last, CreateResult)
        return last

    result = asyncio.run(answer())
    if choice == "none":
        assert (result.finish_reason, result.content) == ("stop", "Done.")
        return
    assert result.finish_reason == "function_calls"
    assert [call.name for call in result.content if not isinstance(call, str)] == [
        "note" if choice == "note" else "temperature"
    ]


@pytest.mark.feature("programs")
def test_a_program_computes_with_results(agent: AssistantAgent) -> None:
    """Its later calls are made of what the client has answered: found by ids that came back unchanged."""
    program = """
@1 degrees = {city: temperature(city=city) for city in ["Oslo", "Lisbon"]}
@1 warmest = max(degrees, key=degrees.get)
@1 print(note(text=f"{warmest} at {degrees[warmest]}"))"""
    result = run(agent, f"Where is it warmest?{program}")
    assert outputs(result) == ["-3.5", "21.0", "Lisbon at 21.0"]
    assert "Lisbon at 21.0" in last_words(result)


@pytest.mark.feature("conversation")
def test_a_conversation_goes_on(agent: AssistantAgent) -> None:
    """The agent remembers its former tasks, with their calls."""

    async def both() -> tuple[TaskResult, TaskResult]:
        first = await agent.run(task='?\n@1 temperature(city="Oslo")\n@say Cold.')
        return first, await agent.run(task='?\n@1 temperature(city="Lisbon")\n@say Warm.')

    first, second = asyncio.run(both())
    assert (outputs(first), last_words(first)) == (["-3.5"], "Cold.")
    assert (outputs(second), last_words(second)) == (["21.0"], "Warm.")


@pytest.mark.feature("conversation")
def test_a_team_talks(chat: OpenAIChatCompletionClient, streamed: bool) -> None:
    """Everybody's words are a user's to everybody else, under their names."""
    names = {"writer": "@say A poem.", "critic": "@say Not bad. DONE"}
    agents = [
        AssistantAgent(name, chat, model_client_stream=streamed, system_message=script)
        for name, script in names.items()
    ]
    team = RoundRobinGroupChat([*agents], termination_condition=TextMentionTermination("DONE"), max_turns=4)
    result = asyncio.run(team.run(task="Write."))
    said = [message.to_text() for message in result.messages if not isinstance(message, ModelClientStreamingChunkEvent)]
    assert said == ["Write.", "A poem.", "Not bad. DONE"]


@pytest.mark.feature("thoughts")
def test_thoughts_are_events_of_their_own(agent: AssistantAgent) -> None:
    """It reads them where the answer is words."""
    result = run(agent, "?\n@think I had better greet.\n@say Hello.")
    thoughts = [message.content for message in result.messages if isinstance(message, ThoughtEvent)]
    assert thoughts == ["I had better greet."]
    assert last_words(result) == "Hello."


@pytest.mark.feature("usage")
def test_tokens_are_counted(chat: OpenAIChatCompletionClient, streamed: bool) -> None:
    """Streamed ones where they are asked for."""
    messages = [UserMessage(content="Hi!\n@say Hello.", source="user")]

    async def answer() -> CreateResult:
        if not streamed:
            return await chat.create(messages)
        *_, last = [part async for part in chat.create_stream(messages, include_usage=True)]
        assert isinstance(last, CreateResult)
        return last

    result = asyncio.run(answer())
    assert result.finish_reason == "stop"
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (
        USAGE["prompt_tokens"],
        USAGE["completion_tokens"],
    )


@pytest.mark.feature("faults")
def test_a_failure_is_the_sdks_exception(agent: AssistantAgent) -> None:
    """It is raised out of the run."""
    with pytest.raises(openai.RateLimitError, match="Scripted failure 429"):
        run(agent, "?\n@status 429")
