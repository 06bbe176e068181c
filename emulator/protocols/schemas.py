"""JSON Schemas as clients send them → as the standard has them, where they can mean nothing else.

Rule: only spellings are changed, never what a schema admits.
Sources: JSON Schema 2020-12; dumps of models without ``exclude_none`` (null keywords), Gemini's ``OBJECT``, LiteLLM's
references for Anthropic.
"""

from __future__ import annotations

from typing import Any, cast

_TYPES = frozenset(["string", "number", "integer", "boolean", "array", "object", "null"])
_DATA = frozenset(["enum", "const", "default", "examples", "example", "dependentRequired"])
_NAMED = frozenset(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"])


def standard_schema(schema: Any) -> Any:
    """``schema`` without keywords that are null, with types in lower case and references that begin with ``#``.

    What is nested beyond Python's stack stays as it is, for whoever refuses it.
    """
    try:
        return _standard(schema)
    except RecursionError:
        return schema


def _standard(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_standard(item) for item in cast(list[Any], schema)]
    if not isinstance(schema, dict):
        return schema
    keywords = cast(dict[str, Any], schema).items()
    return {key: _keyword(key, value) for key, value in keywords if value is not None or key in _DATA}


def _keyword(key: str, value: Any) -> Any:
    if key in _DATA:
        return value
    if key in _NAMED and isinstance(value, dict):
        return {name: _standard(part) for name, part in cast(dict[str, Any], value).items()}
    if key == "type":
        return [_type(kind) for kind in cast(list[Any], value)] if isinstance(value, list) else _type(value)
    if key == "$ref" and isinstance(value, str) and value.startswith("/"):
        return f"#{value}"  # Without a base URI it can mean nothing but the schema's root.
    return _standard(value)


def _type(kind: Any) -> Any:
    return kind.lower() if isinstance(kind, str) and kind.lower() in _TYPES else kind
