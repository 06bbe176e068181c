"""smolagents demands a call in every round, its end included, and shows the model its calls and their results as words
of a conversation: nothing here depends on ids that come back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from smolagents import (
    AgentGenerationError,
    LogLevel,
    OpenAIServerModel,
    Tool,
    ToolCallingAgent,
    tool,  # pyright: ignore[reportUnknownVariableType] - it says nothing of what it decorates
)
from smolagents.memory import ActionStep

from tests.live.server import Server
from tests.live.upstream import MODEL, USAGE

DEGREES = {"Oslo": -3.5, "Lisbon": 21.0}

pytestmark = [
    pytest.mark.clients,
    pytest.mark.client("smolagents", "Chat Completions", package="smolagents"),
    pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"]),
]


@tool
def temperature(city: str) -> float:
    """Temperature in a city.

    Args:
        city: Name of the city.
    """
    return DEGREES[city]


@tool
def note(text: str) -> str:
    """Keep a note.

    Args:
        text: What to keep.
    """
    return text


class Plan(Tool):
    """Its inputs are declared by hand: objects and lists go through as they are."""

    name = "plan"
    description = "Plan a trip."
    inputs = {  # noqa: RUF012 - the base class has it so
        "trip": {"type": "object", "description": "Its name and legs."},
        "days": {"type": "integer", "description": "How long.", "nullable": True},
    }
    output_type = "string"

    def forward(self, trip: dict[str, Any], days: int | None = None) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return f"{trip['name']}: {' → '.join(leg['to'] for leg in trip['legs'])} in {days} days"


StartAgent = Callable[..., ToolCallingAgent]


@pytest.fixture
def start(server: Server, streamed: bool) -> StartAgent:
    model = OpenAIServerModel(MODEL, api_base=f"{server.url}/v1", api_key="sk-test", client_kwargs={"max_retries": 0})

    def agent(*tools: Tool, **options: Any) -> ToolCallingAgent:
        return ToolCallingAgent(
            list(tools), model, stream_outputs=streamed, verbosity_level=LogLevel.OFF, max_steps=6, **options
        )

    return agent


def steps(agent: ToolCallingAgent) -> list[ActionStep]:
    return [step for step in agent.memory.steps if isinstance(step, ActionStep)]


def calls(agent: ToolCallingAgent) -> list[list[tuple[str, Any]]]:
    return [[(call.name, call.arguments) for call in step.tool_calls or []] for step in steps(agent)]


@pytest.mark.feature("call")
def test_a_tool_is_called_and_the_answer_is_a_call_too(start: StartAgent) -> None:
    """``final_answer`` ends the run."""
    agent = start(temperature)
    answer = agent.run('How warm?\n@words I look.\n@1 temperature(city="Oslo")\n@2 final_answer(answer="Cold.")')
    assert answer == "Cold."
    assert calls(agent) == [[("temperature", {"city": "Oslo"})], [("final_answer", {"answer": "Cold."})]]
    assert steps(agent)[0].observations == "-3.5"
    assert steps(agent)[0].model_output == "I look."


@pytest.mark.feature("parallel")
def test_parallel_calls_keep_their_order(start: StartAgent) -> None:
    """It runs them in threads, and lists what came of them in the order of their ids."""
    agent = start(note)
    numbers = [str(number) for number in range(12)]
    lines = "\n".join(f'@1 note(text="{number}")' for number in numbers)
    assert agent.run(f'?\n{lines}\n@2 final_answer(answer="ok")') == "ok"
    assert calls(agent)[0] == [("note", {"text": number}) for number in numbers]
    assert steps(agent)[0].observations == "\n".join(numbers)


@pytest.mark.feature("rounds")
def test_calls_follow_each_other_over_rounds(start: StartAgent) -> None:
    """It tells the model of them as words: 'Calling tools', 'Observation'."""
    agent = start(temperature, note)
    script = (
        '@1 temperature(city="Oslo")\n@2 temperature(city="Lisbon")\n@3 note(text="x")\n@4 final_answer(answer="end")'
    )
    assert agent.run(f"?\n{script}") == "end"
    assert [step.observations for step in steps(agent)[:3]] == ["-3.5", "21.0", "x"]


@pytest.mark.feature("rounds")
def test_an_agent_is_a_tool_of_another(start: StartAgent) -> None:
    """A managed agent is called with a task, and runs its own loop meanwhile."""
    expert = start(temperature, name="expert", description="Knows the weather.")
    boss = start(managed_agents=[expert])
    task = "Look.\n@1 temperature(city='Oslo')\n@2 final_answer(answer='It is cold.')"
    assert boss.run(f'?\n@1 expert(task={task!r}, additional_args={{}})\n@2 final_answer(answer="done")') == "done"
    assert re.search("It is cold", steps(boss)[0].observations or "")


@pytest.mark.feature("nested")
def test_objects_are_arguments(start: StartAgent) -> None:
    """Its schemas say no more than that it is an object."""
    agent = start(Plan())
    trip = {"name": "North", "legs": [{"to": "Oslo"}, {"to": "Kiel"}]}
    assert agent.run(f'?\n@1 plan(trip={trip}, days=3)\n@2 final_answer(answer="ok")') == "ok"
    assert steps(agent)[0].observations == "North: Oslo → Kiel in 3 days"


@pytest.mark.feature("unicode")
def test_other_scripts_and_code_arrive_unchanged(start: StartAgent) -> None:
    """In arguments and in the answer."""
    text = 'Grüße 日本 🦆 "quoted" \\n ```python\nnote(text="x")\n``` \' end'
    agent = start(note)
    assert agent.run(f"?\n@1 note(text={text!r})\n@2 final_answer(answer={text!r})") == text
    assert steps(agent)[0].observations == text


@pytest.mark.feature("tool errors")
def test_a_tool_that_fails_is_told_of(start: StartAgent) -> None:
    """It shows the exception, and lets the model try again."""
    agent = start(temperature)
    script = '@1 temperature(city="Atlantis")\n@2 temperature(city="Lisbon")\n@3 final_answer(answer="warm")'
    assert agent.run(f"?\n{script}") == "warm"
    assert "Atlantis" in str(steps(agent)[0].error)
    assert steps(agent)[1].observations == "21.0"


@pytest.mark.feature("choice")
def test_words_alone_are_not_taken(start: StartAgent) -> None:
    """It demands a call (tool_choice is required), so the server asks the model again."""
    agent = start(temperature)
    assert agent.run('?\n@1 "It is cold."\n@repair final_answer(answer="Cold.")') == "Cold."
    assert len(steps(agent)) == 1


@pytest.mark.feature("programs")
def test_code_that_computes_makes_plain_calls(start: StartAgent) -> None:
    """What code computes from literals is called; what needs results waits for the next round."""
    agent = start(note)
    program = '@1 for city in ["Oslo", "Lisbon"]:\n@1     note(text=f"to {city.upper()}")'
    assert agent.run(f'?\n{program}\n@2 final_answer(answer="ok")') == "ok"
    assert calls(agent)[0] == [("note", {"text": "to OSLO"}), ("note", {"text": "to LISBON"})]


@pytest.mark.feature("conversation")
def test_a_conversation_goes_on(start: StartAgent) -> None:
    """``reset=False`` keeps the memory."""
    agent = start(temperature)
    assert agent.run('?\n@1 temperature(city="Oslo")\n@2 final_answer(answer="Cold.")') == "Cold."
    second = 'And there?\n@1 temperature(city="Lisbon")\n@2 final_answer(answer="Warm.")'
    assert agent.run(second, reset=False) == "Warm."
    assert [step.observations for step in steps(agent)] == ["-3.5", "Cold.", "21.0", "Warm."]


@pytest.mark.feature("usage")
def test_tokens_are_counted(start: StartAgent) -> None:
    """In every step: it can't do without."""
    agent = start(temperature)
    agent.run('?\n@1 temperature(city="Oslo")\n@2 final_answer(answer="Cold.")')
    used = [
        (step.token_usage.input_tokens, step.token_usage.output_tokens) for step in steps(agent) if step.token_usage
    ]
    assert used == [(USAGE["prompt_tokens"], USAGE["completion_tokens"])] * 2


@pytest.mark.feature("faults")
def test_a_failure_ends_the_run(start: StartAgent) -> None:
    """With what the server said."""
    with pytest.raises(AgentGenerationError, match="Scripted failure 400"):
        start(temperature).run("?\n@status 400")
