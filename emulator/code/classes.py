"""Classes that a program uses without defining them, and those that it defines by habit → what can be run.

Rule: a class that is only called with fields by name holds those fields, as one of Pydantic's would; an enum's members
are their values; a class of nothing but the stubs repeated is where its author thinks that the tools are.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Container, Iterable

from emulator.code.check import ENUM_BASES

_MOST_FIELDS = 100


def invented_classes(nodes: Iterable[ast.AST], known: Container[str]) -> list[ast.stmt]:
    """Definitions of the classes that ``nodes`` call and nobody defines; ``known`` are names with a meaning."""
    fields: dict[str, dict[str, None]] = {}
    for node in nodes:
        match node:
            case ast.Call(ast.Name(name), [], keywords) if name[:1].isupper() and not hasattr(builtins, name):
                if name not in known and all(keyword.arg and keyword.arg.isidentifier() for keyword in keywords):
                    fields.setdefault(name, {}).update(dict.fromkeys(keyword.arg or "" for keyword in keywords))
            case _:
                pass
    return [statement for name, found in fields.items() if found for statement in _class(name, list(found))]


def _class(name: str, fields: list[str]) -> list[ast.stmt]:
    lines = [f" {field}: object = None" for field in fields[:_MOST_FIELDS]]
    return ast.parse("\n".join([f"class {name}(BaseModel):", *lines])).body


def is_enum(node: ast.ClassDef) -> bool:
    """An enum that says what its members are, and does nothing else."""
    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    plain = all(isinstance(part, ast.Assign | ast.Pass | ast.Expr) for part in node.body)
    return plain and bool(bases & ENUM_BASES) and bases <= ENUM_BASES | {"str", "int"}


def is_toolbox(node: ast.stmt, tools: Container[str]) -> bool:
    """A class whose methods are the tools' stubs; one that does something by itself is the program's own."""
    if not isinstance(node, ast.ClassDef):
        return False
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
    stubs = [part for part in methods if part.name != "__init__"]
    rest = [part for part in node.body if part not in methods]
    named = bool(stubs) and all(part.name in tools for part in stubs)
    return named and _does_nothing([*rest, *(part for stub in stubs for part in stub.body)])


def _does_nothing(statements: Iterable[ast.stmt]) -> bool:
    return all(
        isinstance(part, ast.Pass | ast.Raise) or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        for part in statements
    )
