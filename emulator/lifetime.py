"""How long a request may live: until its deadline, and no longer than its client stays.

The server reads from the upstream and can't watch its client meanwhile, and no WSGI server notices a
client that leaves while the upstream is silent.  So one watcher a process polls the client sockets of
all requests under way, four times a second, and ends what nobody waits for by shutting the upstream's
socket down, which wakes the reader up.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from collections.abc import Callable

from gevent import monkey

from emulator.errors import ClientGone, EmulatorError, UpstreamTimeout
from emulator.logs import log_event

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR | select.POLLNVAL


class Lifetime:
    """One request's: ended by ``end(error)``, which also interrupts whatever was attached."""

    __slots__ = ("_interrupt", "client", "deadline", "ended", "seconds")

    def __init__(self, seconds: float, client: socket.socket | None = None) -> None:
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.client = client
        self.ended: EmulatorError | None = None
        self._interrupt: Callable[[], None] | None = None

    def remaining(self) -> float:
        """Seconds until the deadline; raises what ended the request, if anything has."""
        self.check()
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.end(total_timeout(self.seconds))
            self.check()
        return left

    def attach(self, interrupt: Callable[[], None]) -> None:
        """``interrupt`` is called if the request ends, or has ended, while something waits for the upstream.

        It may be called from another thread and must not raise.
        """
        self._interrupt = interrupt
        if self.ended is not None:
            interrupt()

    def detach(self, interrupt: Callable[[], None]) -> None:
        """``interrupt`` is called no more; whoever is late with this leaves a successor attached."""
        if self._interrupt == interrupt:
            self._interrupt = None

    def end(self, error: EmulatorError) -> None:
        """Only the first error counts."""
        if self.ended is None:
            self.ended = error
            interrupt, self._interrupt = self._interrupt, None
            if interrupt is not None:
                interrupt()

    def check(self) -> None:
        """Raise what ended the request."""
        if self.ended is not None:
            raise self.ended


def total_timeout(seconds: float) -> UpstreamTimeout:
    return UpstreamTimeout(
        f"The model server did not finish within {seconds:g} s, the total time a request may take (--timeout)."
    )


class Watcher:
    """Watches the lifetimes of one process; its thread (a greenlet under gevent) starts with the first."""

    def __init__(self) -> None:
        self._watched: set[Lifetime] = set()
        self._started = False
        self._lock = threading.Lock()

    def add(self, lifetime: Lifetime) -> None:
        self._watched.add(lifetime)
        if not self._started:
            self._start()

    def remove(self, lifetime: Lifetime) -> None:
        self._watched.discard(lifetime)

    def _start(self) -> None:
        with self._lock:
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="lifetime-watcher", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(POLL_SECONDS)
            if watched := list(self._watched):
                try:
                    self._look(watched)
                except Exception as error:  # noqa: BLE001 - without this thread no request would ever end
                    log_event(logger, "watching failed", level=logging.ERROR, kind=type(error).__name__)

    def _look(self, watched: list[Lifetime]) -> None:
        # The original poll: with a timeout of 0 it can't block the hub, and gevent's knows no POLLRDHUP.
        poll = monkey.get_original("select", "poll")()
        by_fd: dict[int, Lifetime] = {}
        now = time.monotonic()
        for lifetime in watched:
            if now >= lifetime.deadline:
                lifetime.end(total_timeout(lifetime.seconds))
            # Read once: who works in the background gives it up at any time.
            elif (client := lifetime.client) is not None and (fd := client.fileno()) >= 0:
                by_fd[fd] = lifetime
                poll.register(fd, _GONE)
        for fd, _ in poll.poll(0):
            by_fd[fd].end(ClientGone("The client closed the connection."))
