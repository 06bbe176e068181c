"""An agent of the OpenAI Agents SDK with two tools, over the Responses API; it runs the whole loop by itself.

Start the server (``python app.py``), then ``python examples/agents_sdk_client.py``.  The variables OPENAI_BASE_URL
and MODEL name another server and model.
"""

import os

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

MODEL = os.environ.get("MODEL", "qwen2.5-coder-0.5b-instruct")
QUESTION = "How is the weather in Oslo, and what time is it in Lisbon?"


@function_tool
def get_weather(city: str) -> str:
    """Current weather in a city."""
    print(f"get_weather({city!r})")
    return f"{city}: snow, -2 °C"


@function_tool
def get_time(city: str) -> str:
    """Current local time in a city."""
    print(f"get_time({city!r})")
    return f"{city}: 14:30"


def main() -> None:
    set_tracing_disabled(True)  # Traces would go to OpenAI.
    base_url = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8001/v1")
    client = AsyncOpenAI(base_url=base_url, api_key="not-needed")
    # OpenAIChatCompletionsModel does the same over Chat Completions.
    model = OpenAIResponsesModel(MODEL, client)
    agent = Agent(name="Traveller", model=model, tools=[get_weather, get_time])
    print(Runner.run_sync(agent, QUESTION).final_output)


if __name__ == "__main__":
    main()
