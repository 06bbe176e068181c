"""GET /stats: what became of all requests so far, of all processes that share the store."""

from __future__ import annotations

import logging

from flask import Blueprint, Response

from emulator.logs import log_event
from emulator.records.interface import StoreUnavailable
from emulator.web.respond import emulator, json_response

logger = logging.getLogger(__name__)
blueprint = Blueprint("stats", __name__)


@blueprint.get("/stats")
def stats() -> Response:
    """Open to whoever reaches the server, as /health is: there are counts in it, and names of models.

    Raises StoreUnavailable, without saying where the store is.
    """
    try:
        return json_response(emulator().stats.summary())
    except StoreUnavailable as error:
        log_event(logger, "statistics not read", level=logging.WARNING, reason=error.message)
        raise StoreUnavailable("The statistics can't be read now; the server's log says why.") from None
