"""The program that is measured: four calls, of which two look into the results of the first two, and an output.

Over HTTP that is three requests: the model is asked in the ``first``, the ``replay`` goes on with two results, and the
``end`` answers with what the program printed.  A number, another in each talk, goes through the arguments and the
results into the output, so that a wrong answer and another request's are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from benchmarks.wire import BrokenAnswer, post
from benchmarks.workload import CALLED, Json, Talk, city, three_tools

KINDS = ("first", "replay", "end")
"""The requests of a program, in order."""

PROGRAM = f"""\
inland = {CALLED}(city="CITY", unit="celsius")
coast = {CALLED}(city="CITY-coast", unit="celsius")
warmer = coast if coast["degrees"] > inland["degrees"] else inland
found = search_documents(query=f"what to see at {{warmer['degrees']}} degrees in {{warmer['region']}}", limit=3)
booked = book_flight(
    origin="OSL", destination=warmer["airport"], date="2030-01-02", passengers=[{{"name": "Ada", "age": 36}}]
)
print(f"Seat {{booked['seat']}}, {{len(found)}} things to see: " + ", ".join(item["title"] for item in found))
"""
_PLACES = ("", "-coast", "-north", "-south")
_HEADERS = ("X-Emulator-Final: output",)
_TOOLS = three_tools()

Call = tuple[str, Json]


def program_code(of: str) -> str:
    """What the mock upstream writes for the city ``of``."""
    return f"```python\n{PROGRAM.replace('CITY', of)}```"


def literal_code(of: str) -> str:
    """Four literal calls, for comparison."""
    return "\n".join(["```python", *(f'{CALLED}(city="{of}{place}", unit="celsius")' for place in _PLACES), "```"])


def program_talk(number: int, translated: bool) -> Talk:
    """The three requests of a program.  ``translated``: calls are expected, otherwise the model's own words."""
    messages = _messages(number)
    for begin in (0, 2):
        made = calls(number)[begin : begin + 2]
        status, body = yield _request("bench-program", messages)
        ids = [f"call_{number:024x}{index:x}" for index in range(begin, begin + 2)]
        if translated:
            ids = _checked_calls(status, body, made)
        else:
            _check_words(status, body, program_code(city(number)))
        messages.append({"role": "assistant", "content": None, "tool_calls": list(map(_tool_call, ids, made))})
        for identifier, result in zip(ids, results(number)[begin : begin + 2], strict=True):
            text = orjson.dumps(result).decode()
            messages.append({"role": "tool", "tool_call_id": identifier, "content": text})
    status, body = yield _request("bench-program", messages)
    _check_words(status, body, output(number) if translated else program_code(city(number)))


def literal_talk(number: int, translated: bool) -> Talk:
    """One request, answered by four literal calls."""
    status, body = yield _request("bench-calls", _messages(number))
    if translated:
        _checked_calls(status, body, [(CALLED, {"city": city(number) + at, "unit": "celsius"}) for at in _PLACES])
    else:
        _check_words(status, body, literal_code(city(number)))


def calls(number: int) -> list[Call]:
    """All that the program makes."""
    query = f"what to see at {number % 40 + 1} degrees in region {number}"
    passengers = [{"name": "Ada", "age": 36}]
    flight = {"origin": "OSL", "destination": f"A{number}", "date": "2030-01-02", "passengers": passengers}
    return [
        (CALLED, {"city": city(number), "unit": "celsius"}),
        (CALLED, {"city": f"{city(number)}-coast", "unit": "celsius"}),
        ("search_documents", {"query": query, "limit": 3}),
        ("book_flight", flight),
    ]


def results(number: int) -> list[Any]:
    """What the tools give back, in the order of the calls."""
    inland = {"degrees": number % 40, "region": "nowhere", "airport": "NON", "sky": "overcast"}
    coast = {"degrees": number % 40 + 1, "region": f"region {number}", "airport": f"A{number}", "sky": "clear"}
    found = [{"title": f"Museum {number}.{at}", "score": at / 4} for at in range(3)]
    return [inland, coast, found, {"seat": f"{number}F", "price": {"amount": 129.5, "currency": "NOK"}}]


def output(number: int) -> str:
    """What the program prints."""
    return f"Seat {number}F, 3 things to see: " + ", ".join(f"Museum {number}.{at}" for at in range(3))


def _messages(number: int) -> list[Json]:
    return [
        {"role": "system", "content": "You are a helpful assistant of a travel agency."},
        {"role": "user", "content": f"Book me a flight to where it's warmest around {city(number)}."},
    ]


def _request(model: str, messages: list[Json]) -> bytes:
    body = {"model": model, "messages": messages, "temperature": 0, "tools": _TOOLS}
    return post(orjson.dumps(body), headers=_HEADERS)


def _tool_call(identifier: str, made: Call) -> Json:
    name, arguments = made
    return {
        "id": identifier,
        "type": "function",
        "function": {"name": name, "arguments": orjson.dumps(arguments).decode()},
    }


def _message(status: int, body: bytes) -> Mapping[str, Any]:
    try:
        if status == 200:
            return orjson.loads(body)["choices"][0]["message"]
    except (ValueError, LookupError, TypeError):
        pass
    raise BrokenAnswer(f"status {status}, expected a message, got {body[:300]!r}")


def _checked_calls(status: int, body: bytes, expected: list[Call]) -> list[str]:
    """The ids of exactly the ``expected`` calls.  Raises BrokenAnswer."""
    try:
        made = _message(status, body)["tool_calls"]
        if [(call["function"]["name"], orjson.loads(call["function"]["arguments"])) for call in made] == expected:
            return [call["id"] for call in made]
    except (ValueError, LookupError, TypeError):
        pass
    raise BrokenAnswer(f"expected the calls {expected}, got {body[:600]!r}")


def _check_words(status: int, body: bytes, expected: str) -> None:
    said = _message(status, body).get("content")
    if not isinstance(said, str) or said.strip() != expected.strip():
        raise BrokenAnswer(f"expected the words {expected!r}, got {body[:600]!r}")
