"""A cell of a notebook as a program, and its calls as they are shown there.

Rule: pure.  Used only where the kernel works for a Jupyter front end; the server names the tools and shows the calls
in its own way.
"""

from __future__ import annotations

import ast
import builtins
import codeop
import json
import warnings
from typing import Any, Literal, cast

from emulator.runs import MODEL_KEY, Json, RunCall

_BUILTINS = frozenset(dir(builtins))


def tools_of(tree: ast.Module) -> tuple[str, ...]:
    """The names that a program calls and nobody defines."""
    called: dict[str, None] = {}
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called[node.func.id] = None
        bound.update(_bound_by(node))
    return tuple(name for name in called if name not in bound and name not in _BUILTINS)


def _bound_by(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.arg(arg=name):
            return [name]
        case ast.alias(name=name, asname=other):
            return [other or name.partition(".")[0]]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case _:
            return []


def completeness(code: str) -> Literal["complete", "incomplete", "invalid"]:
    """Whether a console should run ``code`` or let the user go on, as is_complete_reply has it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = codeop.compile_command(code, symbol="exec")
    except (SyntaxError, OverflowError, ValueError):
        return "invalid"
    # A block may go on; what ends it in a console is an empty line.
    in_block = code.rpartition("\n")[2][:1].isspace()
    return "incomplete" if compiled is None or in_block else "complete"


def call_text(call: RunCall) -> str:
    """The call as Python: ``get_weather(location="Paris")``."""
    arguments = [value_text(value) for value in call.positional]
    arguments += [f"{name}={value_text(value)}" for name, value in call.keywords.items()]
    return f"{call.name}({', '.join(arguments)})"


def tool_call(call: RunCall, index: int) -> Json:
    """The call as OpenAI has it.  What is given by position has no name here, and stands in a list ``args``."""
    arguments = call.keywords if not call.positional else {"args": list(call.positional), **call.keywords}
    function = {"name": call.name, "arguments": json.dumps(arguments)}
    return {"id": f"call_{index}", "type": "function", "function": function}


def value_text(value: Any) -> str:
    """A reported value as Python would write it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(value_text(item) for item in cast(list[Any], value))}]"
    if not isinstance(value, dict):
        return repr(value)
    fields = cast(dict[str, Any], value)
    if MODEL_KEY in fields:
        inner = [f"{name}={value_text(item)}" for name, item in fields.items() if name != MODEL_KEY]
        return f"{fields[MODEL_KEY]}({', '.join(inner)})"
    return f"{{{', '.join(f'{value_text(name)}: {value_text(item)}' for name, item in fields.items())}}}"
