"""The server runs in gevent's monkey-patched world, where sockets and processes wait differently: the same tests, there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PATCHED = "from gevent import monkey; monkey.patch_all(); import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"


@pytest.mark.parametrize("name", ["test_local.py", "test_pool.py", "test_gateway.py", "test_channels.py"])
def test_under_gevent(name: str) -> None:
    command = [sys.executable, "-c", PATCHED, "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", str(TESTS / name)]
    run = subprocess.run(command, cwd=TESTS.parents[1], capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]


GIVEN_UP = """
from gevent import monkey
monkey.patch_all()
import gevent
from emulator.settings import Settings
from kernels import make_pool
from tests.kernels.samples import asked, asking, program, until

pool = make_pool(Settings(kernels=1, workers=1))
turns = 0
finished = []

def others():
    global turns
    while not finished:
        turns += 1
        gevent.sleep(0)

gevent.spawn(others)
print("answered:", pool.run(asking("Paris")) == asked("Paris"), "others went on:", turns > 100)
busy = gevent.spawn(pool.run, program("while True: pass", seconds=60))
until(lambda: pool.idle == 0)
waiting = gevent.spawn(pool.run, asking("Rome"))
patient = gevent.spawn(pool.run, asking("Oslo"))
until(lambda: pool.waiting == 2)
waiting.kill()
print("waiting:", pool.waiting)
busy.kill()
print("served:", patient.get() == asked("Oslo"), pool.run(asking("Rome")) == asked("Rome"))
finished.append(True)
pool.close()
"""


def test_the_loop_goes_on_and_a_request_that_is_killed_costs_no_other() -> None:
    env = os.environ | {"PYTHONPATH": str(TESTS.parents[1])}
    run = subprocess.run(
        [sys.executable, "-c", GIVEN_UP], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.stdout.splitlines() == [
        "answered: True others went on: True",
        "waiting: 1",
        "served: True True",
    ], run.stderr
