"""LangChain's ChatOpenAI breaks on deltas that other clients forgive, and most agents in Python are built on it."""

from __future__ import annotations

import functools
import operator
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field, SecretStr

from tests.live.server import PARIS, Server
from tests.live.upstream import MODEL, USAGE, ScriptedUpstream

pytestmark = pytest.mark.live

BOTH = 'I will look.\n```python\nget_weather(city="Paris")\nadd(a=1, b=2)\n```'


@tool
def get_weather(city: str) -> str:
    """Current weather in a city."""
    return f"Sunny in {city}."


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


class Person(BaseModel):
    """A person that the text tells of."""

    name: str = Field(description="Full name")
    children: list[str] = Field(default_factory=list)


@pytest.fixture
def chat(server: Server, scripted: ScriptedUpstream) -> ChatOpenAI:
    return ChatOpenAI(
        base_url=f"{server.url}/v1", api_key=SecretStr("sk-test"), model=MODEL, max_retries=0, stream_usage=True
    )


def plain(calls: list[ToolCall]) -> list[tuple[str, Any]]:
    return [(call["name"], call["args"]) for call in calls]


def test_bound_tools_are_called(chat: ChatOpenAI, scripted: ScriptedUpstream) -> None:
    """What every LangChain agent does first."""
    scripted.say(BOTH)
    message = chat.bind_tools([get_weather, add]).invoke("What is the weather like?")
    assert plain(message.tool_calls) == [("get_weather", {"city": "Paris"}), ("add", {"a": 1, "b": 2})]
    assert not message.invalid_tool_calls
    assert message.content == "I will look."
    assert message.usage_metadata is not None
    assert message.usage_metadata["total_tokens"] == USAGE["total_tokens"]


def test_streamed_chunks_add_up_to_the_same_calls(chat: ChatOpenAI, scripted: ScriptedUpstream) -> None:
    """A name or an id that came twice would be doubled by its addition of chunks."""
    scripted.say(BOTH)
    chunks = cast("list[AIMessageChunk]", list(chat.bind_tools([get_weather, add]).stream("What is the weather like?")))
    whole = functools.reduce(operator.add, chunks)
    assert plain(whole.tool_calls) == [("get_weather", {"city": "Paris"}), ("add", {"a": 1, "b": 2})]
    assert not whole.invalid_tool_calls
    assert whole.content == "I will look."
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["total_tokens"] == USAGE["total_tokens"]


@pytest.mark.parametrize("name", ["any", "required", "get_weather"])
def test_a_forced_choice_is_enforced(chat: ChatOpenAI, scripted: ScriptedUpstream, name: str) -> None:
    """LangChain says "any" for required, and the name alone for a named function."""
    scripted.say("It is sunny.", PARIS)
    message = chat.bind_tools([get_weather, add], tool_choice=name).invoke("What is the weather like?")
    assert plain(message.tool_calls) == [("get_weather", {"city": "Paris"})]


def test_structured_output_comes_as_the_users_model(chat: ChatOpenAI, scripted: ScriptedUpstream) -> None:
    """It is a forced call underneath: extraction is what many use tool calling for."""
    scripted.say('Person(name="Ada Lovelace", children=["Byron", "Anne", "Ralph"])')
    structured = cast(Any, chat).with_structured_output(Person, method="function_calling")
    assert structured.invoke("Who was Ada?") == Person(name="Ada Lovelace", children=["Byron", "Anne", "Ralph"])


def test_tool_messages_make_the_round_trip(chat: ChatOpenAI, scripted: ScriptedUpstream) -> None:
    """Its messages are sent back in its own form: empty content, calls as a list, results by id."""
    scripted.say(BOTH, "It is sunny, and 3.")
    bound = chat.bind_tools([get_weather, add])
    history: list[BaseMessage] = [HumanMessage("What is the weather like?")]
    first = bound.invoke(history)
    results = [
        cast(ToolMessage, {"get_weather": get_weather, "add": add}[call["name"]].invoke(call))
        for call in first.tool_calls
    ]
    assert bound.invoke([*history, first, *results]).content == "It is sunny, and 3."
    scripted.question()
    last = scripted.question().body["messages"][-1]["content"]
    assert last.index("Sunny in Paris.") < last.index("add(a=1, b=2)") < last.index("3")
