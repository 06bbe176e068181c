"""The real small model in its real process: it answers only to its key, and never outlives who started it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import openai
import pytest

from emulator.settings import Settings
from emulator.upstream.local import LocalModel

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for the engine's process in /proc"),
]

ROOT = Path(__file__).resolve().parents[2]
PROC = Path("/proc")
DEFAULT_NAME = "qwen2.5-coder-0.5b-instruct"

# Starts the model as a server would, says where it runs, and then waits for its end.
STARTER = """
import sys, time
from pathlib import Path
from emulator.settings import Settings
from emulator.upstream.local import LocalModel
model = LocalModel.start(Settings(log_dir=Path(sys.argv[1]), local_context=512, local_parallel=1), report=lambda line: None)
print(model.base_url, flush=True)
time.sleep(600)
"""

# gevent can't patch ssl any more in the workers of a process that has imported it.
UNPATCHED = """
import sys
from pathlib import Path
from emulator.settings import Settings
from emulator.upstream.local import LocalModel
with LocalModel.start(Settings(log_dir=Path(sys.argv[1]), local_context=512, local_parallel=1)):
    print("imported:", {"ssl", "http.client", "urllib3"} & sys.modules.keys())
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The user's own cache: half a gigabyte is fetched once a machine, not once a run."""
    return replace(Settings(), log_dir=tmp_path_factory.mktemp("logs"), local_context=1024, local_parallel=2)


@pytest.fixture(scope="module")
def model(settings: Settings) -> Iterator[LocalModel]:
    with LocalModel.start(settings) as model:
        yield model


@pytest.fixture(scope="module")
def client(model: LocalModel) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=model.base_url, api_key=model.api_key, max_retries=0) as client:
        yield client


def engines_of(starter: int) -> list[int]:
    """The engines that the process ``starter`` runs now; those of other tests and users don't count."""
    found: list[int] = []
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                is_child = f"\nPPid:\t{starter}\n" in (entry / "status").read_text()
                if is_child and "emulator.upstream.engine" in (entry / "cmdline").read_text().split("\0"):
                    found.append(int(entry.name))
    return found


def wait_for_end(pid: int) -> None:
    """Until the process is gone, or dead and only not yet reaped by whoever adopted it."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], 10)[0], f"process {pid} is still running"
    finally:
        os.close(descriptor)


def test_it_answers_a_plain_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="any name",
        messages=[{"role": "user", "content": "What is the capital of France? Answer in one word."}],
        temperature=0,
        max_tokens=8,
    )
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0


def test_its_one_model_has_its_name_and_its_whole_context(
    client: openai.OpenAI, model: LocalModel, settings: Settings
) -> None:
    (listed,) = client.models.list().data
    assert listed.id == model.name == DEFAULT_NAME
    assert listed.to_dict()["meta"]["n_ctx"] == settings.local_context  # type: ignore[index]


def test_history_without_content_is_accepted(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model=DEFAULT_NAME,
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": None},
            {"role": "user", "content": "hi"},
        ],
        max_tokens=1,
    )
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 1


def test_without_its_key_it_says_no(model: LocalModel) -> None:
    with openai.OpenAI(base_url=model.base_url, api_key="guessed", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError):
            stranger.models.list()
        with pytest.raises(openai.AuthenticationError):
            stranger.chat.completions.create(model="x", messages=[{"role": "user", "content": "hi"}])


def test_its_key_is_neither_in_the_process_list_nor_in_the_log(model: LocalModel, settings: Settings) -> None:
    (engine,) = engines_of(os.getpid())
    for public in ("cmdline", "environ"):
        assert model.api_key not in (PROC / str(engine) / public).read_text()
    assert model.api_key not in (settings.log_dir / "engine.log").read_text()


def test_a_fork_of_its_starter_cannot_end_it(model: LocalModel) -> None:
    child = os.fork()
    if child == 0:
        try:
            model.stop()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert model.alive()
    with urlopen(model.base_url.removesuffix("/v1") + "/health", timeout=10) as answer:
        assert json.load(answer) == {"status": "ok"}


def test_it_ends_when_told(settings: Settings) -> None:
    with LocalModel.start(replace(settings, local_parallel=1)) as model:
        assert model.alive()
    assert not model.alive()
    with pytest.raises(URLError, match="refused"):
        urlopen(model.base_url.removesuffix("/v1") + "/health", timeout=10)


def test_its_starter_s_workers_can_still_be_patched_for_gevent(tmp_path: Path) -> None:
    starter = subprocess.run(
        [sys.executable, "-c", UNPATCHED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "imported: set()" in starter.stdout


@pytest.mark.parametrize("loaded", [True, False], ids=["serving", "loading"])
def test_it_ends_with_its_starter_also_when_that_is_killed(tmp_path: Path, loaded: bool) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert starter.stdout is not None
        if loaded:
            assert starter.stdout.readline().startswith("http://127.0.0.1:")
        while not (engines := engines_of(starter.pid)):
            assert starter.poll() is None
    finally:
        starter.kill()
        starter.communicate()
    for pid in engines:
        wait_for_end(pid)
