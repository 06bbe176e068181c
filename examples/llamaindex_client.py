"""A LlamaIndex FunctionAgent with two tools, which runs the whole loop by itself.

Start the server (``python app.py``), then ``python examples/llamaindex_client.py``.  The variables OPENAI_BASE_URL
and MODEL name another server and model.
"""

import asyncio
import os

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai_like import OpenAILike

MODEL = os.environ.get("MODEL", "qwen2.5-coder-0.5b-instruct")
QUESTION = "How is the weather in Oslo, and what time is it in Lisbon?"


def get_weather(city: str) -> str:
    """Current weather in a city."""
    print(f"get_weather({city!r})")
    return f"{city}: snow, -2 °C"


def get_time(city: str) -> str:
    """Current local time in a city."""
    print(f"get_time({city!r})")
    return f"{city}: 14:30"


async def main() -> None:
    llm = OpenAILike(
        model=MODEL,
        api_base=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8001/v1"),
        api_key="not-needed",
        is_chat_model=True,
        is_function_calling_model=True,  # Without it, the tools would be left out.
        context_window=8192,
    )
    agent = FunctionAgent(tools=[get_weather, get_time], llm=llm)
    print(await agent.run(QUESTION))


if __name__ == "__main__":
    asyncio.run(main())
