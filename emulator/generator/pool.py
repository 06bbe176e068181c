"""The server's side of stub making: one worker process, asked in small batches, replaced when it fails.

Rule: works alike under plain threads and under gevent, so everything that waits is a socket or a
``threading`` primitive; and whatever a schema does to the worker, only its own tool is refused for it.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from emulator.errors import EmulatorError
from emulator.generator.frames import decoded, encoded, receive, send
from emulator.generator.turns import Turns
from emulator.tools.jobs import StubFault, StubJob, StubResult, result_from_json

BATCH = 8
"""Tools that are made before another request's turn comes."""

JOB_SECONDS = 10.0
_START_SECONDS = 60.0
_GRACE_SECONDS = 2.0
_REMEMBERED = 1024
_PROJECT = Path(__file__).resolve().parents[2]


class Generator:
    """Makes stubs in a worker process; a ``StubMaker``.  ``job_seconds`` is the time one tool may take."""

    def __init__(self, *, job_seconds: float = JOB_SECONDS) -> None:
        self._job_seconds = job_seconds
        self._turns = Turns()
        self._worker: _Worker | None = None
        # The same unseen tools in many requests at once are made once: who comes second finds them here.
        self._made: OrderedDict[bytes, StubResult] = OrderedDict()

    @property
    def pid(self) -> int | None:
        """The worker's process, if there is one now."""
        return self._worker.pid if self._worker else None

    def start(self) -> None:
        """Start the worker and return at once; it loads all it may need, which takes some two seconds."""
        threading.Thread(target=self._start, name="generator-start", daemon=True).start()

    def close(self) -> None:
        """End the worker.  The next job starts another."""
        with self._turns:
            self._discard()

    def __call__(self, jobs: Sequence[StubJob]) -> list[StubResult]:
        """One result a job.  Raises EmulatorError where no worker can be started."""
        results: list[StubResult] = []
        for first in range(0, len(jobs), BATCH):
            with self._turns:
                results.extend(self._batch(jobs[first : first + BATCH]))
        return results

    def _start(self) -> None:
        with suppress(EmulatorError), self._turns:
            self._running()

    def _batch(self, jobs: Sequence[StubJob]) -> list[StubResult]:
        texts = [encoded(job.to_json()) for job in jobs]
        keys = [hashlib.sha256(text, usedforsecurity=False).digest() for text in texts]
        missing = [index for index, key in enumerate(keys) if key not in self._made]
        found = {key: self._made[key] for key in keys if key in self._made}
        for index in missing:
            found[keys[index]] = self._made_now(texts[index])
            self._remember(keys[index], found[keys[index]])
        return [found[key] for key in keys]

    def _remember(self, key: bytes, result: StubResult) -> None:
        self._made[key] = result
        while len(self._made) > _REMEMBERED:
            self._made.popitem(last=False)

    def _made_now(self, text: bytes) -> StubResult:
        try:
            return self._asked(text)
        except _Hung:
            return StubFault(f"takes longer than {self._job_seconds:g} s to be turned into Python")
        except _Ended:
            pass
        # Whoever ended it need not have meant this job, so it has a second try.
        try:
            return self._asked(text)
        except (_Hung, _Ended):
            return StubFault("can't be turned into Python: the process that does so ended over it")

    def _asked(self, text: bytes) -> StubResult:
        """Raises _Hung or _Ended, and the worker is gone then."""
        worker = self._running()
        try:
            return worker.make(text)
        except _Ended:
            hung = worker.end() == -signal.SIGALRM
            self._worker = None
            raise (_Hung if hung else _Ended) from None
        except BaseException:
            # It hangs, or the request was given up: what it still says would be taken for the next answer.
            self._discard()
            raise

    def _running(self) -> _Worker:
        if self._worker is not None and not self._worker.alive():
            self._discard()
        if self._worker is None:
            self._worker = _Worker(self._job_seconds)
        return self._worker

    def _discard(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()


class _Hung(Exception):
    """The worker took too long over a job."""


class _Ended(Exception):
    """The worker ended at a job."""


class _Worker:
    """One process and the socket to its stdin."""

    def __init__(self, job_seconds: float) -> None:
        self._job_seconds = job_seconds
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "emulator.generator.worker", str(job_seconds)],
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

    def make(self, text: bytes) -> StubResult:
        """The result of one job.  Raises _Hung or _Ended."""
        # The worker ends itself when a tool takes too long; the grace is for one that can't.
        self._socket.settimeout(self._job_seconds + _GRACE_SECONDS)
        try:
            send(self._socket, text)
            answer = receive(self._socket)
        except TimeoutError:
            raise _Hung from None
        except OSError:
            raise _Ended from None
        if answer is None:
            raise _Ended
        try:
            return result_from_json(decoded(answer))
        except ValueError:
            return StubFault("holds text that is not Unicode")

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
