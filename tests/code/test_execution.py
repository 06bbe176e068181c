"""A program is run while it is written: no statement twice, each call known by its index, each error by its line."""

from __future__ import annotations

import ast

import pytest

from emulator.code.check import CodeError
from emulator.code.execution import Execution, failure
from emulator.code.limits import CodeLimits
from emulator.code.schedule import Scheduler
from emulator.runs import Outcome, RunCall, RunError, RunLimits, RunResult
from tests.code.running import canned, play, run_step

TOOLS = ("f", "g")


def execution(*statements: str, incremental: bool = True) -> Execution:
    made = Execution(TOOLS, {}, CodeLimits(), incremental=incremental, begun=True)
    for statement in statements:
        made.add(statement)
    return made


def step(running: Execution) -> list[tuple[int, RunCall]]:
    """Run the step that is due on the real interpreter."""
    outcome = run_step(running.due(), TOOLS)
    fresh = running.ran(outcome)
    running.settle(outcome)
    return fresh


def test_nothing_is_due_before_it_begins() -> None:
    running = Execution(TOOLS, {}, CodeLimits())
    running.add("f(1)")
    assert not running.is_due
    running.begun = True
    assert running.is_due


def test_each_step_goes_on_where_the_last_one_ended() -> None:
    running = execution("x = 20", "f(x)")
    assert step(running) == [(0, RunCall("f", (20,)))]
    assert not running.is_due
    running.add("x += 1")
    running.add("for i in range(2):\n    g(x, i)")
    assert step(running) == [(1, RunCall("g", (21, 0))), (2, RunCall("g", (21, 1)))]
    running.add("print(x)")
    assert step(running) == []
    assert (running.output, running.calls, running.text.count("\n")) == ("21\n", 3, 5)


def test_calls_that_were_read_off_before_are_not_new() -> None:
    running = execution("f(1)", "g(2)", "f(1 + 2)")
    running.calls = 2
    assert step(running) == [(2, RunCall("f", (3,)))]


@pytest.mark.parametrize("fault", ["x = (1", "eval('1')", "with f(1) as x:\n    pass\nelse"])
def test_what_comes_at_once_is_run_like_what_comes_one_by_one(fault: str) -> None:
    running = execution("x = 20", "f(x)", fault, "g(x)")
    assert step(running) == [(0, RunCall("f", (20,)))]
    assert running.is_due
    with pytest.raises(CodeError):
        running.due()
    assert running.text == f"x = 20\nf(x)\n{fault}"


def test_a_fault_at_once_is_told_at_once() -> None:
    running = execution("f(", "g(1)")
    with pytest.raises(CodeError):
        running.due()
    assert running.text == "f("


def test_where_all_runs_at_the_end_a_fault_forbids_all() -> None:
    running = execution("f(1)", "f(", incremental=False)
    running.ended = True
    with pytest.raises(CodeError):
        running.due()


def test_a_program_that_waits_runs_no_further() -> None:
    running = execution("a = f(1)", "print(a['n'])")
    assert step(running) == [(0, RunCall("f", (1,)))]
    assert running.paused
    running.add("g(2)")
    assert not running.is_due
    assert running.text == "a = f(1)\nprint(a['n'])\ng(2)", "it is kept to its end"


def test_results_that_are_known_take_it_further() -> None:
    running = execution("a = f(1)", "g(a['n'])")
    outcome = run_step(running.due(), TOOLS)
    assert running.ran(outcome) == [(0, RunCall("f", (1,)))]
    running.results[0] = RunResult({"n": 7})
    running.settle(outcome)
    assert running.is_due
    assert step(running) == [(1, RunCall("g", (7,)))]
    assert not running.paused


def test_a_kernel_without_state_runs_the_whole_when_it_has_ended() -> None:
    running = execution("x = 1", "f(x)", incremental=False)
    assert not running.is_due
    running.add("g(x + 1)")
    running.ended = True
    assert not running.due().keep_state
    assert step(running) == [(0, RunCall("f", (1,))), (1, RunCall("g", (2,)))]


def test_an_exception_ends_it_with_its_line() -> None:
    running = execution("x = 1", "y = [x][\n    5]")
    assert step(running) == []
    assert running.failed is not None
    assert running.failed.source == "y = [x]["
    assert running.failed.traceback.startswith("Traceback (most recent call last):\n  line 2: y = [x][\nIndexError:")
    running.add("f(1)")
    assert not running.is_due


