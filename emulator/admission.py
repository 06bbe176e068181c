"""How many requests are answered at a time: over all processes of a server, whatever becomes of one of them.

Rule: a place is a byte of a file in memory that one process has locked (fcntl), and the kernel unlocks what a process
that dies has held: no place is ever lost, none given twice, and nothing is waited for.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time

from emulator.errors import EmulatorError

FULL_SECONDS = 0.01
"""How long nobody looks again after all places were found taken, unless this process gives one back."""


class TooManyRequests(EmulatorError):
    """All places are taken; the client is told to come again, as it would be by OpenAI.

    Model servers and proxies with such a limit refuse too, rather than let requests wait (text-generation-inference's
    ``--max-concurrent-requests``, LiteLLM's ``max_parallel_requests``), and SDKs try again by themselves.
    """

    status = 429
    type = "requests"
    code = "rate_limit_exceeded"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This server answers {limit} requests at a time (--max-requests), and that many are under way; "
            "please try again.",
            headers={"Retry-After": "1"},
        )


class Admission:
    """``limit`` places, shared with all processes that are forked from the one that made it; 0 is no limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._file = os.memfd_create("places") if limit else -1
        self._lock = threading.Lock()
        self._held: set[int] = set()
        self._given_back: list[int] = []
        self._full_until = 0.0

    def enter(self) -> int:
        """A place, to be given back to ``leave``.  Raises TooManyRequests."""
        if not self._limit:
            return 0
        with self._lock:
            place = self._free()
            if place is None:
                raise TooManyRequests(self._limit)
            self._held.add(place)
            return place

    def leave(self, place: int) -> None:
        if self._limit:
            with self._lock:
                self._held.discard(place)
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
                self._given_back.append(place)
                self._full_until = 0.0

    def _free(self) -> int | None:
        # The place given back last is most likely free: then it takes one system call.
        while self._given_back:
            if self._locked(place := self._given_back.pop()):
                return place
        if time.monotonic() < self._full_until:
            return None
        start = os.getpid() % self._limit  # Processes that begin at different places seldom meet.
        for place in (*range(start, self._limit), *range(start)):
            if place not in self._held and self._locked(place):
                return place
        self._full_until = time.monotonic() + FULL_SECONDS
        return None

    def _locked(self, place: int) -> bool:
        """Whether it is ours now.  To be asked of places that aren't: a process's own locks don't keep it out."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):  # POSIX leaves it to the system which of the two it is.
            return False
        return True
