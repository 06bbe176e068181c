"""The server's side of stub making: one worker process, asked in small batches.

Rule: whatever a schema does to the worker, only its own tool is refused for it.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress

from emulator.errors import EmulatorError
from emulator.generator.frames import encoded
from emulator.generator.process import Ended, Hung, Process
from emulator.generator.turns import Turns
from emulator.tools.jobs import StubFault, StubJob, StubResult, result_from_json

BATCH = 8
"""Tools that are made before another request's turn comes."""

JOB_SECONDS = 10.0
_REMEMBERED = 1024


class Generator:
    """Makes stubs in a worker process; a ``StubMaker``.  ``job_seconds`` is the time one tool may take."""

    def __init__(self, *, job_seconds: float = JOB_SECONDS) -> None:
        self._job_seconds = job_seconds
        self._turns = Turns()
        self._process = Process("stubs", seconds=job_seconds, cpu_seconds=job_seconds)
        # The same unseen tools in many requests at once are made once: who comes second finds them here.
        self._made: OrderedDict[bytes, StubResult] = OrderedDict()

    @property
    def pid(self) -> int | None:
        """The worker's process, if there is one now."""
        return self._process.pid

    def start(self) -> None:
        """Start the worker and return at once; it loads all it may need, which takes some two seconds."""
        threading.Thread(target=self._start, name="generator-start", daemon=True).start()

    def close(self) -> None:
        """End the worker.  The next job starts another."""
        with self._turns:
            self._process.close()

    def __call__(self, jobs: Sequence[StubJob]) -> list[StubResult]:
        """One result a job.  Raises EmulatorError where no worker can be started."""
        results: list[StubResult] = []
        for first in range(0, len(jobs), BATCH):
            with self._turns:
                results.extend(self._batch(jobs[first : first + BATCH]))
        return results

    def _start(self) -> None:
        with suppress(EmulatorError), self._turns:
            self._process.start()

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
            return result_from_json(self._process.ask(text))
        except Hung:
            return StubFault(f"takes longer than {self._job_seconds:g} s to be turned into Python")
        except Ended:
            return StubFault("can't be turned into Python: the process that does so ended over it")
        except ValueError:
            return StubFault("holds text that is not Unicode")
