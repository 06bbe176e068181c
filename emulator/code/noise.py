"""What models write around a program out of habit → the program that they mean.

Understood, not refused: imports of what is there anyway, stubs repeated or redefined, ``if __name__ == "__main__"``,
``async`` in all its forms, JSON's names for constants.  Refused, each with its reason: what no kernel can or may run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Protocol, cast

from emulator.code.check import (
    FORBIDDEN_CALLS,
    IMPLIED_NAMES,
    JSON_NAMES,
    MODULES,
    TOOL_OWNERS,
    UNNEEDED_MODULES,
    Refused,
)
from emulator.code.classes import invented_classes, is_enum, is_toolbox

_IMPLIED = ("json", "re", "math", "datetime", "collections", "itertools", "random", "time", "functools")
_RESERVED = re.compile(r"_[a-z]\w*_")
"""Names of the helpers that scheduling puts into a program."""
_REFUSED: dict[type[ast.AST], str] = {
    ast.Yield: "generators (yield) can't be run; build a list",
    ast.YieldFrom: "generators (yield) can't be run; build a list",
    ast.TryStar: "except* can't be run; use except",
}
_IGNORED = frozenset(["__bool__", "__len__", "__getattr__", "__getattribute__", "__del__", "__hash__"])
"""Methods that Monty never calls, so that it would take wrong branches."""
_AWAITED = frozenset(["run", "create_task", "ensure_future", "wait_for", "shield", "run_until_complete", "to_thread"])


class Meaning(Protocol):
    """The names that a program's surroundings give it."""

    @property
    def tools(self) -> frozenset[str]: ...
    @property
    def models(self) -> frozenset[str]: ...
    @property
    def bound(self) -> set[str]: ...
    @property
    def enums(self) -> set[str]: ...
    @property
    def toolboxes(self) -> set[str]: ...
    def learn(self, nodes: Iterable[ast.AST]) -> None: ...


def cleaned(statements: list[ast.stmt], words: Meaning) -> list[ast.stmt]:
    """The statements that are left to run, rewritten in place.  Raises Refused."""
    statements = _without_toolboxes(_to_first_return(statements), words)
    # Looking through the whole costs more than all else here, so it is done once for all who ask.
    nodes = [part for statement in statements for part in ast.walk(statement)]
    known = {*words.tools, *words.models, *words.bound, *_bound(nodes), *IMPLIED_NAMES}
    if invented := invented_classes(nodes, known):
        statements = [*invented, *statements]
        nodes = [*(part for statement in invented for part in ast.walk(statement)), *nodes]
    words.learn(nodes)
    words.bound.update(_bound(nodes))
    if reserved := next(filter(_RESERVED.fullmatch, words.bound), None):
        raise Refused(f"the name {reserved} is reserved")
    out = _Cleaner(words).statements(statements)
    implied = _implied(nodes, words.bound)
    words.learn(implied)
    return [*implied, *out]


def _without_toolboxes(statements: list[ast.stmt], words: Meaning) -> list[ast.stmt]:
    boxes = {node.name for node in statements if isinstance(node, ast.ClassDef) and is_toolbox(node, words.tools)}
    if not boxes:
        return statements
    words.toolboxes.update(boxes)
    return [node for node in statements if not (isinstance(node, ast.ClassDef) and node.name in boxes)]


def _implied(nodes: list[ast.AST], bound: set[str]) -> list[ast.stmt]:
    """The imports that the program lacks."""
    used = {node.id for node in nodes if isinstance(node, ast.Name)} - bound
    lines = {module: f"import {module}" for module in _IMPLIED if module in used}
    lines |= {name: f"from {module} import {name}" for name, module in IMPLIED_NAMES.items() if name in used}
    bound.update(lines)
    return ast.parse("\n".join(lines.values())).body


def _to_first_return(statements: list[ast.stmt]) -> list[ast.stmt]:
    """``return f(...)`` outside a function gives the program's value, and ends it."""
    for index, node in enumerate(statements):
        if isinstance(node, ast.Return):
            last = [ast.copy_location(ast.Expr(node.value), node)] if node.value else []
            return [*statements[:index], *last]
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and _returns(node):
            raise Refused("return can only stand in a function here")
    return statements


