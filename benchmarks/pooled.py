"""Programs straight through a pool of two kernels, without HTTP: in a process of its own, under gevent as the server's.

    python -m benchmarks.pooled ready                          from nothing to two kernels that can be used
    python -m benchmarks.pooled executions CLIENTS SECONDS     programs a second
    python -m benchmarks.pooled memory CLIENTS PROGRAMS        what is resident after a tenth of them, and after all

It prints one line of JSON; all that was run is checked.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson

from benchmarks.memory import resident
from benchmarks.programs import PROGRAM, calls, output, results
from benchmarks.wire import BrokenAnswer
from benchmarks.workload import city, three_tools
from emulator.code.check import parse
from emulator.code.limits import CodeLimits
from emulator.code.schedule import Scheduler
from emulator.runs import Outcome, ProgramRun, RunResult

if TYPE_CHECKING:
    from kernels.pool import KernelPool

KERNELS = 2
_READY_SECONDS = 60.0
_WARMING = 64


class Runs:
    """Runs of the program that is measured; it is scheduled once."""

    def __init__(self) -> None:
        self._tools = tuple(tool["function"]["name"] for tool in three_tools())
        self._source = Scheduler(self._tools).add(parse(PROGRAM, CodeLimits())).source

    def run(self, number: int, known: int) -> ProgramRun:
        """What a kernel is given when that many results are ``known``."""
        return ProgramRun(
            source=self._source.replace("CITY", city(number)),
            tools=self._tools,
            clock="2026-01-02T03:04:05+00:00",
            seed=str(number),
            results=dict(enumerate(map(RunResult, results(number)[:known]))),
        )


def check_outcome(outcome: Outcome, number: int, known: int) -> None:
    """Raises BrokenAnswer unless it is what comes of ``Runs.run``."""
    made = [(call.name, call.keywords) for call in outcome.calls]
    ended = outcome.end == "paused" if known < 4 else (outcome.end, outcome.output.strip()) == ("done", output(number))
    if not ended or made != calls(number)[: known + 2]:
        raise BrokenAnswer(f"the run of program {number} with {known} results came to {outcome!r}"[:600])


def ready() -> dict[str, float]:
    """Seconds, those of importing what starts a kernel included."""
    begun = time.monotonic()
    with _pool():
        return {"seconds": time.monotonic() - begun}


def executions(clients: int, seconds: float) -> dict[str, float]:
    """Whole programs a second, and the middle one's milliseconds when one client is alone."""
    with _pool() as pool:
        runs = Runs()
        alone = [_timed(pool, runs, number) for number in range(_WARMING * 2)][_WARMING:]
        begun = time.monotonic()
        numbers = itertools.takewhile(lambda _: time.monotonic() - begun < seconds, itertools.count())
        done = _crowd(clients, numbers, lambda number: _timed(pool, runs, number))
        return {"per second": done / (time.monotonic() - begun), "alone ms": sorted(alone)[_WARMING // 2] * 1000}


def memory(clients: int, programs: int) -> dict[str, dict[str, float]]:
    """Megabytes by part; the runs are of all three rounds of a program."""
    with _pool() as pool:
        runs = Runs()

        def one(number: int) -> None:
            known = number % 3 * 2
            check_outcome(pool.run(runs.run(number, known)), number, known)

        warming = programs // 10
        _crowd(clients, iter(range(warming)), one)
        before = resident(os.getpid())
        _crowd(clients, iter(range(warming, programs)), one)
        return {"before": before, "after": resident(os.getpid())}


@contextmanager
def _pool() -> Generator[KernelPool]:
    """A pool that is ready.  Raises BrokenAnswer where it doesn't get ready."""
    # Loading it is part of what is measured.
    from emulator.settings import Settings
    from kernels import make_pool

    pool = make_pool(Settings(workers=1, kernels=KERNELS))
    try:
        pool.start()
        give_up = time.monotonic() + _READY_SECONDS
        while pool.idle < KERNELS:
            if time.monotonic() > give_up:
                raise BrokenAnswer(f"the kernels aren't ready within {_READY_SECONDS:g} s")
            time.sleep(0.002)
        yield pool
    finally:
        pool.close()


def _timed(pool: KernelPool, runs: Runs, number: int) -> float:
    run = runs.run(number, 4)
    begun = time.perf_counter()
    outcome = pool.run(run)
    took = time.perf_counter() - begun
    check_outcome(outcome, number, 4)
    return took


def _crowd(clients: int, numbers: Iterator[int], work: Callable[[int], object]) -> int:
    """So many ``clients`` share the ``work`` on all ``numbers``; how many these were."""
    done, faults = itertools.count(), list[Exception]()

    def client() -> None:
        try:
            for number in numbers:
                work(number)
                next(done)
                if faults:
                    return
        except Exception as error:  # noqa: BLE001 - told by whoever waits for the clients
            faults.append(error)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return next(done)


def main(asked: str, *numbers: str) -> None:
    match asked:
        case "ready":
            told: object = ready()
        case "executions":
            told = executions(int(numbers[0]), float(numbers[1]))
        case "memory":
            told = memory(int(numbers[0]), int(numbers[1]))
        case _:
            raise SystemExit(__doc__)
    print(orjson.dumps(told).decode(), flush=True)


if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()
    main(*sys.argv[1:])
