"""Stubs are made in a process of its own that may hang, die or starve without any other tool, stream or secret suffering."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import EmulatorError
from emulator.generator import Generator, process
from emulator.tools.jobs import StubFault, StubJob, do
from emulator.tools.schema import SchemaLimits
from emulator.tools.toolstub import ToolStub

ROOT = Path(__file__).resolve().parents[2]
LIMITS = SchemaLimits(bytes=100_000, depth=16, properties=2000, enum=100)
NESTED = {
    "type": "object",
    "properties": {"from": {"type": "object", "properties": {"max-price": {"type": "number", "description": "in €"}}}},
    "required": ["from"],
}


def job(name: str, parameters: Any = NESTED, description: str | None = None) -> StubJob:
    return StubJob(name, name, description, parameters, LIMITS)


@pytest.fixture
def generator() -> Iterator[Generator]:
    made = Generator()
    yield made
    made.close()


def alive(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_crosses_the_process_is_what_would_be_made_here(generator: Generator) -> None:
    jobs = [job("search"), job("odd", {"type": "object", "properties": {"n": {"maximum": 2**80}}}, "Text: \u2028 “x”")]
    jobs += [job("bad", {"type": "string"}), *(job(f"more{n}", None) for n in range(20))]
    results = generator(jobs)
    assert results == [do(each) for each in jobs]
    assert isinstance(results[0], ToolStub)
    assert isinstance(results[2], StubFault)


def test_the_process_is_kept(generator: Generator) -> None:
    generator([job("a")])
    pid = generator.pid
    generator([job("b")])
    assert generator.pid == pid


def test_a_worker_ended_from_outside_costs_nobody_anything(generator: Generator) -> None:
    generator([job("a")])
    assert generator.pid is not None
    os.kill(generator.pid, signal.SIGKILL)
    assert isinstance(generator([job("b")])[0], ToolStub)


def test_a_job_over_which_the_worker_hangs_is_refused_and_the_others_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE_SECONDS", 0.0)
    generator = Generator(job_seconds=2.0)
    generator([job("a")])
    assert generator.pid is not None
    os.kill(generator.pid, signal.SIGSTOP)  # as still as any endless loop, and it can't end itself
    first, *others = generator([job("b"), job("c"), job("d")])
    generator.close()
    assert first == StubFault("takes longer than 2 s to be turned into Python")
    assert all(isinstance(other, ToolStub) for other in others)


def test_a_tool_that_takes_too_long_ends_the_worker_by_itself() -> None:
    generator = Generator(job_seconds=0.001)
    wide: dict[str, Any] = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(1000)}}
    slow = job("slow", {"type": "object", "properties": {"inner": wide}})
    try:
        assert generator([slow]) == [StubFault("takes longer than 0.001 s to be turned into Python")]
    finally:
        generator.close()


def test_many_requests_at_once_get_their_own(generator: Generator) -> None:
    found: dict[int, Any] = {}

    def ask(number: int) -> None:
        found[number] = generator([job(f"tool{number}_{n}") for n in range(10)])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: [stub.name for stub in stubs] for number, stubs in found.items()} == {
        number: [f"tool{number}_{n}" for n in range(10)] for number in range(6)
    }


def test_the_worker_has_no_secrets_no_files_and_no_sockets_of_the_server(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMULATOR_API_KEY", "sk-secret")
    inheritable = os.dup(0)
    os.set_inheritable(inheritable, True)
    generator([job("a")])
    os.close(inheritable)
    process = Path("/proc") / str(generator.pid)
    assert b"sk-secret" not in (process / "environ").read_bytes()
    assert {int(entry.name) for entry in (process / "fd").iterdir()} == {0, 1, 2}
    assert (process / "cwd").readlink() == Path("/")
    limits = (process / "limits").read_text()
    assert "Max file size             0" in limits
    assert "Max address space         unlimited" not in limits
    assert generator.pid is not None
    assert os.getpriority(os.PRIO_PROCESS, generator.pid) > os.getpriority(os.PRIO_PROCESS, 0)


def test_close_ends_the_worker(generator: Generator) -> None:
    generator([job("a")])
    pid = generator.pid
    generator.close()
    assert not alive(pid)
    assert generator.pid is None


def test_without_a_python_that_starts_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(EmulatorError, match="can't be started"):
        Generator()([job("a")])
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EmulatorError, match="ended while it was started"):
        Generator()([job("a")])


ORPHAN = """
import os
from emulator.generator import Generator
from tests_job import job
generator = Generator()
generator([job])
print(generator.pid, flush=True)
os.kill(os.getpid(), 9)
"""

JOB = """
from emulator.tools.jobs import StubJob
from emulator.tools.schema import SchemaLimits
job = StubJob("a", "a", None, {"type": "object", "properties": {"x": {"type": "object", "properties": {"y": {}}}}}, SchemaLimits(10000, 9, 9, 9))
"""

GEVENT = """
from gevent import monkey
monkey.patch_all()
import gevent, sys
from emulator.generator import Generator
from emulator.tools.jobs import StubJob
from tests_job import job

def named(name):
    return StubJob(name, name, None, job.parameters, job.limits)

generator = Generator()
generator.start()
turns = 0
finished = []

def others():
    global turns
    while not finished:
        turns += 1
        gevent.sleep(0)

def many():
    return [stub.name for stub in generator([named(f"m{n}") for n in range(60)])]

def few():
    return [stub.name for stub in generator([named("f1"), named("f2")])]

gevent.spawn(others)
long = gevent.spawn(many)
gevent.sleep(0)
short = gevent.spawn(few)
short.join()
print("few first:", not long.ready(), short.value)
long.join()
finished.append(True)
print("many:", long.value == [f"m{n}" for n in range(60)], "others went on:", turns > 100)

victim = gevent.spawn(lambda: generator([named(f"v{n}") for n in range(40)]))
gevent.sleep(0.01)
victim.kill()
print("after a given-up request:", [stub.name for stub in generator([named("last")])])
generator.close()
"""


def run(tmp_path: Path, program: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "tests_job.py").write_text(JOB)
    env = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    return subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_under_gevent_the_loop_goes_on_and_the_small_request_need_not_wait(tmp_path: Path) -> None:
    done = run(tmp_path, GEVENT)
    assert done.stdout.splitlines() == [
        "few first: True ['f1', 'f2']",
        "many: True others went on: True",
        "after a given-up request: ['last']",
    ], done.stderr


def test_the_worker_ends_with_its_server(tmp_path: Path) -> None:
    done = run(tmp_path, ORPHAN)
    pid = int(done.stdout)
    # A pidfd becomes readable when the process has ended; one that has ended before can't be opened.
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    import select

    assert select.select([handle], [], [], 30)[0] == [handle]
    os.close(handle)
