"""The tools as the model's Python names them, and how their arguments may be written."""

from __future__ import annotations

import ast
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import regex

from emulator.code.check import CodeError
from emulator.code.schedule import Scheduled
from emulator.code.schedules import Schedules
from emulator.code.values import ModelObject, ParsedCall, plain
from emulator.recent import Recent
from emulator.tools.toolset import Proof


class Unproven(CodeError):
    """The call's arguments don't hold."""


class Provable(Protocol):
    """A tool as the reader needs it."""

    @property
    def name(self) -> str: ...
    @property
    def parameters(self) -> Sequence[str]:
        """The parameters' Python names in the order of the signature."""
        ...

    def prove(self, arguments: Mapping[str, Any]) -> Proof: ...


_WIRE_CALL = regex.compile(r"(?P<before>\s*(?:[^\W\d]\w*\s*=\s*)?(?:await\s+)?)(?P<name>[\w]+(?:-+\w+)+)(?=\s*\()")
_CALLED = regex.compile(r"(?:(?<![\w.])|(?<=\b(?:tools|functions|self)\.))[^\W\d]\w*+(?=\s*+\()")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tools of a request as the model's Python names them, and the models' fields in order."""

    tools: Mapping[str, Provable]
    models: Mapping[str, tuple[str, ...]]
    known: Recent[Hashable, Scheduled | CodeError] | None = None
    schedules: Schedules = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", Schedules(self.tools.keys(), self.models, self.known))

    @property
    def names(self) -> Collection[str]:
        return self.tools.keys()

    def as_python(self, source: str) -> str:
        """``source`` with the stubs' name for the client's, where that is called as it is: ``get-weather(…)``."""
        found = _WIRE_CALL.match(source)
        if found is None:
            return source
        names = {tool.name: python for python, tool in self.tools.items()}
        python = names.get(found["name"])
        return source if python is None else f"{found['before']}{python}{source[found.end() :]}"

    def mentioned(self, source: str) -> bool:
        """Something in ``source`` looks like a call of a tool."""
        return any(found.group() in self.tools for found in _CALLED.finditer(source))

    def used(self, nodes: Iterable[ast.AST]) -> bool:
        """A tool is called, or meant as a value."""
        return any(
            isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id in self.tools
            for node in nodes
            for part in ast.walk(node)
        )


def bindings(tool: Provable, call: ParsedCall, models: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ways to read a call's arguments, likeliest first; the one that is proven counts."""
    parameters = list(tool.parameters)
    if len(call.positional) > len(parameters):
        raise Unproven(f"{call.name} takes at most {len(parameters)} arguments; {len(call.positional)} were given")
    bound = dict(zip(parameters, call.positional, strict=False))
    if twice := bound.keys() & call.keywords.keys():
        raise Unproven(f"{call.name}: the argument {min(twice)} is given twice")
    readings = [{key: plain(value) for key, value in (bound | call.keywords).items()}]
    whole = _only_value(call, parameters)
    if isinstance(whole, ModelObject | dict):
        spread = plain(whole)
        invented = isinstance(whole, ModelObject) and whole.model not in models
        readings.insert(0 if invented else 1, spread)
    return readings


def _only_value(call: ParsedCall, parameters: Sequence[str]) -> Any:
    """The single value that may hold all arguments: ``f({...})``, ``f(Args(...))``, ``f(args=Args(...))``."""
    if len(call.positional) == 1 and not call.keywords:
        return call.positional[0]
    if not call.positional and len(call.keywords) == 1:
        key, value = next(iter(call.keywords.items()))
        return None if key in parameters else value
    return None
