"""A smolagents agent with two tools, which runs the whole loop by itself.

Start the server (``python app.py``), then ``python examples/smolagents_client.py``.  The variables OPENAI_BASE_URL
and MODEL name another server and model.
"""

import os

from smolagents import LogLevel, OpenAIServerModel, ToolCallingAgent, tool  # pyright: ignore[reportUnknownVariableType]

MODEL = os.environ.get("MODEL", "qwen2.5-coder-0.5b-instruct")
QUESTION = "How is the weather in Oslo, and what time is it in Lisbon?"


@tool
def get_weather(city: str) -> str:
    """Current weather in a city.

    Args:
        city: Name of the city
    """
    print(f"get_weather({city!r})")
    return f"{city}: snow, -2 °C"


@tool
def get_time(city: str) -> str:
    """Current local time in a city.

    Args:
        city: Name of the city
    """
    print(f"get_time({city!r})")
    return f"{city}: 14:30"


def main() -> None:
    base_url = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8001/v1")
    model = OpenAIServerModel(MODEL, api_base=base_url, api_key="not-needed")
    agent = ToolCallingAgent(tools=[get_weather, get_time], model=model, verbosity_level=LogLevel.OFF)
    print(agent.run(QUESTION))  # It answers by calling a tool of its own, final_answer.


if __name__ == "__main__":
    main()
