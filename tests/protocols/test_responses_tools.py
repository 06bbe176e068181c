"""Tools come to a Responses request in five ways; which may be called must be the same whichever it is, and what runs
only at OpenAI must be refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import DeclaredTools, ToolChoice
from emulator.protocols.declared import ToolRules
from emulator.protocols.responses_tools import declared, outer_names, placed_tools, tool_choice

Json = dict[str, Any]

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER: Json = {"type": "function", "name": "weather", "description": "Weather.", "parameters": PARAMETERS}
NEWS: Json = {"type": "function", "name": "news", "strict": True, "defer_loading": True}
PATCH: Json = {
    "type": "custom",
    "name": "patch",
    "format": {"type": "grammar", "syntax": "regex", "definition": "[a-z]+"},
}
CRM: Json = {"type": "namespace", "name": "crm", "description": "Customers.", "tools": [WEATHER, NEWS]}


def tools_of(*tools: object, items: tuple[Json, ...] = (), rules: ToolRules | None = None) -> DeclaredTools:
    located = [(item, f"input[{index}]") for index, item in enumerate(items)]
    return declared(placed_tools(tools, located), rules or ToolRules())


def test_functions() -> None:
    weather, news = tools_of(WEATHER, NEWS).tools
    assert (weather.name, weather.description, weather.parameters) == ("weather", "Weather.", PARAMETERS)
    assert (weather.place, news.strict, news.parameters, news.custom) == ("tools[0].parameters", True, None, False)


def test_custom_tools_take_a_text() -> None:
    [patch] = tools_of(PATCH).tools
    assert patch.custom and patch.parameters["properties"]["input"]["type"] == "string"
    assert patch.place.startswith("tools[0].format")


def test_a_namespaces_tools_are_told_apart_and_described_once() -> None:
    found = tools_of(WEATHER, CRM)
    assert found.names == ("weather", "crm__weather", "crm__news")
    assert [tool.description for tool in found.tools] == ["Weather.", "Weather.\n\ncrm: Customers.", None]
    assert found.tools[2].place == "tools[1].tools[1].parameters"
    assert outer_names(placed_tools([WEATHER, CRM], ())) == {
        "crm__weather": ("crm", "weather"),
        "crm__news": ("crm", "news"),
    }


def test_a_namespace_may_be_called_by_its_prefix() -> None:
    """As Codex has it."""
    assert tools_of(CRM | {"name": "mcp__crm__"}).names == ("mcp__crm__weather", "mcp__crm__news")


@pytest.mark.parametrize("kind", ["additional_tools", "tool_search_output"])
def test_tools_among_the_input_are_added_and_the_later_counts(kind: str) -> None:
    later = WEATHER | {"description": "Better."}
    found = tools_of(WEATHER, items=({"type": "message"}, {"type": kind, "tools": [later, NEWS]}))
    assert [(tool.name, tool.description) for tool in found.tools] == [("weather", "Better."), ("news", None)]
    assert found.tools[1].place == "input[1].tools[1].parameters"


def test_equal_tools_have_equal_keys_wherever_their_item_stands() -> None:
    """A program is gone on with only if its tools are the same."""
    item = {"type": "additional_tools", "tools": [WEATHER]}
    assert tools_of(items=(item,)).key == tools_of(items=({"type": "message"}, item)).key
    assert tools_of(items=(item,)).key != tools_of(NEWS, items=(item,)).key


def test_a_tool_stands_where_this_request_has_it() -> None:
    """Declarations are looked through once, and may stand elsewhere the next time."""
    rules = ToolRules()
    item = {"type": "additional_tools", "tools": [WEATHER, PATCH]}
    for found, place in (
        (tools_of(WEATHER, PATCH, rules=rules), "tools[{}]"),
        (tools_of(items=(item,), rules=rules), "input[0].tools[{}]"),
        (tools_of(items=({"type": "message"}, item), rules=rules), "input[1].tools[{}]"),
    ):
        weather, patch = found.tools
        assert weather.place == f"{place.format(0)}.parameters"
        assert patch.place == f"{place.format(1)}.format.definition"


def test_tools_that_came_with_earlier_responses_say_so() -> None:
    wrong = {"type": "additional_tools", "tools": [{"type": "function"}]}
    with pytest.raises(InvalidRequest) as raised:
        placed_tools((), [(wrong, "previous_response_id")])
    assert raised.value.param == "previous_response_id.tools[0].name"


WRONG: list[tuple[list[Any], str, str]] = [
    ([3], "tools[0]", "invalid_type"),
    ([{"name": "x"}], "tools[0].type", "missing_required_parameter"),
    ([{"type": "function"}], "tools[0].name", "missing_required_parameter"),
    ([{"type": "function", "name": "a b"}], "tools[0].name", "invalid_value"),
    ([{"type": "function", "name": "x" * 129}], "tools[0].name", "invalid_value"),
    ([WEATHER | {"description": 3}], "tools[0].description", "invalid_type"),
    ([WEATHER | {"parameters": []}], "tools[0].parameters", "invalid_type"),
    ([WEATHER | {"strict": 1}], "tools[0].strict", "invalid_type"),
    ([WEATHER, WEATHER], "tools[1].name", "invalid_value"),
    ([{"type": "mine", "name": "x"}], "tools[0].type", "invalid_value"),
    ([{"type": "namespace", "name": "crm"}], "tools[0].tools", "missing_required_parameter"),
    ([{"type": "namespace", "tools": []}], "tools[0].name", "missing_required_parameter"),
    ([CRM | {"tools": [CRM]}], "tools[0].tools[0].type", "invalid_value"),
    ([CRM | {"tools": [NEWS, NEWS]}], "tools[0].tools[1].name", "invalid_value"),
    ([PATCH | {"format": {"type": "grammar", "syntax": "bnf"}}], "tools[0].format.syntax", "invalid_value"),
]


@pytest.mark.parametrize(("tools", "param", "code"), WRONG, ids=str)
def test_tools_that_are_wrong(tools: list[Any], param: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        tools_of(*tools)
    assert (raised.value.param, raised.value.code) == (param, code)


def test_too_many_tools() -> None:
    with pytest.raises(InvalidRequest) as raised:
        declared(placed_tools([WEATHER, NEWS], ()), ToolRules(max_tools=1))
    assert (raised.value.param, raised.value.code) == ("tools", "array_above_max_length")


@pytest.mark.parametrize("kind", ["web_search", "file_search", "mcp", "code_interpreter", "local_shell", "tool_search"])
def test_built_in_tools_are_refused_by_name(kind: str) -> None:
    for tools, path in (
        ([NEWS, {"type": kind}], "tools[1].type"),
        ([CRM | {"tools": [{"type": kind}]}], "tools[0].tools[0].type"),
    ):
        with pytest.raises(InvalidRequest, match=f"'{kind}'") as raised:
            tools_of(*tools)
        assert (raised.value.param, raised.value.code) == (path, "unsupported_tool")
    with pytest.raises(InvalidRequest, match=f"'{kind}'") as raised:
        tool_choice({"type": kind}, PLACED)
    assert raised.value.param == "tool_choice.type"


SHOUT: Json = {"type": "custom", "name": "shout"}
PLACED = placed_tools([WEATHER, SHOUT, CRM | {"tools": [NEWS, WEATHER]}, WEATHER | {"name": "billing__pay"}], ())
NAMES = ("weather", "shout", "crm__news", "crm__weather", "billing__pay")
CHOICES: list[tuple[Any, ToolChoice]] = [
    (None, ToolChoice("auto", NAMES)),
    ("auto", ToolChoice("auto", NAMES)),
    ("none", ToolChoice("none", NAMES)),
    ("required", ToolChoice("required", NAMES)),
    ({"type": "function", "name": "weather"}, ToolChoice("required", ("weather",), named=True)),
    ({"type": "custom", "name": "shout"}, ToolChoice("required", ("shout",), named=True)),
    ({"type": "function", "name": "news", "namespace": "crm"}, ToolChoice("required", ("crm__news",), named=True)),
    (
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "shout"}]},
        ToolChoice("required", ("shout",)),
    ),
    (
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "namespace", "name": "crm"}]},
        ToolChoice("auto", ("crm__news", "crm__weather")),
    ),
]


@pytest.mark.parametrize(("raw", "choice"), CHOICES, ids=str)
def test_choices(raw: object, choice: ToolChoice) -> None:
    assert tool_choice(raw, PLACED) == choice


@pytest.mark.parametrize("raw", [None, "auto", "none"])
def test_choices_without_tools(raw: str | None) -> None:
    assert tool_choice(raw, ()) == ToolChoice("none", ())


WRONG_CHOICES: list[tuple[Any, str, str]] = [
    (3, "tool_choice", "invalid_type"),
    ("perhaps", "tool_choice", "invalid_value"),
    ({}, "tool_choice.type", "missing_required_parameter"),
    ({"type": "function"}, "tool_choice.name", "missing_required_parameter"),
    ({"type": "function", "name": "else"}, "tool_choice", "invalid_value"),
    ({"type": "function", "name": "news"}, "tool_choice", "invalid_value"),
    ({"type": "function", "name": "shout"}, "tool_choice", "invalid_value"),
    ({"type": "custom", "name": "weather"}, "tool_choice", "invalid_value"),
    ({"type": "function", "name": "pay", "namespace": "billing"}, "tool_choice", "invalid_value"),
    ({"type": "allowed_tools", "tools": []}, "tool_choice.mode", "missing_required_parameter"),
    ({"type": "allowed_tools", "mode": "none", "tools": []}, "tool_choice.mode", "invalid_value"),
    ({"type": "allowed_tools", "mode": "auto", "tools": []}, "tool_choice.tools", "empty_array"),
    ({"type": "allowed_tools", "mode": "auto", "tools": [3]}, "tool_choice.tools[0]", "invalid_type"),
    (
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]},
        "tool_choice.tools[0].type",
        "unsupported_tool",
    ),
    (
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "namespace", "name": "c"}]},
        "tool_choice",
        "invalid_value",
    ),
    (
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "namespace", "name": "billing"}]},
        "tool_choice",
        "invalid_value",
    ),
]


@pytest.mark.parametrize(("raw", "param", "code"), WRONG_CHOICES, ids=str)
def test_choices_that_are_wrong(raw: object, param: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        tool_choice(raw, PLACED)
    assert (raised.value.param, raised.value.code) == (param, code)


def test_a_call_cannot_be_demanded_without_tools() -> None:
    with pytest.raises(InvalidRequest) as raised:
        tool_choice("required", ())
    assert raised.value.param == "tool_choice"
