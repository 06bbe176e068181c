"""LangChain's chat models in front of the server, over each API that they speak, and their tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.clients.scenarios import TOOLS, Toolbox, ToolFailed
from tests.live.server import Server

KEY = SecretStr("sk-test")
ModelOf = Callable[[Server], BaseChatModel]


def chat_completions(server: Server) -> BaseChatModel:
    return ChatOpenAI(base_url=f"{server.url}/v1", api_key=KEY, model="gpt-4o", max_retries=0, stream_usage=True)


def responses(server: Server) -> BaseChatModel:
    return ChatOpenAI(base_url=f"{server.url}/v1", api_key=KEY, model="gpt-4o", max_retries=0, use_responses_api=True)


def messages(server: Server) -> BaseChatModel:
    return ChatAnthropic(base_url=server.url, api_key=KEY, model_name="claude-sonnet-5", max_retries=0)  # pyright: ignore[reportCallIssue] - its fields have more names than its types tell


_APIS: dict[str, ModelOf] = {"Chat Completions": chat_completions, "Responses": responses, "Messages": messages}


def over_apis(client: str, package: str, *, messages: str | None = None) -> pytest.MarkDecorator:
    """Each API in turn, as the parameter ``model_of``.  The version that counts is that of ``package``, or for Messages
    of another one."""
    return pytest.mark.parametrize(
        "model_of",
        [
            pytest.param(
                make,
                id=api,
                marks=pytest.mark.client(client, api, package=messages if messages and api == "Messages" else package),
            )
            for api, make in _APIS.items()
        ],
    )


def tools_of(toolbox: Toolbox) -> list[BaseTool]:
    """Their schemas are given as they are, so that arguments arrive as they were sent."""

    def runs(name: str) -> Callable[..., str]:
        def run(**given: Any) -> str:
            try:
                return toolbox.run(name, given)
            except ToolFailed as error:
                raise ToolException(str(error)) from error

        return run

    return [
        StructuredTool.from_function(
            runs(tool.name), name=tool.name, description=tool.about, args_schema=tool.schema, handle_tool_error=True
        )
        for tool in TOOLS
    ]
