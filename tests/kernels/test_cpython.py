"""A program means the same on a stock Python kernel as on this project's own, and leaves nothing behind there."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import kernels.cpython
from emulator.code.schedule import Scheduler
from emulator.runs import MODEL_KEY, BadOutcome, Outcome, ProgramRun, RunCall, RunError, RunLimits, RunResult
from kernels.cpython import CPythonPrograms
from kernels.dialects import EXPRESSION, ToolPrograms
from kernels.interface import Dialect
from kernels.local import LocalKernel, LocalKernels
from tests.kernels.samples import PATIENCE, until

Runner = Callable[[ProgramRun], Outcome]
TOOLS = ("f", "g")
LIMITS = RunLimits(seconds=5.0, output=1000, calls=20)


def scheduled(source: str, **parts: Any) -> ProgramRun:
    run = ProgramRun(
        source=Scheduler(TOOLS).add(ast.parse(source).body).source,
        tools=TOOLS,
        clock="2026-03-05T23:20:30.5Z",
        seed="seed",
        timezone="Europe/Berlin",
        limits=LIMITS,
    )
    return replace(run, **parts)


def results(*values: Any) -> dict[int, RunResult]:
    return {index: value if isinstance(value, RunResult) else RunResult(value) for index, value in enumerate(values)}


def runner(kernel: LocalKernel, dialect: Dialect) -> Runner:
    return lambda run: dialect.outcome(kernel.execute(dialect.content(run), PATIENCE))


@pytest.fixture(scope="module")
def stock() -> Iterator[LocalKernel]:
    kernel = LocalKernels("python3")()
    try:
        kernel.start()
        yield kernel
    finally:
        kernel.close()


@pytest.fixture(scope="module")
def own() -> Iterator[LocalKernel]:
    kernel = LocalKernels()()
    try:
        kernel.start()
        yield kernel
    finally:
        kernel.close()


@pytest.fixture
def cpython(stock: LocalKernel) -> Runner:
    return runner(stock, CPythonPrograms())


@pytest.fixture(params=["tool-program", "python3"])
def either(request: pytest.FixtureRequest, stock: LocalKernel, own: LocalKernel) -> Runner:
    return runner(own, ToolPrograms()) if request.param == "tool-program" else runner(stock, CPythonPrograms())


def paused(*calls: RunCall) -> Outcome:
    return Outcome("paused", calls)


def f(*positional: Any, **keywords: Any) -> RunCall:
    return RunCall("f", positional, keywords)


def g(*positional: Any, **keywords: Any) -> RunCall:
    return RunCall("g", positional, keywords)


MODEL = "class A:\n    def __init__(self, x):\n        self.x = x\n"
SAME: list[tuple[str, dict[int, RunResult], Outcome]] = [
    ("f(1)\nf(a=2)", {}, paused(f(1), f(a=2))),
    ("x = f(1)\ny = f(2)\ng(x)", {}, paused(f(1), f(2))),
    ("x = f(1)\ny = f(2)\ng(x)", results(5), paused(f(1), f(2), g(5))),
    ("x = f(1)\ng([{'a': (x,)}])", {}, paused(f(1))),
    ("x = f(1)\nif x:\n    g(1)\nelse:\n    g(2)", {}, paused(f(1))),
    ("x = f(1)\nif x is None:\n    g(1)\nelse:\n    g(2)", results(None), paused(f(1), g(1))),
    ("rs = [f(i) for i in range(3)]\nprint(sum(rs))", {}, paused(f(0), f(1), f(2))),
    ("rs = [f(i) for i in range(3)]\nprint(sum(rs))", results(1, 2, 4), Outcome("done", (f(0), f(1), f(2)), "7\n")),
    ("try:\n    try:\n        f(1)['x']\n    finally:\n        f(2)\nexcept:\n    f(3)", {}, paused(f(1))),
    ("try:\n    f(1)\nexcept ToolError as error:\n    print(f'no: {error}')", results(RunResult(error="é")), Outcome("done", (f(1),), "no: é\n", unread=frozenset({0}))),
    ("try:\n    f(1)\nexcept Exception:\n    print('no')", results(RunResult(error="é")), Outcome("done", (f(1),), "no\n", unread=frozenset({0}))),
    ("f(1)", results(RunResult(error="gone")), Outcome("error", (f(1),), error=RunError("ToolError", "gone", (1,)))),
    ("x = f(1)\nx['a']", results({"a": 1}), Outcome("done", (f(1),), value="1")),
    ("f(1)\ny = f(2)\nprint(y)", results("one", "two"), Outcome("done", (f(1), f(2)), "two\n", unread=frozenset({0}))),
    ("def main():\n    return f(1) + f(2)\n\nmain()", results(1, 2), Outcome("done", (f(1), f(2)), value="3")),
    ("import json\njson.loads(f(1))['a']", results({"a": "b"}), Outcome("done", (f(1),), value="b")),
    ("'text'", {}, Outcome("done", value="text")),
    ("...", {}, Outcome("done")),
    ("print(1, end='')\nprint('a', 'b', sep='-')\nNone", {}, Outcome("done", output="1a-b\n")),
    ("f((1, 2.5), None, True, 'é\\n', [10**30])", {}, paused(f([1, 2.5], None, True, "é\n", [10**30]))),
    ("f({1, 3, 2}, b'x', 1 + 2j)", {}, paused(f([1, 2, 3], "b'x'", "(1+2j)"))),
    ("f({None: 1, 'a': 2, 2.5: 3, 7: 4})", {}, paused(f({"null": 1, "a": 2, "2.5": 3, "7": 4}))),
    ("f({0: 'a', 1: 'b'}, {False: 'a', True: 'b'})", {}, paused(f({"0": "a", "1": "b"}, {"false": "a", "true": "b"}))),
    (MODEL + "f(A([A(1)]))", {}, paused(f({MODEL_KEY: "A", "x": [{MODEL_KEY: "A", "x": 1}]}))),
    ("from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n    y: str = 'q'\nf(A(1))", {}, paused(f({MODEL_KEY: "A", "x": 1, "y": "q"}))),
    ("import datetime as d\nf(d.datetime(2026, 1, 2, 3), d.date(2026, 1, 2), d.time(3, 4), d.timedelta(days=1))", {}, paused(f("2026-01-02T03:00:00", "2026-01-02", "03:04:00", "1 day, 0:00:00"))),
    ("import datetime\nprint(datetime.datetime.now())", {}, Outcome("done", output="2026-03-06 00:20:30.500000\n")),
    ("import datetime\nf(datetime.date.today(), datetime.datetime.now(datetime.timezone.utc))", {}, paused(f("2026-03-06", "2026-03-05T23:20:30.500000+00:00"))),
    ("import random\nprint(random.random() == random.random())", {}, Outcome("done", output="False\n")),
    ("1 / 0", {}, Outcome("error", error=RunError("ZeroDivisionError", "division by zero", (1,)))),
    ("print('a')\nraise ValueError('no')", {}, Outcome("error", output="a\n", error=RunError("ValueError", "no", (2,)))),
    ("def a():\n    return b()\ndef b():\n    return [][1]\n\na()", {}, Outcome("error", error=RunError("IndexError", "list index out of range", (5, 2, 4)))),
    ("f(1)\nnobody", {}, Outcome("error", (f(1),), error=RunError("NameError", "name 'nobody' is not defined", (2,)))),
    ("for i in range(21):\n    f(i)", {}, Outcome("error", tuple(f(i) for i in range(20)), error=RunError("RuntimeError", "the program calls functions more than 20 times", (2,)))),
]  # fmt: skip


@pytest.mark.parametrize(("source", "given", "expected"), SAME, ids=[row[0] for row in SAME])
def test_the_same_comes_of_it_on_both(
    either: Runner, source: str, given: dict[int, RunResult], expected: Outcome
) -> None:
    assert either(scheduled(source, results=given)) == expected


@pytest.mark.parametrize(
    ("serial", "given", "calls"),
    [
        (("f",), {}, [f(1)]),
        (("f",), results(1), [f(1), f(2)]),
        (("f",), results(1, 2), [f(1), f(2), g(3), g(4)]),
        (("g",), {}, [f(1), f(2)]),
        (("*",), results(1, 2), [f(1), f(2), g(3)]),
    ],
)
def test_a_serial_tool_is_alone_in_its_round(
    either: Runner, serial: tuple[str, ...], given: dict[int, RunResult], calls: list[RunCall]
) -> None:
    assert either(scheduled("f(1)\nf(2)\ng(3)\ng(4)", results=given, serial=serial)) == paused(*calls)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (
            "f(1)\nwhile True:\n    try:\n        while True:\n            pass\n    except:\n        pass",
            "TimeoutError",
        ),
        ("f(1)\nx = [0]\nwhile True:\n    x = x + x", "MemoryError"),
        ("f(1)\ndef a(n):\n    return a(n + 1)\na(0)", "RecursionError"),
        ("f(1)\nwhile True:\n    print('spam')", "MemoryError"),
        ("f(1)\nexit()", "NameError"),
        ("f(1)\ninput()", "NameError"),
    ],
)
def test_limits_end_the_program_and_its_calls_are_known(either: Runner, source: str, kind: str) -> None:
    # Only what never ends is to meet the clock, however busy the machine is.
    seconds = 1.0 if kind == "TimeoutError" else 30.0
    run = scheduled("pass", limits=replace(LIMITS, seconds=seconds, memory=32 << 20))
    came = either(replace(run, source=source))
    assert came.error is not None and (came.end, came.calls, came.error.type) == ("error", (f(1),), kind)
    assert either(replace(run, source="f(2)")) == paused(f(2))


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import os\nf(1)\nos._exit(0)", "SystemExit"),
        ("import os\nf(1)\nos.abort()", "MemoryError"),
        ("import sys\nf(1)\nsys.exit(3)", "SystemExit"),
        ("import os, signal\nf(1)\nos.kill(os.getpid(), signal.SIGKILL)", "MemoryError"),
        ("f(1)\nf(10**5000)", "ValueError"),
        ("f(1)\nclass E(Exception):\n    def __str__(self):\n        raise self\nraise E", "E"),
        ("f(1)\nnonlocal x", "SyntaxError"),
    ],
)
def test_whatever_ends_it_is_an_error_and_the_kernel_goes_on(cpython: Runner, source: str, kind: str) -> None:
    came = cpython(replace(scheduled("pass"), source=source))
    assert came.error is not None and (came.end, came.error.type) == ("error", kind)
    assert came.calls == (() if kind == "SyntaxError" else (f(1),))
    assert cpython(scheduled("f(2)")) == paused(f(2))


def test_nothing_of_a_run_is_there_in_the_next(cpython: Runner) -> None:
    source = "import os, sys, math, builtins\nos.environ['LEFT'] = sys.left = math.left = builtins.left = 'x'\nleft = 1"
    assert cpython(replace(scheduled("pass"), source=source)).end == "done"
    source = "import os, sys, math\nf(*[hasattr(m, 'left') for m in (sys, math)], 'LEFT' in os.environ)\nleft"
    came = cpython(replace(scheduled("pass"), source=source))
    assert came.calls == (f(False, False, False),)
    assert came.error == RunError("NameError", "name 'left' is not defined", (3,))


def test_processes_that_a_program_leaves_end_with_it(cpython: Runner, tmp_path: Path) -> None:
    left = tmp_path / "left"
    source = f"""
