"""A program that calls tools by other names than the stubs' → the same program with theirs.

Rule: only the name of what is called changes, where it is called, so that lines and everything else stay as written; a
name that the program gives a meaning of its own is that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from emulator.code.callees import dotted_name


def bound_names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names that get a meaning anywhere in ``nodes``."""
    for node in nodes:
        for part in ast.walk(node):
            match part:
                case ast.Name(name, ast.Store()) | ast.arg(name):
                    yield name
                case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                    yield name
                case ast.Import(aliases) | ast.ImportFrom(_, aliases):
                    yield from ((alias.asname or alias.name).partition(".")[0] for alias in aliases)
                case _:
                    pass


def renamed(source: str, nodes: Iterable[ast.AST], tool: Callable[[str], str | None], bound: set[str]) -> str:
    """``source``, which parses as ``nodes``; ``tool`` gives the stub's name for a name, None for what is no tool."""
    places = [
        (function.lineno, function.col_offset, function.end_lineno, function.end_col_offset, name)
        for function in _called(nodes)
        if (dotted := dotted_name(function)) and dotted.partition(".")[0] not in bound
        if (name := tool(dotted)) is not None and name != dotted
    ]
    lines = source.encode("utf-8", "surrogatepass").split(b"\n")
    for line, begin, last, end, name in sorted(places, reverse=True):
        if line == last:
            text = lines[line - 1]
            lines[line - 1] = text[:begin] + name.encode() + text[end:]
    return b"\n".join(lines).decode("utf-8", "surrogatepass")


def _called(nodes: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """The functions of all calls, but for classes whose objects are what a call is given."""
    left: list[tuple[ast.AST, bool]] = [(node, False) for node in nodes]
    while left:
        node, given = left.pop()
        if isinstance(node, ast.Call):
            if not (given and isinstance(node.func, ast.Name) and node.func.id[:1].isupper()):
                yield node.func
            inside = not (isinstance(node.func, ast.Name) and node.func.id in ("print", "pprint", "list"))
            left += [(part, inside) for part in ast.iter_child_nodes(node) if part is not node.func]
        else:
            left += [(part, given and isinstance(node, ast.expr | ast.keyword)) for part in ast.iter_child_nodes(node)]
