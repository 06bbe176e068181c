"""No page of another origin makes this server work unseen, at its visitor's own machine and with its operator's key.

Rule: browsers ask first whether a page may send JSON (``cors.py`` answers that), but let any page send what a form
could send and only keep the answer from it: such a request is refused here.  Who is no browser sends no Origin.  A page
whose name its owner points at this machine (DNS rebinding) is none of another origin; a proxy that knows names is the
remedy.
Source: the Fetch standard, CORS-safelisted request headers (section 2.2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from flask import request

from emulator.errors import OriginRefused

_UNASKED = frozenset(
    [
        "",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
        "text/ping",
        "application/csp-report",
        "application/reports+json",
    ]
)
"""Types of bodies that browsers send for a page without asking first."""
_ASKED_HEADERS = ("Authorization", "X-Api-Key")
_PORTS = {"http": ":80", "https": ":443"}


def refuse_other_pages(allowed: Sequence[str]) -> Callable[[], None]:
    """What is to be done before each request; ``allowed`` as in the settings."""
    origins = {origin.lower() for origin in allowed}

    def check() -> None:
        """Raises OriginRefused."""
        origin = request.headers.get("Origin")
        # About other methods, and about headers that a form has not, browsers ask first, too.
        if origin is None or request.method != "POST" or request.mimetype not in _UNASKED:
            return
        if any(name in request.headers for name in _ASKED_HEADERS):
            return
        if "*" not in origins and origin.lower() not in origins and not _is_here(origin):
            raise OriginRefused(f"Pages of {origin[:80]!r} may not ask this server (--cors-origins).")

    return check


def _is_here(origin: str) -> bool:
    """A page of this server's own address asks, as its browser says or the address does."""
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return True
    try:
        scheme, host = urlsplit(origin)[:2]
    except ValueError:
        return False
    port = _PORTS.get(scheme, "")
    return bool(host) and host.lower().removesuffix(port) == request.headers.get("Host", "").lower().removesuffix(port)
