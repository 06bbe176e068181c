"""The openai SDK with two tools: ask, run what is called, send the results, until the answer comes.

Start the server (``python app.py``), then ``python examples/openai_client.py``.  The variables OPENAI_BASE_URL
and MODEL name another server and model.
"""

import os
from typing import Any

from openai import OpenAI, pydantic_function_tool
from pydantic import BaseModel

MODEL = os.environ.get("MODEL", "qwen2.5-coder-0.5b-instruct")
QUESTION = "How is the weather in Oslo, and what time is it in Lisbon?"


class GetWeather(BaseModel):
    """Current weather in a city."""

    city: str


class GetTime(BaseModel):
    """Current local time in a city."""

    city: str


TOOLS = [pydantic_function_tool(GetWeather, name="get_weather"), pydantic_function_tool(GetTime, name="get_time")]
RESULTS = {"get_weather": "snow, -2 °C", "get_time": "14:30"}


def main() -> None:
    client = OpenAI(base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8001/v1"), api_key="not-needed")
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    for _ in range(5):
        message = client.chat.completions.parse(model=MODEL, messages=messages, tools=TOOLS).choices[0].message
        if not message.tool_calls:
            print(message.content)
            return
        messages.append(message)
        for call in message.tool_calls:
            print(f"{call.function.name}({call.function.arguments})")
            messages.append({"role": "tool", "tool_call_id": call.id, "content": RESULTS[call.function.name]})
    raise SystemExit("The model called tools five times and gave no answer.")


if __name__ == "__main__":
    main()
