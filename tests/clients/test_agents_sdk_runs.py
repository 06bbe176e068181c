"""OpenAI's Agents SDK carries runs over several agents and requests: hand-offs, sessions, answers that the server keeps,
and what only the Responses API has."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    Model,
    RunConfig,
    Runner,
    RunState,
    SQLiteSession,
    Tool,
    TResponseInputItem,
    function_tool,
    input_guardrail,
)
from agents.stream_events import RawResponsesStreamEvent, RunItemStreamEvent
from agents.tool import CustomTool, WebSearchTool, tool_namespace

from tests.clients.agents_sdk import (
    Ran,
    Weather,
    both_ways,
    by_both,
    by_responses,
    helper,
    kinds,
    model_of,
    note,
    outputs,
    ran,
    run,
    temperature,
)
from tests.live.server import Server

pytestmark = [pytest.mark.clients, both_ways]


@pytest.fixture
def chat(server: Server, api: str) -> Model:
    return model_of(server, api)


@pytest.fixture
def agent(server: Server, api: str) -> Agent[None]:
    return helper(server, api)


@by_both
@pytest.mark.feature("rounds")
def test_an_agent_hands_off_to_another(chat: Model, streamed: bool) -> None:
    """A hand-off is a call without arguments; the next agent has other tools and instructions."""
    expert = Agent[None](name="Weather expert", instructions="Look it up.", model=chat, tools=[temperature])
    triage = Agent[None](name="Triage", instructions="Hand off.", model=chat, handoffs=[expert])
    result = run(
        triage, 'How warm?\n@1 transfer_to_weather_expert()\n@2 temperature(city="Oslo")\n@say Cold.', streamed
    )
    assert result.last_agent is expert
    assert outputs(result) == [-3.5]
    assert (kinds(result)[:2], result.final_output) == (["handoff_call_item", "handoff_output_item"], "Cold.")


@by_both
@pytest.mark.feature("rounds")
def test_an_agent_is_a_tool_of_another(chat: Model, streamed: bool) -> None:
    """Its run goes on inside the other's, and ends in a result."""
    expert = Agent[None](
        name="Expert", instructions='@1 temperature(city="Lisbon")\n@say Warm.', model=chat, tools=[temperature]
    )
    tool = expert.as_tool(tool_name="ask_expert", tool_description="Ask.", run_config=RunConfig(tracing_disabled=True))
    boss = Agent[None](name="Boss", model=chat, tools=[tool])
    result = run(boss, '?\n@1 ask_expert(input="How is Lisbon?")', streamed)
    assert (outputs(result), result.final_output) == (["Warm."], "The results are: Warm.")


@by_both
@pytest.mark.feature("conversation")
def test_a_conversation_goes_on_with_its_items(agent: Agent[None], streamed: bool) -> None:
    """All items of the first run, calls and outputs among them, are the input of the second."""

    async def both() -> tuple[Ran, Ran]:
        first = await ran(agent, 'How warm?\n@1 temperature(city="Oslo")\n@say Cold.', streamed)
        request: TResponseInputItem = {"role": "user", "content": 'There?\n@1 temperature(city="Lisbon")\n@say Warm.'}
        return first, await ran(agent, [*first.to_input_list(), request], streamed)

    first, second = asyncio.run(both())
    assert (outputs(first), outputs(second)) == ([-3.5], [21.0])
    assert (first.final_output, second.final_output) == ("Cold.", "Warm.")


@by_both
@pytest.mark.feature("conversation")
def test_a_call_may_wait_for_a_persons_word(chat: Model, streamed: bool) -> None:
    """The run is kept as JSON meanwhile; its results go back by the ids of the calls."""

    @function_tool(needs_approval=True)
    def delete(path: str) -> str:
        """Delete a file."""
        return f"{path} is gone."

    agent = Agent[None](name="Helper", model=chat, tools=[delete])

    async def all_of_it() -> Ran:
        first = await ran(agent, '?\n@1 delete(path="a")\n@1 delete(path="b")', streamed)
        state = await RunState.from_json(agent, first.to_state().to_json())
        for item in state.get_interruptions():
            state.approve(item) if json.loads(item.arguments or "")["path"] == "a" else state.reject(item)
        return await ran(agent, state, streamed)

    last = asyncio.run(all_of_it())
    assert last.final_output.startswith("The results are: a is gone.; ")


@by_both
@pytest.mark.feature("conversation")
def test_a_session_keeps_the_conversation(agent: Agent[None], streamed: bool) -> None:
    """Its items go through SQLite as JSON and come back."""

    async def both() -> tuple[Ran, list[TResponseInputItem]]:
        session = SQLiteSession("one")
        await ran(agent, '?\n@1 note(text="first")\n@say One.', streamed, session=session)
        last = await ran(agent, '?\n@1 note(text="second")\n@say Two.', streamed, session=session)
        items = await session.get_items()
        session.close()
        return last, items

    last, items = asyncio.run(both())
    assert (outputs(last), last.final_output, len(items)) == (["second"], "Two.", 8)


