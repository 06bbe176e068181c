"""In a worker the statistics' thread is a greenlet among the requests: it must count as well there, and let them run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.upstream.test_under_gevent import PATCHED

RECORDER = Path(__file__).with_name("test_recorder.py")


def test_counting_under_gevent() -> None:
    command = [sys.executable, "-c", PATCHED, "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", str(RECORDER)]
    run = subprocess.run(command, cwd=RECORDER.parents[2], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
