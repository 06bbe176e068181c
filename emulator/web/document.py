"""This server's own OpenAPI document, made from the wire types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter

from emulator import __version__
from emulator.protocols.wire.errors import AnthropicError, ForeignError, OpenAIError
from emulator.web.headers import MEANINGS
from emulator.web.index import NAME
from emulator.web.operations import WISHES, Json, Operation, operations

_ABOUT = """OpenAI's and Anthropic's APIs with tool calling, for a model server whose models have none.

Every path under `/v1` is served without `/v1`, too, with or without a slash at its end. A setting (`--pass-paths`) adds
paths that are passed on to the model server. Bodies may be coded with gzip, deflate or br."""
_FIELD = re.compile(r"{(\w+)}")
_JSON = "application/json"
_EVENTS = "text/event-stream"
_FAULTS: dict[str, Any] = {"openai": OpenAIError | ForeignError, "anthropic": AnthropicError}
_STATUSES = {
    "400": "The request is wrong; the error says where.",
    "404": "There is no such path, model, response or item.",
    "413": "The body is larger than --max-body.",
    "415": "The body's Content-Encoding isn't taken.",
    "429": "Too many requests are under way, here or at the model server.",
    "502": "The model server, or the model, answered with what can't be used.",
    "503": "The model server is busy, or no kernel is free.",
    "504": "The model server took too long.",
    "4XX": "Another error of the request, or the model server's refusal.",
    "5XX": "Another fault of the model server's, or of this server.",
}
_ID = {"X-Request-Id": {"description": "The request's id, in the log too.", "schema": {"type": "string"}}}
_RETRY = {"Retry-After": {"description": "Seconds to wait before another try.", "schema": {"type": "string"}}}
_SECURITY: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The model server's key, if this server has none."},
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "The same, from Anthropic's clients.",
    },
}


def document() -> Json:
    """The whole of it, OpenAPI 3.1."""
    table = operations()
    schemas, defined = _schemas(table.values())
    paths: dict[str, Json] = {}
    for (method, path), operation in table.items():
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": NAME, "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": defined, "responses": _faults(schemas), "securitySchemes": _SECURITY},
        "security": [{}, {"bearer": []}, {"key": []}],
    }


def _schemas(table: Iterable[Operation]) -> tuple[dict[Any, Json], Json]:
    """A schema for each wire type, and those that they refer to."""
    types = {kind: None for each in table for kind in (each.body, each.answer, each.event) if kind is not None}
    adapters: list[tuple[Any, Any, TypeAdapter[Any]]] = [
        (kind, "validation", TypeAdapter(kind)) for kind in (*types, *_FAULTS.values())
    ]
    made, rest = TypeAdapter.json_schemas(adapters, ref_template="#/components/schemas/{model}")
    return {kind: schema for (kind, _), schema in made.items()}, rest.get("$defs", {})


def _operation(method: str, path: str, operation: Operation, schemas: dict[Any, Json]) -> Json:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _FIELD.findall(path)
    ]
    made: Json = {
        "operationId": re.sub(r"\W+", "_", f"{method}{path}").strip("_").lower(),
        "summary": operation.summary,
        "parameters": [*in_path, *(WISHES if operation.turn else ()), *operation.parameters],
        "responses": _answers(operation, schemas),
    }
    if operation.raw and method != "GET":
        made["requestBody"] = {"content": {"*/*": {}}}
    elif operation.body is not None:
        made["requestBody"] = {"required": True, "content": {_JSON: {"schema": schemas[operation.body]}}}
    return made


def _answers(operation: Operation, schemas: dict[Any, Json]) -> Json:
    if operation.raw:
        whole: Json = {"2XX": {"description": "The model server's answer.", "headers": _ID, "content": {"*/*": {}}}}
    else:
        whole = {str(status): _answer(operation, schemas) for status in (200, *operation.alike)}
    if operation.faults == "none":
        return whole
    refs = {status: {"$ref": f"#/components/responses/{operation.faults}_{status}"} for status in _STATUSES}
    return whole | refs


def _faults(schemas: dict[Any, Json]) -> Json:
    """The answers that are errors, by form and status."""
    faults: Json = {}
    for form, kind in _FAULTS.items():
        content = {_JSON: {"schema": schemas[kind]}}
        for status, meaning in _STATUSES.items():
            headers = _ID | (_RETRY if status == "429" else {})
            faults[f"{form}_{status}"] = {"description": meaning, "headers": headers, "content": content}
    return faults


def _answer(operation: Operation, schemas: dict[Any, Json]) -> Json:
    content: Json = {_JSON: {"schema": schemas[operation.answer]}}
    headers: Json = {}
    if operation.turn:
        headers = _ID | {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in MEANINGS.items()
        }
    if operation.event is not None:
        content[_EVENTS] = {"schema": _event(schemas[operation.event], operation.ends)}
    return {"description": operation.summary, "headers": headers, "content": content}


def _event(data: Json, ends: str) -> Json:
    """One event of a stream: OpenAPI 3.1 has no word for it, and readers take the schema for each event's."""
    described: Json = {"type": "string", "contentMediaType": _JSON, "contentSchema": data}
    if ends:
        described = {"anyOf": [{"const": ends}, described]}
    return {"type": "object", "required": ["data"], "properties": {"event": {"type": "string"}, "data": described}}
