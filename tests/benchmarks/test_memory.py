"""Memory that grows must not hide: not in a process far down, and not in a small part beside a large one."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import pytest

from benchmarks.memory import INTERPRETER, KERNEL, SERVER, growth, resident

CHILD = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {below!r}], stdin=sys.stdin); {then}"
WAITING = "import sys; print('ready', flush=True); sys.stdin.read()"


def test_what_a_kernel_has_started_is_told_from_the_kernel_and_the_server() -> None:
    kernel = CHILD.format(below=WAITING, then="p.wait()")
    # The last argument only says what kind of process it is taken for.
    command = [sys.executable, "-c", kernel, "kernels.kernel"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"ready\n"
        found = resident(os.getpid())
        process.stdin.close()
    assert found.keys() >= {SERVER, KERNEL, INTERPRETER}
    assert all(1 < megabytes < 10_000 for megabytes in found.values())
    assert INTERPRETER not in resident(os.getpid())


def test_the_part_that_grew_most_counts() -> None:
    grown = growth({SERVER: 100.0, KERNEL: 50.0}, {SERVER: 99.0, KERNEL: 55.0})
    assert grown == pytest.approx(10.0)


def test_a_part_that_came_meanwhile_keeps_no_bound() -> None:
    assert growth({SERVER: 100.0}, {SERVER: 100.0, KERNEL: 1.0}) == math.inf
