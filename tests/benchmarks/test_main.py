"""`make bench` is not run by the gate, so a short run of it is: it must not rot while the server changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.live
def test_a_quick_run_measures_the_real_servers() -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "ready", "--only", "call", "--only", "prose"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    figures = orjson.loads(done.stdout.splitlines()[-1])
    assert set(figures) == {"ready", "call", "first-byte"}
    assert all(figure["value"] > 0 for figure in figures.values())
