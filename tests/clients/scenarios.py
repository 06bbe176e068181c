"""What an agent does, whichever client it is written with: tools, requests, and what must have happened at the end.

Rule: a scenario is judged by the calls that the tools have really seen and by the words at the end, which repeat what
the tools returned; how a client gets there is its own affair.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

Json = dict[str, Any]
MOST_CALLS = 30
"""More than any scenario makes: a loop that goes beyond never ends."""
HARD_TEXT = "Grüße an 你好 🎉 – \"so\" und 'so',\n\tC:\\neu\\x41 `code` {not: json} </tool_call>"


class ToolFailed(Exception):
    """What a tool raises whose result is an error."""


class GetWeather(BaseModel):
    """Current weather in a city."""

    city: str = Field(description="Name of the city")
    unit: Literal["celsius", "fahrenheit"] = "celsius"


class GetUser(BaseModel):
    """Looks a user up."""

    user_id: int = Field(ge=1)


class Send(BaseModel):
    """Sends a message."""

    to: str
    body: str


class Withdraw(BaseModel):
    """Takes money from the account."""

    amount: int


class Now(BaseModel):
    """The time."""


class Stop(BaseModel):
    """A place on the way."""

    city: str = Field(description="Name of the city")
    nights: int = Field(default=1, ge=1)
    sights: list[str] = Field(default_factory=list)


class BookTrip(BaseModel):
    """Books a trip."""

    stops: list[Stop]
    travel_class: Literal["first", "second"]
    paid_by: dict[str, float]
    note: str | None = None


class Search(BaseModel):
    """Searches the archive."""

    origin: str = Field(alias="from")
    limit: int = Field(alias="max-results")
    day: str | None = Field(default=None, alias="日付")


def _get_user(asked: GetUser) -> Json:
    number = asked.user_id
    return {"name": f"User {number}", "email": f"u{number}@x.org", "active": number % 2 == 0}


def _withdraw(asked: Withdraw) -> str:
    if asked.amount > 12:
        raise ToolFailed(f"Only 12 are left, not {asked.amount}.")
    return f"{asked.amount} paid out."


@dataclass(frozen=True)
class Tool:
    """A function that a client may offer."""

    name: str
    arguments: type[BaseModel]
    run: Callable[[Any], Any]

    @property
    def about(self) -> str:
        return self.arguments.__doc__ or ""

    @property
    def schema(self) -> Json:
        return self.arguments.model_json_schema()


TOOLS = (
    Tool("get_weather", GetWeather, lambda asked: f"12 °{asked.unit[0].upper()} in {asked.city}"),
    Tool("get_user", GetUser, _get_user),
    Tool("send", Send, lambda asked: f"Sent to {asked.to}."),
    Tool("withdraw", Withdraw, _withdraw),
    Tool("now", Now, lambda asked: "12:34"),
    Tool("search-archive_2", Search, lambda asked: []),
    Tool("book-trip", BookTrip, lambda asked: {"nights": sum(stop.nights for stop in asked.stops)}),
)


@dataclass
class Toolbox:
    """The tools, and what they were called with."""

    made: list[tuple[str, Json]] = field(default_factory=list[tuple[str, Json]])

    def run(self, name: str, arguments: str | Json) -> str:
        """The text that goes back; raises ToolFailed where a tool does."""
        [tool] = [tool for tool in TOOLS if tool.name == name]
        given: Json = json.loads(arguments) if isinstance(arguments, str) else arguments
        self.made.append((name, given))
        assert len(self.made) <= MOST_CALLS, "it never ends"
        result = tool.run(tool.arguments.model_validate(given))
        return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


@dataclass(frozen=True)
class Scenario:
    """``request`` holds its script (model.py); ``says`` are parts of the last words."""

    feature: str
    request: str
    made: Sequence[tuple[str, Json]]
    says: tuple[str, ...]

    def check(self, toolbox: Toolbox, words: str, *, threads: bool = False) -> None:
        """``threads``: calls of one answer are run side by side, so that their order tells nothing."""
        if threads:
            assert sorted(map(repr, toolbox.made)) == sorted(map(repr, self.made))
        else:
            assert toolbox.made == list(self.made)
        for part in self.says:
            assert part in words


def _lines(*lines: str) -> str:
    return "\n".join(lines)


_TRIP: Json = {
    "stops": [{"city": "Rome", "nights": 2, "sights": ["Forum", "Pantheon"]}, {"city": "Athens"}],
    "travel_class": "first",
    "paid_by": {"Ada": 12.5, "Bob": 7},
}
_SCENARIOS = {
    "a call": Scenario(
        "call",
        "What is the weather in Paris?",
        [("get_weather", {"city": "Paris"})],
        ("The results are: 12 °C in Paris",),
    ),
    "a call without arguments": Scenario("call", "What time is it now?", [("now", {})], ("12:34",)),
    "three rounds": Scenario(
        "rounds",
        _lines(
            "Greet user 4, then tell the weather in Rome.",
            "@words I will look.",
            "@1 get_user(user_id=4)",
            '@2 send(to="u4@x.org", body="Hello User 4")',
            '@3 get_weather(city="Rome", unit="fahrenheit")',
        ),
        [
            ("get_user", {"user_id": 4}),
            ("send", {"to": "u4@x.org", "body": "Hello User 4"}),
            ("get_weather", {"city": "Rome", "unit": "fahrenheit"}),
        ],
        ('"email": "u4@x.org"', "Sent to u4@x.org.; 12 °F in Rome"),
    ),
    "calls side by side": Scenario(
        "parallel",
        _lines(
            "Compare three cities.",
            "@words One moment.",
            *[f'@1 get_weather(city="{city}")' for city in ("Paris", "Rome", "Athens")],
            "@1 now()",
        ),
        [*[("get_weather", {"city": city}) for city in ("Paris", "Rome", "Athens")], ("now", {})],
        ("The results are: 12 °C in Paris; 12 °C in Rome; 12 °C in Athens; 12:34",),
    ),
    "models in arguments": Scenario(
        "nested",
        _lines(
            "Book it.",
            '@1 book_trip(stops=[Stop(city="Rome", nights=2, sights=["Forum", "Pantheon"]), Stop(city="Athens")], '
            'travel_class="first", paid_by={"Ada": 12.5, "Bob": 7})',
        ),
        [("book-trip", _TRIP)],
        ('{"nights": 3}',),
    ),
    "a tool that fails": Scenario(
        "tool errors",
        _lines("Get me my money.", "@1 withdraw(amount=1000)", "@2 withdraw(amount=12)"),
        [("withdraw", {"amount": 1000}), ("withdraw", {"amount": 12})],
        ("Only 12 are left, not 1000.", "12 paid out."),
    ),
    "text of all kinds": Scenario(
        "unicode",
        _lines("Send it.", f"@1 send(to={HARD_TEXT!r}, body={json.dumps(HARD_TEXT)})"),
        [("send", {"to": HARD_TEXT, "body": HARD_TEXT})],
        (f"Sent to {HARD_TEXT}.",),
    ),
    "names that Python lacks, and nothing found": Scenario(
        "unicode",
        _lines("Search.", '@1 search_archive_2(**{"from": "Ada", "max-results": 3, "日付": "昨日"})'),
        [("search-archive_2", {"from": "Ada", "max-results": 3, "日付": "昨日"})],
        ("The results are: []",),
    ),
    "code that computes": Scenario(
        "programs",
        _lines(
            "Greet the active users among 4, 5 and 6.",
            "@1 for user in [get_user(user_id=i) for i in (4, 5, 6)]:",
            '@1     if user["active"]:',
            '@1         send(to=user["email"], body=f"Hello {user[\'name\']}")',
            '@1 print("All are greeted")',
        ),
        [
            *[("get_user", {"user_id": i}) for i in (4, 5, 6)],
            *[("send", {"to": f"u{i}@x.org", "body": f"Hello User {i}"}) for i in (4, 6)],
        ],
        ("All are greeted",),
    ),
}


def scenarios() -> list[Any]:
    """One parameter for each, marked with its feature."""
    return [
        pytest.param(scenario, id=name, marks=pytest.mark.feature(scenario.feature))
        for name, scenario in _SCENARIOS.items()
    ]
