"""PydanticAI validates all that it is told, with a model of its own for each of the three protocols: every part of an
answer must come where it expects it, or the agent stops."""

from __future__ import annotations

import asyncio

import pytest
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelResponse, PartDeltaEvent, TextPartDelta, ThinkingPart
from pydantic_ai.models.openai import OpenAIResponsesModelSettings

from tests.clients.pydantic_agents import both_ways, by_all, calls, run, weather_agent
from tests.live.server import Server
from tests.live.upstream import USAGE

pytestmark = [pytest.mark.clients, by_all, both_ways]


@pytest.fixture
def agent(server: Server, api: str) -> Agent[None, str]:
    return weather_agent(server, api)


@pytest.mark.feature("call")
def test_a_tool_is_called_and_its_result_is_put_into_words(agent: Agent[None, str], streamed: bool) -> None:
    """The loop that everything else is made of."""
    result = run(agent, 'How warm is it?\n@words I look.\n@1 temperature(city="Oslo")', streamed)
    assert calls(result) == [[("temperature", {"city": "Oslo"})]]
    assert result.output == "The results are: -3.5"


@pytest.mark.feature("call")
def test_an_answer_in_words_calls_nothing(agent: Agent[None, str], streamed: bool) -> None:
    """Its words end the run at once."""
    result = run(agent, "Hi!\n@say It is nice to meet you.", streamed)
    assert (calls(result), result.output) == ([], "It is nice to meet you.")


@pytest.mark.feature("parallel")
def test_parallel_calls_are_all_made(agent: Agent[None, str], streamed: bool) -> None:
    """Its tools run at the same time, and it sends their results in one request."""
    result = run(agent, '?\n@1 temperature(city="Oslo")\n@1 temperature(city="Lisbon")\n@1 note(text="two")', streamed)
    oslo, lisbon = ({"city": city} for city in ("Oslo", "Lisbon"))
    assert calls(result) == [[("temperature", oslo), ("temperature", lisbon), ("note", {"text": "two"})]]
    assert result.output == "The results are: -3.5; 21.0; two"


@pytest.mark.feature("rounds")
def test_calls_follow_each_other_over_rounds(agent: Agent[None, str], streamed: bool) -> None:
    """Each round re-sends all before it, in its own form."""
    result = run(
        agent,
        '?\n@1 temperature(city="Oslo")\n@2 temperature(city="Lisbon")\n@3 note(text="done")\n@say Done.',
        streamed,
    )
    assert [name for ((name, _),) in calls(result)] == ["temperature", "temperature", "note"]
    assert result.output == "Done."


@pytest.mark.feature("nested")
def test_models_are_arguments(agent: Agent[None, str], streamed: bool) -> None:
    """It validates them with the classes that it made the schema from."""
    legs = '[Leg(start="Bergen", end="Oslo", by="train"), Leg(start="Oslo", end="Kiel", by="boat")]'
    request = f'Plan.\n@1 plan(trip=Trip(name="North", legs={legs}, tags={{"for": "two"}}), days=3)'
    result = run(agent, request, streamed)
    assert calls(result)[0][0][1]["trip"]["tags"] == {"for": "two"}
    assert result.output == "The results are: North: Bergen → Oslo → Kiel in 3 days"


@pytest.mark.feature("unicode")
def test_other_scripts_and_code_arrive_unchanged(agent: Agent[None, str], streamed: bool) -> None:
    """In arguments and in words, quotation marks and fences included."""
    text = 'Grüße 日本 🦆 "quoted" \\n ```python\nnote(text="x")\n``` \' end'
    result = run(agent, f"Note it.\n@1 note(text={text!r})\n@say Größe 🦆 “日本” {{}} \\n.", streamed)
    assert calls(result) == [[("note", {"text": text})]]
    assert result.output == "Größe 🦆 “日本” {} \\n."


