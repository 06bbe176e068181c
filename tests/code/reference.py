"""The same programs in plain CPython, with tools as ordinary functions that give the results at once.

What a program does here is what it means: scheduling may change nothing of it but when the calls leave.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from types import SimpleNamespace
from typing import Any, cast

from pydantic import BaseModel

from emulator.runs import RunCall
from tests.code.running import Answer


class ToolError(Exception):
    """What a failed call raises."""


class Fields(dict[str, Any]):
    """A JSON object, which also has its keys as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(eq=False)
class Awaitable:
    """A result that is there at once, in a program that awaits it."""

    value: Any

    def __await__(self) -> Generator[None, None, Any]:
        yield from ()
        return self.value


@dataclass
class Meant:
    """What CPython does with a program; ``error`` is the type of the exception that ended it."""

    calls: list[RunCall] = field(default_factory=list[RunCall])
    output: str = ""
    error: str | None = None


def run_plainly(source: str, tools: Sequence[str], answer: Answer) -> Meant:
    meant = Meant()
    awaits = "await " in source

    def tool(name: str) -> Callable[..., Any]:
        def called(*positional: Any, **keywords: Any) -> Any:
            call = RunCall(name, tuple(map(plain, positional)), {key: plain(value) for key, value in keywords.items()})
            meant.calls.append(call)
            result = answer(len(meant.calls) - 1, call)
            if result.error is not None:
                raise ToolError(result.error)
            value = with_fields(copy.deepcopy(result.value))
            return Awaitable(value) if awaits else value

        return called

    def loads(value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    names: dict[str, Any] = {name: tool(name) for name in tools}
    names |= {"ToolError": ToolError, "BaseModel": BaseModel, "asyncio": asyncio, "__name__": "__main__"}
    names["json"] = SimpleNamespace(loads=loads, dumps=json.dumps)
    printed = StringIO()
    try:
        with redirect_stdout(printed):
            exec(compile(source, "program", "exec"), names)
    except Exception as error:  # noqa: BLE001 - whatever a program raises is what it means
        meant.error = type(error).__name__
    meant.output = printed.getvalue()
    return meant


def with_fields(value: Any) -> Any:
    match value:
        case dict():
            return Fields({key: with_fields(item) for key, item in cast(dict[str, Any], value).items()})
        case list():
            return [with_fields(item) for item in cast(list[Any], value)]
        case _:
            return value


def plain(value: Any) -> Any:
    """As JSON has it, as a kernel reports it."""
    return json.loads(json.dumps(value))
