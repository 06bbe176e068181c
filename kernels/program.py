"""One program run in a fresh Monty session: the part of the kernel that knows nothing of Jupyter.

Rule: a run is a pure function of its ``ProgramRun``.  Nothing of the host is given to the interpreter: no files, no
clock, no randomness of its own; a call of a tool is recorded and answered with the result so far, or with the
stand-in; whoever looks into a stand-in ends the run, which is done by not going on with it, so that no ``except``
and no ``finally`` sees it.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self, cast

from pydantic_monty import (
    CollectString,
    FunctionSnapshot,
    Monty,
    MontyClassProxy,
    MontyComplete,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySession,
    NameLookupSnapshot,
)

from emulator.recent import Recent
from emulator.runs import MODEL_KEY, Outcome, ProgramRun, RunCall, RunError, RunLimits
from kernels.preamble import PREAMBLE

TOOL_ERROR = "_csv.Error"
"""What stands for ToolError, since Monty has no classes with bases: an exception that nothing else here raises."""
_HEAD = f"from csv import Error as ToolError\n{PREAMBLE}"
_LIMIT = re.compile(r"(?P<what>[\w ]+) limit exceeded: [\d.]+ ?\w* > (?P<limit>.+)")
_BEGUN = 64
"""Programs whose first state is kept, each of some 20 kB."""
_STATE_BYTES = 256 << 10
_LIMIT_CHARACTERS = 200
_MESSAGE_CHARACTERS = 4000
_PAUSE = "_pause_"
_GRACE_SECONDS = 1.0
_DEPTH = 64


class _Paused(Exception):
    """A result is needed that isn't there, or a call must wait for the next round."""


