"""The messages of Anthropic's Messages API → a conversation in which every result is attached to its call.

Neighbours of one role are one turn, as Anthropic has it; so results may come in several messages.  Of a turn with
results and other content, the other content is what the user says behind them.
Source: Anthropic's API reference, ``messages`` and ``system`` of POST /v1/messages, and its errors' words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import Message, PastCall, Result, thought_fields
from emulator.protocols.fields import Json, json_bytes, missing, object_at, required, typed
from emulator.protocols.messages_content import (
    CONTENT,
    RESULT,
    SAID,
    SYSTEM,
    TEXT,
    blocks_of,
    content_of,
    parts_of,
    text_parts,
)

_SHOWN, _MOST_SHOWN = 80, 16  # characters of an id in an error, and ids
_ROLES = ("user", "assistant", "system")
_OF_OTHER_SERVERS = frozenset(
    "redacted_thinking server_tool_use web_search_tool_result web_fetch_tool_result code_execution_tool_result "
    "bash_code_execution_tool_result text_editor_code_execution_tool_result tool_search_tool_result mcp_tool_use "
    "mcp_tool_result mcp_tool_listing advisor_tool_result fallback".split()
)
"""Blocks of an assistant's earlier turn that only the server which made them can read, or has long acted upon: what
came of them is in the words beside them."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """Neighbouring messages of one role; ``path`` is the first's.  A block comes with its own path."""

    role: str
    path: str
    blocks: list[tuple[Json, str]]


@dataclass(slots=True)
class _Assistant:
    """What an assistant's turn consists of."""

    words: list[Json] = field(default_factory=list[Json])
    thoughts: list[str] = field(default_factory=list[str])
    calls: dict[str, PastCall] = field(default_factory=dict[str, PastCall])


def parse_conversation(body: Mapping[str, Any]) -> tuple[Message, ...]:
    """The system text, then the messages.  Raises InvalidRequest with the path of the first part that is wrong."""
    messages = list(_system(body))
    turns = _turns(body)
    asked: frozenset[str] = frozenset()
    for turn, following in zip(turns, [*turns[1:], None], strict=True):
        if turn.role == "assistant":
            messages.append(_assistant(turn, following))
            asked = frozenset(call.id for call in messages[-1].calls)
            continue
        parts = _beside_results(turn, asked)
        if parts or (turn.role == "user" and not asked):
            messages.append(Message(turn.role, content_of(parts)))
        asked = frozenset()
    if all(message.role == "system" for message in messages):
        raise _no_messages()
    return tuple(messages)


def _system(body: Mapping[str, Any]) -> Iterable[Message]:
    if body.get("system") is None:
        return ()
    blocks = blocks_of(body["system"], "system")
    content = content_of([part for block, path in blocks for part in parts_of(block, path, TEXT)])
    return (Message("system", content),) if content else ()


def _turns(body: Mapping[str, Any]) -> list[_Turn]:
    raw: list[Any] = required(body, "messages", list, "an array of objects", "")
    if not raw:
        raise _no_messages()
    turns: list[_Turn] = []
    for index, item in enumerate(raw):
        path = f"messages.{index}"
        message = object_at(path, item)
        role = required(message, "role", str, "a string", f"{path}.")
        if role not in _ROLES:
            raise InvalidRequest(
                f"{path}.role: Input should be 'user', 'assistant' or 'system', not {role[:80]!r}.",
                param=f"{path}.role",
            )
        if message.get("content") is None:
            raise missing(f"{path}.content")
        blocks = blocks_of(message["content"], f"{path}.content")
        if turns and turns[-1].role == role:
            turns[-1].blocks.extend(blocks)
        else:
            turns.append(_Turn(role, path, blocks))
    return turns


def _no_messages() -> InvalidRequest:
    return InvalidRequest("messages: at least one message is required", param="messages")


def _assistant(turn: _Turn, following: _Turn | None) -> Message:
    said = _Assistant()
    for block, path in turn.blocks:
        match block["type"]:
            case "tool_use":
                call = _past_call(block, path)
                if call.id in said.calls:
                    raise InvalidRequest(f"{path}: `tool_use` ids must be unique", param=path)
                said.calls[call.id] = call
            case "thinking":
                said.thoughts.append(typed(block, "thinking", str, "a string", "", f"{path}."))
            case "compaction":
                summary: str = typed(block, "content", str, "a string", "", f"{path}.")
                said.words += text_parts(summary)
            case kind if kind in _OF_OTHER_SERVERS:
                continue
            case _:
                said.words += parts_of(block, path, SAID)
    content = content_of(said.words)
    fields = thought_fields(said.thoughts)
    if not said.calls:
        return Message("assistant", content, fields)
    calls = tuple(said.calls.values())
    return Message("assistant", content or None, fields, calls, _results(calls, turn, following))


def _past_call(block: Json, path: str) -> PastCall:
    identifier = required(block, "id", str, "a string", f"{path}.")
    name = required(block, "name", str, "a string", f"{path}.")
    given = required(block, "input", dict, "an object", f"{path}.")
    return PastCall(identifier, name, json_bytes(given).decode())


def _results(calls: tuple[PastCall, ...], turn: _Turn, following: _Turn | None) -> tuple[Result, ...]:
    """What the next turn has for the calls, in the order of the calls."""
    found: dict[str, Result] = {}
    for block, path in following.blocks if following is not None and following.role == "user" else ():
        if block["type"] != "tool_result":
            continue
        result = _result(block, path)
        if result.id in found:
            raise InvalidRequest(
                f"{path}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: "
                f"{result.id[:_SHOWN]}",
                param=path,
            )
        found[result.id] = result
    if unanswered := [call.id[:_SHOWN] for call in calls if call.id not in found]:
        raise InvalidRequest(
            f"{turn.path}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(unanswered[:_MOST_SHOWN])}. Each `tool_use` block must have a corresponding `tool_result` "
            "block in the next message.",
            param=turn.path,
        )
    return tuple(found[call.id] for call in calls)


def _result(block: Json, path: str) -> Result:
    identifier = required(block, "tool_use_id", str, "a string", f"{path}.")
    failed: bool = typed(block, "is_error", bool, "a boolean", False, f"{path}.")
    given = block.get("content")
    if given is None or isinstance(given, str):
        return Result(identifier, given or "", failed)
    blocks = blocks_of(given, f"{path}.content")
    parts = [part for inner, at in blocks for part in parts_of(inner, at, RESULT)]
    if not parts:
        return Result(identifier, "", failed)
    [first, *more] = parts
    return Result(identifier, first["text"] if not more and first["type"] == "text" else parts, failed)


def _beside_results(turn: _Turn, asked: Collection[str]) -> list[Json]:
    """What a turn of the user or the system says, but for the results of the calls ``asked`` before it."""
    parts: list[Json] = []
    for block, path in turn.blocks:
        if turn.role == "user" and block["type"] == "tool_result":
            _known_result(block, path, asked)
        else:
            parts += parts_of(block, path, CONTENT if turn.role == "user" else SYSTEM)
    return parts


def _known_result(block: Json, path: str, asked: Collection[str]) -> None:
    identifier: str = required(block, "tool_use_id", str, "a string", f"{path}.")
    if identifier not in asked:
        raise InvalidRequest(
            f"{path}: unexpected `tool_use_id` found in `tool_result` blocks: {identifier[:_SHOWN]}. Each "
            "`tool_result` block must have a corresponding `tool_use` block in the previous message.",
            param=path,
        )
