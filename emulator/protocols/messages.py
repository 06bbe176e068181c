"""Requests of Anthropic's Messages API → the core's types, with Anthropic's errors for what is wrong in them.

What only concerns Anthropic's own servers (caching, tiers, regions, context management) changes nothing here and is let
be; what would have to be held or run by a server is refused.
Source: Anthropic's API reference, POST /v1/messages, and its SDK's types.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, cast

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import DeclaredTools, ResponseFormat, ToolChoice
from emulator.protocols.declared import ToolRules, declared_tools
from emulator.protocols.fields import Json, json_object, number, object_at, required, too_deep, typed, wrong_type
from emulator.protocols.messages_answer import MessagesAnswer, Thoughts
from emulator.protocols.messages_blocks import parse_conversation
from emulator.protocols.messages_changes import offered_tools
from emulator.protocols.messages_errors import THREAD_UNSUPPORTED, wrong_tag
from emulator.protocols.messages_tools import FORM
from emulator.protocols.request import TurnRequest
from emulator.protocols.schemas import standard_schema

_LONG_INTEGER = re.compile(rb"[0-9]{19}")
_HELD_BY_SERVERS = {
    "container": "no code runs on this server",
    "mcp_servers": "this server connects to no MCP servers: connect to them in the client and send their tools",
    "compaction": "this server doesn't compact conversations",
}
_EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_THINKING = ("enabled", "adaptive", "between_tools", "disabled")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRequest(TurnRequest):
    """``thoughts``: what the client gets of them; ``stops`` are its stop sequences."""

    thoughts: Thoughts = "shown"
    stops: tuple[str, ...] = ()

    def answer(self, request_id: str) -> MessagesAnswer:
        """The form of its answer."""
        return MessagesAnswer(self.body["model"], request_id, self.thoughts, self.stops)


def parse_messages(raw: bytes, rules: ToolRules, *, counting: bool = False) -> MessagesRequest:
    """``counting``: the request is only to be counted, and need not say how long its answer may be.

    Raises InvalidRequest with the path of the first part that is wrong.
    """
    given = _body(raw)
    _refuse_held(given)
    stream = typed(given, "stream", bool, "a boolean", False)
    stops = _stops(given)
    messages = parse_conversation(given)
    declared, withdrawn = offered_tools(given)
    tools = declared_tools(declared, rules, FORM) if declared else DeclaredTools()
    choice, parallel = _choice(given, tuple(name for name in tools.names if name not in withdrawn))
    body: Json = {"model": required(given, "model", str, "a string", "")}
    if not counting:
        body["max_tokens"] = _max_tokens(given)
    body |= _sampling(given)
    if stops:
        body["stop"] = list(stops)
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    format, effort = _output(given)
    if effort is not None:
        body["reasoning_effort"] = effort
    user: str | None = typed(
        typed(given, "metadata", dict, "an object", {}), "user_id", str, "a string", None, "metadata."
    )
    if user:
        body["user"] = user
    return MessagesRequest(
        body=body,
        messages=messages,
        tools=tools,
        choice=choice,
        parallel=parallel,
        stream=stream,
        stop_given=bool(stops),
        format=format,
        thoughts=_thoughts(given),
        stops=stops,
    )


def _body(raw: bytes) -> Json:
    """Arguments of calls are JSON here, and have to come through as they are: integers beyond 64 bits, too."""
    body = json_object(raw, exact=False)
    try:
        return json.loads(raw) if _LONG_INTEGER.search(raw) else body
    except RecursionError:
        raise too_deep() from None


def _refuse_held(given: Json) -> None:
    if given.get("thread") is not None:
        raise InvalidRequest(
            "thread: this server keeps no threads. Send the full conversation without 'thread'.",
            param="thread",
            code=THREAD_UNSUPPORTED,
        )
    for name, why in _HELD_BY_SERVERS.items():
        if given.get(name):
            raise InvalidRequest(f"{name}: not supported, since {why}.", param=name, code="unsupported_parameter")


def _max_tokens(given: Json) -> int:
    most: int = required(given, "max_tokens", int, "an integer", "")
    if most < 1:
        raise InvalidRequest("max_tokens: must be greater than or equal to 1", param="max_tokens")
    return most


def _sampling(given: Json) -> Json:
    """Anthropic's parameters of sampling that model servers know by the same names."""
    found: Json = {name: number(given, name) for name in ("temperature", "top_p")}
    found["top_k"] = typed(given, "top_k", int, "an integer", None)
    return {name: value for name, value in found.items() if value is not None}


