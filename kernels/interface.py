"""What the pool expects of a kernel, and of the dialect in which a program is put to it.

Rule: a kernel carries contents of Jupyter's messages and knows nothing of programs; a dialect turns programs into
such contents and replies into outcomes, and does no I/O.
"""

from __future__ import annotations

from typing import Any, Protocol

from emulator.runs import Outcome, ProgramRun

Content = dict[str, Any]
"""The content of a message of Jupyter's protocol."""


class KernelDied(Exception):
    """The kernel's process has ended, or nothing leads to it any more."""


class KernelStuck(Exception):
    """The kernel lives, and didn't reply in time.  What it may still say belongs to nobody."""


class KernelStartError(Exception):
    """No kernel can be started; the message says why, in words for whoever runs the server, without secrets."""


class Kernel(Protocol):
    """One kernel.  Used by one thread at a time, except for ``alive`` and ``close``.

    Whoever gets KernelDied or KernelStuck from it has no other use for it than ``close``.
    """

    def start(self) -> None:
        """Returns when the kernel has answered a kernel_info_request.  Raises KernelStartError."""
        ...

    def execute(self, content: Content, seconds: float) -> Content:
        """The content of the execute_reply to an execute_request of this ``content``.

        Waits at most ``seconds``.  Raises KernelDied, within a second of the death, or KernelStuck.
        """
        ...

    def alive(self) -> bool:
        """Whether it can be used still, as far as can be told at once, without asking it."""
        ...

    def close(self) -> None:
        """Ends the kernel and removes what it leaves behind; may be called at any time and again.  Raises nothing."""
        ...


class Dialect(Protocol):
    """How a program is put to kernels of one kind."""

    incremental: bool
    """Whether ``ProgramRun.state`` and ``keep_state`` are understood, so that a program can be run piece by piece."""

    def content(self, run: ProgramRun) -> Content:
        """The execute_request's content: ``code``, ``user_expressions``, and the switches."""
        ...

    def outcome(self, reply: Content) -> Outcome:
        """What an execute_reply's content says.  Raises BadOutcome where it isn't a report."""
        ...
