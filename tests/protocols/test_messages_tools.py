"""Tools in Anthropic's form, described or known by their type, must be offered like any other, or be refused by name."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import FunctionTool
from emulator.protocols.declared import ToolRules, declared_tools
from emulator.protocols.messages_client_tools import CLIENT_TOOLS
from emulator.protocols.messages_tools import FORM

Json = dict[str, Any]
SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}}


def tools(*declared: Any) -> tuple[FunctionTool, ...]:
    return declared_tools(list(declared), ToolRules(), FORM).tools


def test_a_tool_of_the_clients_own() -> None:
    """With everything beside it that concerns Anthropic's servers."""
    beside = {"cache_control": {"type": "ephemeral"}, "defer_loading": True, "eager_input_streaming": True}
    given: Json = {"name": "weather", "description": "d", "input_schema": SCHEMA, "strict": True, **beside}
    for kind in ({}, {"type": "custom"}, {"type": None}):
        assert tools(given | kind) == (FunctionTool("weather", "d", SCHEMA, True, place="tools[0].input_schema"),)


def test_examples_are_shown_in_the_description() -> None:
    [tool] = tools({"name": "f", "description": "d", "input_schema": SCHEMA, "input_examples": [{"city": "Köln"}, {}]})
    assert tool.description == 'd\nExamples of arguments:\n{"city": "Köln"}\n{}'


def test_names_may_be_as_long_as_anthropics() -> None:
    [tool] = tools({"name": "a" * 128, "input_schema": SCHEMA})
    assert tool.name == "a" * 128


OPTIONS: Json = {"display_width_px": 1024, "display_height_px": 768}


@pytest.mark.parametrize("kind", CLIENT_TOOLS)
def test_tools_that_clients_run_are_described(kind: str) -> None:
    [tool] = tools({"type": kind, "name": "tool", **(OPTIONS if kind.startswith("computer") else {})})
    jsonschema_rs.meta.validate(tool.parameters)
    assert tool.description
    assert tool.serial


CALLS: list[tuple[str, Json]] = [
    ("bash_20250124", {"command": "ls"}),
    ("bash_20250124", {"restart": True}),
    ("text_editor_20250728", {"command": "view", "path": "/x", "view_range": [1, -1]}),
    ("text_editor_20250728", {"command": "create", "path": "/x", "file_text": "a"}),
    ("text_editor_20250728", {"command": "str_replace", "path": "/x", "old_str": "a", "new_str": "b"}),
    ("text_editor_20250728", {"command": "insert", "path": "/x", "insert_line": 0, "new_str": "b"}),
    ("text_editor_20250124", {"command": "undo_edit", "path": "/x"}),
    ("memory_20250818", {"command": "view", "path": "/memories"}),
    ("memory_20250818", {"command": "insert", "path": "/memories/a", "insert_line": 1, "insert_text": "x"}),
    ("memory_20250818", {"command": "rename", "old_path": "/memories/a", "new_path": "/memories/b"}),
    ("computer_20250124", {"action": "left_click", "coordinate": [3, 4]}),
    ("computer_20250124", {"action": "scroll", "coordinate": [3, 4], "scroll_direction": "up", "scroll_amount": 2}),
    ("computer_20241022", {"action": "type", "text": "hello"}),
]
NO_CALLS: list[tuple[str, Json]] = [
    ("text_editor_20250728", {"command": "undo_edit", "path": "/x"}),
    ("text_editor_20250728", {"command": "view"}),
    ("memory_20250818", {"path": "/memories"}),
    ("computer_20241022", {"action": "scroll"}),
    ("computer_20251124", {"action": "zoom"}),
]


def admits(kind: str, call: Json) -> bool:
    [tool] = tools({"type": kind, "name": "tool", **OPTIONS})
    return jsonschema_rs.is_valid(tool.parameters, call)


@pytest.mark.parametrize(("kind", "call"), CALLS)
def test_documented_calls_are_admitted(kind: str, call: Json) -> None:
    assert admits(kind, call)


@pytest.mark.parametrize(("kind", "call"), NO_CALLS)
def test_what_a_version_does_not_have_is_not(kind: str, call: Json) -> None:
    assert not admits(kind, call)


def test_options_of_a_tool_are_told() -> None:
    [editor] = tools({"type": "text_editor_20250728", "name": "e", "max_characters": 500})
    [computer] = tools({"type": "computer_20251124", "name": "computer", "enable_zoom": True, **OPTIONS})
    assert "500" in (editor.description or "")
    assert "1024 x 768" in (computer.description or "")
    assert jsonschema_rs.is_valid(computer.parameters, {"action": "zoom", "region": [0, 0, 9, 9]})


@pytest.mark.parametrize(
    "kind",
    "web_search_20250305 web_fetch_20250910 code_execution_20250825 tool_search_tool_bm25_20251119 mcp_toolset "
    "advisor_20260301 computer_toolset_20260801 browser_toolset_20260801 something_new".split(),
)
def test_tools_that_would_run_here_are_refused_by_name(kind: str) -> None:
    with pytest.raises(InvalidRequest, match=f"tools.*the tool '{kind}' can't be used here") as raised:
        tools({"name": "ok", "input_schema": SCHEMA}, {"type": kind, "name": "x"})
    assert raised.value.param == "tools[1].type"


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ("x", "tools[0]"),
        ({"input_schema": SCHEMA}, "tools[0].name"),
        ({"name": "f"}, "tools[0].input_schema"),
        ({"name": "f", "input_schema": []}, "tools[0].input_schema"),
        ({"name": "a" * 129, "input_schema": SCHEMA}, "tools[0].name"),
        ({"name": "a b", "input_schema": SCHEMA}, "tools[0].name"),
        ({"name": "f", "input_schema": SCHEMA, "description": 3}, "tools[0].description"),
        ({"type": "computer_20250124", "name": "computer"}, "tools[0].display_width_px"),
        ({"type": "bash_20250124"}, "tools[0].name"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(given: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        tools(given)
    assert raised.value.param == param
