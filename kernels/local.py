"""A kernel on this machine: started by jupyter_client, then talked to over one ZeroMQ socket of the shell channel.

Rule: works alike under plain threads and under gevent.  So the blocking client of jupyter_client, which brings an
event loop of its own, has no part in it: a ``Session`` makes and checks the messages, and whoever waits for a reply
waits in short spells and looks after the process in between.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.session import Session

from kernels.interface import Content, KernelDied, KernelStartError, KernelStuck
from kernels.spec import NAME, Specs

START_SECONDS = 60.0
_ASK_AGAIN_SECONDS = 1.0
_LOOK_SECONDS = 0.2
_RECONNECT_MS = 10
_MAX_REPLY_BYTES = 64 << 20
_HISTORY = 1024
_SHOWN = 500
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "TMPDIR", "TZ")


class LocalKernels:
    """Makes kernels of the kernelspec ``name``, not started yet.  One at a time is being started.

    Under gevent all greenlets share a thread, and a thread can run only one event loop, which starting needs.
    """

    def __init__(self, name: str = NAME) -> None:
        self._name = name
        self._starting = threading.Lock()

    def __call__(self) -> LocalKernel:
        return LocalKernel(self._name, self._starting)


class LocalKernel:
    """A ``Kernel`` that is a child of this process; ``starting`` is held while its process is launched.

    It has a folder of its own for its sockets, which is its owner's alone, and an environment without secrets.
    """

    def __init__(self, name: str, starting: threading.Lock) -> None:
        self._name = name
        self._starting = starting
        # A ZeroMQ socket is nobody's to close while another thread waits at it.
        self._in_use = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._manager: _Manager | None = None
        self._session: Session | None = None
        self._socket: Any = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The kernel's process, once it is launched."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Returns when the kernel has answered a kernel_info_request.  Raises KernelStartError."""
        with self._in_use:
            said, stderr = os.pipe()
            try:
                try:
                    with self._starting:
                        self._launch(stderr)
                finally:
                    os.close(stderr)
                self._connect()
                self._await_ready(said)
            finally:
                # From here on nobody reads what it says, and it is told so.
                os.close(said)

    def execute(self, content: Content, seconds: float) -> Content:
        """Raises KernelDied, KernelStuck."""
        with self._in_use:
            return self._ask("execute_request", content, "execute_reply", seconds)

    def alive(self) -> bool:
        return not self._closed and self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """Kills the kernel with all its children."""
        self._closed = True
        self._kill()
        with self._in_use:
            self._kill()  # It may have been launched meanwhile.
            if self._socket is not None:
                self._socket.close(0)
                self._socket = None
            self._manager = None
            if self._folder is not None:
                self._folder.cleanup()

    def _kill(self) -> None:
        if self._process is None:
            return
        # Also where the kernel has ended: it leads a group of its own, in which its children may have stayed behind.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _launch(self, stderr: int) -> None:
        if self._closed:
            raise KernelStartError(f"The kernel {self._name!r} was closed while it was started.")
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True)
            folder = self._folder.name
            manager = _Manager(
                kernel_name=self._name,
                kernel_spec_manager=Specs(),
                transport="ipc",
                connection_file=str(Path(folder, "connection.json")),
            )
            environment = _environment(folder)
            asyncio.run(
                cast(Any, manager).start_kernel(stdout=subprocess.DEVNULL, stderr=stderr, cwd=folder, env=environment)
            )
        except NoSuchKernel:
            raise KernelStartError(
                f"There is no kernelspec {self._name!r}; `jupyter kernelspec list` shows all."
            ) from None
        except (OSError, ValueError, RuntimeError) as error:
            raise KernelStartError(f"The kernel {self._name!r} can't be started: {error}.") from None
        process = getattr(manager.provisioner, "process", None)
        if not isinstance(process, subprocess.Popen):
            raise KernelStartError(
                f"The kernelspec {self._name!r} doesn't start a process here; kernels elsewhere need --kernel-gateway."
            )
        self._manager, self._process = manager, process

    def _connect(self) -> None:
        assert self._manager is not None
        zmq = _zmq()
        info: Any = self._manager.get_connection_info()
        path = f"{info['ip']}-{info['shell_port']}"
        if len(os.fsencode(path)) > zmq.IPC_PATH_MAX_LEN:
            raise KernelStartError(f"{path} is too long for a socket; TMPDIR can name a folder nearer to the root.")
        self._session = Session(key=self._manager.session.key, digest_history_size=_HISTORY)
        self._socket = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.linger = 0
        self._socket.reconnect_ivl = _RECONNECT_MS  # At first nobody listens there yet.
        self._socket.maxmsgsize = _MAX_REPLY_BYTES
        self._socket.connect(f"ipc://{path}")

    def _await_ready(self, said: int) -> None:
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                # A request that comes while the kernel opens its sockets may be lost.
                self._ask("kernel_info_request", {}, "kernel_info_reply", _ASK_AGAIN_SECONDS)
            except KernelStuck:
                if time.monotonic() < give_up:
                    continue
                raise KernelStartError(
                    f"The kernel {self._name!r} didn't answer within {START_SECONDS:g} s of its start."
                ) from None
            except KernelDied:
                reason = _last_line(said)
                raise KernelStartError(f"The kernel {self._name!r} ended while it was started: {reason}") from None
            return

    def _ask(self, request: str, content: Content, answer: str, seconds: float) -> Content:
        """The content of the reply to this very request.  Raises KernelDied, KernelStuck."""
        if self._session is None or self._socket is None:
            raise KernelDied("the kernel isn't running")
        message = self._session.msg(request, content)
        self._session.send(self._socket, message)
        give_up = time.monotonic() + seconds
        while (left := give_up - time.monotonic()) > 0:
            if not self._socket.poll(min(left, _LOOK_SECONDS) * 1000):
                if not self.alive():
                    raise KernelDied("the kernel's process has ended")
                continue
            reply = self._received()
            if reply["parent_header"].get("msg_id") == message["msg_id"] and reply["msg_type"] == answer:
                return reply["content"]
        raise KernelStuck(f"the kernel didn't reply within {seconds:g} s")

    def _received(self) -> dict[str, Any]:
        assert self._session is not None
        try:
            # What was polled is there whole.
            return self._session.recv(self._socket)[1]  # pyright: ignore[reportReturnType]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise KernelDied(f"the kernel's reply isn't a message of Jupyter's ({type(error).__name__})") from None


class _Manager(AsyncKernelManager):
    """Launches the process, and has no socket of its own: kernels here are killed, not asked to shut down."""

    def _connect_control_socket(self) -> None:
        pass


def _zmq() -> Any:
    """pyzmq as this process needs it."""
    if "gevent.monkey" in sys.modules:
        from gevent import monkey

        if monkey.is_module_patched("socket"):
            import zmq.green

            return zmq.green
    import zmq

    return zmq


def _environment(folder: str) -> dict[str, str]:
    """What an interpreter needs to find its modules, and none of the server's secrets.

    A set of strings has the same order in all of them, or a program would take another way when it is run again.
    """
    kept = {name: value for name in _PASSED_ON if (value := os.environ.get(name))}
    return kept | {"IPYTHONDIR": folder, "PYDEVD_DISABLE_FILE_VALIDATION": "1", "PYTHONHASHSEED": "0"}


def _last_line(said: int) -> str:
    """Of what an ended process left in the pipe: the last line names the exception."""
    os.set_blocking(said, False)
    with suppress(BlockingIOError):
        lines = os.read(said, 1 << 16).decode("utf-8", "replace").strip().splitlines()
        if lines:
            return lines[-1].strip()[:_SHOWN]
    return "it said nothing"
