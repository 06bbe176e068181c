"""Models other than Anthropic's know its clients' own tools by these descriptions alone: they must offer just what such
a client runs, in each version."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import jsonschema_rs
import pytest
from anthropic.types.beta import BetaMemoryTool20250818Command, BetaToolUnionParam

from emulator.errors import InvalidRequest
from emulator.protocols.messages_client_tools import CLIENT_TOOLS, Described, client_tool

Json = dict[str, Any]
SCREEN: Json = {"display_width_px": 1280, "display_height_px": 800}


def described(kind: str, **options: Any) -> Described:
    screen = SCREEN if kind.startswith("computer") else {}
    found = client_tool(kind, {"type": kind, "name": "tool"} | screen | options, "tools[0]")
    assert found is not None
    return found


def words_of(kind: str, field: str, **options: Any) -> list[str]:
    return described(kind, **options)[1]["properties"][field]["enum"]


def test_all_that_anthropics_sdk_has_clients_run_are_there() -> None:
    """Its toolsets are several tools at once, of which the server makes the calls."""
    hints = [get_type_hints(kind).get("type") for kind in get_args(BetaToolUnionParam)]
    known = {word for hint in hints for word in get_args(hint) if isinstance(word, str)}
    run_by_clients = {word for word in known if word.startswith(("bash_", "text_editor_", "memory_", "computer_2"))}
    assert set(CLIENT_TOOLS) == run_by_clients


@pytest.mark.parametrize("kind", CLIENT_TOOLS)
def test_a_schema_is_closed_and_its_fields_are_told(kind: str) -> None:
    description, schema = described(kind)
    jsonschema_rs.meta.validate(schema)
    assert description.endswith(".")
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) <= schema["properties"].keys()
    for field in schema["properties"].values():
        assert "enum" in field or field["description"]


@pytest.mark.parametrize("kind", ["custom", "bash", "web_search_20250305", "bash_20990101", ""])
def test_what_no_client_runs_is_none_of_them(kind: str) -> None:
    assert client_tool(kind, {"type": kind, "name": "tool"}, "tools[0]") is None


FILES = ["view", "create", "str_replace", "insert"]
COMMANDS: list[tuple[str, list[str]]] = [
    ("text_editor_20241022", [*FILES, "undo_edit"]),
    ("text_editor_20250124", [*FILES, "undo_edit"]),
    ("text_editor_20250429", FILES),
    ("text_editor_20250728", FILES),
    ("memory_20250818", [*FILES, "delete", "rename"]),
]


@pytest.mark.parametrize(("kind", "commands"), COMMANDS)
def test_commands_by_version(kind: str, commands: list[str]) -> None:
    assert words_of(kind, "command") == commands


def test_the_memorys_commands_are_those_that_anthropics_sdk_runs() -> None:
    schema = described("memory_20250818")[1]
    fields: set[str] = set()
    commands: set[str] = set()
    for command in get_args(get_args(BetaMemoryTool20250818Command)[0]):
        fields |= command.model_fields.keys()
        commands |= set(get_args(command.model_fields["command"].annotation))
    assert schema["properties"].keys() == fields
    assert set(schema["properties"]["command"]["enum"]) == commands


FIRST = {
    "key",
    "type",
    "mouse_move",
    "left_click",
    "left_click_drag",
    "right_click",
    "middle_click",
    "double_click",
} | {
    "screenshot",
    "cursor_position",
}
LATER = {"left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait", "triple_click"}
ACTIONS: list[tuple[str, Json, set[str]]] = [
    ("computer_20241022", {}, FIRST),
    ("computer_20250124", {}, FIRST | LATER),
    ("computer_20251124", {}, FIRST | LATER),
    ("computer_20251124", {"enable_zoom": False}, FIRST | LATER),
    ("computer_20251124", {"enable_zoom": True}, FIRST | LATER | {"zoom"}),
]


@pytest.mark.parametrize(("kind", "options", "actions"), ACTIONS)
def test_actions_by_version(kind: str, options: Json, actions: set[str]) -> None:
    fields = described(kind, **options)[1]["properties"]
    assert set(fields["action"]["enum"]) == actions
    assert ("region" in fields) == ("zoom" in actions)
    assert ("scroll_direction" in fields) == ("scroll" in actions)


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        ("computer_20250124", SCREEN, "1280 x 800 pixels"),
        ("text_editor_20250728", {"max_characters": 500}, "At most 500 characters"),
    ],
)
def test_options_are_told_in_the_description(kind: str, options: Json, told: str) -> None:
    assert told in described(kind, **options)[0]


@pytest.mark.parametrize("options", [{}, {"max_characters": None}])
def test_an_editor_without_a_limit_speaks_of_none(options: Json) -> None:
    assert "At most" not in described("text_editor_20250728", **options)[0]


WRONG: list[tuple[str, Json, str, str]] = [
    ("computer_20250124", {"display_width_px": None}, "tools[0].display_width_px", "missing_required_parameter"),
    ("computer_20250124", {"display_height_px": None}, "tools[0].display_height_px", "missing_required_parameter"),
    ("computer_20241022", {"display_width_px": "9"}, "tools[0].display_width_px", "invalid_type"),
    ("computer_20251124", {"display_height_px": 1.5}, "tools[0].display_height_px", "invalid_type"),
    ("computer_20251124", {"display_height_px": True}, "tools[0].display_height_px", "invalid_type"),
    ("text_editor_20250728", {"max_characters": "9"}, "tools[0].max_characters", "invalid_type"),
    ("text_editor_20250728", {"max_characters": True}, "tools[0].max_characters", "invalid_type"),
]


@pytest.mark.parametrize(("kind", "options", "param", "code"), WRONG)
def test_what_is_wrong(kind: str, options: Json, param: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        described(kind, **options)
    assert (raised.value.param, raised.value.code) == (param, code)
