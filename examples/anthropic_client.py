"""The Anthropic SDK's tool runner with two tools, over the Messages API.

Start the server (``python app.py``), then ``python examples/anthropic_client.py``.  The variables ANTHROPIC_BASE_URL,
which has no ``/v1`` at its end, and MODEL name another server and model.
"""

import os

from anthropic import Anthropic, beta_tool

MODEL = os.environ.get("MODEL", "qwen2.5-coder-0.5b-instruct")
QUESTION = "How is the weather in Oslo, and what time is it in Lisbon?"


@beta_tool
def get_weather(city: str) -> str:
    """Current weather in a city."""
    print(f"get_weather({city!r})")
    return f"{city}: snow, -2 °C"


@beta_tool
def get_time(city: str) -> str:
    """Current local time in a city."""
    print(f"get_time({city!r})")
    return f"{city}: 14:30"


def main() -> None:
    base_url = os.environ.get("ANTHROPIC_BASE_URL", "http://127.0.0.1:8001")
    client = Anthropic(base_url=base_url, api_key="not-needed")
    runner = client.beta.messages.tool_runner(
        model=MODEL,
        max_tokens=1000,
        messages=[{"role": "user", "content": QUESTION}],
        tools=[get_weather, get_time],
    )
    for block in runner.until_done().content:
        if block.type == "text":
            print(block.text)


if __name__ == "__main__":
    main()
