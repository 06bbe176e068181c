"""Workers run in gevent's monkey-patched world, where a store that keeps the process to itself stops all other requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.upstream.test_under_gevent import PATCHED

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["test_contract.py", "test_counters.py"])
def test_the_contract_holds_under_gevent(name: str) -> None:
    command = [sys.executable, "-c", PATCHED, "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", str(HERE / name)]
    run = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
