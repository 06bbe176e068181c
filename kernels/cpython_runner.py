"""The part of the dialect for stock Python kernels that is sent there: one program run in a process forked for it.

Rule: needs nothing but the standard library of Python 3.9 or newer on Unix, since it runs in a foreign kernel's
interpreter.  A run leaves nothing behind there: a child process executes the program, writes its calls and its end
to a pipe, and ends at once, whatever ``except`` or ``finally`` stands around the place.  The kernel's own process
waits, kills the child when its time is up, and is not touched by what it does.

This is full CPython and NO sandbox: files, network, processes and the kernel's environment are the program's to use.
The limits are there for accidents.  What is made the same in each run: ``time``'s and ``datetime``'s idea of now,
``sleep`` (which takes no time), ``random`` and what takes its randomness from ``os.urandom``.  What isn't: the
monotonic clocks, the order of a set of strings (unless the kernel has PYTHONHASHSEED), the world outside.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import gc
import inspect
import io
import json
import math
import os
import resource
import select
import signal
import sys
import threading
import time
import types
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    # Their texts are loaded into the same namespace before this one.
    from kernels.cpython_values import SHOWN_CHARACTERS, holds_stand_in, plain  # noqa: TC004
    from kernels.cpython_world import seed_chance, stop_clock  # noqa: TC004

Json = dict[str, Any]

PROGRAM = "<program>"
_RECURSION = 1000  # CPython's own default, which the imports of larger packages need.
_CHUNK = 1 << 16
_REFUSED = ("input", "exit", "quit", "breakpoint", "get_ipython")


class Report:
    """A JSON text as the value of a user expression: IPython shows it as its ``repr``."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class ToolError(Exception):
    """A tool's call failed; the message is the tool's."""


def report(asked: str) -> Report:
    """Runs what ``ProgramRun.to_json`` asks for, with the keys ``preamble`` and ``model_key`` beside; an ``Outcome``'s
    JSON comes back.
    """
    run = json.loads(asked)
    preamble = _compiled(run["preamble"])
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Of threads that the child doesn't have: the kernel's, which hold nothing that a program needs.
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        _Program(run, writing).go(preamble)
    os.close(writing)
    try:
        said, trouble = _gathered(reading, run["limits"][0], run["limits"][1])
    finally:
        status = _ended(child)
        os.close(reading)
    lines = [json.loads(line) for line in said.split(b"\n")[:-1]]
    end = lines.pop() if lines and isinstance(lines[-1], dict) else _failure(trouble or _cause(status))
    return Report(json.dumps(dict(end, calls=lines, state=None)))


@functools.lru_cache(maxsize=4)
def _compiled(preamble: str) -> types.CodeType:
    return compile(preamble, "<preamble>", "exec", dont_inherit=True)


def _gathered(reading: int, seconds: float, most: int) -> tuple[bytearray, tuple[str, str] | None]:
    """Lines from the child until its end, and what went wrong if its end isn't among them.

    The end of the pipe isn't waited for: a process that the program left behind may hold it.
    """
    said = bytearray()
    readable = select.poll()
    readable.register(reading, select.POLLIN)
    give_up = time.monotonic() + seconds
    while (left := give_up - time.monotonic()) > 0:
        if not readable.poll(math.ceil(left * 1000)):
            continue
        chunk = os.read(reading, _CHUNK)
        said += chunk
        if not chunk or (said.endswith(b"\n") and said.startswith(b"{", said.rfind(b"\n", 0, -1) + 1)):
            return said, None
        if len(said) > most:
            return said, ("MemoryError", f"the program passes more than {most} bytes to its tools")
    return said, ("TimeoutError", f"the program takes longer than {seconds:g} s")


def _ended(child: int) -> int:
    """Ends the child and the processes of its session; returns how it had ended, as waitpid has it."""
    finished, status = os.waitpid(child, os.WNOHANG)
    if not finished:
        os.kill(child, signal.SIGKILL)
    with contextlib.suppress(OSError):
        # Before the child is forgotten, so that its id can be nobody else's.
        os.killpg(child, signal.SIGKILL)
    return status if finished else os.waitpid(child, 0)[1]


def _cause(status: int) -> tuple[str, str]:
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    if ended_by in (signal.SIGXCPU, signal.SIGALRM):
        return "TimeoutError", "the program takes too long"
    if ended_by is None:
        return "SystemExit", "the program ended its process"
    return "MemoryError", "the program broke the interpreter"


def _failure(trouble: tuple[str, str], output: str = "", lines: tuple[int, ...] = ()) -> Json:
    error = [trouble[0], trouble[1], list(lines)]
    return {"end": "error", "output": output, "value": None, "error": error, "unread": []}


