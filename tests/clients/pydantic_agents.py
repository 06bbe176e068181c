"""What the tests of PydanticAI share: tools, models of all three protocols, and whole runs."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, AgentRunResultEvent, ModelRetry
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models import Model as ChatModel
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.run import AgentRunResult

from tests.live.server import Server
from tests.live.upstream import MODEL

DEGREES = {"Oslo": -3.5, "Lisbon": 21.0, "Zürich": 8.0}
APIS = ["Chat Completions", "Responses", "Messages"]


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float
    sky: Literal["clear", "cloudy"] = "clear"


class Leg(BaseModel):
    start: str
    end: str
    by: Literal["train", "boat"]


class Trip(BaseModel):
    name: str
    legs: list[Leg]
    tags: dict[str, str]


by_all = pytest.mark.parametrize(
    "api", [pytest.param(api, marks=pytest.mark.client("PydanticAI", api, package="pydantic-ai-slim")) for api in APIS]
)
both_ways = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])


def model_of(server: Server, api: str) -> ChatModel:
    """The protocol's model; not to be used from two event loops."""
    if api == "Messages":
        anthropic = AsyncAnthropic(base_url=server.url, api_key="sk-test", max_retries=0)
        formats = ModelProfile(supports_json_schema_output=True)  # What its names for Claude would tell it.
        return AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=anthropic), profile=formats)
    provider = OpenAIProvider(openai_client=AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0))
    return (
        OpenAIChatModel(MODEL, provider=provider) if api == APIS[0] else OpenAIResponsesModel(MODEL, provider=provider)
    )


def weather_agent(server: Server, api: str, output: Any = str) -> Agent[None, Any]:
    """An agent with all tools."""
    agent = Agent(model_of(server, api), output_type=output)

    @agent.tool_plain
    def temperature(city: str) -> float:  # pyright: ignore[reportUnusedFunction] - the decorator registers it
        """Temperature in a city, in degrees Celsius."""
        if city not in DEGREES:
            raise ModelRetry(f"There is no city {city}.")
        return DEGREES[city]

    @agent.tool_plain
    def plan(trip: Trip, days: int = 1) -> str:  # pyright: ignore[reportUnusedFunction]
        """Plan a trip."""
        return f"{trip.name}: {' → '.join([trip.legs[0].start, *(leg.end for leg in trip.legs)])} in {days} days"

    @agent.tool_plain
    def note(text: str) -> str:  # pyright: ignore[reportUnusedFunction]
        """Keep a note."""
        return text

    return agent


def run(agent: Agent[None, Any], request: str | None, streamed: bool, **options: Any) -> AgentRunResult[Any]:
    """The whole run; if streamed, from the events that a user interface would show."""

    async def whole() -> AgentRunResult[Any]:
        if not streamed:
            return await agent.run(request, **options)
        async with agent.run_stream_events(request, **options) as events:
            async for event in events:
                if isinstance(event, AgentRunResultEvent):
                    return event.result
        raise AssertionError("The run has no result.")

    return asyncio.run(whole())


def calls(result: AgentRunResult[Any]) -> list[list[tuple[str, dict[str, Any]]]]:
    """Names and arguments of the calls, answer by answer."""
    answers = [message for message in result.all_messages() if isinstance(message, ModelResponse)]
    found = [[part for part in answer.parts if isinstance(part, ToolCallPart)] for answer in answers]
    return [[(call.tool_name, call.args_as_dict()) for call in made] for made in found if made]
