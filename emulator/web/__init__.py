"""Flask: the routes, and the one place where an error becomes a response."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WrongMethod
from werkzeug.exceptions import NotFound as NoSuchRoute

from emulator.admission import Admission
from emulator.errors import EmulatorError, InvalidRequest, MethodNotAllowed, NotFound
from emulator.logs import log_event
from emulator.service import Emulator
from emulator.settings import Settings, listed
from emulator.web import chat, health, index, messages, models, openapi, passed, responses, stats
from emulator.web.origins import refuse_other_pages
from emulator.web.respond import error_response
from emulator.web.slashes import SingleSlashes

logger = logging.getLogger(__name__)


class _App(Flask):
    def make_default_options_response(self) -> Response:
        """What OPTIONS is answered: the methods that a path takes."""
        adapter = self.create_url_adapter(request)
        return Response(status=204, headers={"Allow": _in_order(adapter.allowed_methods() if adapter else ())})


def create_app(settings: Settings, admission: Admission | None = None) -> Flask:
    """The WSGI application.  ``app.extensions["emulator"]`` is its core; ``start()`` there warms it up.

    ``admission`` is what all processes of a server share; without it this app counts its requests by itself.
    """
    app = _App("emulator", static_folder=None)
    app.wsgi_app = SingleSlashes(app.wsgi_app)
    app.extensions["emulator"] = Emulator(settings)
    app.extensions["admission"] = admission or Admission(settings.max_requests)
    app.url_map.converters["response"] = responses.ResponseConverter
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    for blueprint in (
        chat.blueprint,
        responses.blueprint,
        messages.blueprint,
        models.blueprint,
        passed.blueprint,
        stats.blueprint,
    ):
        app.register_blueprint(blueprint)
        app.register_blueprint(blueprint, name=f"{blueprint.name}_v1", url_prefix="/v1")
    for blueprint in (index.blueprint, health.blueprint, openapi.blueprint, passed.root_blueprint):
        app.register_blueprint(blueprint)
    passed.pass_also(app, listed(settings.pass_paths))
    app.before_request(refuse_other_pages(listed(settings.cors_origins)))
    if settings.cors_origins:
        from emulator.web.cors import allow_origins

        allow_origins(app, listed(settings.cors_origins))
    app.register_error_handler(EmulatorError, error_response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)
    return app


def _in_order(methods: Iterable[str]) -> str:
    return ", ".join(sorted(methods))


def _known() -> str:
    return f"The paths here are {', '.join(index.paths(current_app))}."


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, NoSuchRoute):
        return error_response(NotFound(f"Unknown path: {request.method} {request.path}.", hint=_known()))
    if isinstance(error, WrongMethod):
        allowed = _in_order(error.valid_methods or ())
        said = f"{request.method} is not allowed for {request.path}; allowed: {allowed}."
        hint = _known() if request.path.strip("/") in ("", "v1") else None
        return error_response(MethodNotAllowed(said, hint=hint, headers={"Allow": allowed}))
    if error.code is not None and 400 <= error.code < 500:
        wrong = InvalidRequest(error.description or error.name)
        wrong.status = error.code
        return error_response(wrong)
    return _bug(error)


def _bug(error: Exception) -> Response:
    log_event(logger, "request failed", level=logging.ERROR, kind=type(error).__name__)
    return error_response(EmulatorError("The server failed on this request; its log says why."))
