"""A ReAct agent on LangGraph with two tools, streamed: each step is shown as it is done.

Start the server (``python app.py``), then ``python examples/langgraph_client.py``.  The variables OPENAI_BASE_URL
and MODEL name another server and model.
"""

import os
from typing import Any, cast

from langchain import agents
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

MODEL = os.environ.get("MODEL", "qwen2.5-coder-0.5b-instruct")
QUESTION = "How is the weather in Oslo, and what time is it in Lisbon?"


def get_weather(city: str) -> str:
    """Current weather in a city."""
    return f"{city}: snow, -2 °C"


def get_time(city: str) -> str:
    """Current local time in a city."""
    return f"{city}: 14:30"


def main() -> None:
    base_url = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8001/v1")
    model = ChatOpenAI(base_url=base_url, api_key=SecretStr("not-needed"), model=MODEL)
    graph = cast(Any, agents.create_agent(model, [get_weather, get_time]))  # the model, the tools, and back
    for step in graph.stream({"messages": [{"role": "user", "content": QUESTION}]}, stream_mode="updates"):
        for message in step.get("model", {}).get("messages", ()):
            for call in message.tool_calls:
                print(f"{call['name']}({call['args']})")
            if message.content:
                print(message.content)


if __name__ == "__main__":
    main()
