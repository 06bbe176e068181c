"""Flask: the routes, and the one place where an error becomes a response."""

from __future__ import annotations

import logging

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from emulator.admission import Admission
from emulator.errors import EmulatorError, InvalidRequest, MethodNotAllowed, NotFound
from emulator.logs import log_event
from emulator.service import Emulator
from emulator.settings import Settings
from emulator.web import chat, health, models, stats
from emulator.web.respond import error_response

logger = logging.getLogger(__name__)


def create_app(settings: Settings, admission: Admission | None = None) -> Flask:
    """The WSGI application.  ``app.extensions["emulator"]`` is its core; ``start()`` there warms it up.

    ``admission`` is what all processes of a server share; without it this app counts its requests by itself.
    """
    app = Flask("emulator", static_folder=None)
    app.extensions["emulator"] = Emulator(settings)
    app.extensions["admission"] = admission or Admission(settings.max_requests)
    app.url_map.strict_slashes = False
    for blueprint in (chat.blueprint, models.blueprint, stats.blueprint, health.blueprint):
        app.register_blueprint(blueprint)
        if blueprint is not health.blueprint:
            app.register_blueprint(blueprint, name=f"{blueprint.name}_v1", url_prefix="/v1")
    app.register_error_handler(EmulatorError, error_response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)
    return app


def _http_error(error: HTTPException) -> Response:
    from flask import request

    if error.code == 404:
        known = "The paths here are /v1/chat/completions, /v1/models, /health and /stats."
        return error_response(NotFound(f"Unknown path: {request.method} {request.path}.", hint=known))
    if error.code == 405:
        allowed = error.get_response().headers.get("Allow", "")
        return error_response(
            MethodNotAllowed(
                f"{request.method} is not allowed for {request.path}; allowed: {allowed}.", headers={"Allow": allowed}
            )
        )
    if error.code is not None and 400 <= error.code < 500:
        wrong = InvalidRequest(error.description or error.name)
        wrong.status = error.code
        return error_response(wrong)
    return _bug(error)


def _bug(error: Exception) -> Response:
    log_event(logger, "request failed", level=logging.ERROR, kind=type(error).__name__)
    return error_response(EmulatorError("The server failed on this request; its log says why."))
