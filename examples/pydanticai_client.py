"""A PydanticAI agent with two tools, which runs the whole loop by itself.

Start the server (``python app.py``), then ``python examples/pydanticai_client.py``.  The variables OPENAI_BASE_URL
and MODEL name another server and model.
"""

import os

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

MODEL = os.environ.get("MODEL", "qwen2.5-coder-0.5b-instruct")
QUESTION = "How is the weather in Oslo, and what time is it in Lisbon?"


async def get_weather(city: str) -> str:
    """Current weather in a city."""
    print(f"get_weather({city!r})")
    return f"{city}: snow, -2 °C"


async def get_time(city: str) -> str:
    """Current local time in a city."""
    print(f"get_time({city!r})")
    return f"{city}: 14:30"


def main() -> None:
    base_url = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8001/v1")
    provider = OpenAIProvider(base_url=base_url, api_key="not-needed")
    agent = Agent(OpenAIChatModel(MODEL, provider=provider), tools=[get_weather, get_time])
    print(agent.run_sync(QUESTION).output)


if __name__ == "__main__":
    main()
