"""Programs that the tests run, and waiting for what happens in the background."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from emulator.runs import Outcome, ProgramRun, RunCall, RunLimits

PATIENCE = 60.0


def program(source: str, *, seconds: float = 5.0) -> ProgramRun:
    return ProgramRun(
        source=source,
        tools=("get_weather",),
        clock="2026-01-02T03:04:05+00:00",
        seed="seed",
        limits=RunLimits(seconds=seconds),
    )


def asking(city: str) -> ProgramRun:
    """A program of one call."""
    return program(f"weather = get_weather(location={city!r})")


def asked(city: str) -> Outcome:
    """What comes of it."""
    return Outcome("paused", (RunCall("get_weather", (), {"location": city}),))


def until(happened: Callable[[], bool]) -> None:
    """Returns when ``happened`` holds, which the test's own processes bring about; fails if they never do."""
    give_up = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < give_up, "it never happened"
        time.sleep(0.01)


def running(pid: int) -> bool:
    """Whether there is such a process, other than one that only its parent remembers."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def write_spec(jupyter_path: Path, name: str, argv: list[str]) -> None:
    """A kernelspec as it is found where JUPYTER_PATH is ``jupyter_path``."""
    folder = jupyter_path / "kernels" / name
    folder.mkdir(parents=True, exist_ok=True)
    spec = {"argv": argv, "display_name": name, "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))


def session_of(pid: int) -> list[int]:
    """The processes of the session that ``pid`` leads."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if os.getsid(int(entry.name)) == pid and running(int(entry.name)):
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
    return found