@by_both
@pytest.mark.feature("output")
def test_a_guardrail_stops_the_run(chat: Model, streamed: bool) -> None:
    """An agent with a typed output judges the request beside the run."""
    judge = Agent[None](
        name="Judge", instructions='@json {"city": "?", "degrees": 99}', model=chat, output_type=Weather
    )

    @input_guardrail
    async def not_too_hot(_: Any, __: Any, ___: Any) -> GuardrailFunctionOutput:
        judged = await ran(judge, "Is it too hot?", streamed)
        return GuardrailFunctionOutput(
            output_info=judged.final_output, tripwire_triggered=judged.final_output.degrees > 60
        )

    agent = Agent[None](name="Helper", model=chat, input_guardrails=[not_too_hot])
    with pytest.raises(InputGuardrailTripwireTriggered):
        run(agent, "Hi!\n@say Hello.", streamed)


@by_both
@pytest.mark.feature("call")
def test_events_come_in_the_documented_order(agent: Agent[None], streamed: bool) -> None:
    """What a user interface listens to; plain runs have only its end."""
    if not streamed:
        assert run(agent, "Tell.\n@say A story.", streamed).final_output == "A story."
        return

    async def events() -> tuple[list[str], list[str]]:
        result = Runner.run_streamed(
            agent, '?\n@1 note(text="x")\n@say Done.', run_config=RunConfig(tracing_disabled=True)
        )
        raw, items = list[str](), list[str]()
        async for event in result.stream_events():
            if isinstance(event, RawResponsesStreamEvent):
                raw.append(event.data.type)
            elif isinstance(event, RunItemStreamEvent):
                items.append(event.name)
        return raw, items

    raw, items = asyncio.run(events())
    assert items == ["tool_called", "tool_output", "message_output_created"]
    assert [raw.count(f"response.{name}") for name in ("created", "completed")] == [2, 2]
    told = [name for name in raw if name.startswith(("response.output_item", "response.function_call"))]
    assert told[0] == "response.output_item.added"
    assert told.index("response.function_call_arguments.delta") < told.index("response.output_item.done")
    assert "response.output_text.delta" in raw


@by_responses
@pytest.mark.feature("conversation")
@pytest.mark.parametrize("automatic", [False, True], ids=["by hand", "automatic"])
def test_the_server_keeps_the_conversation(agent: Agent[None], streamed: bool, automatic: bool) -> None:
    """With previous_response_id only what is new is sent, from request to request and from run to run."""

    async def both() -> tuple[Ran, Ran]:
        options = {"auto_previous_response_id": automatic}
        first = await ran(agent, '?\n@1 note(text="first")\n@say One.', streamed, **options)
        chained = {**options, "previous_response_id": first.last_response_id}
        return first, await ran(agent, '?\n@1 note(text="second")', streamed, **chained)

    first, second = asyncio.run(both())
    assert (outputs(first), first.final_output) == (["first"], "One.")
    assert (outputs(second), second.final_output) == (["second"], "The results are: second")


@by_responses
@pytest.mark.feature("call")
def test_a_custom_tool_takes_raw_text(chat: Model, streamed: bool) -> None:
    """Its input is no JSON, and must match the grammar that it came with."""
    heard: list[str] = []

    async def shout(_: Any, text: str) -> str:
        heard.append(text)
        return text.upper()

    grammar = {"type": "grammar", "syntax": "regex", "definition": "[a-z ]+"}
    agent = Agent[None](name="Shouter", model=chat, tools=[CustomTool("shout", "Say it aloud.", shout, format=grammar)])
    result = run(agent, '?\n@1 shout(input="good morning")', streamed)
    assert heard == ["good morning"]
    assert result.final_output == "The results are: GOOD MORNING"


@by_responses
@pytest.mark.feature("call")
def test_namespaces_group_tools(chat: Model, streamed: bool) -> None:
    """The SDK finds the tool by namespace and name."""
    grouped: list[Tool] = [*tool_namespace(name="diary", description="Notes of the day.", tools=[note])]
    agent = Agent[None](name="Helper", model=chat, tools=grouped)
    result = run(agent, 'Write a note "x" into the diary.', streamed)
    assert (outputs(result), result.final_output) == (["x"], "The results are: x")


@by_responses
@pytest.mark.feature("faults")
def test_a_hosted_tool_is_refused_by_its_name(chat: Model, streamed: bool) -> None:
    """Nobody here can search the web, and the user had better know."""
    agent = Agent[None](name="Searcher", model=chat, tools=[WebSearchTool()])
    with pytest.raises(openai.BadRequestError, match="web_search"):
        run(agent, "Search!", streamed)
