"""A field of the wrong name is ignored in silence: the answer is free, and nothing says so."""

from __future__ import annotations

import pytest

from emulator.tools.grammar.dialects import Dialect, grammar_fields, schema_fields


def test_each_server_has_its_field() -> None:
    assert {dialect: grammar_fields(dialect, "G") for dialect in Dialect} == {
        "llama.cpp": {"grammar": "G"},
        "vllm": {"structured_outputs": {"grammar": "G"}},
        "sglang": {"ebnf": "G"},
        "fireworks": {"response_format": {"type": "grammar", "grammar": "G"}},
    }


def test_a_schema_has_one_form_for_all() -> None:
    assert schema_fields("decision", {"type": "object"}) == {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "decision", "strict": True, "schema": {"type": "object"}},
        }
    }


def test_an_unknown_dialect_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="ollama"):
        grammar_fields("ollama", "G")
