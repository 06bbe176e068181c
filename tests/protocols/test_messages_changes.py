"""Anthropic's tool runner adds and removes tools on the way: a model must be offered those that are there at the end."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import Message
from emulator.protocols.declared import ToolRules
from emulator.protocols.messages import MessagesRequest, parse_messages

Json = dict[str, Any]
USER: Json = {"role": "user", "content": "hi"}


def tool(name: str, about: str) -> Json:
    return {"name": name, "description": about, "input_schema": {"type": "object"}}


def reference(name: str) -> Json:
    return {"type": "tool_reference", "name": name}


def definition(name: str, about: str) -> Json:
    return {"type": "tool_definition", "definition": tool(name, about)}


def add(what: Any) -> Json:
    return {"type": "tool_addition", "tool": what}


def remove(what: Any) -> Json:
    return {"type": "tool_removal", "tool": what}


def parse(*blocks: Json, **fields: Any) -> MessagesRequest:
    messages = [USER, {"role": "system", "content": list(blocks)}]
    body = {"model": "m", "max_tokens": 9, "messages": messages, "tools": [tool("a", "1"), tool("b", "1")]} | fields
    return parse_messages(orjson.dumps(body), ToolRules())


CHANGES: list[tuple[str, list[Json], list[tuple[str, str]]]] = [
    ("nothing", [], [("a", "1"), ("b", "1")]),
    ("one is removed", [remove(reference("a"))], [("b", "1")]),
    ("and comes back", [remove(reference("a")), add(reference("a"))], [("a", "1"), ("b", "1")]),
    ("all are removed", [remove(reference("a")), remove(reference("b"))], []),
    ("none of that name", [remove(reference("c"))], [("a", "1"), ("b", "1")]),
    ("one is new", [add(definition("c", "1"))], [("a", "1"), ("b", "1"), ("c", "1")]),
    ("one is replaced", [add(definition("a", "2"))], [("b", "1"), ("a", "2")]),
    ("a new one is removed", [add(definition("c", "1")), remove(reference("c"))], [("a", "1"), ("b", "1")]),
]


@pytest.mark.parametrize(("blocks", "offered"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_what_is_offered_at_the_end(blocks: list[Json], offered: list[tuple[str, str]]) -> None:
    request = parse(*blocks)
    about = {tool.name: tool.description for tool in request.tools.tools}
    assert [(name, about[name]) for name in request.choice.names] == offered
    assert request.choice.mode == ("auto" if offered else "none")


def test_it_is_no_message() -> None:
    """Words beside it are."""
    assert parse(remove(reference("a"))).messages == (Message("user", "hi"),)
    said = parse({"type": "text", "text": "There is less now."}, remove(reference("a"))).messages
    assert said[1:] == (Message("system", "There is less now."),)


def test_what_was_removed_cannot_be_demanded() -> None:
    with pytest.raises(InvalidRequest, match="Tool 'a' not found in provided tools"):
        parse(remove(reference("a")), tool_choice={"type": "tool", "name": "a"})


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ({"type": "tool_addition"}, "messages.1.content.0.tool"),
        (add({}), "messages.1.content.0.tool.type"),
        (add({"type": "tool_reference"}), "messages.1.content.0.tool.name"),
        (add({"type": "tool_definition"}), "messages.1.content.0.tool.definition"),
        (add({"type": "mcp_tool_reference", "name": "x", "server_name": "y"}), "messages.1.content.0.tool"),
        (remove(definition("a", "1")), "messages.1.content.0.tool"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(block: Json, path: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(block)
    assert raised.value.param == path
