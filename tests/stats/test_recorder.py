"""Counting happens beside the requests: it must lose nothing, hold nobody up, and survive a store that fails."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator.evidence import ENOUGH
from emulator.records.interface import Store, StoreUnavailable
from emulator.records.sqlite import SqliteRecords
from emulator.stats.facts import OTHER, RequestFacts
from emulator.stats.recorder import MODELS, Stats
from emulator.stats.savings import Saved

PROFILE = ("guided", "code")
PATIENCE = 30.0
NEVER = 3600.0


class Breakable(SqliteRecords):
    """A store with a switch; ``asked`` counts what came to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.broken = False
        self.asked = 0

    def put(self, key: str, value: bytes, seconds: float) -> None:
        self._check()
        super().put(key, value, seconds)

    def get(self, key: str) -> bytes | None:
        self._check()
        return super().get(key)

    def add(self, group: str, increments: Mapping[str, int]) -> None:
        self._check()
        super().add(group, increments)

    def counted(self, group: str) -> dict[str, int]:
        self._check()
        return super().counted(group)

    def _check(self) -> None:
        self.asked += 1
        if self.broken:
            raise StoreUnavailable("The store is broken.")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Breakable]:
    made = Breakable(tmp_path / "store.sqlite3")
    yield made
    made.close()


@pytest.fixture
def process(store: Store) -> Iterator[Callable[..., Stats]]:
    """``process()`` is one server process's statistics; its background never comes unless it is told when."""
    made: list[Stats] = []

    def begin(seconds: float = NEVER) -> Stats:
        made.append(Stats(lambda: store, seconds=seconds))
        return made[-1]

    yield begin
    for stats in made:
        stats.close()


def facts(*rungs: str, **given: Any) -> RequestFacts:
    fields: dict[str, Any] = {
        "upstream": "here",
        "model": "m",
        "succeeded": True,
        "ms": 100.0,
        "own_ms": 2.0,
        "calls": 1,
    }
    fields |= {"rungs_tried": rungs or ("code",), "strategy": (rungs or ("code",))[-1], **given}
    return RequestFacts(**fields)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def total(stats: Stats) -> int:
    return stats.summary()["statistics"]["total_requests"]


def test_processes_add_up_and_a_restart_loses_nothing(process: Callable[..., Stats]) -> None:
    one, two = process(), process()
    for stats in (one, two, one):
        stats.record(facts())
    assert total(two) == 1  # The other one's are still with it.
    one.close()
    two.close()
    later = process()
    later.record(facts())
    told = later.summary()
    assert told["statistics"]["total_requests"] == 4
    assert told["success_rates"] == {"code": 1.0}


def test_the_background_brings_it_to_the_store(process: Callable[..., Stats], store: Breakable) -> None:
    process(0.01).record(facts())
    until(lambda: store.counted("requests").get("requests\tm") == 1)


def test_recording_asks_no_store(process: Callable[..., Stats], store: Breakable) -> None:
    stats = process()
    for _ in range(1_000):
        stats.record(facts())
        assert stats.order("here", "m", PROFILE) == PROFILE
    assert store.asked == 0
    assert total(stats) == 1_000


