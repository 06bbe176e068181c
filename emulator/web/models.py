"""GET /v1/models and /v1/models/{id}, from the upstream."""

from __future__ import annotations

from flask import Blueprint, Response, request

from emulator.web.passing import pass_through
from emulator.web.respond import Watched

blueprint = Blueprint("models", __name__)


@blueprint.get("/models")
@blueprint.get("/models/<path:model>")
def models(model: str = "") -> Response:
    path = "/models" if not model else request.path[request.path.index("/models/") :]
    return pass_through(Watched(), None, path=path)
