"""The tools of a request, in whatever form its protocol declares them: limits and names, looked through once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import DeclaredTools, FunctionTool
from emulator.protocols.fields import Json, empty_array
from emulator.protocols.schemas import standard_schema
from emulator.recent import Recent, content_key

_SEEN_BYTES = 8 << 20
_NAME = re.compile(r"[\w-]+")
"""OpenAI's and Anthropic's own pattern is narrower, ``[a-zA-Z0-9_-]``: letters of other scripts do no harm here."""
_LONGEST_NAME = 64

_Seen = tuple[bytes, tuple[str, ...]]
"""What tools were declared, and where."""


@dataclass(frozen=True, slots=True)
class ToolRules:
    """Settings of the validation: see ``Settings.empty_tools`` and ``Settings.max_tools``."""

    allow_empty_tools: bool = False
    max_tools: int = 1024
    seen: Recent[_Seen, DeclaredTools] = field(default_factory=lambda: Recent[_Seen, DeclaredTools](_SEEN_BYTES))
    """Declarations that were found right before, so that three hundred tools aren't looked through each time."""


@dataclass(frozen=True, slots=True)
class ToolForm:
    """How a protocol declares tools.  ``read`` makes the tools of one item of the list, whose path is the second
    argument; ``name_path`` is where in an item the name stands, ``custom_path`` where in one of a custom tool;
    ``parameter`` is the list itself."""

    protocol: str
    read: Callable[[object, str], Sequence[FunctionTool]]
    name_path: str = "name"
    custom_path: str = "name"
    parameter: str = "tools"


def declared_tools(raw: list[Any], rules: ToolRules, form: ToolForm, places: tuple[str, ...] = ()) -> DeclaredTools:
    """``places`` are the items' paths, where they aren't simply those of the list.

    Raises InvalidRequest with the path of the first part that is wrong.
    """
    if len(raw) > rules.max_tools:
        raise InvalidRequest(
            f"Invalid '{form.parameter}': array too long. Expected at most {rules.max_tools} tools, "
            f"but got {len(raw)}.",
            param=form.parameter,
            code="array_above_max_length",
        )
    try:
        key, size = content_key([form.protocol, raw])
    except RecursionError:
        raise InvalidRequest(
            f"Invalid '{form.parameter}': a schema is nested too deeply.",
            param=form.parameter,
            code="invalid_function_parameters",
        ) from None
    if (known := rules.seen.get((key, places))) is not None:
        return known
    tools = _read(raw, form, places or [f"{form.parameter}[{index}]" for index in range(len(raw))])
    return rules.seen.put((key, places), DeclaredTools(key, tuple(tools.values()), tuple(tools), size), size)


def no_tools(parameter: str = "tools") -> InvalidRequest:
    """OpenAI's error for ``tools: []``."""
    return empty_array(parameter, f"Leave '{parameter}' out, or start the server with --empty-tools ignore.")


def checked_name(name: str, path: str, longest: int = _LONGEST_NAME) -> str:
    """Raises InvalidRequest where it is no name of a tool."""
    if len(name) > longest or not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"Invalid '{path}': {name[:80]!r} does not match the expected pattern '^[a-zA-Z0-9_-]{{1,{longest}}}$'.",
            param=path,
            code="invalid_value",
        )
    return name


def known_name(name: str, names: Sequence[str], path: str) -> str:
    """Raises InvalidRequest where a choice names a tool that isn't declared."""
    if name not in names:
        raise InvalidRequest(
            f"Invalid value for '{path}': no such tool as '{name[:80]}' is declared.",
            param=path.partition(".")[0],
            code="invalid_value",
        )
    return name


def _read(raw: list[Any], form: ToolForm, places: Sequence[str]) -> dict[str, FunctionTool]:
    """The tools by their names."""
    tools: dict[str, FunctionTool] = {}
    first: dict[str, str] = {}
    for item, place in zip(raw, places, strict=True):
        for tool in form.read(item, place):
            if tool.name in first:
                path = f"{place}.{form.custom_path if tool.custom else form.name_path}"
                raise InvalidRequest(
                    f"Invalid '{path}': '{tool.name}' is already that of {first[tool.name]}.",
                    param=path,
                    code="invalid_value",
                )
            first[tool.name] = place
            tools[tool.name] = replace(
                tool, parameters=standard_schema(tool.parameters), returns=standard_schema(tool.returns)
            )
    return tools


def is_serial(declared: Json) -> bool:
    """MCP's annotations, beside a function or a tool, say that it isn't read-only."""
    annotations = declared.get("annotations")
    return isinstance(annotations, dict) and annotations.get("readOnlyHint") is False  # pyright: ignore[reportUnknownMemberType]
