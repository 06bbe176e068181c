"""LlamaIndex adds streamed calls up by their index and looks at the last message of a stream alone; its agents run as
workflows, and its programs make models by calls that are demanded."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent
from llama_index.core.base.llms.types import ThinkingBlock
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike, OpenAILikeResponses
from pydantic import BaseModel

from tests.clients.scenarios import TOOLS, Scenario, Tool, Toolbox, scenarios
from tests.live.server import Server
from tests.live.upstream import MODEL, USAGE

CHAT, RESPONSES = "Chat Completions", "Responses"


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float


class Report(BaseModel):
    """The weather in several cities."""

    title: str
    cities: list[Weather]


REPORT = Report(title="Today", cities=[Weather(city="Oslo", degrees=-3.5), Weather(city="Lisbon", degrees=21)])


CALL, JSON = f"@1 Report(**{REPORT.model_dump()})", f"@json {REPORT.model_dump_json()}"


def speaking(*apis: str) -> pytest.MarkDecorator:
    rows = [pytest.param(api, marks=pytest.mark.client("LlamaIndex", api, package="llama-index-core")) for api in apis]
    return pytest.mark.parametrize("api", rows)


by_both = speaking(CHAT, RESPONSES)
both_ways = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("ignore::DeprecationWarning")]  # of Pydantic, many


@pytest.fixture
def llm(server: Server, api: str) -> Any:
    """Not to be used from two event loops."""
    place = {"model": MODEL, "api_base": f"{server.url}/v1", "api_key": "sk-test", "max_retries": 0}
    known = {"context_window": 32000, "is_function_calling_model": True}
    return (
        OpenAILikeResponses(**place, **known) if api == RESPONSES else OpenAILike(**place, **known, is_chat_model=True)
    )


def offered(toolbox: Toolbox, tool: Tool) -> FunctionTool:
    async def function(**given: Any) -> str:
        return toolbox.run(tool.name, given)

    return FunctionTool.from_defaults(
        async_fn=function, name=tool.name, description=tool.about, fn_schema=tool.arguments
    )


def tools(toolbox: Toolbox) -> list[FunctionTool]:
    return [offered(toolbox, tool) for tool in TOOLS]


def run(agent: Any, request: str, **options: Any) -> str:
    async def words() -> str:
        return str(await agent.run(request, **options))

    return asyncio.run(words())


def said(text: str) -> list[ChatMessage]:
    return [ChatMessage(role="user", content=text)]


@by_both
@both_ways
@pytest.mark.parametrize("scenario", scenarios())
def test_scenarios(llm: Any, streamed: bool, scenario: Scenario) -> None:
    """A function agent runs the loop."""
    toolbox = Toolbox()
    agent = FunctionAgent(tools=tools(toolbox), llm=llm, streaming=streamed, system_prompt="Be brief.")
    scenario.check(toolbox, run(agent, scenario.request))


@by_both
@both_ways
@pytest.mark.feature("rounds")
def test_agents_hand_off_to_each_other(llm: Any, streamed: bool) -> None:
    """A hand-off is a call with arguments; the next agent sees it in the history."""
    toolbox = Toolbox()
    script = '@1 handoff(to_agent="expert", reason="weather")\n@2 get_weather(city="Rome")'
    triage = FunctionAgent(
        name="triage", description="Hands off.", llm=llm, streaming=streamed, can_handoff_to=["expert"], tools=[]
    )
    expert = FunctionAgent(
        name="expert",
        description="Knows the weather.",
        llm=llm,
        streaming=streamed,
        tools=tools(toolbox),
        can_handoff_to=[],
    )
    team = AgentWorkflow(agents=[triage, expert], root_agent="triage")
    assert run(team, f"How is Rome?\n{script}\n@say Mild.") == "Mild."
    assert toolbox.made == [("get_weather", {"city": "Rome"})]


@by_both
@both_ways
@pytest.mark.feature("conversation")
def test_a_conversation_goes_on(llm: Any, streamed: bool) -> None:
    """Its memory has the calls and results of the first request."""
    toolbox = Toolbox()
    agent = FunctionAgent(tools=tools(toolbox), llm=llm, streaming=streamed)
    memory = ChatMemoryBuffer.from_defaults(llm=llm)

    async def both() -> list[str]:
        cities = {"Rome": "Mild.", "Oslo": "Cold."}
        requests = [f'?\n@1 get_weather(city="{city}")\n@say {words}' for city, words in cities.items()]
        return [str(await agent.run(request, memory=memory)) for request in requests]

    assert asyncio.run(both()) == ["Mild.", "Cold."]
    assert [arguments["city"] for _, arguments in toolbox.made] == ["Rome", "Oslo"]
    assert [message.role.value for message in memory.get_all()] == ["user", "assistant", "tool", "assistant"] * 2


@by_both
@both_ways
@pytest.mark.feature("call")
def test_words_come_in_pieces(llm: Any, streamed: bool) -> None:
    """A reader of the agent's events sees them while they are written."""
    agent = FunctionAgent(tools=tools(Toolbox()), llm=llm, streaming=streamed)

    async def pieces() -> list[str]:
        handler = agent.run("?\n@1 now()\n@say It is a long story, and it has been told before.")
        found = [event.delta async for event in handler.stream_events() if isinstance(event, AgentStream)]
        await handler
        return [piece for piece in found if piece]

    told = asyncio.run(pieces())
    assert "".join(told) == ("It is a long story, and it has been told before." if streamed else "")
    assert len(told) > 3 or not streamed


