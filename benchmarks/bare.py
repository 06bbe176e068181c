"""The floor: a Flask app that does the emulator's I/O and nothing else.

It reads the request's JSON with orjson, posts the body as it came to the upstream over a pool of urllib3, reads the
answer's JSON and returns it, or relays the chunks of a stream as they come, and writes a line of log a request
(gunicorn's access log).  It doesn't watch its clients, limit or check anything.  It runs as the emulator does, on
gunicorn with gevent workers and the same settings of both, but with gunicorn's own worker class; or, as most Flask apps
do, with 32 threads a worker.

    python -m benchmarks.bare PORT UPSTREAM_PORT WORKERS LOG gevent|gthread
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from gunicorn.app.base import BaseApplication

from benchmarks.wire import HOST
from emulator.server import CONNECTIONS, KEEPALIVE_SECONDS, MAX_HEADER_BYTES, MAX_HEADERS, MAX_LINE_BYTES

_PIECE = 1 << 16
_POOL = 1024
_THREADS = 32
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


def create_app(upstream_port: int) -> Any:
    """The WSGI application; made in the worker, whose sockets are gevent's by then."""
    import orjson
    import urllib3
    from flask import Flask, Response, request

    app = Flask("bare", static_folder=None)
    pool = urllib3.HTTPConnectionPool(HOST, upstream_port, maxsize=_POOL)

    @app.post("/v1/chat/completions")
    def create() -> Response:  # pyright: ignore[reportUnusedFunction] - Flask calls it
        body = request.get_data()
        stream = orjson.loads(body).get("stream")
        answer = pool.urlopen(
            "POST", "/v1/chat/completions", body=body, headers=_HEADERS, retries=False, preload_content=False
        )
        if stream:
            return Response(_relay(answer), answer.status, content_type="text/event-stream")
        value = orjson.loads(answer.read())
        return Response(orjson.dumps(value), answer.status, content_type="application/json")

    @app.get("/health")
    def health() -> Response:  # pyright: ignore[reportUnusedFunction] - Flask calls it
        return Response(b"{}", content_type="application/json")

    return app


def _relay(answer: Any) -> Iterator[bytes]:
    try:
        yield from answer.stream(_PIECE, decode_content=False)
    finally:
        answer.release_conn()


class _Server(BaseApplication):
    def __init__(self, port: int, upstream_port: int, workers: int, log: str, kind: str) -> None:
        self._port, self._upstream_port, self._workers, self._log = port, upstream_port, workers, log
        self._kind = kind
        super().__init__()

    def load_config(self) -> None:
        chosen: dict[str, Any] = {
            "bind": f"{HOST}:{self._port}",
            "workers": self._workers,
            "worker_class": self._kind,
            "threads": _THREADS if self._kind == "gthread" else 1,
            "worker_connections": CONNECTIONS,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108 - as the emulator's
            "keepalive": KEEPALIVE_SECONDS,
            "limit_request_line": MAX_LINE_BYTES,
            "limit_request_fields": MAX_HEADERS,
            "limit_request_field_size": MAX_HEADER_BYTES,
            "control_socket_disable": True,
            "accesslog": self._log,
            "loglevel": "warning",
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self._upstream_port)


if __name__ == "__main__":
    port, upstream_port, workers = map(int, sys.argv[1:4])
    _Server(port, upstream_port, workers, *sys.argv[4:6]).run()
