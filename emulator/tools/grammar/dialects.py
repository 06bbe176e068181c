"""The fields of a chat completion by which each model server takes a grammar or a JSON Schema.

Sources: llama.cpp, tools/server/README.md (``grammar``); vLLM, docs/features/structured_outputs.md
(``structured_outputs``, since 0.12 the only form); SGLang, advanced_features/structured_outputs (``ebnf``); Fireworks,
structured-output-grammar-based (``response_format``); OpenAI's API reference for ``json_schema``, which Ollama, TGI,
OpenRouter and the others take too.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Dialect(StrEnum):
    """How a model server wants to be told a grammar; its text is GBNF for all of them."""

    LLAMA_CPP = "llama.cpp"
    VLLM = "vllm"
    SGLANG = "sglang"
    FIREWORKS = "fireworks"


def grammar_fields(dialect: str, grammar: str) -> dict[str, Any]:
    """``dialect`` is one of Dialect's values.  Raises ValueError for any other."""
    match Dialect(dialect):
        case Dialect.LLAMA_CPP:
            return {"grammar": grammar}
        case Dialect.VLLM:
            return {"structured_outputs": {"grammar": grammar}}
        case Dialect.SGLANG:
            return {"ebnf": grammar}
        case Dialect.FIREWORKS:
            return {"response_format": {"type": "grammar", "grammar": grammar}}


def schema_fields(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """``name`` is of letters, digits, dashes and underscores, at most 64."""
    return {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": name, "strict": True, "schema": dict(schema)},
        }
    }
