"""Whoever brings three tools must not wait for all of somebody's three hundred."""

from __future__ import annotations

import threading

import pytest

from emulator.generator.turns import Turns


class GivenUp(BaseException):
    pass


def test_turns_come_in_the_order_of_asking() -> None:
    turns, order = Turns(), list[int]()
    waiting = turns._waiting  # pyright: ignore[reportPrivateUsage] - who waits is seen nowhere else

    def take(number: int) -> None:
        with turns:
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(5)]
    with turns:
        for count, thread in enumerate(threads, 1):
            thread.start()
            while len(waiting) < count:
                pass
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("in_time", [True, False])
def test_who_gives_up_while_waiting_blocks_nobody(in_time: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns()

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if not in_time:  # the turn comes at the very moment of giving up
                turns.__exit__(None, None, None)
            raise GivenUp

    turns.__enter__()
    with monkeypatch.context() as patched:
        patched.setattr(threading, "Event", Interrupted)
        with pytest.raises(GivenUp):
            turns.__enter__()
    if in_time:
        turns.__exit__(None, None, None)
    with turns:
        pass


def test_an_error_inside_passes_the_turn_on() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="inside"), turns:
        raise ValueError("inside")
    with turns:
        pass
