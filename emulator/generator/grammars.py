"""The server's side of the work with custom tools' grammars, in a worker process of its own.

Rule: the most that a grammar can hold up is other grammars, and those for a second or two; what it has cost once isn't
paid for again.
"""

from __future__ import annotations

import hashlib

from emulator.generator.frames import encoded
from emulator.generator.process import Ended, Hung, Process, Spent
from emulator.generator.turns import Turns
from emulator.recent import Recent
from emulator.tools.jobs import GrammarJob, GrammarTooSlow, unmatched

CPU_SECONDS = 1.5
"""More than the worker takes by the clock that it looks at (``lark``): it is ended then, in the middle of whatever."""

SECONDS = 10.0
"""As long may a job take on a machine that has other things to do."""

_REMEMBERED = 1024

Key = tuple[bytes, bytes]


class GrammarWorker:
    """``tools.jobs.Grammars``, and its methods raise EmulatorError, too, where no worker can be started.  One a server
    process."""

    def __init__(self, *, seconds: float = SECONDS, cpu_seconds: float = CPU_SECONDS) -> None:
        self._turns = Turns()
        self._process = Process("grammars", seconds=seconds, cpu_seconds=cpu_seconds)
        # A call is judged in several readings, streamed and whole, and models repeat themselves.
        self._reasons = Recent[Key, tuple[str | None]](_REMEMBERED)
        self._slow = Recent[bytes, bool](_REMEMBERED)

    @property
    def pid(self) -> int | None:
        """The worker's process, if there is one now."""
        return self._process.pid

    def close(self) -> None:
        """End the worker.  The next job starts another."""
        with self._turns:
            self._process.close()

    def fault(self, grammar: str) -> str | None:
        key = (_digest(grammar), b"")
        if (known := self._reasons.get(key)) is not None:
            return known[0]
        with self._turns:
            return self._found(key, GrammarJob(grammar), "it takes too much to compile")

    def mismatch(self, grammar: str, text: str) -> str | None:
        key = (_digest(grammar), _digest(text))
        if (known := self._reasons.get(key)) is not None:
            return known[0]
        with self._turns:
            if self._slow.get(key[0]):
                raise GrammarTooSlow
            try:
                return self._found(key, GrammarJob(grammar, text), None)
            except GrammarTooSlow:
                self._slow.put(key[0], value=True)
                raise

    def _found(self, key: Key, job: GrammarJob, late: str | None) -> str | None:
        """What comes of the job, which is remembered; ``late`` is what comes of one that can't be done, None where its
        text may be to blame."""
        if (known := self._reasons.get(key)) is not None:  # Who had the turn before had the same job.
            return known[0]
        try:
            answer = self._process.ask(encoded(job.to_json()))
            if "slow" in answer:
                raise GrammarTooSlow
            reason: str | None = answer["reason"]
        except ValueError:
            reason = late or "holds text that is not Unicode"
        except (Spent, Ended, KeyError):  # Time, stack or memory was not enough.
            reason = late or unmatched(job.text or "")
        except Hung:
            # Nothing to be remembered: the machine may be to blame.
            return late or "can't be matched against its grammar now"
        self._reasons.put(key, (reason,))
        return reason


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
