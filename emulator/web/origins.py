"""No page of another origin makes this server work unseen, be it at its user's own machine, with its user's key.

Rule: browsers ask first whether a page may send JSON (``cors.py`` answers that), but let any page send what a form
could send and only keep the answer from it: such a request is refused here.  Who is no browser sends no Origin.
Source: the Fetch standard, CORS-safelisted request headers (section 2.2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from flask import request

from emulator.errors import OriginRefused

_READING = frozenset(["GET", "HEAD", "OPTIONS"])
_AS_FORMS = frozenset(["", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])


def refuse_other_pages(allowed: Sequence[str]) -> Callable[[], None]:
    """What is to be done before each request; ``allowed`` as in the settings."""
    origins = {origin.lower() for origin in allowed}

    def check() -> None:
        """Raises OriginRefused."""
        origin = request.headers.get("Origin")
        if origin is None or request.method in _READING or request.mimetype not in _AS_FORMS:
            return
        if "*" not in origins and origin.lower() not in origins and not _is_here(origin):
            raise OriginRefused(f"Pages of {origin[:80]!r} may not ask this server (--cors-origins).")

    return check


def _is_here(origin: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == request.host.lower() != ""
    except ValueError:
        return False