@pytest.mark.feature("tool errors")
def test_a_tool_that_asks_again_is_called_again(agent: Agent[None, str], streamed: bool) -> None:
    """ModelRetry is its way to say what was wrong with a call."""
    result = run(agent, '?\n@1 temperature(city="Atlantis")\n@2 temperature(city="Lisbon")', streamed)
    assert [arguments["city"] for ((_, arguments),) in calls(result)] == ["Atlantis", "Lisbon"]
    assert "There is no city Atlantis." in result.output and "21.0" in result.output


@pytest.mark.feature("choice")
def test_calls_may_have_to_come_one_at_a_time(agent: Agent[None, str], streamed: bool) -> None:
    """``parallel_tool_calls`` is false: whatever the model writes, one call leaves."""
    request = '?\n@1 note(text="a")\n@1 note(text="b")\n@say Done.'
    result = run(agent, request, streamed, model_settings={"parallel_tool_calls": False})
    assert calls(result)[0] == [("note", {"text": "a"})]
    assert result.output == "Done."


@pytest.mark.feature("choice")
def test_tools_may_be_forbidden(agent: Agent[None, str], streamed: bool) -> None:
    """They stay in the request, and the model is told nothing of them."""
    request = 'What is the temperature in "Oslo"?\n@say I do not know.'
    result = run(agent, request, streamed, model_settings={"tool_choice": "none"})
    assert (calls(result), result.output) == ([], "I do not know.")


@pytest.mark.feature("programs")
def test_a_program_computes_with_results(agent: Agent[None, str], streamed: bool) -> None:
    """Its later calls are made of what the client has answered: found by ids that came back unchanged."""
    program = """
@1 degrees = {city: temperature(city=city) for city in ["Oslo", "Lisbon"]}
@1 warmest = max(degrees, key=degrees.get)
@1 print(note(text=f"{warmest} at {degrees[warmest]}"))"""
    result = run(agent, f"Where is it warmest?{program}", streamed)
    assert calls(result)[1:] == [[("note", {"text": "Lisbon at 21.0"})]]
    assert "Lisbon at 21.0" in result.output


@pytest.mark.feature("thoughts")
def test_thoughts_are_parts_of_their_own(agent: Agent[None, str], streamed: bool) -> None:
    """They are kept apart from the words, and go back with the history.  Of a response it shows summaries."""
    settings = OpenAIResponsesModelSettings(openai_reasoning_summary="detailed")
    request = '?\n@think I had better look.\n@1 temperature(city="Oslo")\n@say Cold.'
    result = run(agent, request, streamed, model_settings=settings)
    answers = [message for message in result.all_messages() if isinstance(message, ModelResponse)]
    thoughts = [part.content for answer in answers for part in answer.parts if isinstance(part, ThinkingPart)]
    assert thoughts == ["I had better look."]
    assert result.output == "Cold."


@pytest.mark.feature("usage")
def test_tokens_are_counted(agent: Agent[None, str], streamed: bool) -> None:
    """Over both requests of the run."""
    usage = run(agent, '?\n@1 temperature(city="Oslo")', streamed).usage
    assert (usage.requests, usage.tool_calls) == (2, 1)
    assert (usage.input_tokens, usage.output_tokens) == (2 * USAGE["prompt_tokens"], 2 * USAGE["completion_tokens"])


@pytest.mark.feature("faults")
def test_a_failure_is_its_own_exception(agent: Agent[None, str], streamed: bool) -> None:
    """With the status that tells it whether to try again."""
    with pytest.raises(ModelHTTPError) as caught:
        run(agent, "?\n@status 429", streamed)
    assert caught.value.status_code == 429
    assert "Scripted failure 429" in str(caught.value.body)


@pytest.mark.feature("call")
def test_words_come_in_pieces(agent: Agent[None, str], streamed: bool) -> None:
    """A reader sees them while they are written."""
    said = "It is a long story, and it has been told before."

    async def pieces() -> list[str]:
        async with agent.run_stream_events(f"Tell.\n@say {said}") as events:
            deltas = [event.delta async for event in events if isinstance(event, PartDeltaEvent)]
        return [delta.content_delta for delta in deltas if isinstance(delta, TextPartDelta)]

    if streamed:
        assert len(asyncio.run(pieces())) > 3
    else:
        assert run(agent, f"Tell.\n@say {said}", streamed).output == said