def test_the_lines_of_a_later_step_are_its_own() -> None:
    running = execution("x = 1")
    step(running)
    running.add("y = 2")
    running.add("z = y / 0")
    step(running)
    assert running.failed is not None
    assert running.failed.source == "z = y / 0"


def test_what_was_no_part_of_it_is_forgotten() -> None:
    running = execution("f(1)", "This is prose")
    running.cut_back(1)
    assert (running.text, len(running)) == ("f(1)", 1)


def test_what_cant_be_scheduled_raises() -> None:
    with pytest.raises(CodeError, match="import of os"):
        execution("import os").due()


def test_whether_it_prints() -> None:
    assert not execution("f(1)").prints
    assert execution("f(1)", "print(1)").prints


def test_the_last_expression_is_its_value() -> None:
    running = execution("x = 2", "x + 1")
    step(running)
    assert (running.value, running.output) == ("3", "")


PROGRAM = """\
import math  # one

# a comment
def check(user):
    if user["n"] > 1:
        names = [
            part for part in user["names"]
        ]
        return (names[0] +
                missing)
    return None


for i in range(3):
    user = f(i)
    print("a", check(user))
"""


@pytest.mark.parametrize(
    ("source", "lines", "last"),
    [
        (PROGRAM, [16, 9], "NameError: name 'missing' is not defined"),
        ("x = 1\n\n\ny = f(x)['zz']", [4], "KeyError: 'zz'"),
        ("a = any(f(i)['n'] > 1 for i in [1])\nb = 1 / 0", [2], "ZeroDivisionError: division by zero"),
        ("x = [\n    1,\n    2][5]", [1], "IndexError: list index out of range"),
        ("try:\n    pass\nfinally:\n    x = 1\n    raise ValueError('no')", [5], "ValueError: no"),
        ("if f(1):\n    pass\nelif 1:\n    pass\nelse:\n    pass\nprint(zz)", [7], "NameError: name 'zz' is not defined"),
        ("async def main():\n    await f(1)\n    return zz\n\nasyncio.run(main())", [5, 3], "NameError: name 'zz' is not defined"),
        ("def g2():\n    return f(9)\n\nu = g2()\nprint(u.zz)", [5], "AttributeError: 'dict' object has no attribute 'zz'"),
    ],
)  # fmt: skip
def test_a_traceback_has_the_lines_that_the_model_wrote(source: str, lines: list[int], last: str) -> None:
    error = play(source, TOOLS, canned({"n": 5, "names": ["x"]})).error
    assert error is not None
    told = failure(error, Scheduler(TOOLS).add(ast.parse(source).body), source)
    written = source.split("\n")
    shown = [f"  line {number}: {written[number - 1].strip()}" for number in lines]
    assert told.traceback.split("\n") == ["Traceback (most recent call last):", *shown, last]
    assert told.source == written[lines[-1] - 1].strip()


def test_an_error_without_a_place_is_told_all_the_same() -> None:
    told = failure(RunError("MemoryError", "", (99, 0, -1)), Scheduler(TOOLS).add(ast.parse("f(1)").body), "f(1)")
    assert (told.source, told.traceback) == ("f(1)", "MemoryError")


def test_an_error_of_the_limits_is_told() -> None:
    error = play("while True:\n    pass", TOOLS, canned(1), limits=RunLimits(seconds=0.2)).error
    assert error is not None
    assert error.type == "TimeoutError"


def test_an_outcome_of_another_shape_changes_nothing() -> None:
    """A kernel that reports fewer calls than were read off is no reason to make one twice."""
    running = execution("f(1)", "f(2)")
    running.calls = 2
    running.due()
    assert running.ran(Outcome("done", (RunCall("f", (1,)),))) == []
    assert running.calls == 2


@pytest.mark.parametrize(
    ("source", "forgotten"),
    [
        ("def main():\n    f(1)", True),
        ("async def main():\n    f(1)", True),
        ("def main():\n    f(1)\nmain()", False),
        ("def main(x):\n    f(x)", False),
        ("def other():\n    f(1)", False),
        ("def main():\n    f(1)\ng(2)", False),
    ],
)
def test_a_main_that_nobody_calls_was_forgotten(source: str, forgotten: bool) -> None:
    running = execution(source)
    step(running)
    assert running.forgets_main == forgotten
