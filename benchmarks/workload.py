"""What is asked, what the mock upstream answers, and how an answer is known to be right.

Requests name a city with a number of their own, which must come back: in the call's arguments where the emulator
answers, in the model's own code where nothing translates it.  So neither a wrong answer nor another request's counts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Generator
from typing import Any

import orjson

from benchmarks.wire import BrokenAnswer, post

CITY_DIGITS = 8
CALLED = "get_weather"
PROSE_SENTENCE = re.compile(r"Sentence (\d+) was sent at (\d+) ns\.")
_MARK = "city-" + "0" * CITY_DIGITS

Json = dict[str, Any]
Talk = Generator[bytes, tuple[int, bytes], None]
"""A client's part: gives requests and is sent each one's status and body.  Raises BrokenAnswer for a wrong one."""


def call_code(city: str) -> str:
    """The literal call that the mock upstream writes."""
    return f'```python\n{CALLED}(city="{city}", unit="celsius")\n```'


def sentence(number: int, sent_ns: int) -> str:
    """A chunk of prose that carries its send time, ``time.monotonic_ns()`` of this machine."""
    return f"Sentence {number} was sent at {sent_ns} ns." + ("\n\n" if number % 4 == 3 else " ")


def _function(name: str, description: str, properties: Json, required: list[str]) -> Json:
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def three_tools() -> list[Json]:
    """A flat tool, one with a list of objects and one with an optional object."""
    text: Json = {"type": "string"}
    return [
        _function(
            CALLED,
            "Get the current weather of a city.",
            {
                "city": text | {"description": "Name of the city, such as Paris"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
            },
            ["city"],
        ),
        _function(
            "book_flight",
            "Book a flight for one or more passengers.",
            {
                "origin": text | {"description": "IATA code of the airport of departure"},
                "destination": text | {"description": "IATA code of the airport of arrival"},
                "date": text | {"format": "date", "description": "Day of departure"},
                "passengers": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "properties": {"name": text, "age": {"type": "integer", "minimum": 0}, "frequent_flyer": text},
                        "required": ["name", "age"],
                    },
                },
            },
            ["origin", "destination", "date", "passengers"],
        ),
        _function(
            "search_documents",
            "Search the company's documents and return the best matches.",
            {
                "query": text | {"description": "Words to look for"},
                "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
                "filters": {
                    "type": "object",
                    "description": "Narrows the search",
                    "properties": {
                        "author": text,
                        "since": text | {"format": "date"},
                        "tags": {"type": "array", "items": text},
                    },
                },
            },
            ["query"],
        ),
    ]


_VERBS = (
    "create",
    "update",
    "delete",
    "list",
    "search",
    "get",
    "archive",
    "export",
    "assign",
    "approve",
    "merge",
    "sync",
)
_NOUNS = (
    "invoice", "customer", "ticket", "pull_request", "deployment", "calendar_event", "contact", "report", "pipeline",
    "dashboard", "incident", "subscription", "order", "shipment", "employee", "branch", "document", "alert", "campaign",
    "payment", "survey", "contract", "product", "warehouse", "lead", "playlist", "recipe", "room", "vehicle", "policy",
)  # fmt: skip
_FIELDS = (
    ("id", "string", "Unique identifier, as returned by the list call"),
    ("title", "string", "Short title that is shown to people"),
    ("status", "string", "Only those in this state"),
    ("limit", "integer", "How many to return at most"),
    ("amount", "number", "Amount in the account's currency"),
    ("archived", "boolean", "Whether archived ones count too"),
    ("owner", "string", "E-mail address of whoever is responsible"),
    ("due_date", "string", "Day in ISO 8601 form, such as 2026-01-31"),
    ("priority", "string", "How urgent it is"),
    ("labels", "array", "Labels, in any order"),
    ("notes", "string", "Remarks in plain text"),
    ("offset", "integer", "How many to skip"),
)


def _field(rng: random.Random, kind: str, description: str) -> Json:
    field: Json = {"type": kind, "description": description}
    if kind == "integer":
        field |= {"minimum": 0, "maximum": rng.choice((50, 100, 1000))}
    elif kind == "array":
        field["items"] = {"type": "string"}
    elif kind == "string" and rng.random() < 0.2:
        field["enum"] = rng.sample(("open", "closed", "draft", "pending", "low", "high", "urgent", "done"), 4)
    return field


def _properties(rng: random.Random, count: int) -> Json:
    return {name: _field(rng, kind, description) for name, kind, description in rng.sample(_FIELDS, count)}


def many_tools(count: int, seed: int) -> list[Json]:
    """``count`` tools: the three above, then made-up ones, of which one in three has nested objects.

    Another seed gives tools that no server has seen before; the same seed gives the same.
    """
    rng = random.Random(seed)
    names = [f"{verb}_{noun}" for verb in _VERBS for noun in _NOUNS]
    tools = three_tools()
    for number, name in enumerate(rng.sample(names, count - len(tools))):
        properties = _properties(rng, rng.randint(2, 6))
        if number % 3 == 0:
            details: Json = {"type": "object", "properties": _properties(rng, rng.randint(2, 5))}
            several = number % 2 == 0
            properties["items" if several else "details"] = {"type": "array", "items": details} if several else details
        verb, _, noun = name.partition("_")
        description = (
            f"{verb.capitalize()} {noun.replace('_', ' ')} records of workspace {seed}. "
            f"Use this when the user asks to {verb} one; it returns what has become of it."
        )
        tools.append(_function(name, description, properties, rng.sample(sorted(properties), rng.randint(1, 2))))
    return tools


class Asking:
    """A request whose city changes from one to the next; the rest of its bytes is made once.

    ``model`` tells the mock upstream what to answer, see ``mock``.
    """

    __slots__ = ("_before", "_behind")

    def __init__(self, model: str, tools: list[Json], *, stream: bool = False) -> None:
        body: Json = {
            "model": model,
            "messages": [
                {"role": "system", "content": "You are a helpful assistant of a travel agency."},
                {"role": "user", "content": f"Will I need an umbrella in {_MARK} this afternoon?"},
            ],
            "temperature": 0,
            "tools": tools,
        }
        if stream:
            body["stream"] = True
        before, _, behind = post(orjson.dumps(body)).partition(_MARK.encode())
        self._before, self._behind = before + b"city-", behind

    def request(self, number: int) -> bytes:
        return self._before + b"%0*d" % (CITY_DIGITS, number) + self._behind


def call_talk(asking: Asking) -> Callable[[int, bool], Talk]:
    """Talks of a single request, by its number and whether a tool call is expected."""

    def talk(number: int, translated: bool) -> Talk:
        status, body = yield asking.request(number)
        check_call(status, body, number, translated=translated)

    return talk


def city(number: int) -> str:
    return f"city-{number:0{CITY_DIGITS}d}"


def check_call(status: int, body: bytes, number: int, *, translated: bool) -> None:
    """Raises BrokenAnswer unless ``body`` is the call for the city ``number``.

    ``translated``: it must be a tool call; otherwise the model's own words.
    """
    try:
        choice = orjson.loads(body)["choices"][0]
        message = choice["message"]
        if translated:
            (call,) = message["tool_calls"]
            made = call["function"]
            right = made["name"] == CALLED and choice["finish_reason"] == "tool_calls"
            right = right and orjson.loads(made["arguments"]) == {"city": city(number), "unit": "celsius"}
        else:
            right = message["content"] == call_code(city(number))
    except (ValueError, LookupError, TypeError):
        right = False
    if status != 200 or not right:
        raise BrokenAnswer(f"status {status}, expected the call for {city(number)}, got {body[:300]!r}")
