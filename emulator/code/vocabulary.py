"""The tools as the model's Python names them, and how their arguments may be written."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import regex

from emulator.code.check import CodeError, parse
from emulator.code.limits import CodeLimits
from emulator.code.rename import renamed
from emulator.code.schedule import Scheduled, Scheduler
from emulator.code.unknown import by_folded, meant
from emulator.code.values import ModelObject, ParsedCall, plain
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

    @property
    def choices(self) -> Collection[str]:
        """All texts of which the schema lets one choose, wherever in it they stand."""
        ...

    def prove(self, arguments: Mapping[str, Any]) -> Proof: ...


_PASSED_OVER = (
    r"""\"\"\"(?:[^"\\]|\\.|"(?!""))*+(?:\"\"\")?|'''(?:[^'\\]|\\.|'(?!''))*+(?:''')?"""
    r"""|"(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?|\#[^\n]*+"""
)
"""Strings, also those that never end, and comments."""
_DASHED = regex.compile(
    rf"""{_PASSED_OVER}"""
    r"""|(?<![\w.)\]])(?<![\w.)\]]-)(?P<name>[^\W\d]\w*+(?:\.\w++)*+(?:-\w++|\.\d\w*+)(?:[-.]\w++)*+)(?=\s*+\()""",
    regex.DOTALL,
)
"""Names with dashes that are called; what isn't called as a whole isn't tried again from each of its parts."""
_CALLER = r"(?:[^\W\d]\w*+\.){0,4}(?:call|invoke|execute|run|use)_(?:tool|function)"
_BY_NAME = regex.compile(
    rf"{_PASSED_OVER}|(?<![\w.])(?P<caller>{_CALLER})[ ]?\(\s*+"
    r"""(?:(?:name|tool|tool_name|function|function_name)\s?=\s?)?(?P<quote>["'])(?P<name>[^"'\\\n]{1,128})(?P=quote)"""
    r"\s*+(?:,\s*+|(?=\)))",
    regex.DOTALL,
)
"""Calls by a function that takes the tool's name: ``call_tool('get_weather', {…})``."""
_IS_CALLER = regex.compile(_CALLER)
_DOTTED_DIGIT = regex.compile(r"[^\W\d]\.\d")
_CALLED = regex.compile(r"(?<![\w.])(?<![\w.]-)[^\W\d][\w.]*+(?:-[\w.]++)*+(?=\s*+\()")


_MOST_SPELLINGS = 512
"""Names found out that are kept with a vocabulary."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tools of a request as the model's Python names them, and the models' fields in order."""

    tools: Mapping[str, Provable]
    models: Mapping[str, tuple[str, ...]]
    _spellings: list[_Spellings] = field(init=False, compare=False, repr=False, default_factory=list["_Spellings"])
    _meant: dict[str, str | None] = field(init=False, compare=False, repr=False, default_factory=dict[str, str | None])

    @property
    def names(self) -> Collection[str]:
        return self.tools.keys()

    def meant(self, name: str) -> str | None:
        """The Python name of the tool that ``name`` stands for: its client's name, the stub's, or another way of
        writing one of them."""
        if name not in self._meant:
            if not self._spellings:  # Only where some other name is met.
                self._spellings.append(_Spellings.of(self.tools))
            spelled = self._spellings[0]
            found = meant(name, self.tools, spelled.python) or meant(name, spelled.names, spelled.wire)
            if len(self._meant) >= _MOST_SPELLINGS:  # Models write any names, and a vocabulary outlives the answer.
                self._meant.clear()
            self._meant[name] = spelled.names.get(found, found) if found else None
        return self._meant[name]

    def scheduled(self, program: str, limits: CodeLimits) -> Scheduled:
        """A whole program as a kernel is given it.  Raises CodeError for what isn't one that can be run."""
        return Scheduler(self.tools.keys(), self.models).add(parse(program, limits))

    def own_names(self, source: str, nodes: Iterable[ast.AST], bound: set[str]) -> str:
        """``source``, which parses as ``nodes``, with the stubs' names where tools are called by others; ``bound`` are
        names that the program has given a meaning."""
        if not any(name not in self.tools and self.stands_for_tool(name) for name in _CALLED.findall(source)):
            return source
        return renamed(source, nodes, self.meant, bound | set(dir(builtins)) | self.models.keys())

    def as_python(self, source: str) -> str:
        """``source`` with the stubs' names where a name is called that is no Python, ``get-weather(…)``, and where a
        tool's name is given to what calls it."""
        if "_tool" in source or "_function" in source:
            source = _BY_NAME.sub(self._by_itself, source)
        if "-" not in source and ("." not in source or not _DOTTED_DIGIT.search(source)):
            return source
        return _DASHED.sub(self._undashed, source)

    def _undashed(self, found: regex.Match[str]) -> str:
        name = found["name"]
        return (name and self.meant(name)) or found.group()

    def _by_itself(self, found: regex.Match[str]) -> str:
        name = found["name"] and not self.meant(found["caller"]) and self.meant(found["name"])
        return f"{name}(" if name else found.group()

    def mentioned(self, source: str) -> bool:
        """Something in ``source`` looks like a call of a tool."""
        if "_tool" in source or "_function" in source:
            source = _BY_NAME.sub(self._by_itself, source)
        return any(self.stands_for_tool(found.group()) for found in _CALLED.finditer(source))

    def stands_for_tool(self, name: str) -> bool:
        """Whoever calls ``name`` means one of the tools."""
        return name in self.tools or (not hasattr(builtins, name) and self.meant(name) is not None)

    def used(self, nodes: Iterable[ast.AST]) -> bool:
        """A tool is called, or meant as a value."""
        return any(
            isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id in self.tools
            for node in nodes
            for part in ast.walk(node)
        )


@dataclass(frozen=True, slots=True)
class _Spellings:
    """The Python names by the client's, and the names of both kinds that are written alike."""

    names: dict[str, str]
    python: dict[str, list[str]]
    wire: dict[str, list[str]]

    @staticmethod
    def of(tools: Mapping[str, Provable]) -> _Spellings:
        names = {tool.name: python for python, tool in tools.items()}
        return _Spellings(names, by_folded(tools.keys()), by_folded(names.keys()))


@dataclass(frozen=True, slots=True)
class CallableNames:
    """The names whose call means a tool, in any way of writing them."""

    vocabulary: Vocabulary

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        return self.vocabulary.stands_for_tool(name) or _IS_CALLER.fullmatch(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.vocabulary.tools)

    def __len__(self) -> int:
        return len(self.vocabulary.tools)


def bindings(tool: Provable, call: ParsedCall, models: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ways to read a call's arguments, likeliest first; the one that is proven counts."""
    parameters = list(tool.parameters)
    if len(call.positional) > len(parameters):
        whole = _only_value(call, parameters)
        if isinstance(whole, ModelObject | dict):
            return [plain(whole)]
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
