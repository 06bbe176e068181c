"""GET /openapi.json: this server's own OpenAPI document, made when it is first asked for."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, current_app

blueprint = Blueprint("openapi", __name__)

_MADE = "openapi"


@blueprint.get("/openapi.json")
def openapi() -> Response:
    kept = current_app.extensions
    if _MADE not in kept:
        # Pydantic and the wire types: nothing else in this process needs them.
        from emulator.web.document import document

        kept[_MADE] = orjson.dumps(document())
    return Response(kept[_MADE], content_type="application/json")
