"""The server runs in gevent's monkey-patched world, where sockets wait and wake differently: the same tests, there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PATCHED = "from gevent import monkey; monkey.patch_all(); import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"


NAMES = [
    "upstream/test_connections.py",
    "upstream/test_client.py",
    "upstream/test_exchange.py",
    "upstream/test_forward.py",
    "test_lifetime.py",
]


@pytest.mark.parametrize("name", NAMES)
def test_under_gevent(name: str) -> None:
    command = [sys.executable, "-c", PATCHED, "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", str(TESTS / name)]
    run = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
