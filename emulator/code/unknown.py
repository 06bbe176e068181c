"""Functions that nobody offers: which of the tools was meant, if any."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection, Iterator, Mapping

import regex

from emulator.code.check import CodeError, UnknownFunction

_OWNERS = frozenset(
    "function functions tool tools api default_api apis client self mcp server agent assistant utils default".split()
)
"""What models put before a tool's name, where it isn't a module's or an object's name."""
_LONGEST = 256
_BREAK = regex.compile(r"[.:/]+|__+")
_ASSIGNS = regex.compile(r"[^\W\d][\w.]*+(?:\[[^\]\n]*+\])*+[ \t]*+(?::[^=\n]*+)?[-+*/|&]?=(?!=)|(?:import|from)[ ]")
_NO_LETTERS = regex.compile(r"[\W_]+")


def meant(name: str, names: Collection[str], index: Mapping[str, list[str]] | None = None) -> str | None:
    """The one tool that ``name`` is another way of writing, or None.

    Case, dashes, underscores and camelCase make no difference, and a prefix may stand before the name if it says
    nothing but where tools are (``functions.``, ``mcp__weather__``, one that ``names`` have): ``requests.get`` is no
    call of a tool ``get``, and ``undo__delete`` none of ``delete``.  ``index`` is ``by_folded(names)``, for whoever
    asks often.
    """
    if name in names:
        return name
    if len(name) > _LONGEST:
        return None
    tools = by_folded(names) if index is None else index
    for rest in _without_prefixes(name, names):
        if found := tools.get(folded(rest)):
            return rest if rest in found else found[0] if len(found) == 1 else None
    return None


def by_folded(names: Collection[str]) -> dict[str, list[str]]:
    """The names that are written alike."""
    index: dict[str, list[str]] = {}
    for name in names:
        index.setdefault(folded(name), []).append(name)
    return index


def folded(name: str) -> str:
    """Equal for all ways of writing one name."""
    return _NO_LETTERS.sub("", name).casefold() or name


def _without_prefixes(name: str, names: Collection[str]) -> Iterator[str]:
    """``name``, then what is left of it without one prefix, two, …"""
    yield name
    begin, last = 0, ""
    for found in _BREAK.finditer(name):
        prefix = name[begin : found.start()].lower()
        # A letter and a dot is what something was imported as; behind ``mcp`` stands a server's name.
        said = len(prefix) > 1 or found.group() != "."
        if said and last != "mcp" and prefix not in _OWNERS and prefix not in _namespaces(names):
            return
        begin, last = found.end(), prefix
        yield name[begin:]


def _namespaces(names: Collection[str]) -> set[str]:
    """What stands before a break in one of the names."""
    return {part.lower() for name in names for part in _BREAK.split(name)[:-1]}


def is_call(node: ast.stmt) -> bool:
    """A statement that is nothing but a call of a function by its name."""
    match node:
        case ast.Expr(ast.Call(ast.Name())) | ast.Expr(ast.Await(ast.Call(ast.Name()))):
            return True
        case ast.Assign(_, ast.Call(ast.Name())) | ast.Assign(_, ast.Await(ast.Call(ast.Name()))):
            return True
        case _:
            return False


def near(error: CodeError, names: Collection[str]) -> bool:
    """An unknown function that is meant to be one of the tools, not part of some other code."""
    if not isinstance(error, UnknownFunction):
        return False
    folded = error.name.replace("_", "").lower()
    return any(folded == known.replace("_", "").lower() for known in names) or bool(
        difflib.get_close_matches(error.name, names, n=1, cutoff=0.8)
    )


def is_words(source: str) -> bool:
    """Source that isn't Python, and that nothing else in a program can need: a line of words."""
    return "\n" not in source and not _ASSIGNS.match(source)


def explained(error: CodeError, names: Collection[str]) -> str:
    """The error as a sentence for the model, with the names that it may have meant."""
    if not isinstance(error, UnknownFunction):
        return str(error)
    close = difflib.get_close_matches(error.name, names, n=3, cutoff=0.5)
    if close:
        return f"{error}; did you mean {', '.join(close)}?"
    return f"{error}; the functions are {', '.join(sorted(names)[:20])}"
