"""``functions`` and ``function_call``, which ``tools`` and ``tool_choice`` replaced: at most one call, without an id.

Source: OpenAI's API reference, the deprecated parameters of POST /v1/chat/completions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from emulator.errors import InvalidRequest
from emulator.protocols.chat_tools import choice_without_tools, function_tool
from emulator.protocols.conversation import DeclaredTools, FunctionTool, ToolChoice
from emulator.protocols.declared import ToolForm, ToolRules, declared_tools, known_name, no_tools
from emulator.protocols.fields import Json, object_at, required, typed, unsupported, wrong_type

_PARAMETERS = ("functions", "function_call")
_REPLACED_BY = ("tools", "tool_choice")


def is_legacy(body: Mapping[str, Any]) -> bool:
    """The request declares functions.  Raises InvalidRequest where it speaks both of them and of tools."""
    given = [key for key in _PARAMETERS if body.get(key) is not None]
    newer = [key for key in _REPLACED_BY if body.get(key) is not None]
    if given and newer:
        raise InvalidRequest(
            f"Invalid parameter: '{given[0]}' is deprecated in favour of 'tools' and 'tool_choice', and can't be "
            f"given beside '{newer[0]}'.",
            param=given[0],
            code="invalid_value",
        )
    return bool(given)


def parse_functions(body: Mapping[str, Any], rules: ToolRules) -> DeclaredTools:
    """Raises InvalidRequest with the path of the first part that is wrong."""
    raw: list[Any] | None = typed(body, "functions", list, "an array of objects", None)
    if raw is None:
        return DeclaredTools()
    if not raw and not rules.allow_empty_tools:
        raise no_tools("functions")
    return declared_tools(raw, rules, _FORM)


def _function(item: object, path: str) -> tuple[FunctionTool]:
    return (function_tool(object_at(path, item), f"{path}."),)


_FORM = ToolForm("functions", _function, parameter="functions")


def parse_function_call(raw: object, names: tuple[str, ...]) -> ToolChoice:
    """``raw`` is the request's ``function_call``.  Raises InvalidRequest."""
    if raw is None:
        return ToolChoice("auto" if names else "none", names)
    if raw == "none":
        return ToolChoice("none", names)
    if isinstance(raw, str) and raw != "auto":
        raise unsupported(raw, "function_call", ("none", "auto"))
    if not isinstance(raw, str | dict):
        raise wrong_type("function_call", "a string or an object", raw)
    if not names:
        raise choice_without_tools("function_call", "functions")
    if isinstance(raw, str):
        return ToolChoice("auto", names)
    name = required(cast(Json, raw), "name", str, "a string", "function_call.")
    return ToolChoice("required", (known_name(name, names, "function_call.name"),), named=True)