class _Program:
    """The child's side: the namespace, the tools, and the one way out."""

    def __init__(self, run: Json, pipe: int) -> None:
        self.run = run
        self.pipe = pipe
        self.pid = os.getpid()
        self.lock = threading.RLock()
        self.output = _Output(self, run["limits"][3])
        self.made = 0
        self.missing = 0
        self.alone = False
        self.hard_memory = resource.RLIM_INFINITY

    def go(self, preamble: types.CodeType) -> NoReturn:
        try:
            # What the kernel made is nothing to look through, or to copy for looking.
            gc.freeze()
            self._settle()
            names = self._namespace(preamble)
            exec(compile(self.run["source"], PROGRAM, "exec", dont_inherit=True), names)  # noqa: S102
            value, read = names["_end_"](not self.output.text(), self.run["limits"][3])
            unread = [] if self.missing else self._unread(read)
            end = "paused" if self.missing else "done"
            self.end({"end": end, "output": self.output.text(), "value": value, "error": None, "unread": unread})
        except BaseException as error:  # noqa: BLE001 - whatever a program raises is its end
            self._lift()
            self.end(_failure(_described(error), self.output.text(), _lines(error)))
        finally:
            os._exit(1)

    def end(self, how: Json) -> NoReturn:
        """Ends the process here and now."""
        with self.lock:
            self._lift()
            self._write(how)
            os._exit(0)

    def pause(self) -> NoReturn:
        self.end({"end": "paused", "output": "", "value": None, "error": None, "unread": []})

    def called(self, name: str, positional: tuple[Any, ...], keywords: Json) -> Any:
        """Records a call of a tool; returns its result, or the stand-in where there is none yet."""
        if os.getpid() != self.pid:
            raise RuntimeError("tools can be called in the program's own process only")
        with self.lock:
            if self.missing and holds_stand_in((positional, keywords)):
                self.pause()
            index = self.run["first"] + self.made
            result = self.run["results"].get(str(index))
            if result is None:
                serial = name in self.run["serial"] or "*" in self.run["serial"]
                if self.missing and (serial or self.alone):
                    self.pause()
                self.alone = serial
            most = self.run["limits"][4]
            if index >= most:
                raise RuntimeError(f"the program calls functions more than {most} times")
            arguments = [plain(value, self.run["model_key"]) for value in positional]
            named = {key: plain(value, self.run["model_key"]) for key, value in keywords.items()}
            self._write([name, arguments, named])
            self.made += 1
            if result is None:
                self.missing += 1
                return ...
        value, error = result
        if error is not None:
            raise ToolError(error)
        return value

    def _settle(self) -> None:
        """Makes the process the program's: limits, streams, clock, randomness."""
        seconds, memory = self.run["limits"][:2]
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        # The kernel ends the child in time; this is for a kernel that is killed itself.
        most = math.ceil(seconds) + 1
        signal.alarm(most)
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nowhere, descriptor)
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - as long as the process
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        sys.stdout = self.output
        seed_chance(self.run["seed"])
        sys.setrecursionlimit(_frames() + max(_RECURSION, self.run["limits"][2]))
        self.hard_memory = resource.getrlimit(resource.RLIMIT_AS)[1]
        if (taken := _address_space()) is not None:
            resource.setrlimit(resource.RLIMIT_AS, (taken + memory, self.hard_memory))

    def _namespace(self, preamble: types.CodeType) -> Json:
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        names = vars(module)
        allowed = {name: value for name, value in vars(builtins).items() if name not in _REFUSED}
        names.update(__builtins__=allowed, ToolError=ToolError, _pause_=self.pause)
        # It looks at the types of values, which are the real ones also after the clock has stopped.
        exec(preamble, names)  # noqa: S102
        stop_clock(self.run["clock"], self.run["timezone"])
        names.update({name: self._tool(name) for name in self.run["tools"]})
        return names

    def _tool(self, name: str) -> Callable[..., Any]:
        def tool(*positional: Any, **keywords: Any) -> Any:
            return self.called(name, positional, keywords)

        tool.__name__ = tool.__qualname__ = name
        return tool

    def _unread(self, read: Any) -> list[int]:
        return [index for index in range(self.run["first"] + self.made) if index not in read]

    def _lift(self) -> None:
        """Room for the report of a program that used up its own."""
        resource.setrlimit(resource.RLIMIT_AS, (self.hard_memory, self.hard_memory))

    def _write(self, line: Any) -> None:
        left = memoryview(json.dumps(line).encode() + b"\n")
        while left:
            left = left[os.write(self.pipe, left) :]


class _Output(io.TextIOBase):
    """What is printed.  More than ``most`` bytes of it end the program."""

    def __init__(self, program: _Program, most: int) -> None:
        self._program = program
        self._left = self._most = most
        self._parts: list[str] = []

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._left -= len(text.encode("utf-8", "surrogatepass"))
        if self._left < 0:
            trouble = ("MemoryError", f"the program prints more than {self._most} bytes")
            self._program.end(_failure(trouble, self.text()))
        self._parts.append(text)
        return len(text)

    def text(self) -> str:
        return "".join(self._parts)


def _described(error: BaseException) -> tuple[str, str]:
    try:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:  # noqa: BLE001 - a class of the program's own
        said = ""
    return type(error).__name__, said[:SHOWN_CHARACTERS]


def _lines(error: BaseException) -> tuple[int, ...]:
    """Lines of the program, from the outermost frame inward."""
    if isinstance(error, SyntaxError) and error.filename == PROGRAM and error.lineno:
        return (error.lineno,)
    lines: list[int] = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == PROGRAM and trace.tb_lineno:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return tuple(lines)


def _frames() -> int:
    frame = inspect.currentframe()
    count = 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


def _address_space() -> int | None:
    """Bytes that the process has mapped, most of which it inherited; None where that can't be told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return None
