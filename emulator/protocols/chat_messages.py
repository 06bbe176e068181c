"""The messages of a Chat Completions request → a conversation in which every result is attached to its call.

A legacy ``function_call`` has no id, and is answered by the next message; here it gets one that tells it apart.
Source: OpenAI's API reference, ``messages`` of POST /v1/chat/completions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import Message, PastCall, Result, paired, unanswered
from emulator.protocols.custom import custom_arguments
from emulator.protocols.fields import Json, empty_array, missing, object_at, required, typed, unsupported, wrong_type

_LEFT_OUT = frozenset(
    ["tool_calls", "function_call", "tool_call_id", "annotations", "parsed", "provider_specific_fields"]
)
"""What is of calls, and what clients send back with an answer and strict model servers refuse in a question."""
_ROLES = ("system", "assistant", "user", "function", "tool", "developer")


def parse_messages(body: Mapping[str, Any]) -> tuple[Message, ...]:
    raw: list[Any] = required(body, "messages", list, "an array of objects", "")
    if not raw:
        raise empty_array("messages")
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
            results, index = _results(raw, index, calls, legacy=not fields.get("tool_calls"))
        # Null and empty: what an answer hadn't, such as audio.
        kept = {key: value for key, value in fields.items() if key not in _LEFT_OUT and value not in (None, [])}
        messages.append(Message(fields["role"], content, kept, calls, results))
    return tuple(messages)


def _message(item: object, path: str) -> tuple[Json, str | list[Json] | None]:
    fields = object_at(path, item)
    role = required(fields, "role", str, "a string", f"{path}.")
    if role not in _ROLES:
        raise unsupported(role, f"{path}.role", _ROLES)
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
        if object_at(f"{path}.content[{number}]", part).get("type") == "text":
            required(part, "text", str, "a string", f"{path}.content[{number}].")
    return fields, cast(list[Json], content)


def _past_calls(fields: Json, index: int) -> tuple[PastCall, ...]:
    path = f"messages[{index}]"
    raw: list[Any] = typed(fields, "tool_calls", list, "an array of objects", [], f"{path}.")
    legacy: Json | None = typed(fields, "function_call", dict, "an object", None, f"{path}.")
    if (raw or legacy) and fields["role"] != "assistant":
        raise InvalidRequest(
            f"Invalid '{path}': only messages with role 'assistant' make calls.", param="messages", code="invalid_value"
        )
    if raw:
        return tuple(_past_call(item, f"{path}.tool_calls[{number}]") for number, item in enumerate(raw))
    if legacy:
        return (PastCall(f"function_call_{index}", *_named_arguments(legacy, f"{path}.function_call.")),)
    return ()


def _past_call(item: object, path: str) -> PastCall:
    call = object_at(path, item)
    identifier = required(call, "id", str, "a string", f"{path}.")
    if call.get("type") == "custom":
        custom = required(call, "custom", dict, "an object", f"{path}.")
        name = required(custom, "name", str, "a string", f"{path}.custom.")
        text = typed(custom, "input", str, "a string", "", f"{path}.custom.")
        return PastCall(identifier, name, custom_arguments(text))
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
    known = {call.id for call in calls}
    found: dict[str, list[Result]] = {}
    while index < len(raw):
        fields, content = _message(raw[index], f"messages[{index}]")
        if fields["role"] not in ("tool", "function"):
            break
        identifier = _answered(fields, index) if not legacy else calls[0].id
        if identifier not in known or (legacy and found):
            raise _orphan(fields["role"], index)
        failed = fields.get("is_error") is True  # Anthropic's word; Chat Completions has none of its own.
        result = Result(identifier, content if content is not None else "", failed)
        found.setdefault(identifier, []).append(result)
        index += 1
    if legacy and not found:
        raise InvalidRequest(
            "An assistant message with 'function_call' must be followed by a message with role 'function'. "
            f"The call of '{calls[0].name[:80]}' in messages[{asked}] did not have one.",
            param="messages",
        )
    if missing_ids := unanswered(calls, found):
        raise InvalidRequest(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. These tool_call_ids of messages[{asked}] did not have response messages: "
            f"{', '.join(missing_ids)}.",
            param="messages",
        )
    return paired(calls, found), index


def _answered(fields: Json, index: int) -> str:
    return required(fields, "tool_call_id", str, "a string", f"messages[{index}].")


def _orphan(role: str, index: int) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid parameter: messages with role '{role}' must be a response to a preceding message with "
        f"'{'tool_calls' if role == 'tool' else 'function_call'}' (messages[{index}]).",
        param="messages",
    )
