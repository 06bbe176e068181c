"""PydanticAI validates every call and drives the loop itself: a whole agent, with tools and a typed result."""

from __future__ import annotations

import asyncio

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.live.server import Server
from tests.live.upstream import MODEL, Asked, Reply, ScriptedUpstream

pytestmark = pytest.mark.live


class Report(BaseModel):
    """The weather, city by city."""

    city: str
    degrees: float


def weather_agent(server: Server) -> Agent[None, list[Report]]:
    client = AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0)
    model = OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client))
    agent = Agent(model, output_type=list[Report], retries=0)

    @agent.tool_plain
    def temperature(city: str) -> float:  # pyright: ignore[reportUnusedFunction] - the decorator registers it
        """Temperature in a city, in degrees Celsius."""
        return {"Oslo": -3.5, "Lisbon": 21.0}[city]

    return agent


def model(asked: Asked) -> Reply:
    """Looks both temperatures up, then reports them as it was shown."""
    last = asked.body["messages"][-1]["content"]
    if "-3.5" in last and "21.0" in last:
        reports = '{"city": "Oslo", "degrees": -3.5}, {"city": "Lisbon", "degrees": 21.0}'
        return Reply(text=f"```python\nfinal_result(response=[{reports}])\n```")
    return Reply(text='```python\ntemperature(city="Oslo")\ntemperature(city="Lisbon")\n```')


EXPECTED = [Report(city="Oslo", degrees=-3.5), Report(city="Lisbon", degrees=21.0)]


def test_an_agent_runs_to_its_typed_result(server: Server, scripted: ScriptedUpstream) -> None:
    """Its output type is a tool that must be called: tool_choice is required in every round."""
    scripted.script = model

    async def run() -> list[Report]:
        return (await weather_agent(server).run("How warm is it in Oslo and in Lisbon?")).output

    assert asyncio.run(run()) == EXPECTED


def test_a_streamed_run_gives_the_same(server: Server, scripted: ScriptedUpstream) -> None:
    """Parts of the result are validated while they arrive."""
    scripted.script = model

    async def run() -> list[Report]:
        async with weather_agent(server).run_stream("How warm is it in Oslo and in Lisbon?") as result:
            return await result.get_output()

    assert asyncio.run(run()) == EXPECTED


def test_words_are_streamed_to_an_agent_that_wants_words(server: Server, scripted: ScriptedUpstream) -> None:
    """Without an output type the agent ends with the first answer that has no call."""
    scripted.say('temperature(city="Oslo")', "It is -3.5 degrees in Oslo.")
    client = AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0)
    agent = Agent(OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client)))
    asked: list[str] = []

    @agent.tool_plain
    def temperature(city: str) -> float:  # pyright: ignore[reportUnusedFunction] - the decorator registers it
        """Temperature in a city, in degrees Celsius."""
        asked.append(city)
        return -3.5

    async def run() -> list[str]:
        async with agent.run_stream("How warm is it in Oslo?") as result:
            return [piece async for piece in result.stream_text(delta=True, debounce_by=None)]

    pieces = asyncio.run(run())
    assert "".join(pieces) == "It is -3.5 degrees in Oslo."
    assert len(pieces) > 1
    assert asked == ["Oslo"]
