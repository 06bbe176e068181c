"""Chat Completions requests → the core's types, with OpenAI's errors for what is wrong in them.

Source: OpenAI's API reference, POST /v1/chat/completions.  Only what is of tool calling is looked into;
every other parameter reaches the upstream as it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from emulator.errors import InvalidRequest
from emulator.protocols.chat_messages import parse_messages
from emulator.protocols.conversation import DeclaredTools, FunctionTool, Message, ResponseFormat, ToolChoice
from emulator.protocols.fields import Json, required, typed, wrong_type
from emulator.recent import Recent, content_key

TOOL_PARAMETERS = frozenset(["tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"])
"""Request parameters that no upstream gets to see."""

_SEEN_BYTES = 8 << 20
_MOST_CHOICES = 128  # OpenAI's own limit
_INTEGERS_END = 2.0**63
_NAME = re.compile(r"[\w-]{1,64}")
"""OpenAI's own pattern is narrower, ``[a-zA-Z0-9_-]``: letters of other scripts do no harm here."""


@dataclass(frozen=True, slots=True)
class ChatRules:
    """Settings of the validation: see ``Settings.empty_tools`` and ``Settings.max_tools``."""

    allow_empty_tools: bool = False
    max_tools: int = 1024
    seen: Recent[bytes, DeclaredTools] = field(default_factory=lambda: Recent[bytes, DeclaredTools](_SEEN_BYTES))
    """Declarations that were found right before, so that three hundred tools aren't looked through each time."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """``body`` is the request as sent.  ``tools`` are all that the client declares, ``choice`` what it allows."""

    body: Json
    messages: tuple[Message, ...]
    tools: DeclaredTools
    choice: ToolChoice
    parallel: bool
    stream: bool
    include_usage: bool
    n: int
    stop_given: bool
    format: ResponseFormat | None = None
    """What ``response_format`` asks the answer's words to be; None for text."""

    @property
    def plain_chat(self) -> bool:
        """Nothing of tool calling is in it: it passes through unchanged."""
        return not _mentions(self.body) and not any(message.calls or message.results for message in self.messages)


def _mentions(body: Mapping[str, Any]) -> bool:
    return any(body.get(key) is not None for key in TOOL_PARAMETERS)


def parse_chat(raw: bytes, rules: ChatRules) -> ChatRequest:
    """Raises InvalidRequest with the path of the first part that is wrong."""
    try:
        body = _loads(raw)
    except ValueError as error:
        raise InvalidRequest(
            f"We could not parse the JSON body of your request: {error}.", code="invalid_json"
        ) from None
    if not isinstance(body, dict):
        raise wrong_type("body", "an object", body)
    body = cast(Json, body)
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


def _loads(raw: bytes) -> Any:
    """Strict JSON; integers beyond 64 bits, which orjson rounds, stay what they are in parameters passed on."""
    body = orjson.loads(raw)
    if isinstance(body, dict):
        others = [value for key, value in cast(Json, body).items() if key not in ("messages", "tools")]
        if _rounded(others):
            return json.loads(raw)
    return cast(Any, body)


def _rounded(value: Any) -> bool:
    if isinstance(value, float):
        return abs(value) >= _INTEGERS_END
    if isinstance(value, dict):
        return any(map(_rounded, cast(Json, value).values()))
    return isinstance(value, list) and any(map(_rounded, cast(list[Any], value)))


def upstream_body(request: ChatRequest, messages: list[Json], *, n: int) -> Json:
    """The request without what is of tool calling, with the messages that the model is to see.

    A format of the answer's words would also hold the code to it: the messages ask for it instead.
    """
    body = {key: value for key, value in request.body.items() if key not in TOOL_PARAMETERS}
    if request.format is not None:
        del body["response_format"]
    body["messages"] = messages
    if "n" in body:
        body["n"] = n
    return body


def aside_body(request: ChatRequest, messages: list[Json]) -> Json:
    """A question beside the request: to the same model, in the same manner, and without the client's other wishes."""
    kept = {key: request.body[key] for key in ("model", "stream", "stream_options", "user") if key in request.body}
    return kept | {"messages": messages, "temperature": 0}


def _tools(body: Mapping[str, Any], rules: ChatRules) -> DeclaredTools:
    raw: list[Any] | None = typed(body, "tools", list, "an array of objects", None)
    if raw is None:
        return DeclaredTools()
    if not raw and not rules.allow_empty_tools:
        raise InvalidRequest(
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="tools",
            code="empty_array",
            hint="Leave 'tools' out, or start the server with --empty-tools ignore.",
        )
    if len(raw) > rules.max_tools:
        raise InvalidRequest(
            f"Invalid 'tools': array too long. Expected at most {rules.max_tools} tools, but got {len(raw)}.",
            param="tools",
            code="array_above_max_length",
        )
    try:
        key, size = content_key(raw)
    except RecursionError:
        raise InvalidRequest(
            "Invalid 'tools': a schema is nested too deeply.", param="tools", code="invalid_function_parameters"
        ) from None
    return rules.seen.get(key) or rules.seen.put(key, _declared(raw, key, size), size)


def _declared(raw: list[Any], key: bytes, size: int) -> DeclaredTools:
    tools = tuple(_tool(item, f"tools[{index}]") for index, item in enumerate(raw))
    first: dict[str, int] = {}
    for index, tool in enumerate(tools):
        if tool.name in first:
            raise InvalidRequest(
                f"Invalid 'tools[{index}].function.name': '{tool.name}' is already that of tools[{first[tool.name]}].",
                param=f"tools[{index}].function.name",
                code="invalid_value",
            )
        first[tool.name] = index
    return DeclaredTools(key, tools, tuple(first), size)


def _tool(item: object, path: str) -> FunctionTool:
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
    name = required(function, "name", str, "a string", path)
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"Invalid '{path}name': {name[:80]!r} does not match the expected pattern '^[a-zA-Z0-9_-]{{1,64}}$'.",
            param=f"{path}name",
            code="invalid_value",
        )
    return FunctionTool(
        name,
        typed(function, "description", str, "a string", None, path),
        function.get("parameters"),
        typed(function, "strict", bool, "a boolean", None, path),
        function.get("output_schema"),
        _writes(function) or _writes(declared),
    )


def _writes(declared: Json) -> bool:
    """MCP's annotations, beside a function or a tool, say that it isn't read-only."""
    annotations = declared.get("annotations")
    return isinstance(annotations, dict) and cast(Json, annotations).get("readOnlyHint") is False


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
        return ToolChoice("required", (_known(name, names, "tool_choice.function.name"),), named=True)
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
        chosen.append(_known(name, names, f"{at}.function.name"))
    if not chosen:
        raise InvalidRequest(f"Invalid '{path}tools': empty array.", param=f"{path}tools", code="empty_array")
    kept = frozenset(chosen)
    return ToolChoice(mode, tuple(name for name in names if name in kept))


def _known(name: str, names: tuple[str, ...], param: str) -> str:
    if name not in names:
        raise InvalidRequest(
            f"Invalid value for '{param}': the function '{name[:80]}' is not among 'tools'.",
            param="tool_choice",
            code="invalid_value",
        )
    return name
