"""Headers, log and statistics all tell of a turn from these counts: they must say what happened, each thing once, and
never grow with what a model or a server wrote."""

from __future__ import annotations

import pytest

from emulator import progress
from emulator.events import (
    ArgumentsDelta,
    CallStarted,
    Event,
    Finished,
    Head,
    OtherFields,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    UsageTotal,
)
from emulator.progress import Sizes, Told, Trace
from emulator.strategies.effects import Dropped, Left, Note, Repairing, Tried


def test_a_turn_that_has_not_begun() -> None:
    told = Told()
    assert (told.round, told.strategy, told.ladder) == (1, "code", "")
    assert (told.asked, told.repairs, told.runs, told.used, told.left, told.dropped) == (0, 0, 0, [], [], [])


def test_notes_tell_the_way_down_the_ladder() -> None:
    told = Told(round=3)
    notes: list[Note] = [
        Tried("native"),
        Left("native", "calls no tools"),
        Tried("guided"),
        Repairing(),
        Repairing(),
        Left("guided", "no call"),
        Tried("bridge"),
        Dropped("one"),
        Dropped("two"),
    ]
    for note in notes:
        told.note(note)
    assert (told.round, told.strategy, told.repairs, told.dropped) == (3, "bridge", 2, ["one", "two"])
    assert told.left == [("native", "calls no tools"), ("guided", "no call")]
    assert told.ladder == "native: calls no tools; guided: no call"


def test_a_strategy_is_used_when_it_asks_and_counts_once() -> None:
    told = Told()
    for strategy, questions in [("native", 0), ("code", 2), ("bridge", 1), ("code", 1)]:
        told.note(Tried(strategy))
        for _ in range(questions):
            told.ask()
    assert (told.used, told.asked) == (["code", "bridge"], 4)


@pytest.mark.parametrize("length", [0, 299, 300, 301, 100_000])
def test_reasons_are_cut(length: int) -> None:
    """They quote what the model wrote, and stand in a header."""
    told = Told()
    told.note(Left("code", "x" * length))
    told.note(Dropped("y" * length))
    kept = min(length, 300)
    assert (told.left, told.dropped) == ([("code", "x" * kept)], ["y" * kept])
    assert told.ladder == f"code: {'x' * kept}"


def test_time_spent_waiting_for_the_model_is_not_the_emulators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress.time, "perf_counter", lambda: 103.0)
    told = Told(begun=100.0)
    assert told.own_ms == 3000
    told.waited = 2.75
    assert told.own_ms == 250


SIZES: list[tuple[Event, tuple[int, int]]] = [
    (TextDelta(0, "Hellö"), (5, 0)),
    (TextDelta(1, ""), (0, 0)),
    (RefusalDelta(0, "No."), (3, 0)),
    (CallStarted(0, 0, "call_0123456789", "weather"), (0, 7)),
    (ArgumentsDelta(0, 0, '{"city":"Oslo"}'), (0, 15)),
    (ReasoningDelta(0, "hm"), (0, 0)),
    (OtherFields(0, {"annotations": ["long"]}), (0, 0)),
    (Head({"id": "x"}), (0, 0)),
    (Finished(0, "stop", "END"), (0, 0)),
    (UsageTotal({"total_tokens": 5}), (0, 0)),
]


@pytest.mark.parametrize(("event", "expected"), SIZES, ids=str)
def test_what_an_event_adds(event: Event, expected: tuple[int, int]) -> None:
    sizes = Sizes(stubs=9)
    sizes.add(event)
    assert (sizes.stubs, sizes.words, sizes.calls) == (9, *expected)


def test_sizes_add_up_over_all_choices() -> None:
    sizes = Sizes()
    for event, _ in SIZES:
        sizes.add(event)
    assert (sizes.stubs, sizes.words, sizes.calls) == (0, 8, 22)


def test_two_turns_share_nothing() -> None:
    one, other = (Told(), Trace()), (Told(), Trace())
    one[0].note(Dropped("x"))
    one[0].note(Left("code", "y"))
    one[0].ask()
    one[1].questions.append([{"role": "user"}])
    one[1].answers.append("a")
    assert (other[0].dropped, other[0].left, other[0].used) == ([], [], [])
    assert (other[1].questions, other[1].answers) == ([], [])
