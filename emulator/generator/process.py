"""One worker process, asked one job at a time, and another in its place when it fails.

Rule: works alike under plain threads and under gevent, so everything that waits is a socket or a ``threading``
primitive; and no job of one request is lost to what another's did to the worker.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from emulator.errors import EmulatorError
from emulator.generator.frames import decoded, receive, send

_START_SECONDS = 60.0
_GRACE_SECONDS = 2.0
_PROJECT = Path(__file__).resolve().parents[2]

Kind = Literal["stubs", "grammars"]
"""What a worker loads before its first job, which takes seconds for stubs."""


class Hung(Exception):
    """The worker took too long over a job."""


class Spent(Hung):
    """It was at work all the time: the job takes as long, however little else the machine has to do."""


class Ended(Exception):
    """The worker ended at a job."""


class Process:
    """A worker of ``kind``.  A job may take ``seconds``, and ``cpu_seconds`` of them on the processor.

    One thread at a time may use it, but for ``pid``.
    """

    def __init__(self, kind: Kind, *, seconds: float, cpu_seconds: float) -> None:
        self._kind: Kind = kind
        self._seconds = seconds
        self._cpu_seconds = cpu_seconds
        self._worker: _Worker | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process, if there is one now."""
        return self._worker.pid if self._worker else None

    def start(self) -> None:
        """Start the worker if there is none, and wait for it.  Raises EmulatorError where none can be started."""
        if self._worker is not None and not self._worker.alive():
            self.close()
        if self._worker is None:
            self._worker = _Worker(self._kind, self._seconds, self._cpu_seconds)

    def close(self) -> None:
        """End the worker.  The next job starts another."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()

    def ask(self, job: bytes) -> Any:
        """What comes of a job, as JSON.

        Raises Hung or Ended, and the worker is gone then; ValueError where its answer is no Unicode; EmulatorError as
        ``start`` does.
        """
        try:
            return self._asked(job)
        except Ended:
            # Whoever ended it need not have meant this job, so it has a second try.
            return self._asked(job)

    def _asked(self, job: bytes) -> Any:
        self.start()
        worker = self._worker
        assert worker is not None, "it was started"
        try:
            answer = worker.ask(job)
        except Ended:
            self._worker = None
            raise _reason(worker.end()) from None
        except BaseException:
            # It hangs, or the request was given up: what it still says would be taken for the next answer.
            self.close()
            raise
        return decoded(answer)


def _reason(status: int) -> Hung | Ended:
    """Why a worker ended, by its ``Popen.returncode``."""
    if status == -signal.SIGPROF:
        return Spent()
    return Hung() if status == -signal.SIGALRM else Ended()


class _Worker:
    """One process and the socket to its stdin."""

    def __init__(self, kind: Kind, seconds: float, cpu_seconds: float) -> None:
        self._seconds = seconds
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "emulator.generator.worker", kind, str(seconds), str(cpu_seconds)],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env=_environment(),
                    close_fds=True,
                    start_new_session=True,
                )
        except OSError as error:
            self._socket.close()
            raise EmulatorError(f"The process that prepares tools can't be started: {error.strerror}.") from None
        self._await_ready()

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, job: bytes) -> bytes:
        """The result of one job.  Raises Hung or Ended."""
        # The worker ends itself when a job takes too long; the grace is for one that can't.
        self._socket.settimeout(self._seconds + _GRACE_SECONDS)
        try:
            send(self._socket, job)
            answer = receive(self._socket)
        except TimeoutError:
            raise Hung from None
        except OSError:
            raise Ended from None
        if answer is None:
            raise Ended
        return answer

    def end(self) -> int:
        """Returns how the process ended, as ``Popen.returncode`` has it."""
        self._socket.close()
        self._process.kill()
        return self._process.wait()

    def _await_ready(self) -> None:
        self._socket.settimeout(_START_SECONDS)
        try:
            ready = receive(self._socket)
        except OSError:
            ready = None
        except BaseException:
            self.end()
            raise
        if ready is None:
            self.end()
            raise EmulatorError("The process that prepares tools ended while it was started.")


def _environment() -> dict[str, str]:
    """What an interpreter needs to find its modules, and none of the server's secrets."""
    kept = {name: value for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if (value := os.environ.get(name))}
    return kept | {"PYTHONPATH": str(_PROJECT), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/"}
