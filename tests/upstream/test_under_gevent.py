"""The server runs in gevent's monkey-patched world, where sockets wait and wake differently: the same tests, there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PATCHED = "from gevent import monkey; monkey.patch_all(); import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"


@pytest.mark.parametrize(
    "module", [HERE / "test_client.py", HERE.parent / "test_lifetime.py"], ids=lambda path: path.stem
)
def test_under_gevent(module: Path) -> None:
    command = [sys.executable, "-c", PATCHED, "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", str(module)]
    run = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
