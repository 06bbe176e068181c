"""What the tests of OpenAI's Agents SDK share: tools, models of both protocols, and whole runs."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import openai
import pytest
from agents import (
    Agent,
    Model,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    RunResult,
    RunResultStreaming,
    RunState,
    Tool,
    TResponseInputItem,
    function_tool,
)
from agents.items import ToolCallItem, ToolCallOutputItem
from pydantic import BaseModel

from tests.live.server import Server
from tests.live.upstream import MODEL

DEGREES = {"Oslo": -3.5, "Lisbon": 21.0}


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


@function_tool
async def temperature(city: str) -> float:
    """Temperature in a city, in degrees Celsius."""
    return DEGREES[city]


@function_tool
def plan(trip: Trip, days: int = 1) -> str:
    """Plan a trip."""
    return f"{trip.name}: {' → '.join([trip.legs[0].start, *(leg.end for leg in trip.legs)])} in {days} days"


@function_tool
def note(text: str) -> str:
    """Keep a note."""
    return text


TOOLS: list[Tool] = [temperature, plan, note]
Ran = RunResult | RunResultStreaming
BOTH = ["Chat Completions", "Responses"]


def speaking(*apis: str) -> pytest.MarkDecorator:
    rows = [
        pytest.param(api, marks=pytest.mark.client("OpenAI Agents SDK", api, package="openai-agents")) for api in apis
    ]
    return pytest.mark.parametrize("api", rows)


by_both, by_responses = speaking(*BOTH), speaking("Responses")
both_ways = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])


def model_of(server: Server, api: str) -> Model:
    """The protocol's model; not to be used from two event loops."""
    client = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0)
    return OpenAIResponsesModel(MODEL, client) if api == "Responses" else OpenAIChatCompletionsModel(MODEL, client)


def helper(server: Server, api: str) -> Agent[None]:
    """An agent with all tools."""
    return Agent(name="Helper", instructions="Be brief.", model=model_of(server, api), tools=TOOLS)


async def ran(
    agent: Agent[None], request: str | list[TResponseInputItem] | RunState[None], streamed: bool, **options: Any
) -> Ran:
    """The whole run, without its traces, which would be sent to OpenAI."""
    config = RunConfig(tracing_disabled=True)
    if not streamed:
        return await Runner.run(agent, request, run_config=config, **options)
    result = Runner.run_streamed(agent, request, run_config=config, **options)
    async for _ in result.stream_events():
        pass
    return result


def run(agent: Agent[None], request: str, streamed: bool, **options: Any) -> Ran:
    return asyncio.run(ran(agent, request, streamed, **options))


def calls(result: Ran) -> list[tuple[str, str]]:
    items = [item.raw_item for item in result.new_items if isinstance(item, ToolCallItem)]
    return [(item.name, item.arguments) for item in items]  # pyright: ignore[reportAttributeAccessIssue]


def outputs(result: Ran) -> list[Any]:
    return [item.output for item in result.new_items if isinstance(item, ToolCallOutputItem)]


def kinds(result: Ran) -> list[str]:
    return [item.type for item in result.new_items]
