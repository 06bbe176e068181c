"""Functions that nobody offers: which of the tools was meant, if any."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection

from emulator.code.check import CodeError, UnknownFunction


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


def explained(error: CodeError, names: Collection[str]) -> str:
    """The error as a sentence for the model, with the names that it may have meant."""
    if not isinstance(error, UnknownFunction):
        return str(error)
    close = difflib.get_close_matches(error.name, names, n=3, cutoff=0.5)
    if close:
        return f"{error}; did you mean {', '.join(close)}?"
    return f"{error}; the functions are {', '.join(sorted(names)[:20])}"
