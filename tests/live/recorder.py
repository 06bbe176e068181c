"""A model server for what is passed on: it takes any request on any path, keeps it, and answers as it was told.

Nothing is read into a request here: what arrives is what the test compares.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tests.live.upstream import PATIENCE


@dataclass(frozen=True, kw_only=True)
class Told:
    """An answer: ``pieces`` are sent as chunks, or as one body with its length if there is one alone.

    ``gate``: nothing behind the first piece is sent before it is set.  ``cut``: the end is never sent.
    """

    pieces: tuple[bytes, ...] = (b'{"ok": true}',)
    kind: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    gate: threading.Event | None = None
    cut: bool = False


@dataclass(frozen=True)
class Received:
    """Header names are lower case; ``path`` is with its query, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes


class Recorder(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reset()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def reset(self) -> None:
        self.answer: Told | Callable[[Received], Told] = Told()
        self.received: queue.Queue[Received] = queue.Queue()

    def next(self) -> Received:
        """The oldest request that the test hasn't seen yet."""
        return self.received.get(timeout=PATIENCE)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients of these tests leave in the middle: nothing to be told."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def _answer(self) -> None:
        server = cast(Recorder, self.server)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, self.path, headers, raw)
        server.received.put(received)
        told = server.answer if isinstance(server.answer, Told) else server.answer(received)
        whole = len(told.pieces) == 1
        self.send_response(told.status)
        for name, value in {"Content-Type": told.kind, **told.headers}.items():
            self.send_header(name, value)
        name, value = ("Content-Length", str(len(told.pieces[0]))) if whole else ("Transfer-Encoding", "chunked")
        self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        for piece in told.pieces:
            self.wfile.write(piece if whole else b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.flush()
            if told.gate is not None:
                told.gate.wait(PATIENCE)
        if told.cut:
            self.close_connection = True
        elif not whole:
            self.wfile.write(b"0\r\n\r\n")

    def __getattr__(self, name: str) -> Any:
        """Every method's ``do_…``."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
