"""The tools of a Chat Completions request and which of them may be called, with OpenAI's errors for what is wrong.

Source: OpenAI's API reference, ``tools`` and ``tool_choice`` of POST /v1/chat/completions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import DeclaredTools, FunctionTool, ToolChoice
from emulator.protocols.custom import custom_tool
from emulator.protocols.declared import (
    ToolForm,
    ToolRules,
    checked_name,
    declared_tools,
    is_serial,
    known_name,
    no_tools,
)
from emulator.protocols.fields import Json, empty_array, object_at, required, typed, unsupported, wrong_type

_MODES = ("none", "auto", "required")
_KINDS = ("function", "custom")


def parse_tools(body: Mapping[str, Any], rules: ToolRules) -> DeclaredTools:
    """Raises InvalidRequest with the path of the first part that is wrong."""
    raw: list[Any] | None = typed(body, "tools", list, "an array of objects", None)
    if raw is None:
        return DeclaredTools()
    if not raw and not rules.allow_empty_tools:
        raise no_tools()
    return declared_tools(raw, rules, _FORM)


def function_tool(function: Json, path: str, *, serial: bool = False) -> FunctionTool:
    """What a function says of itself; ``path`` is where, with the dot behind it."""
    return FunctionTool(
        checked_name(required(function, "name", str, "a string", path), f"{path}name"),
        typed(function, "description", str, "a string", None, path),
        function.get("parameters"),
        typed(function, "strict", bool, "a boolean", None, path),
        function.get("output_schema"),
        serial or is_serial(function),
        place=f"{path}parameters",
    )


def _tool(item: object, path: str) -> tuple[FunctionTool]:
    declared = object_at(path, item)
    kind = required(declared, "type", str, "a string", f"{path}.")
    if kind == "custom":
        return (_custom(required(declared, "custom", dict, "an object", f"{path}."), f"{path}.custom."),)
    if kind != "function":
        raise unsupported(kind, f"{path}.type", _KINDS)
    function = required(declared, "function", dict, "an object", f"{path}.")
    return (function_tool(function, f"{path}.function.", serial=is_serial(declared)),)


def _custom(custom: Json, path: str) -> FunctionTool:
    name = checked_name(required(custom, "name", str, "a string", path), f"{path}name")
    description = typed(custom, "description", str, "a string", None, path)
    return custom_tool(name, description, custom.get("format"), f"{path}format")


_FORM = ToolForm("chat", _tool, "function.name", "custom.name")


def parse_choice(raw: object, tools: DeclaredTools) -> ToolChoice:
    """``raw`` is ``tool_choice``.  Raises InvalidRequest with the path of the first part that is wrong."""
    names = tools.names
    if raw is None:
        return ToolChoice("auto" if names else "none", names)
    if isinstance(raw, str):
        if raw not in _MODES:
            raise unsupported(raw, "tool_choice", _MODES)
        if raw != "none" and not names:
            raise choice_without_tools()
        return ToolChoice(raw, names)  # pyright: ignore[reportArgumentType] checked above
    if not isinstance(raw, dict):
        raise wrong_type("tool_choice", "a string or an object", raw)
    choice = cast(Json, raw)
    if not names:
        raise choice_without_tools()
    kind = required(choice, "type", str, "a string", "tool_choice.")
    if kind == "allowed_tools":
        return _allowed(choice, tools)
    if kind in _KINDS:
        return ToolChoice("required", (_named(choice, kind, tools, "tool_choice"),), named=True)
    raise unsupported(kind, "tool_choice.type", (*_KINDS, "allowed_tools"))


def choice_without_tools(choice: str = "tool_choice", tools: str = "tools") -> InvalidRequest:
    return InvalidRequest(
        f"Invalid value for '{choice}': '{choice}' is only allowed when '{tools}' are specified.",
        param=choice,
        code="invalid_value",
    )


def _named(item: Json, kind: str, tools: DeclaredTools, path: str) -> str:
    """The tool of this kind that ``item`` names."""
    named = required(item, kind, dict, "an object", f"{path}.")
    name = required(named, "name", str, "a string", f"{path}.{kind}.")
    known = [tool.name for tool in tools.tools if tool.custom == (kind == "custom")]
    return known_name(name, known, f"{path}.{kind}.name")


def _allowed(choice: Json, tools: DeclaredTools) -> ToolChoice:
    path = "tool_choice.allowed_tools."
    allowed = required(choice, "allowed_tools", dict, "an object", "tool_choice.")
    mode = required(allowed, "mode", str, "a string", path)
    if mode not in ("auto", "required"):
        raise unsupported(mode, f"{path}mode", ("auto", "required"))
    listed: list[Any] = required(allowed, "tools", list, "an array of objects", path)
    kept = frozenset(_each_allowed(listed, tools, f"{path}tools"))
    if not kept:
        raise empty_array(f"{path}tools")
    return ToolChoice(mode, tuple(name for name in tools.names if name in kept))


def _each_allowed(listed: list[Any], tools: DeclaredTools, path: str) -> Iterator[str]:
    for index, item in enumerate(listed):
        at = f"{path}[{index}]"
        allowed = object_at(at, item)
        kind = typed(allowed, "type", str, "a string", "function", f"{at}.")
        if kind not in _KINDS:
            raise unsupported(kind, f"{at}.type", _KINDS)
        yield _named(allowed, kind, tools, at)
