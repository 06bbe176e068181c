"""Warm kernels, each handed to one program at a time, and replaced when it breaks.

Rule: works alike under plain threads and under gevent, so everything that waits is a ``threading`` primitive.  No
kernel that broke, or whose request was given up, is used again.  Kernels are started, and ended, in the background:
a request waits for a free one for a bounded time and for nothing else.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.errors import KernelUnavailable
from emulator.logs import log_event
from emulator.runs import BadOutcome, Outcome, ProgramRun, RunError
from kernels.interface import Content, Dialect, Kernel, KernelDied, KernelStartError, KernelStuck

logger = logging.getLogger(__name__)

TRIES = 3
"""Kernels that a program may break before it is taken for the culprit."""

_LOOK_SECONDS = 0.5
_GRACE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class _Waiter:
    """A request that waits for a kernel: what it gets, or why it gets none."""

    served: threading.Event = field(default_factory=threading.Event)
    kernel: Kernel | None = None
    refusal: KernelUnavailable | None = None


class KernelPool:
    """``size`` kernels made by ``launch``, to which ``dialect`` puts programs.

    A request waits at most ``wait_seconds`` for a free one, and those who wait are served in the order they came.
    """

    def __init__(self, launch: Callable[[], Kernel], dialect: Dialect, *, size: int, wait_seconds: float) -> None:
        self.dialect = dialect
        self._launch = launch
        self._size = size
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._starting: set[Kernel] = set()
        self._started: set[Kernel] = set()
        self._idle: list[Kernel] = []
        self._waiting: deque[_Waiter] = deque()
        self._keeper: threading.Thread | None = None
        self._look = threading.Event()
        self._trouble: str | None = None
        self._failures = 0
        self._failed_at = 0.0
        self._not_before = 0.0
        self._closed = False

    @property
    def ready(self) -> int:
        """How many kernels are running, idle or not."""
        return len(self._started)

    @property
    def idle(self) -> int:
        """How many of them have nothing to do."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """How many requests wait for a kernel."""
        return len(self._waiting)

    def start(self) -> None:
        """Start the kernels and return at once.  To be called in the process that will use them, after any fork."""
        with self._lock:
            if self._keeper is None and not self._closed:
                self._keeper = threading.Thread(target=self._keep, name="kernels", daemon=True)
                self._keeper.start()

    def close(self) -> None:
        """End all kernels.  Programs that are running or waiting fail with KernelUnavailable."""
        with self._lock:
            self._closed = True
            kernels = [*self._starting, *self._started]
            self._starting.clear()
            self._started.clear()
            self._idle.clear()
            self._refuse_all()
        self._look.set()
        for kernel in kernels:
            kernel.close()

    def run(self, run: ProgramRun) -> Outcome:
        """What came of the program.  Raises KernelUnavailable where no kernel is free in time, or none can be started.

        A program that breaks a kernel gets another one.  Where that breaks too it is the program's error: a kernel
        ends programs by itself when they reach their limits.
        """
        self.start()
        content = self.dialect.content(run)
        seconds = run.limits.seconds + _GRACE_SECONDS
        patience = TRIES
        while patience > 0:
            try:
                return self._run_on(self._take(), content, seconds)
            except (KernelDied, KernelStuck, BadOutcome) as error:
                # A death may be somebody else's doing, and costs no time; hanging is likelier the program's.
                patience -= 1 if isinstance(error, KernelDied) else TRIES - 1
                # Only the kind of error: what a broken report says may be the program's words.
                log_event(logger, "kernel broke", level=logging.WARNING, kind=type(error).__name__)
        return Outcome("error", error=RunError("SystemError", "the program broke the interpreter"))

    def _run_on(self, kernel: Kernel, content: Content, seconds: float) -> Outcome:
        try:
            outcome = self.dialect.outcome(kernel.execute(content, seconds))
        except BaseException:
            # It broke, or the request was given up: what it still says would belong to another program.
            self._discard(kernel)
            raise
        self._give(kernel)
        return outcome

    def _take(self) -> Kernel:
        """An idle kernel that lives.  Raises KernelUnavailable."""
        give_up = time.monotonic() + self._wait_seconds
        while True:
            kernel = self._next(give_up)
            if kernel.alive():
                return kernel
            self._discard(kernel)

    def _next(self, give_up: float) -> Kernel:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if (refusal := self._refusal()) is not None:
                raise refusal
            waiter = _Waiter()
            self._waiting.append(waiter)
        try:
            waiter.served.wait(max(0.0, give_up - time.monotonic()))
        except BaseException:
            if (kernel := self._leave(waiter)) is not None:
                self._give(kernel)
            raise
        if (kernel := self._leave(waiter)) is not None:
            return kernel
        raise waiter.refusal or KernelUnavailable(
            f"No kernel was free to run the program within {self._wait_seconds:g} s.", headers={"Retry-After": "1"}
        )

    def _leave(self, waiter: _Waiter) -> Kernel | None:
        """Wait no longer; returns what was given by then."""
        with self._lock:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            return waiter.kernel

    def _give(self, kernel: Kernel) -> None:
        """Back to the pool, or straight to who waits longest."""
        with self._lock:
            if kernel not in self._started:
                return  # The pool was closed.
            if self._waiting:
                waiter = self._waiting.popleft()
                waiter.kernel = kernel
                waiter.served.set()
            else:
                self._idle.append(kernel)

    def _discard(self, kernel: Kernel) -> None:
        with self._lock:
            self._started.discard(kernel)
            if kernel in self._idle:
                self._idle.remove(kernel)
        self._look.set()
        threading.Thread(target=kernel.close, name="kernel-end", daemon=True).start()

    def _refusal(self) -> KernelUnavailable | None:
        """Why it is no use to wait.  Holds the lock."""
        if self._closed:
            return KernelUnavailable("The server is stopping.")
        if self._trouble is None or self._started or self._starting:
            return None
        seconds = max(1, math.ceil(self._not_before - time.monotonic()))
        return KernelUnavailable(f"Programs can't be run: {self._trouble}", headers={"Retry-After": str(seconds)})

    def _refuse_all(self) -> None:
        """Holds the lock."""
        while self._waiting and (refusal := self._refusal()) is not None:
            waiter = self._waiting.popleft()
            waiter.refusal = refusal
            waiter.served.set()

    def _keep(self) -> None:
        """The background: notices idle kernels that died, and starts what is missing."""
        while not self._closed:
            self._look.clear()
            try:
                self._discard_dead()
                self._start_missing()
            except Exception:  # noqa: BLE001 - say no memory for another thread: the next look may find more
                log_event(logger, "kernels can't be looked after", level=logging.ERROR)
            self._look.wait(_LOOK_SECONDS)

    def _discard_dead(self) -> None:
        with self._lock:
            dead = [kernel for kernel in self._idle if not kernel.alive()]
        for kernel in dead:
            log_event(logger, "idle kernel ended", level=logging.WARNING)
            self._discard(kernel)

    def _start_missing(self) -> None:
        with self._lock:
            missing = self._size - len(self._starting) - len(self._started)
            if self._failures:
                # One at a time is enough to see whether it works again.
                missing = 0 if self._starting or time.monotonic() < self._not_before else min(missing, 1)
            if self._closed:
                return
            kernels = [self._launch() for _ in range(missing)]
            self._starting.update(kernels)
        for kernel in kernels:
            threading.Thread(target=self._start_one, args=(kernel,), name="kernel-start", daemon=True).start()

    def _start_one(self, kernel: Kernel) -> None:
        began = time.monotonic()
        try:
            kernel.start()
        except KernelStartError as error:
            self._failed(kernel, began, str(error))
            return
        except Exception as error:  # noqa: BLE001 - a thread that ends silently would leave requests waiting
            self._failed(kernel, began, f"The kernel can't be started ({type(error).__name__}: {error}).")
            return
        with self._lock:
            wanted = kernel in self._starting
            if wanted:
                self._starting.remove(kernel)
                self._started.add(kernel)
                self._trouble, self._failures = None, 0
        if not wanted:
            kernel.close()  # The pool was closed.
            return
        log_event(logger, "kernel started", seconds=round(time.monotonic() - began, 3), ready=self.ready)
        self._give(kernel)

    def _failed(self, kernel: Kernel, began: float, trouble: str) -> None:
        kernel.close()
        with self._lock:
            if kernel not in self._starting:
                return  # The pool was closed.
            self._starting.remove(kernel)
            if began >= self._failed_at:  # Those that were started together fail together, and that counts once.
                self._failed_at = time.monotonic()
                self._failures += 1
            pause = self._pause()
            self._not_before = self._failed_at + pause
            if self._failures > 1:
                self._trouble = trouble
                self._refuse_all()
        self._look.set()
        log_event(logger, "kernel can't be started", level=logging.WARNING, reason=trouble, retry_seconds=pause)

    def _pause(self) -> float:
        """Seconds until the next try.  The first follows at once: a kernel may be killed while it starts, too."""
        if self._failures < 2:
            return 0.0
        return min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (self._failures - 2))
