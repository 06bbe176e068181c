"""The tools of a request, in whatever form its protocol declares them: limits and names, looked through once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import DeclaredTools, FunctionTool
from emulator.protocols.fields import Json
from emulator.recent import Recent, content_key

_SEEN_BYTES = 8 << 20
_NAME = re.compile(r"[\w-]{1,64}")
"""OpenAI's own pattern is narrower, ``[a-zA-Z0-9_-]``: letters of other scripts do no harm here."""


@dataclass(frozen=True, slots=True)
class ToolRules:
    """Settings of the validation: see ``Settings.empty_tools`` and ``Settings.max_tools``."""

    allow_empty_tools: bool = False
    max_tools: int = 1024
    seen: Recent[bytes, DeclaredTools] = field(default_factory=lambda: Recent[bytes, DeclaredTools](_SEEN_BYTES))
    """Declarations that were found right before, so that three hundred tools aren't looked through each time."""


@dataclass(frozen=True, slots=True)
class ToolForm:
    """How a protocol declares tools.  ``read`` makes the tools of one item of the list, whose path is the second
    argument; ``name_path`` is where in an item the name stands."""

    protocol: str
    read: Callable[[object, str], Sequence[FunctionTool]]
    name_path: str = "name"


def declared_tools(raw: list[Any], rules: ToolRules, form: ToolForm) -> DeclaredTools:
    """Raises InvalidRequest with the path of the first part that is wrong."""
    if len(raw) > rules.max_tools:
        raise InvalidRequest(
            f"Invalid 'tools': array too long. Expected at most {rules.max_tools} tools, but got {len(raw)}.",
            param="tools",
            code="array_above_max_length",
        )
    try:
        key, size = content_key([form.protocol, raw])
    except RecursionError:
        raise InvalidRequest(
            "Invalid 'tools': a schema is nested too deeply.", param="tools", code="invalid_function_parameters"
        ) from None
    return rules.seen.get(key) or rules.seen.put(key, _declared(raw, form, key, size), size)


def no_tools(*, hint: str = "Leave 'tools' out, or start the server with --empty-tools ignore.") -> InvalidRequest:
    """OpenAI's error for ``tools: []``."""
    return InvalidRequest(
        "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        param="tools",
        code="empty_array",
        hint=hint,
    )


def checked_name(name: str, path: str) -> str:
    """Raises InvalidRequest where it is no name of a tool."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"Invalid '{path}': {name[:80]!r} does not match the expected pattern '^[a-zA-Z0-9_-]{{1,64}}$'.",
            param=path,
            code="invalid_value",
        )
    return name


def known_name(name: str, names: Sequence[str], path: str) -> str:
    """Raises InvalidRequest where a choice names a tool that isn't declared."""
    if name not in names:
        raise InvalidRequest(
            f"Invalid value for '{path}': the function '{name[:80]}' is not among 'tools'.",
            param="tool_choice",
            code="invalid_value",
        )
    return name


def _declared(raw: list[Any], form: ToolForm, key: bytes, size: int) -> DeclaredTools:
    tools: list[FunctionTool] = []
    first: dict[str, int] = {}
    for index, item in enumerate(raw):
        for tool in form.read(item, f"tools[{index}]"):
            if tool.name in first:
                path = f"tools[{index}].{form.name_path}"
                raise InvalidRequest(
                    f"Invalid '{path}': '{tool.name}' is already that of tools[{first[tool.name]}].",
                    param=path,
                    code="invalid_value",
                )
            first[tool.name] = index
            tools.append(tool)
    return DeclaredTools(key, tuple(tools), tuple(first), size)


def is_serial(declared: Json) -> bool:
    """MCP's annotations, beside a function or a tool, say that it isn't read-only."""
    annotations = declared.get("annotations")
    return isinstance(annotations, dict) and annotations.get("readOnlyHint") is False  # pyright: ignore[reportUnknownMemberType]