import os, time
if os.fork() == 0:
    with open({str(left)!r}, "w") as file:
        file.write(str(os.getpid()))
    while True:
        time.monotonic()
while not os.path.exists({str(left)!r}) or not os.path.getsize({str(left)!r}):
    pass
print("over")
"""
    assert cpython(replace(scheduled("pass"), source=source)) == Outcome("done", output="over\n")
    until(lambda: not Path(f"/proc/{left.read_text()}").exists() or "Z" in _state(left.read_text()))


def _state(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


def test_only_the_program_s_own_process_has_the_tools(cpython: Runner) -> None:
    source = """
import os
child = os.fork()
if child == 0:
    try:
        f("child")
    except RuntimeError:
        os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert cpython(replace(scheduled("pass"), source=source)) == Outcome("done", output="7\n")


def test_calls_from_threads_are_calls(cpython: Runner) -> None:
    source = "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1) as pool:\n"
    source += "    results = list(pool.map(f, range(3)))\nprint(results)"
    run = replace(scheduled("pass"), source=source)
    assert cpython(run) == Outcome("paused", (f(0), f(1), f(2)), "[Ellipsis, Ellipsis, Ellipsis]\n")
    done = cpython(replace(run, results=results(1, 2, 3)))
    assert (done.end, done.output) == ("done", "[1, 2, 3]\n")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("t.time()", "1772752830.5"),
        ("t.time_ns()", "1772752830500000000"),
        ("t.strftime('%d.%m. %H:%M %Z')", "06.03. 00:20 CET"),
        ("(t.ctime(), t.asctime(t.gmtime()))", "('Fri Mar  6 00:20:30 2026', 'Thu Mar  5 23:20:30 2026')"),
        ("t.localtime(0).tm_year", "1970"),
        ("[t.sleep(1000), asyncio.run(asyncio.sleep(1000))]", "[None, None]"),
        ("d.datetime.utcnow()", "datetime.datetime(2026, 3, 5, 23, 20, 30, 500000)"),
        ("d.datetime.today() == d.datetime.now()", "True"),
        ("d.datetime.now(d.timezone.utc).isoformat()", "2026-03-05T23:20:30.500000+00:00"),
        ("d.datetime.strptime('2026-01-02', '%Y-%m-%d')", "datetime.datetime(2026, 1, 2, 0, 0)"),
        ("d.datetime.combine(d.date.today(), d.time(1)) + d.timedelta(1)", "datetime.datetime(2026, 3, 7, 1, 0)"),
        ("[isinstance(d.datetime.now(), k) for k in (d.date, d.datetime, str)]", "[True, True, False]"),
        ("[isinstance(d.date.today(), k) for k in (d.date, d.datetime)]", "[True, False]"),
        ("(issubclass(d.datetime, d.date), issubclass(str, d.date))", "(True, False)"),
        ("copy.deepcopy(d.datetime.now()) == d.datetime.now()", "True"),
        ("type('D', (d.datetime,), {}).now().__class__.__name__", "D"),
        ("type('D', (d.date,), {}).today() == d.date.today()", "True"),
        ("isinstance(d.date.today(), type('D', (d.date,), {}))", "False"),
        ("issubclass(d.date, type('D', (d.date,), {}))", "False"),
    ],
)
def test_the_clock_stands_still(cpython: Runner, expression: str, value: str) -> None:
    source = f"import asyncio, copy, datetime as d, time as t\n_last_({expression})"
    assert cpython(replace(scheduled("pass"), source=source)) == Outcome("done", value=value)


