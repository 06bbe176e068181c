"""PydanticAI carries runs on: to typed results by all its ways to them, over conversations, and past people who have to
agree first."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic_ai import (
    Agent,
    BinaryContent,
    DeferredToolRequests,
    DeferredToolResults,
    ModelRetry,
    NativeOutput,
    PromptedOutput,
    ToolOutput,
    ToolReturn,
)
from pydantic_ai.models.openai import OpenAIResponsesModelSettings

from tests.clients.pydantic_agents import Trip, Weather, both_ways, by_all, calls, model_of, run, weather_agent
from tests.live.server import Server

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(32)
pytestmark = [pytest.mark.clients, by_all, both_ways]


@pytest.mark.feature("rounds")
def test_a_tool_may_show_a_picture(server: Server, api: str, streamed: bool) -> None:
    """Beside its result, or behind it as a user's message: the model must get to see it."""
    agent = Agent(model_of(server, api))

    @agent.tool_plain
    def photograph(city: str) -> ToolReturn:  # pyright: ignore[reportUnusedFunction]
        """Take a picture of a city."""
        return ToolReturn(f"Taken in {city}.", content=["See:", BinaryContent(PICTURE, media_type="image/png")])

    result = run(agent, '?\n@1 photograph(city="Oslo")', streamed)
    assert calls(result) == [[("photograph", {"city": "Oslo"})]]
    assert result.output == "I see 1 picture."


@pytest.mark.feature("conversation")
def test_a_call_may_wait_for_a_persons_word(server: Server, api: str, streamed: bool) -> None:
    """The run ends with the call; another one brings its result by the call's id."""

    def agent() -> Agent[None, Any]:
        agent = Agent(model_of(server, api), output_type=[str, DeferredToolRequests])

        @agent.tool_plain(requires_approval=True)
        def delete(path: str) -> str:  # pyright: ignore[reportUnusedFunction]
            """Delete a file."""
            return f"{path} is gone."

        return agent

    first = run(agent(), '?\n@1 delete(path="a")\n@1 delete(path="b")', streamed)
    allowed = {call.tool_call_id: call.args_as_dict()["path"] == "a" for call in first.output.approvals}
    answers = DeferredToolResults(approvals={**allowed})
    last = run(agent(), None, streamed, message_history=first.all_messages(), deferred_tool_results=answers)
    assert last.output.startswith("The results are: a is gone.; ")
    assert "denied" in last.output


@pytest.mark.feature("conversation")
def test_a_conversation_goes_on_with_its_history(server: Server, api: str, streamed: bool) -> None:
    """Calls and results of the first request are in the history of the second."""
    first = run(weather_agent(server, api), 'How warm?\n@1 temperature(city="Oslo")\n@say Cold.', streamed)
    request, history = 'There?\n@1 temperature(city="Lisbon")\n@say Warm.', first.all_messages()
    second = run(weather_agent(server, api), request, streamed, message_history=history)
    assert (first.output, second.output) == ("Cold.", "Warm.")
    assert [arguments["city"] for ((_, arguments),) in calls(second)] == ["Oslo", "Lisbon"]


@pytest.mark.feature("output")
@pytest.mark.parametrize(
    "output", [Weather, ToolOutput(Weather, name="report"), NativeOutput(Weather), PromptedOutput(Weather)],
    ids=["type", "tool", "native", "prompted"],
)  # fmt: skip
def test_typed_output_after_a_tool(server: Server, api: str, streamed: bool, output: Any) -> None:
    """By a tool that must be called, by the API's format, and by words alone."""
    called = {"report": "report"}.get(getattr(output, "name", None) or "", "final_result")
    by_tool = output is Weather or isinstance(output, ToolOutput)
    end = f'@2 {called}(city="Oslo", degrees=-3.5, sky="cloudy")'
    words = '@json {"city": "Oslo", "degrees": -3.5, "sky": "cloudy"}\n@say {"city": "Oslo", "degrees": -3.5, "sky": "cloudy"}'
    agent = weather_agent(server, api, output)
    result = run(agent, f'How is it?\n@1 temperature(city="Oslo")\n{end if by_tool else words}', streamed)
    assert result.output == Weather(city="Oslo", degrees=-3.5, sky="cloudy")


@pytest.mark.feature("output")
@pytest.mark.parametrize("output", [Weather, NativeOutput(Weather)], ids=["tool", "native"])
def test_typed_output_without_tools(server: Server, api: str, streamed: bool, output: Any) -> None:
    """Its own stream validates what there is of the output while it grows."""
    agent = Agent(model_of(server, api), output_type=output)
    request = '?\n@1 final_result(city="Oslo", degrees=-3.5)'
    if output is not Weather:
        request = '?\n@json {"city": "Oslo", "degrees": -3.5}'

    async def grown() -> list[Weather]:
        async with agent.run_stream(request) as result:
            return [part async for part in result.stream_output(debounce_by=None)]

    last = asyncio.run(grown())[-1] if streamed else run(agent, request, streamed).output
    assert last == Weather(city="Oslo", degrees=-3.5)


@pytest.mark.feature("output")
def test_one_of_several_output_types(server: Server, api: str, streamed: bool) -> None:
    """Each type is a tool of its own."""
    agent = Agent(model_of(server, api), output_type=[ToolOutput(Weather), ToolOutput(Trip)])
    result = run(agent, 'Go!\n@1 final_result_Trip(name="Home", legs=[], tags={})', streamed)
    assert result.output == Trip(name="Home", legs=[], tags={})


@pytest.mark.feature("output")
def test_output_that_a_validator_refuses_is_asked_for_again(server: Server, api: str, streamed: bool) -> None:
    """The client's own judgement goes back as the result of the output's call."""
    agent = Agent(model_of(server, api), output_type=Weather)

    @agent.output_validator
    def plausible(output: Weather) -> Weather:  # pyright: ignore[reportUnusedFunction]
        if output.degrees > 60:
            raise ModelRetry("So warm it never is.")
        return output

    request = '?\n@1 final_result(city="Oslo", degrees=99)\n@2 final_result(city="Oslo", degrees=9)'
    assert run(agent, request, streamed).output == Weather(city="Oslo", degrees=9)


@pytest.mark.feature("conversation")
def test_the_server_may_keep_the_conversation(server: Server, api: str, streamed: bool) -> None:
    """By the last response's id, which other protocols don't have: they get all of it."""
    settings = OpenAIResponsesModelSettings(openai_previous_response_id="auto")
    first = run(
        weather_agent(server, api), '?\n@1 note(text="one")\n@2 note(text="two")', streamed, model_settings=settings
    )
    request, history = '?\n@1 note(text="three")', first.all_messages()
    second = run(weather_agent(server, api), request, streamed, message_history=history, model_settings=settings)
    assert (first.output, second.output) == ("The results are: one; two", "The results are: three")
