"""Programs as models write them, with the number of calls that leave in each of their rounds (``scheduled/*.txt``).

The numbers are the rule: calls that CPython would certainly make without an unread result go out together.  In a file
``=== title`` begins a program; ``--- rounds`` are its calls by round, ``--- results`` what its calls give, by their
order and over and over (a number of users, unless said), ``{'ToolError': …}`` being a failure.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from emulator.runs import RunResult

FOLDER = Path(__file__).parent / "scheduled"
TOOLS = ("get_user", "send", "price")
_HEAD = re.compile(
    r"=== (?P<title>.+)\n--- rounds(?P<rounds>[ \d]*)\n(?:--- results (?P<results>.+)\n)?(?P<source>[\s\S]+)"
)


def user(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"user {number}",
        "email": f"u{number}@x.org",
        "n": number,
        "tags": ["a", "b"],
        "manager": None,
        "pets": {"c": number},
    }


USERS: tuple[Any, ...] = tuple(user(number) for number in range(300))


@dataclass(frozen=True)
class Program:
    title: str
    source: str
    rounds: list[int]
    results: tuple[Any, ...]


def programs() -> list[Program]:
    """All of them; their titles are their ids."""
    found = [_program(part) for path in sorted(FOLDER.glob("*.txt")) for part in _parts(path.read_text("utf-8"))]
    assert len({program.title for program in found}) == len(found), "a title stands twice"
    return found


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"^(?==== )", text, flags=re.MULTILINE) if part.strip()]


def _program(text: str) -> Program:
    head = _HEAD.fullmatch(text)
    assert head is not None, text
    rounds = [int(number) for number in head["rounds"].split()]
    return Program(head["title"], head["source"].strip("\n"), rounds, _results(head["results"]))


def _results(text: str | None) -> tuple[Any, ...]:
    return USERS if text is None else tuple(_result(value) for value in ast.literal_eval(text))


def _result(value: Any) -> Any:
    match value:
        case {"ToolError": message}:
            return RunResult(error=cast(str, message))
        case {"user": number}:
            return user(cast(int, number))
        case _:
            return value
