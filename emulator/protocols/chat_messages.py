"""The messages of a Chat Completions request → a conversation in which every result is attached to its call.

Source: OpenAI's API reference, ``messages`` of POST /v1/chat/completions, with the legacy ``function_call``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import Message, PastCall, Result
from emulator.protocols.fields import Json, missing, required, typed, wrong_type

_TOOL_FIELDS = frozenset(["tool_calls", "function_call", "tool_call_id"])
_ROLES = frozenset(["system", "developer", "user", "assistant", "tool", "function"])


def parse_messages(body: Mapping[str, Any]) -> tuple[Message, ...]:
    raw: list[Any] = required(body, "messages", list, "an array of objects", "")
    if not raw:
        raise InvalidRequest(
            "Invalid 'messages': empty array. Expected an array with minimum length 1.",
            param="messages",
            code="empty_array",
        )
    messages: list[Message] = []
    index = 0
    while index < len(raw):
        fields, content = _message(raw[index], f"messages[{index}]")
        calls = _past_calls(fields, index)
        if fields["role"] in ("tool", "function"):
            raise _orphan(fields["role"], index)
        index += 1
        results: tuple[Result, ...] = ()
        if calls:
            results, index = _results(raw, index, calls, legacy=bool(fields.get("function_call")))
        kept = {key: value for key, value in fields.items() if key not in _TOOL_FIELDS}
        messages.append(Message(fields["role"], content, kept, calls, results))
    return tuple(messages)


def _message(item: object, path: str) -> tuple[Json, str | list[Json] | None]:
    if not isinstance(item, dict):
        raise wrong_type(path, "an object", item)
    fields = cast(Json, item)
    role = required(fields, "role", str, "a string", f"{path}.")
    if role not in _ROLES:
        raise InvalidRequest(
            f"Invalid value: '{role[:80]}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', "
            "and 'developer'.",
            param=f"{path}.role",
            code="invalid_value",
        )
    content = fields.get("content")
    if content is None:
        if role not in ("assistant", "tool", "function"):
            raise missing(f"{path}.content")
        return fields, None
    if isinstance(content, str):
        return fields, content
    if not isinstance(content, list):
        raise wrong_type(f"{path}.content", "a string or an array of objects", content)
    for number, part in enumerate(cast(list[Any], content)):
        if not isinstance(part, dict):
            raise wrong_type(f"{path}.content[{number}]", "an object", part)
        if cast(Json, part).get("type") == "text":
            required(cast(Json, part), "text", str, "a string", f"{path}.content[{number}].")
    return fields, cast(list[Json], content)


def _past_calls(fields: Json, index: int) -> tuple[PastCall, ...]:
    path = f"messages[{index}]"
    raw: list[Any] = typed(fields, "tool_calls", list, "an array of objects", [], f"{path}.")
    legacy: Json | None = typed(fields, "function_call", dict, "an object", None, f"{path}.")
    if (raw or legacy) and fields["role"] != "assistant":
        raise InvalidRequest(
            f"Invalid '{path}': only messages with role 'assistant' make calls.", param="messages", code="invalid_value"
        )
    calls = [_past_call(item, f"{path}.tool_calls[{number}]") for number, item in enumerate(raw)]
    if legacy:
        calls.append(PastCall("", *_named_arguments(legacy, f"{path}.function_call.")))
    return tuple(calls)


def _past_call(item: object, path: str) -> PastCall:
    if not isinstance(item, dict):
        raise wrong_type(path, "an object", item)
    call = cast(Json, item)
    identifier = required(call, "id", str, "a string", f"{path}.")
    function = required(call, "function", dict, "an object", f"{path}.")
    return PastCall(identifier, *_named_arguments(function, f"{path}.function."))


def _named_arguments(function: Json, path: str) -> tuple[str, str]:
    return (
        required(function, "name", str, "a string", path),
        typed(function, "arguments", str, "a string", "{}", path) or "{}",
    )


def _results(
    raw: list[Any], index: int, calls: tuple[PastCall, ...], *, legacy: bool
) -> tuple[tuple[Result, ...], int]:
    """The messages right behind an assistant turn that answer its calls, in the order of the calls."""
    asked = index - 1
    found: dict[str, Result] = {}
    while index < len(raw):
        fields, content = _message(raw[index], f"messages[{index}]")
        if fields["role"] not in ("tool", "function"):
            break
        identifier = "" if legacy else required(fields, "tool_call_id", str, "a string", f"messages[{index}].")
        if identifier not in {call.id for call in calls} or (legacy and found):
            raise _orphan(fields["role"], index)
        failed = fields.get("is_error") is True  # Anthropic's word; Chat Completions has none of its own.
        found[identifier] = Result(identifier, content if content is not None else "", failed)
        index += 1
    if unanswered := [call.id or call.name for call in calls if call.id not in found]:
        raise InvalidRequest(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. These tool_call_ids of messages[{asked}] did not have response messages: "
            f"{', '.join(unanswered)}.",
            param="messages",
        )
    return tuple(found[call.id] for call in calls), index


def _orphan(role: str, index: int) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid parameter: messages with role '{role}' must be a response to a preceding message with "
        f"'{'tool_calls' if role == 'tool' else 'function_call'}' (messages[{index}]).",
        param="messages",
    )