class Programs:
    """Runs programs, one after the other.  Keeps one interpreter process ready, which is replaced if it dies."""

    def __init__(self) -> None:
        self._pool = Monty(
            min_processes=1,
            max_processes=1,
            feed_duration_limit_grace=_GRACE_SECONDS,
            turn_duration_limit_grace=_GRACE_SECONDS,
        )
        self._pool.__enter__()
        self._begun = Recent[tuple[str, str, str], bytes](_BEGUN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._pool.__exit__(None, None, None)

    def run(self, run: ProgramRun) -> Outcome:
        begun = time.monotonic()
        return replace(self._outcome(run), seconds=time.monotonic() - begun)

    def _outcome(self, run: ProgramRun) -> Outcome:
        try:
            with self._pool.checkout(limits=_limits(run.limits), os_policy=_policy(run)) as session:
                self._begin(session, run)
                return _Session(session, run).outcome()
        except MontyCrashedError:
            return Outcome("error", error=RunError("MemoryError", "the program broke the interpreter"))

    def _begin(self, session: MontySession, run: ProgramRun) -> None:
        """The session before the program's next statement.

        A saved session is quicker than the helpers read anew, but brings its own clock and randomness along, so that
        one is kept for each program: it is run once a round.
        """
        key = (run.clock, run.seed, run.timezone)
        if run.state:
            session.load_session(base64.b64decode(run.state))
        elif (begun := self._begun.get(key)) is not None:
            session.load_session(begun)
        else:
            session.feed_run(_HEAD)
            self._begun.put(key, session.dump())


def _limits(limits: RunLimits) -> Any:
    return {
        "max_feed_duration_secs": limits.seconds,
        "max_memory": limits.memory,
        "max_recursion_depth": limits.recursion,
        # A few more than the calls: names that are looked up in vain count, too.
        "max_suspensions": limits.calls + 64,
    }


def _policy(run: ProgramRun) -> Any:
    return {
        "datetime": dt.datetime.fromisoformat(run.clock),
        "timezone": "utc" if run.timezone == "UTC" else run.timezone,
        "sleep": "zero",
        "random_start": {"seed": run.seed},
    }


@dataclass(slots=True)
class _Session:
    """One feed of a session, answered call by call."""

    session: MontySession
    run: ProgramRun
    calls: list[RunCall] = field(default_factory=list[RunCall])
    missing: int = field(init=False)
    alone: bool = False

    def __post_init__(self) -> None:
        self.missing = self.run.waiting

    def outcome(self) -> Outcome:
        output = CollectString(self.run.limits.output)
        try:
            self._answer_all(self.session.feed_start(self.run.source, print_callback=output))
        except _Paused:
            if not self.missing:  # The program's own: there is nothing to wait for.
                return Outcome("error", tuple(self.calls), error=RunError("TypeError", "... is no value here"))
            return Outcome("paused", tuple(self.calls))
        except MontyCrashedError:
            error = RunError("MemoryError", "the program broke the interpreter")
            return Outcome("error", tuple(self.calls), error=error)
        except MontyError as error:
            return Outcome("error", tuple(self.calls), output.output, error=_error(error))
        state = self._state() if self.run.keep_state else None
        end = "paused" if self.missing and not self.run.keep_state else "done"
        value, unread = self._end(output.output)
        return Outcome(end, tuple(self.calls), output.output, value, unread=unread, state=state)

    def _state(self) -> str | None:
        """What the next step goes on from; None if that is too large to be carried along."""
        try:
            state = self.session.dump()
        except MontyError:
            return None
        return base64.b64encode(state).decode() if len(state) <= _STATE_BYTES else None

    def _answer_all(self, snapshot: Any) -> None:
        """To the program's end, its calls answered on the way.  Raises _Paused."""
        while not isinstance(snapshot, MontyComplete):
            if isinstance(snapshot, FunctionSnapshot):
                snapshot = snapshot.resume(self._answer(snapshot))
            elif isinstance(snapshot, NameLookupSnapshot):
                snapshot = snapshot.resume()  # A name that isn't there: the program's NameError.
            else:
                raise _Paused  # A future, which scheduled programs don't make.

    def _answer(self, snapshot: FunctionSnapshot) -> Any:
        name = str(snapshot.function_name)
        if name == _PAUSE:
            raise _Paused
        if snapshot.is_os_function or name not in self.run.tools:
            return {"exc_type": "NameError", "message": f"name '{name}' is not defined"}
        if self.missing and _holds_stand_in([snapshot.args, snapshot.kwargs]):
            raise _Paused
        return self._called(name, snapshot.args, snapshot.kwargs)

    def _called(self, name: str, positional: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        index = self.run.first + len(self.calls)
        result = self.run.results.get(index)
        if result is None:
            serial = name in self.run.serial or "*" in self.run.serial
            if self.missing and (serial or self.alone):
                raise _Paused
            self.alone = serial
        if index >= self.run.limits.calls:
            message = f"the program calls functions more than {self.run.limits.calls} times"
            return {"exc_type": "RuntimeError", "message": message}
        arguments = tuple(_plain(value) for value in positional)
        self.calls.append(RunCall(name, arguments, {str(key): _plain(value) for key, value in keywords.items()}))
        if result is None:
            self.missing += 1
            return {"return_value": ...}
        if result.error is not None:
            return {"exc_type": TOOL_ERROR, "message": result.error}
        return {"return_value": result.value}

    def _end(self, output: str) -> tuple[str | None, frozenset[int]]:
        """The last expression's value as text, and the indices of the calls whose result nobody looked at."""
        most = self.run.limits.output
        try:
            value, read = cast(list[Any], self.session.feed_run(f"_end_({not output}, {most})"))
        except MontyError:
            return None, frozenset()
        seen = {index for index in cast(list[Any], read) if isinstance(index, int)}
        unread = frozenset[int]() if self.missing else frozenset(range(self.run.first + len(self.calls))) - seen
        return value if isinstance(value, str) else None, unread


def _error(error: MontyError) -> RunError:
    inner = error.exception()
    name = type(inner).__name__
    said = _shortened(str(inner))
    if name == "AssertionError":  # Monty adds the statement, as it was rewritten.
        said = said.partition("\nassert ")[0]
    if isinstance(error, MontyRuntimeError):
        frames = error.traceback()
        # Only lines of this feed: what is before it is the preamble, or statements that were run before.
        last = max((frame.filename for frame in frames), key=_feed, default="")
        lines = tuple(frame.line for frame in frames if frame.filename == last)
        return RunError("ToolError" if (name, type(inner).__module__) == ("Error", "_csv") else name, said, lines)
    return RunError(name, said)


def _shortened(said: str) -> str:
    """The message of an exception, which the program chooses: a limit's own is short."""
    return said[:_MESSAGE_CHARACTERS] if len(said) > _LIMIT_CHARACTERS else _LIMIT.sub(_exceeded, said)


def _exceeded(found: re.Match[str]) -> str:
    what = {"memory": "takes too much memory or prints too much", "feed time": "runs too long"}
    return f"the program {what.get(found['what'], 'takes too much')} (the limit is {found['limit']})"


def _feed(filename: str) -> int:
    digits = "".join(filter(str.isdigit, filename))
    return int(digits) if digits else -1


def _holds_stand_in(value: Any) -> bool:
    left, seen = [value], 0
    while left:
        item = left.pop()
        seen += 1
        if item is ...:
            return True
        left += _parts(item)
    return False


def _parts(value: Any) -> list[Any]:
    match value:
        case dict():
            return [*value.keys(), *value.values()]  # pyright: ignore[reportUnknownVariableType]
        case list() | tuple() | set() | frozenset():
            return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case MontyClassProxy():
            return list(_fields(value).values())
        case _:
            return []


def _fields(value: MontyClassProxy) -> dict[str, Any]:
    return value.attributes


def _plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON can carry it; what JSON has no word for becomes text, and the judge of calls sees that."""
    if depth > _DEPTH:
        return "…"
    match value:
        case None | bool() | int() | float() | str():
            return value
        case MontyClassProxy():
            fields = {str(key): _plain(item, depth + 1) for key, item in _fields(value).items()}
            return {MODEL_KEY: str(value.name)} | fields
        case dict():
            return {_key(key): _plain(item, depth + 1) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case set() | frozenset():
            return [_plain(item, depth + 1) for item in sorted(value, key=repr)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple():
            return [_plain(item, depth + 1) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)


def _key(key: Any) -> str:
    """A dict's key as JSON has it."""
    if isinstance(key, str):
        return key
    return json.dumps(key) if key is None or isinstance(key, bool) else str(key)
