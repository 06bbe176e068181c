"""A custom tool's input reaches the client as the text that it is, however the JSON around it is cut."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InvalidRequest
from emulator.protocols.custom import InputReader, custom_arguments, custom_input, custom_tool
from emulator.tools.lark import fault
from emulator.tools.plain import arguments_json

LARK = {"type": "grammar", "syntax": "lark", "definition": 'start: "a"'}


def test_the_model_is_told_the_grammar_as_it_is() -> None:
    tool = custom_tool("sql", "Runs SQL.", LARK, "tools[0].format")
    assert tool.description == 'Runs SQL.\n\ninput must match this Lark grammar as a whole:\nstart: "a"'
    assert (tool.grammar, tool.place) == ('start: "a"', "tools[0].format.definition")


def test_a_regular_expression_is_a_grammar_too() -> None:
    format = {"type": "grammar", "grammar": {"syntax": "regex", "definition": "a/b"}}
    tool = custom_tool("sql", None, format, "tools[0].custom.format")
    assert tool.description == "input must match this regular expression as a whole:\na/b"
    assert (tool.grammar, tool.place) == (r"start: /a\/b/", "tools[0].custom.format.grammar.definition")
    assert tool.grammar is not None
    assert fault(tool.grammar) is None


@pytest.mark.parametrize("format", [None, {"type": "text"}])
def test_any_text(format: Any) -> None:
    tool = custom_tool("sql", None, format, "f")
    assert (tool.description, tool.grammar, tool.custom) == (None, None, True)


def test_a_definition_has_a_limit() -> None:
    with pytest.raises(InvalidRequest) as raised:
        custom_tool("sql", None, LARK | {"definition": "é" * 40_000}, "tools[3].format")
    assert (raised.value.param, raised.value.code) == ("tools[3].format.definition", "string_above_max_length")


@given(st.text(st.characters(codec="utf-8")), st.lists(st.integers(0, 200), max_size=6))
def test_the_input_is_read_as_it_comes(text: str, cuts: list[int]) -> None:
    arguments = arguments_json({"input": text})
    places = [0, *sorted(cuts), len(arguments) + 200]
    reader = InputReader()
    pieces = [reader.feed(arguments[start:end]) for start, end in itertools.pairwise(places)]
    assert "".join(pieces) == text == custom_input(arguments)


def test_the_input_comes_no_later_than_it_is_known() -> None:
    reader = InputReader()
    assert [reader.feed(piece) for piece in ('{"inp', 'ut":"a', "b\\", "u00", "01c", '"}')] == [
        "",
        "a",
        "b",
        "",
        "\x01c",
        "",
    ]


def test_a_text_as_arguments() -> None:
    assert custom_input(custom_arguments('é "x"\n')) == 'é "x"\n'
