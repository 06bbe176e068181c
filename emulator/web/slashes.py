"""Clients join base URLs and paths in every way: ``//v1/chat/completions``, ``/v1//chat/completions``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_PREFIX = "v1/"


class SingleSlashes:
    """WSGI middleware: slashes that are too many around ``/v1`` count once.

    Further back they stay: names of models have them (``hf://…``).
    """

    def __init__(self, app: WSGIApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if "//" in path:
            environ["PATH_INFO"] = _single(path)
        return self._app(environ, start_response)


def _single(path: str) -> str:
    rest = path.lstrip("/")
    prefix = _PREFIX if rest.startswith(_PREFIX) else ""
    return f"/{prefix}{rest.removeprefix(prefix).lstrip('/')}"
