"""GET /health: the process, the upstream, the version."""

from __future__ import annotations

from flask import Blueprint, Response

from emulator import __version__
from emulator.web.respond import emulator, json_response

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """200 where requests can be served, 503 where the upstream can't be reached."""
    core = emulator()
    probe = core.upstream.probe()
    # Without a key of our own the clients bring theirs, and a server that asks for one is all right.
    usable = probe.kind in ("ok", "refused") or (probe.kind == "refused_key" and core.settings.api_key is None)
    upstream = {"url": core.settings.base_url, "status": probe.kind, "detail": probe.message}
    body = {"status": "ok" if usable else "upstream_unavailable", "version": __version__, "upstream": upstream}
    return json_response(body, 200 if usable else 503)
