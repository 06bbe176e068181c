"""Runs the app on gunicorn with gevent workers, or with ``--debug`` on Flask's own server.

The master stays small and unpatched: gevent's patches, the app and all it imports exist in the workers
only.  So nothing here imports the app before a worker asks for it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from emulator.admission import Admission
from emulator.logs import LOG_NAME, configure_logging
from emulator.settings import Settings
from emulator.startup import address_of, listen

KEEPALIVE_SECONDS = 75
STALLED_WORKER_SECONDS = 120
CONNECTIONS = 4096
MAX_HEADERS = 100
MAX_LINE_BYTES = 8190
MAX_HEADER_BYTES = 16384
_COLLECT = (10_000, 20, 50)
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a heartbeat file there can't be delayed by a slow disk


def serve(settings: Settings, bound: socket.socket) -> None:
    """Serve on ``bound`` until stopped.  Ends with SystemExit, whose code is gunicorn's."""
    address = address_of(bound)
    listen(settings, bound)
    if settings.debug:
        _announce(settings, address)
        _serve_debug(settings, bound)
    else:
        _Server(settings, bound.detach(), address).run()


def _announce(settings: Settings, address: str) -> None:
    workers = f"{settings.workers} worker{'s' if settings.workers > 1 else ''}"
    servers = "1 process, debugging" if settings.debug else workers
    model = settings.model or "the one the client names"
    print(f"Serving {address}/v1 ({servers}); point a client there with OPENAI_BASE_URL={address}/v1")
    if settings.programs and settings.kernel != "tool-program":
        print(f"WARNING: programs run in the kernel {settings.kernel!r}, which is NOT SANDBOXED", file=sys.stderr)
    print(f"Model server: {settings.base_url}; model: {model}")
    print(f"Log: {settings.log_dir / LOG_NAME}; stop with Ctrl-C", flush=True)


def build_app(settings: Settings, admission: Admission | None = None) -> Any:
    """The Flask app, with logging set up for this process; ``admission`` is shared with other processes."""
    configure_logging(settings)
    from emulator.web import create_app

    return create_app(settings, admission)


def _serve_debug(settings: Settings, bound: socket.socket) -> None:
    from werkzeug.serving import make_server

    host, port = bound.getsockname()[:2]
    app = build_app(settings)
    app.debug = True
    _started(app)
    from werkzeug.debug import DebuggedApplication

    make_server(host, port, DebuggedApplication(app, evalex=True), threaded=True, fd=bound.fileno()).serve_forever()


def _started(app: Any) -> None:
    """Let the app prepare itself in the process that will serve it."""
    start = getattr(getattr(app, "extensions", {}).get("emulator"), "start", None)
    if start is not None:
        start()


class _Server(BaseApplication):
    def __init__(self, settings: Settings, descriptor: int, address: str) -> None:
        self._settings, self._descriptor, self._address = settings, descriptor, address
        self._admission = Admission(settings.max_requests)  # Before the workers are forked, so that they share it.
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        chosen: dict[str, Any] = {
            "bind": f"fd://{self._descriptor}",
            "workers": settings.workers,
            "worker_class": "emulator.worker.Worker",
            "worker_connections": CONNECTIONS,
            "worker_tmp_dir": _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None,
            "timeout": STALLED_WORKER_SECONDS,
            "graceful_timeout": settings.graceful_timeout,
            "keepalive": KEEPALIVE_SECONDS,
            "limit_request_line": MAX_LINE_BYTES,
            "limit_request_fields": MAX_HEADERS,
            "limit_request_field_size": MAX_HEADER_BYTES,
            "control_socket_disable": True,
            "proc_name": "tool-use-emulator",
            "loglevel": settings.log_level,
            "accesslog": None,
            "errorlog": None,  # gunicorn adds no handler of its own beside those of configure_logging
            "when_ready": self._ready,
            "post_worker_init": _worker_ready,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        os.register_at_fork(before=_hold_signals, after_in_parent=_release_signals, after_in_child=_new_worker)
        super().run()

    def load(self) -> Any:
        return build_app(self._settings, self._admission)

    def _ready(self, _arbiter: Any) -> None:
        _announce(self._settings, self._address)


_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def _hold_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def _release_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


def _new_worker() -> None:
    """A worker told to stop before it has its own handlers would put that into its copy of the master's queue.

    Nobody reads that, so the master would wait for it until the graceful timeout.
    """
    for number in _STOPPING:
        signal.signal(number, lambda _signal, _frame: os._exit(0))
    _release_signals()


def _worker_ready(worker: Any) -> None:
    _started(worker.wsgi)
    # What is loaded by now lives as long as the process: the collector needn't look at it again and again, nor
    # stop for the few objects that a request leaves behind.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
