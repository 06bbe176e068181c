"""Browsers may ask this server from pages of other origins, where the settings say which.

Rule: keys come in headers that the page itself sets, so credentials that a browser adds by itself (cookies) are never
allowed, and any header may be sent.  Source: the Fetch standard, section 3.2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Flask
from flask_cors import CORS

from emulator.web.headers import MEANINGS

EXPOSED = ("X-Request-Id", "Request-Id", "Retry-After", *MEANINGS)
"""What a page may read of an answer's headers beside those that it always may."""

_PREFLIGHT_SECONDS = 600  # Chromium and Safari remember a preflight no longer than that


def allow_origins(app: Flask, origins: Sequence[str]) -> None:
    """``origins`` as in an Origin header, or ``*`` alone for all."""
    everyone = "*" in origins
    CORS(
        app,
        # Flask-CORS would take an IPv6 address for a regular expression; brackets are only ever its own.
        origins="*" if everyone else [re.compile(rf"{re.escape(origin)}\Z", re.IGNORECASE) for origin in origins],
        send_wildcard=everyone,
        always_send=False,
        expose_headers=list(EXPOSED),
        max_age=_PREFLIGHT_SECONDS,
    )
