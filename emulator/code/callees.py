"""What the name of a function stands for: a tool by its own name or another one, or something else.

Rule: a name that the program has given a meaning, or Python has, is no other way of writing a tool's.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from emulator.code.check import IMPLIED_NAMES, JSON_NAMES, MODULES, TOOL_OWNERS, UnknownFunction
from emulator.code.values import ModelObject

_MOST_OWNERS = 6


def _as_it_is(name: str) -> str | None:  # noqa: ARG001 - one of the functions that may be given for ``meant``
    return None


@dataclass(slots=True)
class Callees:
    """``tools`` and ``models`` are the stubs' names, the latter with their fields in order; ``meant`` gives the tool
    that another name stands for."""

    tools: Collection[str]
    models: Mapping[str, tuple[str, ...]]
    _: KW_ONLY
    meant: Callable[[str], str | None] = _as_it_is
    names: dict[str, Any] = field(default_factory=dict[str, Any])
    toolboxes: set[str] = field(default_factory=set[str])
    """Classes of nothing but the stubs."""
    renamed: bool = False
    """A tool was called by another name than its own."""
    _imported: set[str] = field(default_factory=lambda: set(IMPLIED_NAMES))

    def _tool_name(self, function: ast.expr, *, within: bool = False) -> str | None:
        """The tool that is called, None for any other function.  ``within``: somebody uses what it returns."""
        match function:
            case ast.Name(name) if name in self.tools:
                return name
            case ast.Name(name):
                known = name in self.names or name in self.models or name in self._imported or hasattr(builtins, name)
                # Models call the class of a tool's arguments by the tool's own name.
                return None if known or (within and name[:1].isupper()) else self._other_name(name)
            case ast.Attribute(ast.Call(ast.Name(box)), name) if box in self.toolboxes and name in self.tools:
                return name
            case ast.Attribute(_, name):
                return self._owned(function, name, within=within)
            case _:
                return None

    def _owned(self, function: ast.Attribute, name: str, *, within: bool) -> str | None:
        """The tool that is called as something's: ``tools.f()``, ``client.f()``, or by a name with a dot in it."""
        dotted = dotted_name(function)
        owner = dotted.partition(".")[0]
        if not dotted or not self._may_own(owner, within=within):
            return None
        ours = owner in TOOL_OWNERS
        if ours and name in self.tools:
            return name
        found = self._other_name(dotted)
        if found is None and ours:
            raise UnknownFunction(name)
        return found

    def _may_own(self, owner: str, *, within: bool) -> bool:
        if owner in self.names:
            value = self.names[owner]
            return isinstance(value, ModelObject) and value.model not in self.models
        return not (within and (owner in MODULES or owner in self._imported))

    def _other_name(self, name: str) -> str | None:
        found = self.meant(name)
        self.renamed |= found is not None
        return found

    def _known(self, name: str) -> bool:
        known = name in self.names or name in self._imported or name in MODULES or name in self.models
        return known or name in JSON_NAMES or name in self.tools or hasattr(builtins, name)


def dotted_name(node: ast.expr) -> str:
    """``a.b.c`` as it is written, "" for whatever else has attributes."""
    names: list[str] = []
    while isinstance(node, ast.Attribute) and len(names) < _MOST_OWNERS:
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""