def _returns(node: ast.AST) -> bool:
    """A return that leaves ``node`` itself, not a function in it."""
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    return any(
        isinstance(part, ast.Return) or (not isinstance(part, inner) and _returns(part))
        for part in ast.iter_child_nodes(node)
    )


def _bound(nodes: list[ast.AST]) -> set[str]:
    """Names that the program itself gives a meaning."""
    bound: set[str] = set()
    for node in nodes:
        match node:
            case ast.Name(name, ast.Store()):
                bound.add(name)
            case (
                ast.ExceptHandler(_, str() as name)
                | ast.arg(name)
                | ast.FunctionDef(name)
                | ast.AsyncFunctionDef(name)
                | ast.ClassDef(name)
            ):
                bound.add(name)
            case ast.ImportFrom(module) if module in UNNEEDED_MODULES:
                pass
            case ast.Import(names) | ast.ImportFrom(_, names):
                names = [alias for alias in names if alias.name not in UNNEEDED_MODULES]
                bound |= {alias.asname or alias.name.split(".")[0] for alias in names}
            case _:
                pass
    return bound


class _Cleaner(ast.NodeTransformer):
    def __init__(self, words: Meaning) -> None:
        self._words, self._bound = words, words.bound
        self._shadowed: frozenset[str] = frozenset()
        self._in_class = False

    def statements(self, nodes: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for node in nodes:
            made = cast(ast.stmt | list[ast.stmt] | None, self.visit(node))
            out += made if isinstance(made, list) else [made] if made is not None else []
        return out

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt] | None:
        if (reason := _REFUSED.get(type(node))) is not None:
            raise Refused(reason)
        return super().visit(node)

    def visit_Import(self, node: ast.Import) -> ast.Import | None:
        node.names = [alias for alias in node.names if self._is_run(alias.name)]
        return node if node.names else None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        given = self._words.tools | self._words.models
        if all(alias.name in given for alias in node.names):
            return None
        return node if self._is_run(node.module or "") else None

    def _is_run(self, module: str) -> bool:
        top = module.split(".", maxsplit=1)[0]
        if top in UNNEEDED_MODULES:
            return False
        if top not in MODULES:
            raise Refused(f"import of {module[:80]} is not possible; there are {', '.join(sorted(MODULES))}")
        return True

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef | None:
        if node.name in self._words.tools and not self._in_class:
            return None  # The stub repeated.
        if node.decorator_list:
            raise Refused("decorators can't be run here; call the function plainly")
        self._with_parameters(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        self._with_parameters(node)
        return node

    def _with_parameters(self, node: ast.FunctionDef | ast.Lambda) -> None:
        """A parameter that has a tool's name is meant inside its function."""
        shadowed, in_class = self._shadowed, self._in_class
        self._shadowed = shadowed.union(part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg))
        self._in_class = False
        self.generic_visit(node)
        self._shadowed, self._in_class = shadowed, in_class

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.FunctionDef | None:
        plain = ast.FunctionDef(node.name, node.args, node.body, node.decorator_list)
        return self.visit_FunctionDef(ast.copy_location(plain, node))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt | None:
        if node.name in self._words.models:
            return None
        bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        if bases == {"TypedDict"}:
            made = ast.Assign([ast.Name(node.name, ast.Store())], ast.Name("dict", ast.Load()))
            return ast.copy_location(made, node)
        if is_enum(node):
            self._words.enums.add(node.name)
            node.bases = []
            return node
        if not bases <= {"BaseModel", "object"} or node.keywords:
            raise Refused(f"class {node.name} can't have base classes here; use a dict or a class without bases")
        decorators = {ast.unparse(item).partition("(")[0].rpartition(".")[2] for item in node.decorator_list}
        if not decorators <= {"dataclass"}:
            raise Refused("decorators of classes can't be run here, except dataclass")
        if ignored := {item.name for item in node.body if isinstance(item, ast.FunctionDef)} & _IGNORED:
            raise Refused(f"a class can't define {min(ignored)} here; write a method with a name of its own")
        node.bases = []
        in_class, self._in_class = self._in_class, True
        self.generic_visit(node)
        self._in_class = in_class
        node.body = node.body or [ast.Pass()]
        if "BaseModel" in bases:
            node.decorator_list = [ast.Name("_dataclass_", ast.Load())]
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if ast.unparse(node.test) in ("__name__ == '__main__'", "'__main__' == __name__"):
            return self.statements(node.body)
        return self._with_bodies(node)

    def visit_For(self, node: ast.For) -> ast.AST:
        return self._with_bodies(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        return self._with_bodies(ast.copy_location(ast.For(node.target, node.iter, node.body, node.orelse), node))

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._with_bodies(node)

    def visit_With(self, node: ast.With) -> ast.AST:
        return self._with_bodies(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        raise Refused("async with can't be run here; use asyncio.gather, or plain calls")

    def visit_Try(self, node: ast.Try) -> ast.AST:
        return self._with_bodies(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        self._not_a_tool(node.name)
        return self._with_bodies(node)

    def _with_bodies(self, node: ast.AST) -> ast.AST:
        """A body of which nothing is left still has to be one."""
        self.generic_visit(node)
        if not getattr(node, "body", True):
            node.body = [ast.Pass()]  # pyright: ignore[reportAttributeAccessIssue]
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return cast(ast.AST, self.visit(node.value))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node.func:
            case ast.Attribute(ast.Name("asyncio" | "loop"), method):
                return self._asynchronous(node, method)
            case ast.Name("pprint" as name) if name not in self._bound:
                node.func = ast.copy_location(ast.Name("print", ast.Load()), node.func)
                node.keywords = []
                return self.generic_visit(node)
            case ast.Name("gather") if "gather" in self._bound:
                return self._asynchronous(node, "gather")
            case _:
                return self.generic_visit(node)

    def _asynchronous(self, node: ast.Call, method: str) -> ast.AST:
        self.generic_visit(node)
        if method == "gather":
            if node.keywords:
                raise Refused("asyncio.gather has no options here; use try and except around each call")
            return ast.copy_location(ast.List(node.args, ast.Load()), node)
        if method == "sleep":
            return ast.copy_location(ast.Constant(None), node)
        if method == "to_thread" and node.args:
            return ast.copy_location(ast.Call(node.args[0], node.args[1:], node.keywords), node)
        if method in _AWAITED and node.args:
            return node.args[0]
        if method in ("get_event_loop", "new_event_loop", "set_event_loop", "close"):
            return ast.copy_location(ast.Constant(None), node)
        raise Refused(f"asyncio.{method} can't be run here; use asyncio.gather, or plain calls")

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        match node:
            case ast.Assign([ast.Name(box)], ast.Call(ast.Name(made))) if made in self._words.toolboxes:
                self._words.toolboxes.add(box)
                return None
            case _:
                return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        match node.value:
            case ast.Name(owner) if (
                owner in TOOL_OWNERS and node.attr in self._words.tools and owner not in self._bound
            ):
                return ast.copy_location(ast.Name(node.attr, node.ctx), node)
            case ast.Name(box) | ast.Call(ast.Name(box)) if (
                box in self._words.toolboxes and node.attr in self._words.tools
            ):
                return ast.copy_location(ast.Name(node.attr, node.ctx), node)
            case ast.Attribute(ast.Name(owner)) as member if owner in self._words.enums and node.attr == "value":
                return member
            case _:
                return self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        self._not_a_tool(node.name)
        return self.generic_visit(node)

    def _not_a_tool(self, name: str | None) -> None:
        if name in self._words.tools:
            raise Refused(f"{name} is a function and can't be assigned to")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if _RESERVED.fullmatch(node.id):
            raise Refused(f"the name {node.id} is reserved")
        if node.id in self._shadowed:
            return node
        if isinstance(node.ctx, ast.Store):
            self._not_a_tool(node.id)
        elif node.id not in self._bound:
            if node.id in JSON_NAMES:
                return ast.copy_location(ast.Constant(JSON_NAMES[node.id]), node)
            if node.id in FORBIDDEN_CALLS:
                raise Refused(f"{node.id}() is not allowed: {FORBIDDEN_CALLS[node.id]}")
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node
