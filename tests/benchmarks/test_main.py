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
    names = ("ready", "call", "prose", "programs", "pool", "executions")
    command = [sys.executable, "-m", "benchmarks", "--quick", *(f"--only={name}" for name in names)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    figures = orjson.loads(done.stdout.splitlines()[-1])
    programs = {"program", "program-first", "program-replay", "program-end", "pool", "executions"}
    assert set(figures) == {"ready", "call", "first-byte"} | programs
    assert all(figure["value"] > 0 for figure in figures.values())
