"""Paths that are the model server's own: completions, embeddings, speech, images and so on, passed on as they are.

Rule: a body is neither read nor written anew, whatever is in it; only its ``model`` and ``stream`` are looked at, if it
is JSON, for the statistics and the time limits.  Sources: OpenAI's API reference; for reranking and tokenizing, vLLM's
and llama.cpp's servers, which have those beside ``/v1``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import orjson
from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map

from emulator.web.body import read_body
from emulator.web.facts import passed_facts
from emulator.web.passing import pass_through
from emulator.web.respond import Watched, api_path, emulator

PATHS = ("completions", "embeddings", "moderations", "rerank", "audio/<path:rest>", "images/<path:rest>")
BESIDE_V1 = ("tokenize", "detokenize")
RERANK_V2 = "/v2/rerank"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PREFIX = "/v1"

blueprint = Blueprint("passed", __name__)
root_blueprint = Blueprint("passed_root", __name__)
"""Paths that no ``/v1`` belongs before."""


def passed(*, at_root: bool = False, **_: str) -> Response:
    core = emulator()
    body = read_body(request, core.settings.max_body)
    model, stream = _looked_at(body)
    with Watched() as watched:
        watched.fields["stream"] = stream
        if request.method == "POST":
            watched.report = passed_facts(core, model, stream=stream)
        return pass_through(
            watched,
            body if body or request.method != "GET" else None,
            stream=stream,
            path=api_path().rstrip("/"),
            at_root=at_root,
            may_be_empty=True,
        )


def passed_at_root() -> Response:
    return passed(at_root=True)


for _path in PATHS:
    blueprint.add_url_rule(f"/{_path}", "passed", passed, methods=METHODS)
for _path in BESIDE_V1:
    blueprint.add_url_rule(f"/{_path}", "passed_at_root", passed_at_root, methods=METHODS)
root_blueprint.add_url_rule(RERANK_V2, "passed_at_root", passed_at_root, methods=METHODS)


def pass_also(app: Flask, patterns: Sequence[str]) -> None:
    """Pass on paths that fit one of ``patterns``, too; those that ``app`` serves already stay its own.

    A pattern's words stand for themselves; ``*`` is any one word, at the end any rest.
    """
    served = Map(
        [rule.empty() for rule in app.url_map.iter_rules()],
        strict_slashes=False,
        merge_slashes=False,
        converters=app.url_map.converters,
    )

    def passed_by_setting(**_: str) -> Response:
        try:
            # Also a path of ours that doesn't take this method isn't to reach the model server by a pattern.
            endpoint, arguments = served.bind("localhost").match(request.path, request.method)
        except NotFound:
            return passed()
        return cast(Response, app.view_functions[endpoint](**arguments))

    for pattern in patterns:
        rule = "/".join(f"<_{at}>" if word == "*" else word for at, word in enumerate(pattern.split("/")))
        if pattern.endswith("*"):
            rule = f"{rule.rpartition('/')[0]}/<path:rest>"
        for prefix in (_PREFIX, ""):
            app.add_url_rule(f"{prefix}/{rule.lstrip('/')}", "passed_by_setting", passed_by_setting, methods=METHODS)


def _looked_at(body: bytes) -> tuple[str, bool]:
    """The model that a JSON body names, and whether it asks for a stream."""
    if not (request.mimetype.endswith("json") or body[:1] == b"{"):
        return "", False
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "", False
    if not isinstance(value, dict):
        return "", False
    fields = cast("dict[str, Any]", value)
    model = fields.get("model")
    return model if isinstance(model, str) else "", fields.get("stream") is True
