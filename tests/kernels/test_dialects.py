"""What goes to a kernel and back arrives as it was, whatever it holds, and what isn't a report isn't taken for one."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from jupyter_client.session import Session

from emulator.runs import BadOutcome, Outcome, ProgramRun, RunCall, RunError, RunLimits, RunResult
from kernels.dialects import EXPRESSION, ToolPrograms, report_of, run_of

RUN = ProgramRun(
    source="a = f('é\\ud800')",
    tools=("f", "g"),
    clock="2026-01-02T03:04:05+01:00",
    seed="seed",
    timezone="Europe/Paris",
    results={0: RunResult({"a": [1, 2**80, "\ud800", "\x00"]}), 2: RunResult(error='"no"\n')},
    serial=("*",),
    state="c3RhdGU=",
    first=3,
    keep_state=True,
    limits=RunLimits(1.5, 2, 3, 4, 5),
)


def through_jupyter(content: dict[str, Any]) -> dict[str, Any]:
    session: Any = Session()
    return session.unpack(session.pack(content))


def test_a_run_arrives_as_it_was() -> None:
    content = through_jupyter(ToolPrograms().content(RUN))
    assert run_of(content["code"], content["user_expressions"][EXPRESSION]) == RUN


def test_a_request_leaves_no_trace_in_the_kernel_and_asks_nobody() -> None:
    content = ToolPrograms().content(RUN)
    assert (content["silent"], content["store_history"], content["allow_stdin"]) == (True, False, False)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("done", output="é\n", value="1", unread=frozenset({0, 7}), state="x"),
        Outcome("paused", (RunCall("f", (1, None, 2**80, math.inf, "\ud800"), {"x": {"y": []}}),)),
        Outcome("error", error=RunError("ValueError", "no", (1, 2))),
    ],
)
def test_an_outcome_arrives_as_it_was(outcome: Outcome) -> None:
    reply = through_jupyter({"status": "ok", "user_expressions": report_of(outcome)})
    assert ToolPrograms().outcome(reply) == outcome


def test_a_number_that_is_none_stays_one() -> None:
    reply = through_jupyter({"user_expressions": report_of(Outcome("done", (RunCall("f", (math.nan,)),)))})
    assert math.isnan(ToolPrograms().outcome(reply).calls[0].positional[0])


def report(text: object) -> dict[str, Any]:
    return {"status": "ok", "user_expressions": {EXPRESSION: {"status": "ok", "data": {"text/plain": text}}}}


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"status": "error", "ename": "NameError", "evalue": "x"},
        {"user_expressions": {}},
        {"user_expressions": {EXPRESSION: {"status": "error"}}},
        {"user_expressions": {EXPRESSION: [1]}},
        report(None),
        report({}),
        report(""),
        report("null"),
        report("[" * 100_000),
        report("9" * 5000),
        report(json.dumps({"end": "done"})),
        report(json.dumps(Outcome("done").to_json() | {"calls": [["f", [], 3]]})),
    ],
)
def test_what_is_no_report_is_refused(reply: dict[str, Any]) -> None:
    with pytest.raises(BadOutcome):
        ToolPrograms().outcome(reply)


def test_the_refusal_says_what_the_kernel_said() -> None:
    with pytest.raises(BadOutcome, match="error: NameError: name 'x' is not defined"):
        ToolPrograms().outcome({"status": "error", "ename": "NameError", "evalue": "name 'x' is not defined"})
