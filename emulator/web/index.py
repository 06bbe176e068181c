"""GET /: what this is, and where everything is."""

from __future__ import annotations

import re

from flask import Blueprint, Flask, Response, current_app

from emulator import __version__
from emulator.web.respond import json_response

NAME = "tool-use-emulator"

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")

blueprint = Blueprint("index", __name__)


@blueprint.get("/")
@blueprint.get("/v1")
def index() -> Response:
    return json_response({"name": NAME, "version": __version__, "paths": paths(current_app)})


def paths(app: Flask) -> list[str]:
    """The paths that are served, each once: with ``/v1`` where there is a form with it and one without."""
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    return sorted(map(shown, rules - {rule.removeprefix("/v1") for rule in rules if rule.startswith("/v1/")}))


def shown(rule: str) -> str:
    """A route's rule as OpenAPI writes it."""
    return _VARIABLE.sub(r"{\1}", rule)
