"""The tools whose interface Anthropic fixed and which its clients run by themselves, as its documentation has them.

Models other than Anthropic's own know nothing of them, so they are described here like any tool.
Source: Anthropic's guides to the bash, text editor, memory and computer use tools, and its SDK's types.
"""

from __future__ import annotations

from collections.abc import Callable

from emulator.protocols.fields import Json, required, typed

Described = tuple[str, Json]
"""A description and a JSON Schema."""

_STRING: Json = {"type": "string"}
_INTEGER: Json = {"type": "integer"}


def client_tool(kind: str, declared: Json, path: str) -> Described | None:
    """The tool of type ``kind``, declared at ``path``; None where there is none of this type that a client runs.

    Raises InvalidRequest where an option of it is missing or wrong.
    """
    describe = _TOOLS.get(kind)
    return None if describe is None else describe(declared, f"{path}.")


def _object(required: list[str], properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _said(kind: Json, description: str) -> Json:
    return kind | {"description": description}


def _numbers(count: int) -> Json:
    return {"type": "array", "items": _INTEGER, "minItems": count, "maxItems": count}


def _one_of(*words: str) -> Json:
    return {"type": "string", "enum": list(words)}


_BASH: Described = (
    "Runs commands in a bash session that lasts: its folder, variables and processes are kept between calls.",
    _object(
        [],
        {
            "command": _said(_STRING, "The command to run; left out only to restart"),
            "restart": _said({"type": "boolean"}, "Starts the session anew"),
        },
    ),
)
_COMMANDS = ("view", "create", "str_replace", "insert")
_FILE_FIELDS: Json = {
    "path": _said(_STRING, "Absolute path of a file or folder"),
    "file_text": _said(_STRING, "create: the whole content of the file"),
    "old_str": _said(_STRING, "str_replace: the text to replace, exactly as it stands in the file, and only once"),
    "new_str": _said(_STRING, "str_replace: the text in its place"),
    "insert_line": _said(_INTEGER, "insert: the line after which to insert; 0 is the file's beginning"),
    "view_range": _said(_numbers(2), "view: first and last line to show, counted from 1; -1 is the end"),
}
_EDITOR_FIELDS = _FILE_FIELDS | {
    "new_str": _said(_STRING, "str_replace: the text in its place; insert: the text to insert")
}
_MEMORY_FIELDS = _FILE_FIELDS | {
    "insert_text": _said(_STRING, "insert: the text to insert"),
    "path": _said(_STRING, "Path below /memories; not for rename"),
    "old_path": _said(_STRING, "rename: the path as it is"),
    "new_path": _said(_STRING, "rename: the path as it is to be"),
}
_MEMORY: Described = (
    "Files below /memories that outlast the conversation: view them before a task, and write down what may be of use.",
    _object(["command"], {"command": _one_of(*_COMMANDS, "delete", "rename")} | _MEMORY_FIELDS),
)
_ACTIONS = (
    "key type mouse_move left_click left_click_drag right_click middle_click double_click screenshot cursor_position"
).split()
_LATER_ACTIONS = "left_mouse_down left_mouse_up scroll hold_key wait triple_click".split()
_COMPUTER_FIELDS: Json = {
    "coordinate": _said(_numbers(2), "x and y in pixels from the left upper corner"),
    "text": _said(_STRING, "type: the text; key, hold_key: keys such as ctrl+s; clicks: keys held meanwhile"),
}
_LATER_FIELDS: Json = {
    "start_coordinate": _said(_numbers(2), "left_click_drag: where it begins"),
    "scroll_direction": _one_of("up", "down", "left", "right"),
    "scroll_amount": _said(_INTEGER, "scroll: clicks of the wheel"),
    "duration": _said({"type": "number"}, "hold_key, wait: seconds"),
}
_REGION = _said(_numbers(4), "zoom: left, top, right and bottom of what to show")


def _editor(declared: Json, path: str) -> Described:
    most: int | None = typed(declared, "max_characters", int, "an integer", None, path)
    shown = f" At most {most} characters of a file are shown." if most else ""
    undo = ("undo_edit",) if declared["type"] in ("text_editor_20241022", "text_editor_20250124") else ()
    return (
        f"Shows, creates and edits text files. view shows a file, or what is in a folder.{shown}",
        _object(["command", "path"], {"command": _one_of(*_COMMANDS, *undo)} | _EDITOR_FIELDS),
    )


def _computer(declared: Json, path: str) -> Described:
    width, height = (required(declared, f"display_{side}_px", int, "an integer", path) for side in ("width", "height"))
    actions, fields = _ACTIONS, _COMPUTER_FIELDS
    if declared["type"] != "computer_20241022":
        actions, fields = [*actions, *_LATER_ACTIONS], fields | _LATER_FIELDS
    if declared.get("enable_zoom") is True:
        actions, fields = [*actions, "zoom"], fields | {"region": _REGION}
    description = (
        f"Mouse, keyboard and screen of a computer; the screen has {width} x {height} pixels. Take a screenshot to see "
        "what an action did."
    )
    return description, _object(["action"], {"action": _one_of(*actions)} | fields)


_TOOLS: dict[str, Callable[[Json, str], Described]] = {
    "bash_20241022": lambda declared, path: _BASH,
    "bash_20250124": lambda declared, path: _BASH,
    "text_editor_20241022": _editor,
    "text_editor_20250124": _editor,
    "text_editor_20250429": _editor,
    "text_editor_20250728": _editor,
    "memory_20250818": lambda declared, path: _MEMORY,
    "computer_20241022": _computer,
    "computer_20250124": _computer,
    "computer_20251124": _computer,
}
CLIENT_TOOLS = tuple(_TOOLS)
