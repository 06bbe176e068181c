"""OpenAI's Agents SDK speaks both of OpenAI's protocols: what one agent is told, in calls, words, thoughts and formats,
is kept as items and sent back, so each of them must be what it takes it for."""

from __future__ import annotations

import openai
import pytest
from agents import Agent, Model, ModelSettings
from agents.items import ReasoningItem

from tests.clients.agents_sdk import (
    Weather,
    both_ways,
    by_both,
    calls,
    helper,
    kinds,
    model_of,
    outputs,
    run,
    temperature,
)
from tests.live.server import Server
from tests.live.upstream import USAGE

pytestmark = [pytest.mark.clients, both_ways]


@pytest.fixture
def chat(server: Server, api: str) -> Model:
    return model_of(server, api)


@pytest.fixture
def agent(server: Server, api: str) -> Agent[None]:
    return helper(server, api)


@by_both
@pytest.mark.feature("call")
def test_a_tool_is_called_and_its_result_is_put_into_words(agent: Agent[None], streamed: bool) -> None:
    """Words before the call are an item of their own, ahead of it."""
    result = run(agent, 'How warm?\n@words I look.\n@1 temperature(city="Oslo")', streamed)
    assert calls(result) == [("temperature", '{"city":"Oslo"}')]
    assert kinds(result) == ["message_output_item", "tool_call_item", "tool_call_output_item", "message_output_item"]
    assert result.final_output == "The results are: -3.5"


@by_both
@pytest.mark.feature("parallel")
def test_parallel_calls_are_all_made(agent: Agent[None], streamed: bool) -> None:
    """It runs them at the same time."""
    result = run(agent, '?\n@1 temperature(city="Oslo")\n@1 temperature(city="Lisbon")\n@1 note(text="x")', streamed)
    assert outputs(result) == [-3.5, 21.0, "x"]
    assert result.final_output == "The results are: -3.5; 21.0; x"


@by_both
@pytest.mark.feature("rounds")
def test_calls_follow_each_other_over_rounds(agent: Agent[None], streamed: bool) -> None:
    """All items of the rounds before are sent again."""
    result = run(
        agent, '?\n@1 temperature(city="Oslo")\n@2 note(text="cold")\n@3 note(text="end")\n@say Done.', streamed
    )
    assert outputs(result) == [-3.5, "cold", "end"]
    assert result.final_output == "Done."


@by_both
@pytest.mark.feature("nested")
def test_models_are_arguments(agent: Agent[None], streamed: bool) -> None:
    """Its schemas are strict: all fields are required, and defaults are gone."""
    legs = '[Leg(start="Bergen", end="Oslo", by="train"), Leg(start="Oslo", end="Kiel", by="boat")]'
    result = run(agent, f'Plan.\n@1 plan(trip=Trip(name="North", legs={legs}), days=3)', streamed)
    assert result.final_output == "The results are: North: Bergen → Oslo → Kiel in 3 days"


@by_both
@pytest.mark.feature("unicode")
def test_other_scripts_and_code_arrive_unchanged(agent: Agent[None], streamed: bool) -> None:
    """In arguments and in words."""
    text = 'Grüße 日本 🦆 "quoted" \\n ```python\nnote(text="x")\n``` \' end'
    result = run(agent, f"Note it.\n@1 note(text={text!r})\n@say Größe 🦆 “日本” {{}} \\n.", streamed)
    assert (outputs(result), result.final_output) == ([text], "Größe 🦆 “日本” {} \\n.")


@by_both
@pytest.mark.feature("tool errors")
def test_a_tool_that_fails_is_told_of(agent: Agent[None], streamed: bool) -> None:
    """The exception becomes a sentence, which the model is shown as the result."""
    result = run(agent, '?\n@1 temperature(city="Atlantis")\n@2 temperature(city="Lisbon")\n@say Warm.', streamed)
    assert "An error occurred while running the tool" in outputs(result)[0]
    assert outputs(result)[1:] == [21.0]
    assert result.final_output == "Warm."


