"""Tools that come and go on the way: blocks of system messages that add and remove them.

Rule: what counts is what is offered at the conversation's end.
Source: Anthropic's API reference, ``tool_addition`` and ``tool_removal`` blocks, and its SDK's tool runner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from emulator.errors import InvalidRequest
from emulator.protocols.fields import Json, required, typed

CHANGES = ("tool_addition", "tool_removal")


def offered_tools(body: Mapping[str, Any]) -> tuple[list[Any], frozenset[str]]:
    """All tools that are declared anywhere, and the names of those that have been taken back.

    ``body``'s messages have been parsed; its tools need not have been.
    """
    tools: list[Any] = typed(body, "tools", list, "an array of objects", [])
    added: Json = {}
    withdrawn: set[str] = set()
    for block, path in _changes(body["messages"]):
        name, definition = _named(block, path)
        if block["type"] == "tool_removal":
            withdrawn.add(name)
            continue
        withdrawn.discard(name)
        if definition is not None:
            added[name] = definition
    return [*(tool for tool in tools if _name(tool) not in added), *added.values()], frozenset(withdrawn)


def _changes(messages: Iterable[Json]) -> Iterable[tuple[Json, str]]:
    for index, message in enumerate(messages):
        if message["role"] != "system" or isinstance(message["content"], str):
            continue
        for number, block in enumerate(message["content"]):
            if block["type"] in CHANGES:
                yield block, f"messages.{index}.content.{number}.tool"


def _named(block: Json, path: str) -> tuple[str, Json | None]:
    """The name of the tool that a block is about, and its definition where it has one."""
    tool: Json = required(block, "tool", dict, "an object", path.removesuffix("tool"))
    kind = required(tool, "type", str, "a string", f"{path}.")
    if kind == "tool_reference":
        return required(tool, "name", str, "a string", f"{path}."), None
    if kind == "tool_definition" and block["type"] == "tool_addition":
        definition: Json = required(tool, "definition", dict, "an object", f"{path}.")
        return required(definition, "name", str, "a string", f"{path}.definition."), definition
    raise InvalidRequest(
        f"{path}: a '{kind[:80]}' can't be used here; 'tool_reference' and, to add a tool, 'tool_definition' can.",
        param=path,
    )


def _name(tool: object) -> str:
    return str(cast(Json, tool).get("name")) if isinstance(tool, dict) else ""
