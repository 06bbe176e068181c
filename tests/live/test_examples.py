"""The examples are what users copy: each must run as it stands, to its end, against a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.server import ROOT, Server
from tests.live.upstream import MODEL, PATIENCE, Asked, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*_client.py"))


def model(asked: Asked) -> Reply:
    """Calls both tools, then tells what their results say."""
    last = asked.body["messages"][-1]["content"]
    if "-2 °C" in last and "14:30" in last:
        return Reply(text="It snows in Oslo at -2 °C; in Lisbon it is 14:30.")
    return Reply(text='```python\nget_weather(city="Oslo")\nget_time(city="Lisbon")\n```')


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_runs_to_the_answer(server: Server, scripted: ScriptedUpstream, tmp_path: Path, name: str) -> None:
    """With nothing but the two variables that its docstring names."""
    scripted.script = model
    environ = os.environ | {"OPENAI_BASE_URL": f"{server.url}/v1", "MODEL": MODEL}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name)],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *called, answer = done.stdout.splitlines()
    time, weather = sorted(called)  # Some clients run tools at the same time.
    assert "get_weather" in weather
    assert "Oslo" in weather
    assert "get_time" in time
    assert "Lisbon" in time
    assert answer == "It snows in Oslo at -2 °C; in Lisbon it is 14:30."


def test_there_is_one_for_each_client() -> None:
    """The table above must not be empty because a folder moved."""
    assert EXAMPLES == ["langchain_client.py", "openai_client.py", "pydanticai_client.py"]