def _stops(given: Json) -> tuple[str, ...]:
    raw: list[Any] = typed(given, "stop_sequences", list, "an array of strings", [])
    for index, stop in enumerate(raw):
        if not isinstance(stop, str):
            raise wrong_type(f"stop_sequences.{index}", "a string", stop)
        if not stop:
            raise InvalidRequest(
                f"stop_sequences.{index}: a stop sequence can't be empty", param=f"stop_sequences.{index}"
            )
    return tuple(raw)


def _choice(given: Json, names: tuple[str, ...]) -> tuple[ToolChoice, bool]:
    """What may be called, and whether several calls may be made at once."""
    choice: Json = typed(given, "tool_choice", dict, "an object", {"type": "auto"})
    kind = required(choice, "type", str, "a string", "tool_choice.")
    parallel = not typed(choice, "disable_parallel_tool_use", bool, "a boolean", False, "tool_choice.")
    if kind in ("any", "tool") and not names:
        raise InvalidRequest(
            "tool_choice: may only be specified while providing tools", param="tool_choice", code="invalid_value"
        )
    match kind:
        case "none":
            return ToolChoice("none", names), parallel
        case "auto":
            return ToolChoice("auto" if names else "none", names), parallel
        case "any":
            return ToolChoice("required", names), parallel
        case "tool":
            name = required(choice, "name", str, "a string", "tool_choice.")
            if name not in names:
                raise InvalidRequest(
                    f"tool_choice.name: Tool '{name[:128]}' not found in provided tools", param="tool_choice.name"
                )
            return ToolChoice("required", (name,), named=True), parallel
        case _:
            raise wrong_tag(kind, "tool_choice", ("auto", "any", "tool", "none"))


def _thoughts(given: Json) -> Thoughts:
    """A client that says nothing gets what the model thinks, as with Anthropic's models that think by themselves."""
    thinking: Json = typed(given, "thinking", dict, "an object", {"type": "adaptive"})
    kind = required(thinking, "type", str, "a string", "thinking.")
    if kind not in _THINKING:
        raise wrong_tag(kind, "thinking", _THINKING)
    if kind == "disabled":
        return "hidden"
    return "omitted" if thinking.get("display") == "omitted" else "shown"


def _output(given: Json) -> tuple[ResponseFormat | None, str | None]:
    """The format of the answer's words, and the effort; ``output_format`` is the format's name from its beta."""
    config: Json = typed(given, "output_config", dict, "an object", {})
    effort: str | None = typed(config, "effort", str, "a string", None, "output_config.")
    if effort is not None and effort not in _EFFORTS:
        expected = ", ".join(f"'{name}'" for name in _EFFORTS)
        raise InvalidRequest(
            f"output_config.effort: Input should be {expected}, not '{effort[:80]}'.", param="output_config.effort"
        )
    place, format = "output_config.format", cast(object, config.get("format"))
    if format is None:
        place, format = "output_format", given.get("output_format")
    return _format(format, place), None if effort is None else _EFFORTS[effort]


def _format(format: object, path: str) -> ResponseFormat | None:
    if format is None:
        return None
    described = object_at(path, format)
    kind = required(described, "type", str, "a string", f"{path}.")
    if kind != "json_schema":
        raise InvalidRequest(f"{path}.type: Input should be 'json_schema', not '{kind[:80]}'.", param=f"{path}.type")
    schema = required(described, "schema", dict, "an object", f"{path}.")
    return ResponseFormat(standard_schema(schema), place=f"{path}.schema")
