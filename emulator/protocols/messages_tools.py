"""The tools of Anthropic's Messages API → the core's.

Those that its servers would run (web search, code execution, …) are refused by name.
Source: Anthropic's API reference, ``tools`` of POST /v1/messages.
"""

from __future__ import annotations

import json
from typing import Any

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import FunctionTool
from emulator.protocols.declared import ToolForm, checked_name, is_serial
from emulator.protocols.fields import Json, object_at, required, typed
from emulator.protocols.messages_client_tools import CLIENT_TOOLS, client_tool

_LONGEST_NAME = 128
_MOST_EXAMPLES = 16


def _tool(item: object, path: str) -> tuple[FunctionTool]:
    declared = object_at(path, item)
    kind: str = typed(declared, "type", str, "a string", "custom", f"{path}.")
    if kind == "custom":
        return (_described(declared, path),)
    described = client_tool(kind, declared, path)
    if described is None:
        known = ", ".join(("custom", *CLIENT_TOOLS))
        raise InvalidRequest(
            f"{path}.type: the tool '{kind[:80]}' can't be used here, since no tools run on this server. Describe a "
            f"tool of your own that does the same, or use one of these types: {known}.",
            param=f"{path}.type",
            code="unsupported_tool",
        )
    # What one of their calls does depends on those before it.
    return (FunctionTool(_name(declared, path), *described, serial=True),)


def _name(declared: Json, path: str) -> str:
    return checked_name(required(declared, "name", str, "a string", f"{path}."), f"{path}.name", _LONGEST_NAME)


def _described(declared: Json, path: str) -> FunctionTool:
    schema: Json = required(declared, "input_schema", dict, "an object", f"{path}.")
    description: str | None = typed(declared, "description", str, "a string", None, f"{path}.")
    examples: list[Any] = typed(declared, "input_examples", list, "an array of objects", [], f"{path}.")
    if examples:
        shown = [json.dumps(example, ensure_ascii=False) for example in examples[:_MOST_EXAMPLES]]
        description = "\n".join([*([description] if description else []), "Examples of arguments:", *shown])
    return FunctionTool(
        _name(declared, path),
        description,
        schema,
        typed(declared, "strict", bool, "a boolean", None, f"{path}."),
        serial=is_serial(declared),
        place=f"{path}.input_schema",
    )


FORM = ToolForm("messages", _tool)
