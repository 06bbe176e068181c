"""A connection that two processes use breaks for both."""

from __future__ import annotations

import os

from emulator.records.forks import PerProcess


def test_a_fork_inherits_nothing_that_it_uses() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    each = PerProcess(make)
    assert each.get() is each.get() is made[0]
    child = os.fork()
    if child == 0:
        os._exit(0 if each.get() is each.get() is made[1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert each.get() is made[0]
