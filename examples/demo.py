"""What ``make demo`` runs: a small model that was never taught to call tools calls them, through the openai SDK.

It starts the server just as a user would, ``python app.py`` with no model server named, so that a real model of half
a billion parameters runs on this machine (fetched at the first start, about 490 MB).  Then it asks two questions
that can't be answered without the tools below, runs whatever the model calls, and shows all that happened.

The exit status is 0 only if the right calls came with the right arguments, and the answers use their results.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.request import urlopen

from openai import APIError, OpenAI
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
    ChatCompletionToolParam,
)

ROOT = Path(__file__).resolve().parent.parent
MAX_ROUNDS = 4
STOP_SECONDS = 30

# --- The tools: two plain functions, and what the client tells the API of them.

WEATHER = {
    "oslo": {"temperature_celsius": 6.4, "sky": "snow"},
    "lisbon": {"temperature_celsius": 23.8, "sky": "sunny"},
}
METRES = {"kilometre": 1000.0, "mile": 1609.344, "metre": 1.0, "foot": 0.3048}


def city_name(city: str) -> str:
    """``"Oslo, Norway"`` is as good a way to name the city as ``"Oslo"``."""
    return city.partition(",")[0].strip().casefold()


def get_weather(city: str) -> dict[str, Any]:
    return {"city": city} | WEATHER[city_name(city)]


def convert_length(value: float, from_unit: str, to_unit: str) -> dict[str, Any]:
    return {"value": round(value * METRES[from_unit] / METRES[to_unit], 2), "unit": to_unit}


FUNCTIONS: dict[str, Callable[..., dict[str, Any]]] = {"get_weather": get_weather, "convert_length": convert_length}

UNIT = {"type": "string", "enum": list(METRES)}
TOOLS: list[ChatCompletionToolParam] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Current weather in a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "description": "Name of the city"}},
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "convert_length",
            "description": "Convert a length to another unit.",
            "parameters": {
                "type": "object",
                "properties": {
                    "value": {"type": "number", "description": "Length in from_unit"},
                    "from_unit": UNIT,
                    "to_unit": UNIT,
                },
                "required": ["value", "from_unit", "to_unit"],
            },
        },
    },
]


@dataclass(frozen=True, slots=True)
class Question:
    """``calls`` are (name, arguments), in any order; ``facts`` are what only the results can tell the answer."""

    text: str
    calls: tuple[tuple[str, dict[str, Any]], ...]
    facts: tuple[str, ...]


QUESTIONS = (
    Question(
        "How is the weather in Oslo and in Lisbon right now?",
        calls=(("get_weather", {"city": "oslo"}), ("get_weather", {"city": "lisbon"})),
        facts=("6.4", "23.8"),
    ),
    Question(
        "Convert 26.2 miles to kilometres.",
        calls=(("convert_length", {"value": 26.2, "from_unit": "mile", "to_unit": "kilometre"}),),
        facts=("42.16",),
    ),
)

# --- The conversation: what any client of the API does.


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: dict[str, Any]


def ask(client: OpenAI, model: str, question: Question) -> tuple[list[Call], str]:
    """Ask, run the calls and send their results until there is an answer in words; gives all calls and the answer."""
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": question.text}]
    made: list[Call] = []
    show("Question", question.text)
    for _ in range(MAX_ROUNDS):
        began = time.monotonic()
        completion = client.chat.completions.create(
            model=model,
            messages=messages,
            tools=TOOLS,
            temperature=0,
            seed=1,
            max_tokens=300,
            extra_headers={"X-Emulator-Trace": "1"},
        )
        show_model_s_side(completion, stubs=len(messages) == 1)
        message = completion.choices[0].message
        seconds = time.monotonic() - began
        if not message.tool_calls:
            show(f"Answer ({seconds:.1f} s)", message.content or "")
            return made, message.content or ""
        calls = [call for call in message.tool_calls if isinstance(call, ChatCompletionMessageFunctionToolCall)]
        show(f"tool_calls that the client got ({seconds:.1f} s)", json.dumps([c.to_dict() for c in calls], indent=2))
        messages.append(cast(ChatCompletionMessageParam, message.to_dict()))
        for call in calls:
            arguments: dict[str, Any] = json.loads(call.function.arguments)
            made.append(Call(call.function.name, arguments))
            result = run(made[-1])
            show(f"Result of {call.function.name}", result)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    show("Answer", f"none after {MAX_ROUNDS} rounds of calls")
    return made, ""


def run(call: Call) -> str:
    try:
        return json.dumps(FUNCTIONS[call.name](**call.arguments))
    except KeyError as error:
        return json.dumps({"error": f"nothing is known of {error}"})


def faults(question: Question, made: list[Call], answer: str) -> list[str]:
    """What is wrong; nothing if the demo worked."""

    def plain(name: str, arguments: dict[str, Any]) -> str:
        cities = {key: city_name(value) for key, value in arguments.items() if key == "city"}
        return f"{name}({json.dumps(arguments | cities, sort_keys=True)})"

    wanted = sorted(plain(name, arguments) for name, arguments in question.calls)
    got = sorted(plain(call.name, call.arguments) for call in made)
    found = [] if got == wanted else [f"the calls should have been {wanted}, they were {got}"]
    return found + [
        f"the answer does not tell {fact}, which a result had"
        for fact in question.facts
        if not re.search(rf"(?<![\d.]){re.escape(fact)}(?!\d)", answer)
    ]


# --- Showing it.


def show(title: str, text: str) -> None:
    print(f"\n{title}\n{textwrap.indent(text.strip(), '    ')}", flush=True)


def show_model_s_side(completion: ChatCompletion, *, stubs: bool) -> None:
    """What ``--trace`` adds to an answer: ``prompt``, the messages the model got, and ``raw``, what it wrote."""
    trace: dict[str, Any] = (completion.model_extra or {}).get("emulator", {})
    if stubs and (prompt := trace.get("prompt")):
        show("What the model was shown: the tools as Python, with the question", prompt[-1]["content"])
    for raw in trace.get("raw", ()):
        show("What the model wrote", raw)


# --- The server.


@contextmanager
def server() -> Generator[str]:
    """The URL of a server of our own, from when it is ready until the ``with`` block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "app.py", "--port", port, "--workers", "1", "--trace"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        while not healthy(port):
            if process.poll() is not None:
                sys.exit(f"demo: the server ended with status {process.returncode}; its words are above.")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def healthy(port: str) -> bool:
    with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
        return answer.status == 200
    return False


def main() -> int:
    found: list[str] = []
    with server() as url, OpenAI(base_url=url, api_key="not-needed", max_retries=0) as client:
        try:
            model = next(iter(client.models.list())).id
            for question in QUESTIONS:
                made, answer = ask(client, model, question)
                found += faults(question, made, answer)
        except APIError as error:
            found.append(f"the server answered: {error}")
    for fault in found:
        print(f"\ndemo: {fault}", file=sys.stderr)
    print("\nThe demo failed." if found else "\nThe demo worked: the right calls, and answers made of their results.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