def test_threads_lose_no_request(process: Callable[..., Stats]) -> None:
    stats = process(0.001)
    threads = [threading.Thread(target=lambda: [stats.record(facts()) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total(stats) == 4_000


def test_a_store_that_fails_costs_nothing_but_a_line_in_the_log(
    process: Callable[..., Stats], store: Breakable, caplog: pytest.LogCaptureFixture
) -> None:
    stats = process(0.001)
    store.broken = True
    for _ in range(3):
        stats.record(facts())
        before = store.asked
        until(lambda before=before: store.asked > before + 5)
    assert stats.order("here", "m", PROFILE) == PROFILE
    with pytest.raises(StoreUnavailable):
        stats.summary()
    store.broken = False
    until(lambda: store.counted("requests").get("requests\tm") == 3)
    assert [record.getMessage() for record in caplog.records] == ["statistics not kept"]
    assert stats.summary()["statistics"]["since"] is not None


def test_what_goes_wrong_once_does_not_end_the_counting(
    process: Callable[..., Stats], store: Breakable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(group: str) -> dict[str, int]:
        raise ZeroDivisionError

    stats = process(0.001)
    with monkeypatch.context() as patched:
        patched.setattr(store, "counted", fails)
        stats.record(facts())
        until(lambda: bool(caplog.records))
    stats.record(facts(model="later"))
    until(lambda: store.counted("requests").get("requests\tlater") == 1)


def test_a_process_whose_store_never_comes_back_ends_all_the_same(
    process: Callable[..., Stats], store: Breakable
) -> None:
    stats = process()
    stats.record(facts())
    store.broken = True
    stats.close()
    store.broken = False


def test_names_that_clients_choose_are_told_apart_up_to_a_limit(
    process: Callable[..., Stats], store: Breakable
) -> None:
    first = process()
    first.record(facts(model="known"))
    first.flush()
    for number in range(3 * MODELS):
        first.record(facts(model=f"junk {number}"))
    first.record(facts(model="known"))
    first.flush()
    second = process()
    second.record(facts(model="late"))
    statistics = second.summary()["statistics"]
    assert len(statistics["models"]) == MODELS + 1
    assert statistics["total_requests"] == 3 * MODELS + 3
    assert statistics["models"]["known"]["total_requests"] == 2
    assert statistics["models"][OTHER]["total_requests"] == 2 * MODELS + 2
    assert len({name.split("\t")[2] for name in store.counted("outcomes")}) == MODELS


def test_hostile_names_and_counts_are_kept_out_of_harm(process: Callable[..., Stats]) -> None:
    stats = process()
    for model in ("\ud800", "a\tb\tc", "x" * 1_000_000, "", "\0", "since"):
        stats.record(facts(model=model, usage={"prompt_tokens": 10**40}, saved=Saved(1, 1)))
        assert stats.order("here", model, PROFILE) == PROFILE
    stats.learn()
    statistics = stats.summary()["statistics"]
    assert statistics["total_requests"] == 6
    assert statistics["tokens"]["prompt"] == 0
    assert "a?b?c" in statistics["models"]


def test_a_strategy_that_does_better_is_put_first_in_all_processes(
    process: Callable[..., Stats], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = process(), process()
    for stats in (one, two):
        for _ in range(ENOUGH // 2):
            stats.record(facts("guided", "code"))
        stats.flush()
    for stats in (one, two):
        assert stats.order("here", "m", PROFILE) == PROFILE
        stats.learn()
        assert stats.order("here", "m", PROFILE) == ("code", "guided")
        # What was learnt is of this model, on this upstream, and of this order.
        for other in (("there", "m", PROFILE), ("here", "n", PROFILE), ("here", "m", ("guided", "two_pass"))):
            assert stats.order(*other) == other[2]
    two.learn()
    assert two.order("here", "n", PROFILE) == PROFILE
    later = process()
    assert later.order("here", "m", PROFILE) == PROFILE
    later.learn()
    assert later.order("here", "m", PROFILE) == ("code", "guided")


def test_an_order_is_stored_and_no_outcome_counted_twice(process: Callable[..., Stats], store: Breakable) -> None:
    one, two = process(), process()
    for _ in range(ENOUGH):
        one.record(facts("guided", "code"))
    one.flush()
    for stats in (one, two, one, two):
        stats.order("here", "m", PROFILE)
        stats.learn()
    # Half of what it takes to put "code" behind again: it would be enough, if each process counted them.
    for _ in range(ENOUGH):
        two.record(facts("code", "guided"))
    two.flush()
    for stats in (one, two):
        stats.order("here", "m", PROFILE)
        stats.learn()
        assert stats.order("here", "m", PROFILE) == ("code", "guided")


def test_the_background_learns(process: Callable[..., Stats]) -> None:
    stats = process(0.005)
    for _ in range(ENOUGH):
        stats.record(facts("guided", "code"))
    until(lambda: stats.order("here", "m", PROFILE) == ("code", "guided"))


def test_folding_is_what_the_facts_add_up_to(process: Callable[..., Stats], store: Breakable) -> None:
    stats = process()
    for number in range(50):
        stats.record(facts("guided", "code", model=f"m{number % 3}", calls=number + 1))
        if number % 7 == 0:
            stats.flush()
    stats.flush()
    counted = Counter(store.counted("requests"))
    assert sum(counted[f"calls\tm{n}"] for n in range(3)) == sum(range(51))
    assert store.counted("outcomes") == {
        f"{what}\there\tm{n}": len(range(n, 50, 3)) for n in range(3) for what in ("failed guided", "ok code")
    }