def test_chance_is_the_same_in_each_run_and_another_for_another_seed(cpython: Runner) -> None:
    source = "import os, random, secrets, uuid\n"
    source += (
        "_last_((random.random(), uuid.uuid4(), secrets.token_hex(), os.urandom(3), random.SystemRandom().random()))"
    )
    run = replace(scheduled("pass"), source=source)
    first = cpython(run)
    assert first.end == "done" and first == cpython(run)
    assert first != cpython(replace(run, seed="another"))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("import enum\nclass C(enum.Enum):\n    A = 'a'\nf(C.A)", "a"),
        ("import collections\nf(collections.namedtuple('P', 'x y')(1, [2]))", [1, [2]]),
        ("import decimal, pathlib\nf([decimal.Decimal('1.50'), pathlib.Path('/a')])", ["1.50", "/a"]),
        ("class N:\n    def tolist(self):\n        return [1]\nN.__module__ = 'numpy'\nf(N())", [1]),
        ("class E(Exception):\n    pass\nf(E('no'))", "no"),
        ("x = []\nx.append(x)\nfor i in range(99):\n    y = f(x) if not i else y", None),
    ],
)
def test_values_that_only_cpython_has(cpython: Runner, source: str, value: Any) -> None:
    came = cpython(replace(scheduled("pass"), source=source))
    (argument,) = came.calls[0].positional
    if value is None:
        assert str(argument).count("[") == 64 + 1 and "…" in str(argument)
    else:
        assert argument == value


def test_a_state_is_refused() -> None:
    assert not CPythonPrograms.incremental
    for run in (scheduled("pass", state="x"), scheduled("pass", keep_state=True)):
        with pytest.raises(ValueError, match="keeps no state"):
            CPythonPrograms().content(run)


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", "[" * 100_000, '{"end": "done"}'])
def test_what_is_no_report_is_none(text: str) -> None:
    reply = {"status": "ok", "user_expressions": {EXPRESSION: {"status": "ok", "data": {"text/plain": text}}}}
    with pytest.raises(BadOutcome):
        CPythonPrograms().outcome(reply)


def test_what_is_sent_is_python_3_9() -> None:
    folder = Path(kernels.cpython.__file__).parent
    sent = [path for path in folder.glob("cpython_*.py") if ast.parse(path.read_text("utf-8"), feature_version=(3, 9))]
    assert len(sent) == 3
