"""Chat Completions requests → the core's types, with OpenAI's errors for what is wrong in them.

Source: OpenAI's API reference, POST /v1/chat/completions.  Only what is of tool calling is looked into;
every other parameter reaches the upstream as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from emulator.errors import InvalidRequest
from emulator.protocols.chat_messages import parse_messages
from emulator.protocols.conversation import DeclaredTools, FunctionTool, ResponseFormat, ToolChoice
from emulator.protocols.declared import (
    ToolForm,
    ToolRules,
    checked_name,
    declared_tools,
    is_serial,
    known_name,
    no_tools,
)
from emulator.protocols.fields import Json, json_object, required, typed, wrong_type
from emulator.protocols.request import TOOL_PARAMETERS, TurnRequest

_MOST_CHOICES = 128  # OpenAI's own limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest(TurnRequest):
    """``include_usage``: the stream is to end with the usage."""

    include_usage: bool = False

    @property
    def plain_chat(self) -> bool:
        """Nothing of tool calling is in it: it passes through unchanged."""
        return not _mentions(self.body) and not any(message.calls or message.results for message in self.messages)

    def native_body(self) -> Json:
        return self.body


def _mentions(body: Mapping[str, Any]) -> bool:
    return any(body.get(key) is not None for key in TOOL_PARAMETERS)


def parse_chat(raw: bytes, rules: ToolRules) -> ChatRequest:
    """Raises InvalidRequest with the path of the first part that is wrong."""
    body = json_object(raw)
    stream = typed(body, "stream", bool, "a boolean", False)
    options = typed(body, "stream_options", dict, "an object", {})
    n = typed(body, "n", int, "an integer", 1)
    if n < 1:
        raise InvalidRequest(f"Invalid value for 'n': {n} is less than 1.", param="n", code="integer_below_min_value")
    for legacy in ("functions", "function_call"):
        if body.get(legacy) is not None:
            raise InvalidRequest(
                f"'{legacy}' is deprecated in favour of 'tools' and 'tool_choice', and is not served here.",
                param=legacy,
                code="unsupported_parameter",
            )
    if n > _MOST_CHOICES:
        raise InvalidRequest(
            f"Invalid value for 'n': {n} is greater than {_MOST_CHOICES}.", param="n", code="integer_above_max_value"
        )
    tools = _tools(body, rules)
    return ChatRequest(
        body=body,
        messages=parse_messages(body),
        tools=tools,
        choice=_choice(body.get("tool_choice"), tools.names),
        parallel=typed(body, "parallel_tool_calls", bool, "a boolean", True),
        stream=stream,
        include_usage=bool(typed(options, "include_usage", bool, "a boolean", False, "stream_options.")),
        n=n,
        stop_given=bool(body.get("stop")),
        format=_format(body),
    )


def _format(body: Json) -> ResponseFormat | None:
    """Other types than JSON's are the upstream's to know."""
    given: Json = typed(body, "response_format", dict, "an object", {})
    if given.get("type") == "json_object":
        return ResponseFormat()
    if given.get("type") != "json_schema":
        return None
    described: Json = required(given, "json_schema", dict, "an object", "response_format.")
    path = "response_format.json_schema."
    return ResponseFormat(
        typed(described, "schema", dict, "an object", {}, path), typed(described, "name", str, "a string", "", path)
    )


def _tools(body: Mapping[str, Any], rules: ToolRules) -> DeclaredTools:
    raw: list[Any] | None = typed(body, "tools", list, "an array of objects", None)
    if raw is None:
        return DeclaredTools()
    if not raw and not rules.allow_empty_tools:
        raise no_tools()
    return declared_tools(raw, rules, _FORM)


def _tool(item: object, path: str) -> tuple[FunctionTool]:
    if not isinstance(item, dict):
        raise wrong_type(path, "an object", item)
    declared = cast(Json, item)
    kind = required(declared, "type", str, "a string", f"{path}.")
    if kind != "function":
        raise InvalidRequest(
            f"Invalid value: '{kind}'. Supported values are: 'function'.", param=f"{path}.type", code="invalid_value"
        )
    function = required(declared, "function", dict, "an object", f"{path}.")
    path = f"{path}.function."
    return (
        FunctionTool(
            checked_name(required(function, "name", str, "a string", path), f"{path}name"),
            typed(function, "description", str, "a string", None, path),
            function.get("parameters"),
            typed(function, "strict", bool, "a boolean", None, path),
            function.get("output_schema"),
            is_serial(function) or is_serial(declared),
        ),
    )


_FORM = ToolForm("chat", _tool, "function.name")


def _choice(raw: object, names: tuple[str, ...]) -> ToolChoice:
    if raw is None:
        return ToolChoice("auto" if names else "none", names)
    if isinstance(raw, str):
        if raw not in ("none", "auto", "required"):
            raise InvalidRequest(
                f"Invalid value: '{raw[:80]}'. Supported values are: 'none', 'auto', and 'required'.",
                param="tool_choice",
                code="invalid_value",
            )
        if raw != "none" and not names:
            raise _choice_without_tools()
        return ToolChoice(raw, names)  # pyright: ignore[reportArgumentType] checked above
    if not isinstance(raw, dict):
        raise wrong_type("tool_choice", "a string or an object", raw)
    choice = cast(Json, raw)
    if not names:
        raise _choice_without_tools()
    kind = required(choice, "type", str, "a string", "tool_choice.")
    if kind == "function":
        function = required(choice, "function", dict, "an object", "tool_choice.")
        name = required(function, "name", str, "a string", "tool_choice.function.")
        return ToolChoice("required", (known_name(name, names, "tool_choice.function.name"),), named=True)
    if kind == "allowed_tools":
        return _allowed(choice, names)
    raise InvalidRequest(
        f"Invalid value: '{kind[:80]}'. Supported values are: 'function' and 'allowed_tools'.",
        param="tool_choice.type",
        code="invalid_value",
    )


def _choice_without_tools() -> InvalidRequest:
    return InvalidRequest(
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        param="tool_choice",
        code="invalid_value",
    )


def _allowed(choice: Json, names: tuple[str, ...]) -> ToolChoice:
    path = "tool_choice.allowed_tools."
    allowed = required(choice, "allowed_tools", dict, "an object", "tool_choice.")
    mode = required(allowed, "mode", str, "a string", path)
    if mode not in ("auto", "required"):
        raise InvalidRequest(
            f"Invalid value: '{mode[:80]}'. Supported values are: 'auto' and 'required'.",
            param=f"{path}mode",
            code="invalid_value",
        )
    listed: list[Any] = required(allowed, "tools", list, "an array of objects", path)
    chosen: list[str] = []
    for index, item in enumerate(listed):
        at = f"{path}tools[{index}]"
        if not isinstance(item, dict):
            raise wrong_type(at, "an object", item)
        function = required(cast(Json, item), "function", dict, "an object", f"{at}.")
        name = required(function, "name", str, "a string", f"{at}.function.")
        chosen.append(known_name(name, names, f"{at}.function.name"))
    if not chosen:
        raise InvalidRequest(f"Invalid '{path}tools': empty array.", param=f"{path}tools", code="empty_array")
    kept = frozenset(chosen)
    return ToolChoice(mode, tuple(name for name in names if name in kept))
