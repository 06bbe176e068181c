"""Real clients, each with its own way of adding up an answer: what calls does it hear of, at some address?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import reduce
from operator import add
from typing import Any, cast

import agents
from autogen_core.models import UserMessage
from autogen_ext.models.openai import OpenAIChatCompletionClient
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, OpenAI
from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.messages import ModelRequest
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.tools import ToolDefinition
from smolagents import OpenAIServerModel, Tool
from smolagents.models import agglomerate_stream_deltas

Json = dict[str, Any]
Calls = list[tuple[str, Json]]

NAME = "get_weather"
ABOUT = "Current weather in a city."
CITY: Json = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Name of the city"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTION: Json = {"name": NAME, "description": ABOUT, "parameters": CITY, "strict": True}
MODEL, KEY, QUESTION = "any", "none", "Weather in Paris and Rome?"


def _of_openai(url: str, *, streamed: bool) -> Calls:
    client = OpenAI(base_url=url, api_key=KEY, max_retries=0)
    asked: Any = {
        "model": MODEL,
        "messages": [{"role": "user", "content": QUESTION}],
        "tools": [{"type": "function", "function": FUNCTION}],
    }
    if streamed:
        with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.parse(**asked).choices[0].message
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or ()]


def _of_langchain(url: str, *, streamed: bool) -> Calls:
    model: Any = ChatOpenAI(model=MODEL, base_url=url, api_key=cast(Any, KEY), max_retries=0, stream_usage=True)
    bound = model.bind_tools([{"type": "function", "function": FUNCTION}])
    message = reduce(add, bound.stream(QUESTION)) if streamed else bound.invoke(QUESTION)
    return [(call["name"], call["args"]) for call in message.tool_calls]


def _of_pydantic_ai(url: str, *, streamed: bool) -> Calls:
    client = AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0)
    model = OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client))
    asked = [ModelRequest.user_text_prompt(QUESTION)]
    tools = ModelRequestParameters(
        function_tools=[ToolDefinition(name=NAME, parameters_json_schema=CITY, description=ABOUT)]
    )

    async def answer() -> Calls:
        if streamed:
            async with model_request_stream(model, asked, model_request_parameters=tools) as stream:
                async for _ in stream:
                    pass
                response = stream.get()
        else:
            response = await model_request(model, asked, model_request_parameters=tools)
        return [(call.tool_name, call.args_as_dict()) for call in response.tool_calls]

    return asyncio.run(answer())


def _of_agents_sdk(url: str, *, streamed: bool) -> Calls:
    agents.set_tracing_disabled(True)
    heard: Calls = []

    async def called(_: Any, arguments: str) -> str:
        heard.append((NAME, json.loads(arguments)))
        return "sunny"

    tool = agents.FunctionTool(NAME, ABOUT, CITY, called)
    client = AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0)
    agent = agents.Agent[Any](
        name="asker",
        model=agents.OpenAIChatCompletionsModel(MODEL, client),
        tools=[tool],
        model_settings=agents.ModelSettings(include_usage=True),
        tool_use_behavior="stop_on_first_tool",
    )

    async def run() -> None:
        if not streamed:
            await agents.Runner.run(agent, QUESTION)
            return
        async for _ in (result := agents.Runner.run_streamed(agent, QUESTION)).stream_events():
            pass
        assert result.is_complete

    asyncio.run(run())
    return heard


class _Weather(Tool):
    name = NAME
    description = ABOUT
    inputs = CITY["properties"]
    output_type = "string"

    def forward(self, city: str) -> str:
        return city


def _of_smolagents(url: str, *, streamed: bool) -> Calls:
    model: Any = OpenAIServerModel(MODEL, api_base=url, api_key=KEY, client_kwargs={"max_retries": 0})
    asked: Any = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
    if streamed:
        deltas = list(model.generate_stream(asked, tools_to_call_from=[_Weather()]))
        message: Any = agglomerate_stream_deltas(deltas)
    else:
        message = model.generate(asked, tools_to_call_from=[_Weather()])
    return [(call.function.name, _object(call.function.arguments)) for call in message.tool_calls or ()]


def _of_autogen(url: str, *, streamed: bool) -> Calls:
    async def answer() -> Calls:
        about: Any = {"function_calling": True, "vision": False, "json_output": True, "structured_output": True}
        model = OpenAIChatCompletionClient(
            model=MODEL, base_url=url, api_key=KEY, max_retries=0, model_info=about | {"family": "unknown"}
        )
        asked = [UserMessage(content=QUESTION, source="user")]
        tools: Any = [{"name": NAME, "description": ABOUT, "parameters": CITY}]
        if streamed:
            said = [part async for part in model.create_stream(asked, tools=tools, include_usage=True)]
            result: Any = said[-1]
        else:
            result = await model.create(asked, tools=tools)
        return [(call.name, json.loads(call.arguments)) for call in result.content]

    return asyncio.run(answer())


def _object(arguments: str | Json) -> Json:
    return json.loads(arguments) if isinstance(arguments, str) else arguments


CLIENTS: Mapping[str, Callable[..., Calls]] = {
    "openai": _of_openai,
    "langchain": _of_langchain,
    "pydantic_ai": _of_pydantic_ai,
    "agents_sdk": _of_agents_sdk,
    "smolagents": _of_smolagents,
    "autogen": _of_autogen,
}
"""``client(url, streamed=…)`` → the calls.  Raises whatever the client raises."""
