"""The small model that answers where no ``--base-url`` is given: a model server of our own, in its own process.

Rule: to the rest of the emulator it is a model server like any other, with a URL and a key; nothing else knows
how it is run.  The starting process is the server's master, in which ``ssl`` must not be imported before its
workers patch it for gevent: so whatever speaks HTTP(S), fetching included, does so in a process of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from emulator.errors import EmulatorError
from emulator.settings import Settings
from emulator.upstream.engine import EngineConfig

_ROOT = Path(__file__).resolve().parents[2]
_HEALTH_SECONDS = 10.0
_STOP_SECONDS = 5.0
_LOG_BYTES = 1 << 20
_ERROR_STAMP = re.compile(r"[\d.]+ E ")


class LocalModelError(EmulatorError):
    """The model on this machine can't be had or run; the message is one sentence for the user."""

    code = "local_model_unavailable"


class LocalModel:
    """A running model: ``base_url`` with its ``/v1``, the ``api_key`` it demands, the ``name`` it answers to.

    It listens on the loopback address only; the key, made anew at each start, keeps the machine's other users
    out.  It ends with ``stop()``, at the end of a ``with`` block, and with the process that started it.
    """

    def __init__(self, process: subprocess.Popen[str], base_url: str, api_key: str, name: str) -> None:
        self.base_url, self.api_key, self.name = base_url, api_key, name
        self._process = process
        self._starter = os.getpid()

    @classmethod
    def start(cls, settings: Settings, *, report: Callable[[str], None] = print) -> Self:
        """Fetch the weights where they aren't here yet, load them, and return once the model can be asked.

        ``report`` gets lines for the user.  Raises LocalModelError, in one sentence, where it can't run.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            raise LocalModelError(
                "Running a model on this machine needs the engine: pip install -r requirements-local.txt"
                " (or give a model server with --base-url)."
            )
        path, name = _weights(settings, report)
        config = EngineConfig(
            model=path,
            alias=name,
            context=settings.local_context,
            parallel=settings.local_parallel,
            threads=_cores(),
            key=secrets.token_urlsafe(32),
            parent=os.getpid(),
        )
        report(f"Loading {config.alias} …")
        log = _open_log(settings.log_dir)
        began = log.stat().st_size
        with log.open("ab") as errors:
            # In a session of its own: Ctrl-C is for the server, which finishes what is under way before it stops this.
            process = _spawn("emulator.upstream.engine", config.line(), stderr=errors, start_new_session=True)
        try:
            address = _address(process, config, log, began)
            _check_health(address, log)
        except BaseException:
            _end(process)
            raise
        report(f"{config.alias} runs on this machine, at {address}/v1.")
        return cls(process, f"{address}/v1", config.key, config.alias)

    def alive(self) -> bool:
        """Whether the engine still runs; to be asked in the process that started it."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the engine.

        Does nothing in a fork of the process that started it: a server's worker leaves through the same
        ``with`` block, and the others still need the model.
        """
        if os.getpid() == self._starter:
            _end(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _open_log(folder: Path) -> Path:
    """The engine's log, moved aside once it has grown large: the engine itself never rotates it."""
    log = folder / "engine.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(folder / "engine.log.1")
        log.touch()
    except OSError as error:
        raise LocalModelError(f"The engine's log {log} can't be written: {error.strerror}.") from error
    return log


def _spawn(module: str, line: str, **options: Any) -> subprocess.Popen[str]:
    """Run one of our modules as a program that is told ``line`` on stdin and answers on stdout."""
    process = subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT, **options
    )
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin:  # if it died at once, reading its answer tells
        process.stdin.write(line)
    return process


def _weights(settings: Settings, report: Callable[[str], None]) -> tuple[str, str]:
    """The path of the weights, fetched where they aren't here yet, and the model's name."""
    request = {"local_model": settings.local_model, "cache_dir": str(settings.cache_dir.absolute())}
    if settings.local_model is not None and (path := Path(settings.local_model).expanduser()).exists():
        request["local_model"] = str(path.absolute())
    process = _spawn("emulator.upstream.weights", json.dumps(request) + "\n")
    assert process.stdout is not None
    try:
        for line in process.stdout:
            answer: dict[str, str] = json.loads(line)
            if "report" in answer:
                report(answer["report"])
            elif "path" in answer:
                return answer["path"], answer["name"]
            else:
                raise LocalModelError(answer["error"])
        raise LocalModelError(f"Fetching the weights ended with status {process.wait()} and no result.")
    finally:
        _end(process)


def _address(process: subprocess.Popen[str], config: EngineConfig, log: Path, began: int) -> str:
    """Wait until the engine has loaded the model; ``began`` is where its part of the log begins."""
    assert process.stdout is not None
    line = process.stdout.readline()
    answer: dict[str, str] = json.loads(line) if line else {}
    if "address" in answer:
        return answer["address"]
    _end(process, ask=False)
    status = process.returncode
    ended = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    why = _reason(log, began) or answer.get("error", "no reason given")
    raise LocalModelError(f"The engine could not load {config.model}: it {ended} ({why}); its log is {log}.")


def _reason(log: Path, began: int) -> str:
    """The log's first error since ``began``, from which the others follow, else its last line."""
    with open(log, "rb") as file:
        file.seek(began)
        lines = file.read().decode(errors="replace").splitlines()
    errors = [line for line in lines if _ERROR_STAMP.match(line)]
    return _ERROR_STAMP.sub("", (errors[:1] or lines[-1:] or [""])[0]).strip()[:300]


def _check_health(address: str, log: Path) -> None:
    """Ask for the engine's health by hand, without ``http.client``, which imports ``ssl``."""
    url = urlsplit(address)
    with suppress(OSError), socket.create_connection((url.hostname, url.port), timeout=_HEALTH_SECONDS) as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        if re.match(rb"HTTP/1\.[01] 200 ", connection.recv(64)):
            return
    raise LocalModelError(f"The engine at {address} was started but does not answer; its log is {log}.")


def _end(process: subprocess.Popen[str], *, ask: bool = True) -> None:
    """``ask``: it doesn't end by itself."""
    if ask:
        process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            pipe.close()
