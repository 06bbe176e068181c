"""The three servers of a run, each a process of its own on a free port, stopped with the run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.wire import HOST, BrokenAnswer, ask, connect, get

ROOT = Path(__file__).parent.parent
READY_SECONDS = 60.0
_FETCH_SECONDS = 1800.0
_STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server of chat completions.  ``translates``: it answers with tool calls instead of the model's own words.

    ``pid`` is the process that all of its others descend from.
    """

    name: str
    port: int
    pid: int
    ready_seconds: float
    translates: bool = False


@dataclass(frozen=True, slots=True)
class Servers:
    """``direct`` is the mock upstream that the others ask; ``threads`` the bare app with threads instead of gevent."""

    direct: Server
    bare: Server
    emulator: Server
    threads: Server

    @property
    def compared(self) -> tuple[Server, Server]:
        return self.bare, self.emulator


@contextmanager
def running(workers: int) -> Generator[Servers]:
    """All four, ready to be asked.  Raises BrokenAnswer where one doesn't start, with what it printed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emulator-bench-")))
        mock = _start(stack, ["-m", "benchmarks.mock"], folder / "mock.txt", cwd=ROOT)
        port = _printed_port(mock, folder / "mock.txt")
        direct = Server("mock", port, mock.pid, 0.0)
        bare_port, emulator_port = _free_port(), _free_port()
        common = [str(port), str(workers), str(folder / "bare.log")]
        arguments = ["-m", "benchmarks.bare", str(bare_port), *common, "gevent"]
        bare = _ready(stack, "bare", bare_port, arguments, folder)
        threads_port = _free_port()
        arguments = ["-m", "benchmarks.bare", str(threads_port), *common, "gthread"]
        threads = _ready(stack, "bare, 32 threads a worker", threads_port, arguments, folder)
        arguments = [str(ROOT / "app.py"), "--base-url", f"http://{HOST}:{port}/v1", "--no-check"]
        arguments += ["--port", str(emulator_port), "--workers", str(workers), "--log-dir", str(folder / "logs")]
        arguments += ["--store", f"sqlite:///{folder / 'programs.sqlite3'}"]
        emulator = _ready(stack, "emulator", emulator_port, arguments, folder, translates=True)
        yield Servers(direct, bare, emulator, threads)


@contextmanager
def emulator_alone(flags: Sequence[str]) -> Generator[Server]:
    """An emulator with ``flags`` on its command line.  Raises BrokenAnswer where it doesn't start."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emulator-bench-")))
        port = _free_port()
        arguments = [str(ROOT / "app.py"), "--port", str(port), "--log-dir", str(folder / "logs"), "--workers", "1"]
        arguments += ["--store", f"sqlite:///{folder / 'programs.sqlite3'}", *flags]
        # Without a model server of its own, it may have to fetch a model first.
        patience = READY_SECONDS if "--base-url" in flags else _FETCH_SECONDS
        yield _ready(stack, "emulator", port, arguments, folder, translates=True, patience=patience)


def _start(stack: ExitStack, arguments: Sequence[str], output: Path, *, cwd: Path) -> subprocess.Popen[bytes]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("EMULATOR_")}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=file, stderr=subprocess.STDOUT, cwd=cwd, env=environ
        )
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ready(
    stack: ExitStack,
    name: str,
    port: int,
    arguments: Sequence[str],
    folder: Path,
    *,
    translates: bool = False,
    patience: float = READY_SECONDS,
) -> Server:
    """``translates``: it runs in the empty ``folder``, where no .env of the developer's changes what is measured."""
    output = folder / f"{name}.txt"
    begun = time.monotonic()
    process = _start(stack, arguments, output, cwd=folder if translates else ROOT)
    while time.monotonic() - begun < patience:
        if _healthy(port):
            return Server(name, port, process.pid, time.monotonic() - begun, translates)
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise BrokenAnswer(f"the {name} server does not start: {output.read_text(errors='replace')[-2000:]}")


def _healthy(port: int) -> bool:
    try:
        with connect(port, timeout=5.0) as sock:
            return ask(sock, get("/health")).status == 200
    except (OSError, BrokenAnswer):
        return False


def _printed_port(process: subprocess.Popen[bytes], output: Path) -> int:
    begun = time.monotonic()
    while time.monotonic() - begun < READY_SECONDS and process.poll() is None:
        if (text := output.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.01)
    raise BrokenAnswer(f"the mock upstream does not start: {output.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]
