"""The tools of a Responses request, and which of them may be called.

Rule: a tool of a namespace is a tool like any other, called ``namespace__name`` inside; only here and in the answer
are the two apart.  The tool search that a client runs is a tool like any other, too, called ``tool_search``.  Tools
that come as items of the input are added to those of ``tools``; of two by one name the later counts, since
conversations are sent again and again.
Source: OpenAI's API reference, ``tools`` and ``tool_choice`` of POST /v1/responses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import DeclaredTools, FunctionTool, ToolChoice
from emulator.protocols.custom import custom_tool
from emulator.protocols.declared import ToolForm, ToolRules, checked_name, declared_tools, is_serial
from emulator.protocols.fields import (
    Json,
    empty_array,
    object_at,
    required,
    typed,
    unsupported,
    wrong_type,
)

TOOLS_BESIDE = frozenset(["additional_tools", "tool_search_output"])
"""Items that bring tools."""
SEARCH = "tool_search"
"""Type and inner name of the tool by which a client finds more of its tools."""
_BUILT_IN = frozenset(
    [
        "apply_patch",
        "code_interpreter",
        "computer",
        "computer-preview",
        "computer_use",
        "computer_use_preview",
        "file_search",
        "image_generation",
        "local_shell",
        "mcp",
        "programmatic_tool_calling",
        "shell",
        SEARCH,
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    ]
)
_SERVED = ("function", "custom")
_LONGEST_NAME = 128  # OpenAI's own limit for this protocol
_MODES = ("none", "auto", "required")


class Placed(NamedTuple):
    """A tool as declared, and where: ``namespace`` is the name of the one it is in, "" where it is in none."""

    tool: Json
    path: str
    namespace: str = ""
    about: str = ""

    @property
    def name(self) -> str:
        return inner_name(str(self.tool.get("name")), self.namespace)


def inner_name(name: str, namespace: str | None) -> str:
    """What a tool is called inside.  OpenAI gives tools that it loads late their own name as a namespace; Codex calls
    its namespaces by what they begin names with, underscores and all."""
    if not namespace or namespace == name:
        return name
    return f"{namespace}{'' if namespace.endswith('__') else '__'}{name}"


def placed_tools(declared: Sequence[object], items: Iterable[tuple[Json, str]]) -> list[Placed]:
    """All tools of a request; ``items`` are those of its conversation with their paths.

    Raises InvalidRequest with the path of the first that is none, or built in.
    """
    found: dict[str, Placed] = {}
    for tool in flat_tools(declared, "tools"):
        if (first := found.setdefault(tool.name, tool)) is not tool:
            raise InvalidRequest(
                f"Invalid '{tool.path}.name': '{tool.tool['name']}' is already that of {first.path}.",
                param=f"{tool.path}.name",
                code="invalid_value",
            )
    for item, path in items:
        if item["type"] in TOOLS_BESIDE:
            tools = required(item, "tools", list, "an array of objects", f"{path}.")
            found |= {tool.name: tool for tool in flat_tools(tools, f"{path}.tools")}
    return list(found.values())


def flat_tools(declared: Sequence[object], path: str) -> Iterator[Placed]:
    """The tools of the list at ``path``, those of namespaces among them.  Raises InvalidRequest."""
    for index, item in enumerate(declared):
        at = f"{path}[{index}]"
        tool, kind = _typed(item, at)
        if kind != "namespace":
            yield _named(tool, kind, at)
            continue
        namespace = checked_name(required(tool, "name", str, "a string", f"{at}."), f"{at}.name")
        about = typed(tool, "description", str, "a string", "", f"{at}.")
        inside: list[object] = required(tool, "tools", list, "an array of objects", f"{at}.")
        for number, member in enumerate(inside):
            where = f"{at}.tools[{number}]"
            inner, kind = _typed(member, where)
            if kind == "namespace":
                raise _unserved(kind, f"{where}.type", _SERVED)
            yield _named(inner, kind, where, namespace, "" if number else about)


def _typed(item: object, path: str) -> tuple[Json, str]:
    tool = object_at(path, item)
    return tool, required(tool, "type", str, "a string", f"{path}.")


def _named(tool: Json, kind: str, path: str, namespace: str = "", about: str = "") -> Placed:
    if kind == SEARCH and tool.get("execution") == "client" and not namespace:
        return Placed(tool | {"name": SEARCH}, path)
    if kind not in _SERVED:
        raise _unserved(kind, f"{path}.type", (*_SERVED, "namespace"))
    checked_name(required(tool, "name", str, "a string", f"{path}."), f"{path}.name", _LONGEST_NAME)
    return Placed(tool, path, namespace, about)


def _unserved(kind: str, path: str, supported: Sequence[str]) -> InvalidRequest:
    if kind in _BUILT_IN:
        instead = "set its 'execution' to 'client'" if kind == SEARCH else "declare a function tool that does the same"
        return InvalidRequest(
            f"The built-in tool '{kind}' is a part of OpenAI's own service and is not served here.",
            param=path,
            code="unsupported_tool",
            hint=f"Remove it from the request, or {instead}.",
        )
    return unsupported(kind, path, supported)


def declared(placed: Sequence[Placed], rules: ToolRules) -> DeclaredTools:
    """Raises InvalidRequest with the path of the first part that is wrong."""
    if not placed:
        return DeclaredTools()
    content = [(tool.name, tool.namespace, tool.about, tool.tool) for tool in placed]
    return declared_tools(content, rules, _FORM, tuple(tool.path for tool in placed))


def _tool(content: Any, path: str) -> tuple[FunctionTool]:
    name, namespace, about, tool = cast(tuple[str, str, str, Json], content)
    path = f"{path}."
    description = typed(tool, "description", str, "a string", None, path)
    if about:
        description = f"{description or ''}\n\n{namespace}: {about}".strip()
    if tool["type"] == "custom":
        return (custom_tool(name, description, tool.get("format"), f"{path}format"),)
    made = FunctionTool(
        name,
        description,
        typed(tool, "parameters", dict, "an object", None, path),
        typed(tool, "strict", bool, "a boolean", None, path),
        tool.get("output_schema"),
        is_serial(tool),
        place=f"{path}parameters",
    )
    return (made,)


_FORM = ToolForm("responses", _tool)


def outer_names(placed: Iterable[Placed]) -> Mapping[str, tuple[str, str]]:
    """Namespace and name by the inner name, of tools that are in a namespace."""
    return {tool.name: (tool.namespace, tool.tool["name"]) for tool in placed if tool.namespace}


def has_search(placed: Iterable[Placed]) -> bool:
    """The client's tool search is among them."""
    return any(tool.tool["type"] == SEARCH for tool in placed)


