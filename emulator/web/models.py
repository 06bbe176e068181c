"""GET /v1/models and /v1/models/{id}, from the upstream; in Anthropic's form for its clients.

Rule: a model is found under any name that a request may ask for it by.
"""

from __future__ import annotations

from flask import Blueprint, Response

from emulator.errors import NotFound
from emulator.protocols.fields import Json
from emulator.protocols.messages_models import entries, model_info, model_list
from emulator.web.passing import pass_through
from emulator.web.respond import Watched, authorization, emulator, speaks_anthropic, told

blueprint = Blueprint("models", __name__)


@blueprint.get("/models")
@blueprint.get("/models/<path:model>")
def models(model: str = "") -> Response:
    model = model.rstrip("/")
    if speaks_anthropic():
        return told(lambda watched: _for_anthropic(model, _listed(watched)))
    if model and emulator().model_named(model) != model:
        return told(lambda watched: _found(_listed(watched), model) | {"id": model})
    with Watched() as watched:
        return pass_through(watched, None, path=f"/models/{model}" if model else "/models")


def _listed(watched: Watched) -> Json:
    """The upstream's list of models."""
    return watched.core.upstream.json_of("GET", "models", authorization=authorization(), lifetime=watched.lifetime)


def _for_anthropic(model: str, listed: Json) -> Json:
    return model_info(model, _found(listed, model)) if model else model_list(listed)


def _found(listed: Json, model: str) -> Json:
    """The entry of the model that is meant by ``model``.  Raises NotFound."""
    meant = emulator().model_named(model)
    found = next((entry for entry in entries(listed) if entry["id"] == meant), None)
    if found is None:
        raise NotFound(f"The model server has no model '{meant[:200]}'.", code="model_not_found")
    return found