@by_both
@pytest.mark.feature("output")
def test_typed_output_after_a_tool(chat: Model, streamed: bool) -> None:
    """``output_type`` is a strict JSON Schema beside the tools."""
    agent = Agent[None](name="Reporter", model=chat, tools=[temperature], output_type=Weather)
    result = run(agent, '?\n@1 temperature(city="Oslo")\n@json {"city": "Oslo", "degrees": -3.5}', streamed)
    assert result.final_output == Weather(city="Oslo", degrees=-3.5)


@by_both
@pytest.mark.feature("output")
def test_typed_output_that_is_a_list(chat: Model, streamed: bool) -> None:
    """It wraps what isn't an object."""
    agent = Agent[None](name="Reporter", model=chat, output_type=list[Weather])
    result = run(agent, '?\n@json {"response": [{"city": "Oslo", "degrees": -3.5}]}', streamed)
    assert result.final_output == [Weather(city="Oslo", degrees=-3.5)]


@by_both
@pytest.mark.feature("choice")
@pytest.mark.parametrize("choice", ["required", "note", "none"])
def test_the_choice_of_tools_is_heeded(agent: Agent[None], streamed: bool, choice: str) -> None:
    """The SDK lets it go once a tool was used, so that the run can end."""
    agent.model_settings = ModelSettings(tool_choice=choice)
    result = run(agent, 'Say temperature in "Oslo", and note.\n@say Done.', streamed)
    expected = {"required": "temperature", "note": "note"}.get(choice)
    assert [name for name, _ in calls(result)][:1] == ([expected] if expected else [])
    assert result.final_output == "Done."


@by_both
@pytest.mark.feature("choice")
def test_calls_may_have_to_come_one_at_a_time(agent: Agent[None], streamed: bool) -> None:
    """``parallel_tool_calls`` is false: whatever the model writes, one call leaves."""
    agent.model_settings = ModelSettings(parallel_tool_calls=False)
    result = run(agent, '?\n@1 note(text="a")\n@1 note(text="b")\n@say Done.', streamed)
    assert kinds(result)[:2] == ["tool_call_item", "tool_call_output_item"]
    assert outputs(result)[0] == "a"


@by_both
@pytest.mark.feature("programs")
def test_a_program_computes_with_results(agent: Agent[None], streamed: bool) -> None:
    """Its later calls are made of what the client has answered: found by ids that came back unchanged."""
    program = """
@1 degrees = {city: temperature(city=city) for city in ["Oslo", "Lisbon"]}
@1 warmest = max(degrees, key=degrees.get)
@1 print(note(text=f"{warmest} at {degrees[warmest]}"))"""
    result = run(agent, f"Where is it warmest?{program}", streamed)
    assert outputs(result) == [-3.5, 21.0, "Lisbon at 21.0"]
    assert "Lisbon at 21.0" in result.final_output


@by_both
@pytest.mark.feature("thoughts")
def test_thoughts_are_items_of_their_own(agent: Agent[None], streamed: bool) -> None:
    """They stand before the calls that they led to, and are sent back with them."""
    result = run(agent, '?\n@think I had better look.\n@1 temperature(city="Oslo")\n@say Cold.', streamed)
    thoughts = [item.raw_item for item in result.new_items if isinstance(item, ReasoningItem)]
    parts = [part.text for thought in thoughts for part in [*thought.summary, *(thought.content or [])]]
    assert parts[0] == "I had better look."
    assert kinds(result)[:2] == ["reasoning_item", "tool_call_item"]
    assert result.final_output == "Cold."


@by_both
@pytest.mark.feature("usage")
def test_tokens_are_counted(agent: Agent[None], streamed: bool) -> None:
    """Over both requests of the run."""
    agent.model_settings = ModelSettings(include_usage=True)
    usage = run(agent, '?\n@1 temperature(city="Oslo")', streamed).context_wrapper.usage
    assert (usage.requests, usage.input_tokens, usage.output_tokens, usage.total_tokens) == (
        2,
        2 * USAGE["prompt_tokens"],
        2 * USAGE["completion_tokens"],
        2 * USAGE["total_tokens"],
    )


@by_both
@pytest.mark.feature("faults")
def test_a_failure_is_the_sdks_exception(agent: Agent[None], streamed: bool) -> None:
    """It is raised out of the run."""
    with pytest.raises(openai.RateLimitError, match="Scripted failure 429"):
        run(agent, "?\n@status 429", streamed)
