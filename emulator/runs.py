"""What goes between the server and a kernel: a program to run, and what came of it.

Rule: a run is a pure function of what stands in its ``ProgramRun``.  Whatever an interpreter reports is hostile:
``Outcome.from_json`` admits the shape that is written here and nothing else, and judges no call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Literal, cast

Json = dict[str, Any]
End = Literal["done", "paused", "error"]

MODEL_KEY = "\x00model"
"""In a reported value, an object of class C is a dict of its fields in which this key holds "C"."""


class BadOutcome(ValueError):
    """A kernel's report isn't one."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """``seconds`` of execution, ``memory`` and ``output`` in bytes, ``recursion`` in frames, ``calls`` of tools."""

    seconds: float = 5.0
    memory: int = 128 << 20
    recursion: int = 1000
    output: int = 64 << 10
    calls: int = 256


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a tool gave back: a JSON value, or the message of the ToolError that its call raises."""

    value: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """A program, or the next statements of one.

    ``source`` is scheduled Python (see code/schedule.py).  ``tools`` are the names that it calls through to the
    client.  ``results`` are by the index of the call in the program; a call without one goes on with a stand-in
    until that is looked into.  ``serial`` are tools whose call must be the only one of its round ("*": all are).
    ``clock`` is the frozen time (ISO 8601, with offset), ``timezone`` an IANA name, ``seed`` that of ``random``.
    ``state`` is what an earlier run of the program's beginning left, ``first`` the index of the next call, and
    ``waiting`` how many calls before it have no result yet.
    """

    source: str
    tools: tuple[str, ...]
    clock: str
    seed: str
    timezone: str = "UTC"
    results: Mapping[int, RunResult] = field(default_factory=dict[int, RunResult])
    serial: tuple[str, ...] = ()
    state: str | None = None
    first: int = 0
    waiting: int = 0
    keep_state: bool = False
    limits: RunLimits = RunLimits()

    def to_json(self) -> Json:
        return {
            "source": self.source,
            "tools": list(self.tools),
            "clock": self.clock,
            "seed": self.seed,
            "timezone": self.timezone,
            "results": {str(index): [result.value, result.error] for index, result in self.results.items()},
            "serial": list(self.serial),
            "state": self.state,
            "first": self.first,
            "waiting": self.waiting,
            "keep_state": self.keep_state,
            "limits": [
                self.limits.seconds,
                self.limits.memory,
                self.limits.recursion,
                self.limits.output,
                self.limits.calls,
            ],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ProgramRun:
        """The inverse of ``to_json``; for the kernel's side, which trusts the server."""
        results = {int(index): RunResult(value, error) for index, (value, error) in data["results"].items()}
        plain = ("source", "clock", "seed", "timezone", "state", "first", "waiting", "keep_state")
        return ProgramRun(
            **{name: data[name] for name in plain},
            tools=tuple(data["tools"]),
            results=results,
            serial=tuple(data["serial"]),
            limits=RunLimits(*data["limits"]),
        )


@dataclass(frozen=True, slots=True)
class RunCall:
    """A call that the program made, as it was written: Python's names, nothing judged."""

    name: str
    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RunError:
    """An exception that ended the program; ``lines`` of the scheduled source, from the outermost frame inward."""

    type: str
    message: str
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """``calls`` are those of this run, from ``ProgramRun.first`` on.

    ``output`` is what was printed, ``value`` the last expression's value as text where it isn't None; both mean
    something only where the program is ``done``.  ``unread`` are the indices of calls whose result nothing looked at.
    ``seconds`` is what the run took; ``state`` is None where there is none to go on from.
    """

    end: End
    calls: tuple[RunCall, ...] = ()
    output: str = ""
    value: str | None = None
    error: RunError | None = None
    unread: frozenset[int] = frozenset()
    state: str | None = None
    seconds: float = field(default=0.0, compare=False)

    def to_json(self) -> Json:
        error = self.error
        return {
            "end": self.end,
            "calls": [[call.name, list(call.positional), call.keywords] for call in self.calls],
            "output": self.output,
            "value": self.value,
            "error": None if error is None else [error.type, error.message, list(error.lines)],
            "unread": sorted(self.unread),
            "state": self.state,
            "seconds": self.seconds,
        }

    @staticmethod
    def from_json(data: object) -> Outcome:
        """Raises BadOutcome."""
        try:
            return _outcome(_is(data, dict))
        except (KeyError, TypeError, ValueError) as error:
            raise BadOutcome(f"a kernel's report can't be read: {type(error).__name__}: {error}") from None


def _outcome(data: Json) -> Outcome:
    end = data["end"]
    if end not in ("done", "paused", "error"):
        raise ValueError("unknown end")
    error = data["error"]
    return Outcome(
        end=end,
        calls=tuple(_call(*item) for item in _is(data["calls"], list)),
        output=_is(data["output"], str),
        value=None if data["value"] is None else _is(data["value"], str),
        error=None if error is None else _error(*error),
        unread=frozenset(_is(index, int) for index in data["unread"]),
        state=None if data["state"] is None else _is(data["state"], str),
        seconds=max(0.0, float(_is(data.get("seconds", 0.0), int | float))),
    )


def _call(name: object, positional: object, keywords: object) -> RunCall:
    named = _is(keywords, dict)
    return RunCall(_is(name, str), tuple(_is(positional, list)), {_is(key, str): named[key] for key in named})


def _error(kind: object, message: object, lines: object) -> RunError:
    return RunError(_is(kind, str), _is(message, str), tuple(_is(line, int) for line in _is(lines, list)))


def _is(value: object, kind: type[Any] | UnionType) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} for {getattr(kind, '__name__', kind)}")
    return cast(Any, value)


def encoded(value: object) -> str:
    """JSON of all that Python's json admits, NaN and large integers too, as one line without surrogates."""
    return json.dumps(value, separators=(",", ":"))
