"""LangChain's ChatOpenAI with two tools: ask, run what is called, send the results, until the answer comes.

Start the server (``python app.py``), then ``python examples/langchain_client.py``.  The variables OPENAI_BASE_URL
and MODEL name another server and model.
"""

import os

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

MODEL = os.environ.get("MODEL", "qwen2.5-coder-0.5b-instruct")
QUESTION = "How is the weather in Oslo, and what time is it in Lisbon?"


@tool
def get_weather(city: str) -> str:
    """Current weather in a city."""
    return f"{city}: snow, -2 °C"


@tool
def get_time(city: str) -> str:
    """Current local time in a city."""
    return f"{city}: 14:30"


TOOLS = {"get_weather": get_weather, "get_time": get_time}


def main() -> None:
    base_url = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8001/v1")
    chat = ChatOpenAI(base_url=base_url, api_key=SecretStr("not-needed"), model=MODEL)
    model = chat.bind_tools(list(TOOLS.values()))
    messages: list[BaseMessage] = [HumanMessage(QUESTION)]
    for _ in range(5):
        message = model.invoke(messages)
        if not message.tool_calls:
            return print(message.content)
        messages.append(message)
        for call in message.tool_calls:
            print(f"{call['name']}({call['args']})")
            messages.append(TOOLS[call["name"]].invoke(call))
    raise SystemExit("The model called tools five times and gave no answer.")


if __name__ == "__main__":
    main()
