"""A limit on requests holds over all processes, gives every place back, and outlives a process that is killed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest

from emulator import admission
from emulator.admission import Admission, TooManyRequests


def in_child(work: Callable[[], None]) -> int:
    """The exit code of a forked process that does ``work``."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def another_process_holds(places: Admission, count: int) -> Generator[None]:
    """Until it is killed."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for _ in range(count):
                places.enter()
            os.write(tell, b"x")
            signal.pause()
        finally:
            os._exit(1)
    os.close(tell)  # So that a child that ends without a word is one.
    try:
        assert os.read(ready, 1) == b"x"
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)


def refused(places: Admission) -> bool:
    try:
        places.leave(places.enter())
    except TooManyRequests:
        return True
    return False


def test_so_many_are_let_in_and_one_more_when_one_has_left() -> None:
    places = Admission(3)
    held = [places.enter() for _ in range(3)]
    assert len(set(held)) == 3
    assert refused(places)
    places.leave(held[1])
    assert places.enter() == held[1]
    assert refused(places)


def test_who_is_refused_is_told_as_openai_does_and_when_to_come_again() -> None:
    places = Admission(1)
    places.enter()
    with pytest.raises(TooManyRequests, match="1 requests at a time") as told:
        places.enter()
    assert (told.value.status, told.value.code) == (429, "rate_limit_exceeded")
    assert told.value.headers == {"Retry-After": "1"}


def test_without_a_limit_everybody_is_let_in() -> None:
    places = Admission(0)
    held = [places.enter() for _ in range(1_000)]
    for place in held:
        places.leave(place)


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_processes_share_the_places(limit: int) -> None:
    places = Admission(limit)
    held = [places.enter() for _ in range(limit)]

    def is_refused() -> None:
        assert refused(places)

    def takes_the_one() -> None:
        places.enter()
        assert refused(places)

    assert in_child(is_refused) == 0
    places.leave(held.pop())
    # It ends without leaving: what it held is free again.
    assert [in_child(takes_the_one) for _ in range(3)] == [0, 0, 0]
    assert not refused(places)


def test_a_killed_process_takes_no_place_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "FULL_SECONDS", 0.0)
    places = Admission(4)
    with another_process_holds(places, 4):
        assert refused(places)
    assert len({places.enter() for _ in range(4)}) == 4
    assert refused(places)


def test_when_all_is_full_nobody_looks_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Admission(2)
    looks: list[int] = []

    def look(_file: int, _command: int, _length: int, place: int) -> None:
        looks.append(place)

    with another_process_holds(places, 1):
        places.enter()
        assert refused(places)
        with monkeypatch.context() as patched:
            patched.setattr(admission.fcntl, "lockf", look)
            patched.setattr(admission.time, "monotonic", lambda: 0.0)
            assert all(refused(places) for _ in range(50))
    assert looks == []


def test_threads_never_hold_more_than_there_are() -> None:
    places = Admission(5)
    lock, most, now, served = threading.Lock(), 0, 0, 0

    def work() -> None:
        nonlocal most, now, served
        for _ in range(400):
            try:
                place = places.enter()
            except TooManyRequests:
                continue
            with lock:
                now += 1
                served += 1
                most = max(most, now)
            with lock:
                now -= 1
            places.leave(place)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < most <= 5 and served > 0
    assert len({places.enter() for _ in range(5)}) == 5