def tool_choice(raw: object, placed: Sequence[Placed]) -> ToolChoice:
    """``placed`` are all that are declared.  Raises InvalidRequest."""
    names = tuple(tool.name for tool in placed)
    if raw is None:
        return ToolChoice("auto" if names else "none", names)
    if isinstance(raw, str):
        return _mode(raw, names)
    if not isinstance(raw, dict):
        raise wrong_type("tool_choice", "a string or an object", raw)
    choice, kind = _typed(cast(Json, raw), "tool_choice")
    if kind == "allowed_tools":
        mode, allowed = _allowed(choice, placed)
        return ToolChoice(mode, tuple(name for name in names if name in allowed))
    return ToolChoice("required", (_chosen(choice, kind, placed, "tool_choice"),), named=True)


def _mode(raw: str, names: tuple[str, ...]) -> ToolChoice:
    if raw not in _MODES:
        raise unsupported(raw, "tool_choice", _MODES)
    if raw == "required" and not names:
        raise InvalidRequest(
            "Tool choice 'required' must be specified with 'tools' parameter.",
            param="tool_choice",
            code="invalid_value",
        )
    return ToolChoice(raw if names else "none", names)  # pyright: ignore[reportArgumentType] checked above


def _chosen(choice: Json, kind: str, placed: Sequence[Placed], path: str) -> str:
    """The tool of this kind that ``choice`` names."""
    searched = kind == SEARCH and has_search(placed)
    if kind not in _SERVED and not searched:
        raise _unserved(kind, f"{path}.type", (*_SERVED, "allowed_tools"))
    name: str = SEARCH if searched else required(choice, "name", str, "a string", f"{path}.")
    namespace: str | None = typed(choice, "namespace", str, "a string", None, f"{path}.")
    found = inner_name(name, namespace)
    for tool in placed:
        if tool.name == found and tool.tool["type"] == kind and namespace in (None, "", name, tool.namespace):
            return found
    raise _not_found(kind, f"named '{name[:80]}'")


def _allowed(choice: Json, placed: Sequence[Placed]) -> tuple[Literal["auto", "required"], set[str]]:
    mode = required(choice, "mode", str, "a string", "tool_choice.")
    if mode not in ("auto", "required"):
        raise unsupported(mode, "tool_choice.mode", ("auto", "required"))
    listed: list[Any] = required(choice, "tools", list, "an array of objects", "tool_choice.")
    if not listed:
        raise empty_array("tool_choice.tools")
    allowed: set[str] = set()
    for index, item in enumerate(listed):
        path = f"tool_choice.tools[{index}]"
        tool, kind = _typed(item, path)
        allowed |= _inside(tool, placed, path) if kind == "namespace" else {_chosen(tool, kind, placed, path)}
    return mode, allowed


def _inside(choice: Json, placed: Sequence[Placed], path: str) -> set[str]:
    """The tools of the namespace that ``choice`` names."""
    namespace = required(choice, "name", str, "a string", f"{path}.")
    found = {tool.name for tool in placed if tool.namespace and tool.namespace == namespace}
    if not found:
        raise _not_found("namespace", f"in '{namespace[:80]}'")
    return found


def _not_found(kind: str, where: str) -> InvalidRequest:
    return InvalidRequest(
        f"Tool choice '{kind}' not found in 'tools' parameter: there is no tool {where}.",
        param="tool_choice",
        code="invalid_value",
    )
