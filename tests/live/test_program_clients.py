"""Agents of today run a chained program without knowing that it is one: all they see are rounds of tool calls."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from typing import Any, cast

import openai
import pytest
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai.types.chat import ChatCompletionMessage, ChatCompletionMessageFunctionToolCall, ChatCompletionMessageParam
from pydantic import SecretStr
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.live.programs import StartServer, asked_of, program_servers, writes
from tests.live.server import Server
from tests.live.upstream import MODEL, Json, ScriptedUpstream

pytestmark = pytest.mark.live

PROGRAM = """\
staff = [get_user(user_id=i) for i in (4, 5)]
for user in staff:
    if user["active"]:
        send(to=user["email"], body=f"Hello {user['name']}")
print("told", sum(user["active"] for user in staff))
"""
QUESTION = "Say hello to users 4 and 5."
MADE = ["get_user 4", "get_user 5", "send u4@x.org Hello User 4"]


@pytest.fixture(scope="module")
def server(
    start_server: StartServer, model_server: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Server:
    return program_servers(start_server, model_server, tmp_path_factory)()


@pytest.fixture
def made(scripted: ScriptedUpstream) -> list[str]:
    """What the tools were called with; the model writes the program, then words its output."""
    scripted.script = writes(PROGRAM)
    return []


def user_of(made: list[str], user_id: int) -> Json:
    made.append(f"get_user {user_id}")
    return {"name": f"User {user_id}", "email": f"u{user_id}@x.org", "active": user_id % 2 == 0}


def send_to(made: list[str], to: str, body: str) -> str:
    made.append(f"send {to} {body}")
    return "sent"


def finished(made: list[str], text: str | None, scripted: ScriptedUpstream) -> None:
    """Clients may run the calls of a round in any order, but not the rounds."""
    assert sorted(made[:2]) + made[2:] == MADE
    assert "told 1" in (text or "")
    assert len(asked_of(scripted)) == 2


def _function(name: str, **fields: str) -> Any:
    properties = {key: {"type": kind} for key, kind in fields.items()}
    parameters = {"type": "object", "properties": properties, "required": list(fields), "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "strict": True, "parameters": parameters}}


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
def test_the_openai_sdk(server: Server, scripted: ScriptedUpstream, made: list[str], streamed: bool) -> None:
    """The loop of OpenAI's own guide, with its stream helper too."""
    functions: dict[str, Callable[..., Any]] = {
        "get_user": functools.partial(user_of, made),
        "send": functools.partial(send_to, made),
    }
    tools = [_function("get_user", user_id="integer"), _function("send", to="string", body="string")]
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0) as client:

        def ask() -> ChatCompletionMessage:
            if not streamed:
                return client.chat.completions.create(model=MODEL, messages=messages, tools=tools).choices[0].message
            with client.chat.completions.stream(model=MODEL, messages=messages, tools=tools) as stream:
                return stream.get_final_completion().choices[0].message

        message = ask()
        while message.tool_calls:
            assert len(made) < len(MADE), "it never ends"
            messages.append(cast(ChatCompletionMessageParam, message.to_dict()))
            for call in message.tool_calls:
                assert isinstance(call, ChatCompletionMessageFunctionToolCall)
                result = functions[call.function.name](**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)})
            message = ask()
    finished(made, message.content, scripted)


@pytest.mark.parametrize("streaming", [False, True], ids=["plain", "stream"])
def test_langchain(server: Server, scripted: ScriptedUpstream, made: list[str], streaming: bool) -> None:
    """The messages come back in its own form: empty content, arguments written anew."""

    @tool
    def get_user(user_id: int) -> Json:
        """A user."""
        return user_of(made, user_id)

    @tool
    def send(to: str, body: str) -> str:
        """Sends a message."""
        return send_to(made, to, body)

    tools = {"get_user": get_user, "send": send}
    chat = ChatOpenAI(
        base_url=f"{server.url}/v1", api_key=SecretStr("sk-test"), model=MODEL, max_retries=0, streaming=streaming
    )
    bound = chat.bind_tools(list(tools.values()))
    history: list[BaseMessage] = [HumanMessage(QUESTION)]
    for _ in range(5):
        message = bound.invoke(history)
        history.append(message)
        if not message.tool_calls:
            break
        history += [cast(ToolMessage, tools[call["name"]].invoke(call)) for call in message.tool_calls]
    finished(made, str(history[-1].content), scripted)


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
def test_pydantic_ai(server: Server, scripted: ScriptedUpstream, made: list[str], streamed: bool) -> None:
    """It runs the calls of a round at the same time, and the whole loop by itself."""
    client = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0)
    agent = Agent(OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client)))

    @agent.tool_plain
    async def get_user(user_id: int) -> Json:  # pyright: ignore[reportUnusedFunction] - the decorator registers it
        """A user."""
        return user_of(made, user_id)

    @agent.tool_plain
    async def send(to: str, body: str) -> str:  # pyright: ignore[reportUnusedFunction] - the decorator registers it
        """Sends a message."""
        return send_to(made, to, body)

    async def run() -> str:
        if not streamed:
            return (await agent.run(QUESTION)).output
        async with agent.run_stream(QUESTION) as result:
            return await result.get_output()

    finished(made, asyncio.run(run()), scripted)