@by_both
@both_ways
@pytest.mark.feature("parallel")
def test_calls_of_the_model_alone(llm: Any, streamed: bool) -> None:
    """``chat_with_tools`` without an agent, with more than one call in the answer."""
    asked: dict[str, Any] = {"tools": tools(Toolbox()), "user_msg": "?\n@1 now()\n@1 get_user(user_id=7)"}
    if streamed:
        *_, answer = llm.stream_chat_with_tools(**asked, allow_parallel_tool_calls=True)
    else:
        answer = llm.chat_with_tools(**asked, allow_parallel_tool_calls=True)
    calls = llm.get_tool_calls_from_response(answer)
    assert [(call.tool_name, call.tool_kwargs) for call in calls] == [("now", {}), ("get_user", {"user_id": 7})]


@by_both
@both_ways
@pytest.mark.feature("choice")
@pytest.mark.parametrize("choice", ["required", "now", "none"])
def test_the_choice_of_tools_is_heeded(llm: Any, api: str, streamed: bool, choice: str) -> None:
    """A name alone stands for the tool; of a response it has to be said in the protocol's words."""
    named = {"type": "function", "name": "now"} if api == RESPONSES and choice == "now" else choice
    demand = {"tool_required": True} if choice == "required" else {"tool_choice": named}
    asked: dict[str, Any] = {"tools": tools(Toolbox()), "user_msg": "Say something about user 7.", **demand}
    if streamed:
        *_, answer = llm.stream_chat_with_tools(**asked)
    else:
        answer = llm.chat_with_tools(**asked)
    calls = llm.get_tool_calls_from_response(answer, error_on_no_tool_call=False)
    assert [call.tool_name for call in calls] == {"now": ["now"], "none": [], "required": ["get_user"]}[choice]


@speaking(CHAT)
@both_ways
@pytest.mark.feature("output")
def test_a_prediction_is_a_model(llm: Any, streamed: bool) -> None:
    """A call is demanded; a stream gives what there is of it while it grows."""
    prompt = PromptTemplate("Report.\n{script}")
    if not streamed:
        assert llm.structured_predict(Report, prompt, script=CALL) == REPORT
        return
    *_, last = llm.stream_structured_predict(Report, prompt, script=CALL)
    assert last.model_dump() == REPORT.model_dump()


@speaking(CHAT)
@both_ways
@pytest.mark.feature("output")
def test_a_structured_model_answers_with_models(llm: Any, streamed: bool) -> None:
    """The same, as a model that other code may be given."""
    structured = llm.as_structured_llm(Report)
    if not streamed:
        assert structured.chat(said(f"Report.\n{CALL}")).raw == REPORT
        return
    *_, last = structured.stream_chat(said(f"Report.\n{CALL}"))
    assert last.raw.model_dump() == REPORT.model_dump()


@speaking(RESPONSES)
@pytest.mark.feature("output")
def test_a_response_is_a_model(llm: Any) -> None:
    """By a JSON Schema; streamed predictions look for calls where its Responses model doesn't put them."""
    assert llm.structured_predict(Report, PromptTemplate("Report.\n{script}"), script=JSON) == REPORT
    assert llm.as_structured_llm(Report).chat(said(f"Report.\n{JSON}")).raw == REPORT


@speaking(RESPONSES)
@both_ways
@pytest.mark.feature("conversation")
def test_the_server_keeps_the_conversation(llm: Any, streamed: bool) -> None:
    """It remembers the last response's id, and sends that with what is new."""
    llm.track_previous_responses = llm.store = True
    toolbox = Toolbox()

    def answer(request: Any) -> Any:
        asked = {"tools": tools(toolbox), "chat_history": request}
        return [*llm.stream_chat_with_tools(**asked)][-1] if streamed else llm.chat_with_tools(**asked)

    [call] = llm.get_tool_calls_from_response(answer(said('?\n@1 get_weather(city="Rome")')))
    result = toolbox.run(call.tool_name, call.tool_kwargs)
    told = ChatMessage(role="tool", content=result, additional_kwargs={"tool_call_id": call.tool_id})
    assert answer([told]).message.content == "The results are: 12 °C in Rome"


@speaking(RESPONSES)
@both_ways
@pytest.mark.feature("thoughts")
def test_thoughts_are_blocks_of_their_own(llm: Any, streamed: bool) -> None:
    """Of chat completions it reads none."""
    request = said("?\n@think I had better greet.\n@say Hello.")
    if streamed:
        *_, answer = llm.stream_chat(request, reasoning={"summary": "detailed"})
    else:
        answer = llm.chat(request, reasoning={"summary": "detailed"})
    thoughts = [block.content for block in answer.message.blocks if isinstance(block, ThinkingBlock)]
    assert thoughts == ["I had better greet."]
    assert answer.message.content == "Hello."


@by_both
@both_ways
@pytest.mark.feature("usage")
def test_tokens_are_counted(llm: Any, api: str, streamed: bool) -> None:
    """In what it keeps of the server's own answer."""
    if streamed:
        options = {} if api == RESPONSES else {"stream_options": {"include_usage": True}}
        *_, answer = llm.stream_chat(said("?\n@say Hello."), **options)
    else:
        answer = llm.chat(said("?\n@say Hello."))
    usage = answer.additional_kwargs["usage"] if api == RESPONSES else answer.raw.usage
    assert usage.total_tokens == USAGE["total_tokens"]


@by_both
@both_ways
@pytest.mark.feature("faults")
def test_a_failure_is_the_sdks_exception(llm: Any, streamed: bool) -> None:
    """It leaves them as they are."""
    with pytest.raises(openai.BadRequestError, match="Scripted failure 400"):
        list(llm.stream_chat(said("?\n@status 400"))) if streamed else llm.chat(said("?\n@status 400"))
