"""Chat Completions requests → the core's types, with OpenAI's errors for what is wrong in them.

Source: OpenAI's API reference, POST /v1/chat/completions.  Only what is of tool calling is looked into;
every other parameter reaches the upstream as it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from emulator.errors import InvalidRequest
from emulator.protocols.chat_legacy import is_legacy, parse_function_call, parse_functions
from emulator.protocols.chat_messages import parse_messages
from emulator.protocols.chat_tools import parse_choice, parse_tools
from emulator.protocols.conversation import ResponseFormat
from emulator.protocols.declared import ToolRules
from emulator.protocols.fields import Json, json_object, required, typed
from emulator.protocols.request import TOOL_PARAMETERS, TurnRequest, chat_form
from emulator.protocols.schemas import standard_schema

_MOST_CHOICES = 128  # OpenAI's own limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest(TurnRequest):
    """``include_usage``: the stream is to end with the usage; ``legacy``: the client knows functions, and not tools."""

    include_usage: bool = False
    legacy: bool = False

    @property
    def customs(self) -> frozenset[str]:
        """The names of the custom tools."""
        return frozenset(tool.name for tool in self.tools.tools if tool.custom)

    @property
    def plain_chat(self) -> bool:
        """Nothing of tool calling is in it: it passes through unchanged."""
        return not _mentions(self.body) and not any(message.calls or message.results for message in self.messages)

    def native_body(self) -> Json:
        """The request as it came, but in the words that servers with tool calling know: those of functions as tools."""
        if self.legacy or self.customs or any(map(_has_other_calls, cast(Iterable[Json], self.body["messages"]))):
            return chat_form(self)
        return self.body


def _has_other_calls(message: Json) -> bool:
    """A call that isn't a function's, or without an id."""
    calls = cast(Iterable[Json], message.get("tool_calls") or ())
    return bool(message.get("function_call")) or any(call.get("type") == "custom" for call in calls)


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
    if n > _MOST_CHOICES:
        raise InvalidRequest(
            f"Invalid value for 'n': {n} is greater than {_MOST_CHOICES}.", param="n", code="integer_above_max_value"
        )
    if legacy := is_legacy(body):
        tools = parse_functions(body, rules)
        choice = parse_function_call(body.get("function_call"), tools.names)
    else:
        tools = parse_tools(body, rules)
        choice = parse_choice(body.get("tool_choice"), tools)
    return ChatRequest(
        body=body,
        messages=parse_messages(body),
        tools=tools,
        choice=choice,
        parallel=typed(body, "parallel_tool_calls", bool, "a boolean", True) and not legacy,
        stream=stream,
        include_usage=bool(typed(options, "include_usage", bool, "a boolean", False, "stream_options.")),
        legacy=legacy,
        n=n,
        stop_given=bool(body.get("stop")),
        format=_format(body),
    )


def _format(body: Json) -> ResponseFormat | None:
    """Other types than JSON's are the upstream's to know."""
    given: Json = typed(body, "response_format", dict, "an object", {})
    kind = given.get("type")
    if kind not in ("json_object", "json_schema"):
        return None
    path, described = "response_format.", given
    if kind == "json_schema" and given.get("schema") is None:
        described = required(given, "json_schema", dict, "an object", path)
        path = "response_format.json_schema."
    # Beside the type it stands where llama.cpp and Together have it.
    schema = typed(described, "schema", dict, "an object", None if kind == "json_object" else {}, path)
    return ResponseFormat(standard_schema(schema), typed(described, "name", str, "a string", "", path))
