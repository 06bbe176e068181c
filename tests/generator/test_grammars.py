"""A grammar may hang, crash or starve whoever works with it: that must cost other grammars seconds and stubs nothing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from emulator.generator import Generator, GrammarWorker, process
from emulator.tools.jobs import GrammarTooSlow, StubJob
from emulator.tools.schema import SchemaLimits
from emulator.tools.toolstub import ToolStub

CHAIN = "start: r0\n" + "\n".join(f'r{n}: "a" r{n + 1} | "b"' for n in range(10_000)) + '\nr10000: "c"'
"""A grammar whose compilation needs more stack than there is."""

AMBIGUOUS = 'start: s\ns: s s s | s s | "x" | '
"""Of this one, reading 500 letters takes far longer than there is time."""


@pytest.fixture
def worker() -> Iterator[GrammarWorker]:
    made = GrammarWorker()
    yield made
    made.close()


def test_texts_are_judged_by_grammars(worker: GrammarWorker) -> None:
    assert worker.fault('start: "é"+') is None
    assert worker.mismatch('start: "é"+', "éé") is None
    assert (
        worker.mismatch('start: "é"+', "éx") == "must match its grammar; it can't go on at line 1, column 2, with 'x'"
    )
    assert worker.mismatch('start: "é"+', "") == "must match its grammar as a whole; it ends too early"
    assert "nothing" in str(worker.fault("start: nothing"))


def test_a_grammar_that_ends_the_process_is_refused_and_the_next_is_not(worker: GrammarWorker) -> None:
    assert worker.fault(CHAIN) == "it takes too much to compile"
    with pytest.raises(GrammarTooSlow):
        worker.mismatch(CHAIN, "b")
    assert worker.fault('start: "b"') is None
    assert worker.mismatch('start: "b"', "b") is None


def test_what_a_grammar_has_cost_once_is_not_paid_for_again(worker: GrammarWorker) -> None:
    with pytest.raises(GrammarTooSlow):
        worker.mismatch(AMBIGUOUS, "x" * 500)
    assert worker.fault(CHAIN)
    assert worker.mismatch('start: "b"', "b") is None
    worker.close()
    for text in ("x" * 500, "x" * 501):
        with pytest.raises(GrammarTooSlow):
            worker.mismatch(AMBIGUOUS, text)
    assert worker.fault(CHAIN)
    assert worker.mismatch('start: "b"', "b") is None
    assert worker.pid is None


def test_a_long_text_costs_only_itself(worker: GrammarWorker) -> None:
    said = worker.mismatch(AMBIGUOUS, "x" * 5000)
    assert said == "is too long to be matched against its grammar in reasonable time; write less of it in one call"
    assert worker.mismatch(AMBIGUOUS, "x") is None


def test_a_machine_that_has_other_things_to_do_makes_no_grammar_a_bad_one(
    worker: GrammarWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_GRACE_SECONDS", 0.0)
    starved = GrammarWorker(seconds=1.0)
    try:
        assert starved.fault('start: "a"') is None
        assert starved.pid is not None
        os.kill(starved.pid, signal.SIGSTOP)  # as if it never had its turn on the processor
        assert starved.mismatch('start: "b"', "b") == "can't be matched against its grammar now"
        assert starved.mismatch('start: "b"', "b") is None
    finally:
        starved.close()


def test_stubs_do_not_wait_for_grammars(worker: GrammarWorker) -> None:
    generator = Generator()
    try:
        assert worker.fault('start: "a"') is None
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        ended = threading.Event()
        held = threading.Thread(target=lambda: (worker.mismatch('start: "a"', "a"), ended.set()))
        held.start()
        [made] = generator([StubJob("a", "a", None, {}, SchemaLimits(1000, 9, 9, 9))])
        assert isinstance(made, ToolStub)
        assert not ended.is_set()
        os.kill(worker.pid, signal.SIGCONT)
        held.join()
    finally:
        generator.close()


def test_a_worker_ended_from_outside_costs_nobody_anything(worker: GrammarWorker) -> None:
    assert worker.fault('start: "a"') is None
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.mismatch('start: "a"', "a") is None
