"""Statements whose calls can be read off without running them → calls.

What a tool returns is an ``Unread`` value: it may be stored and printed, and whoever looks into it has to wait for
the client's result.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from emulator.code.check import HARMLESS_IMPORTS, MODULES, Dependent, NeedsRun, Refused, why
from emulator.code.classes import is_enum, is_toolbox
from emulator.code.evaluate import Evaluator
from emulator.code.values import EnumClass, Member, ParsedCall, Unread, holds_unread


def _is_there(module: str) -> bool:
    """The module is one that a program can use; of others the import is read over, and their names mean nothing."""
    return module.split(".", maxsplit=1)[0] in MODULES


def ends_program(node: ast.stmt) -> bool:
    """Nothing that stands behind ``node`` in the same program is done."""
    match node:
        case ast.Return() | ast.Expr(ast.Call(ast.Name("exit" | "quit"))):
            return True
        case _:
            return False


class LiteralReader(Evaluator):
    """Reads statements in order."""

    __slots__ = ()

    def trial(self, emit: Callable[[ParsedCall], None]) -> LiteralReader:
        """Another reader that stands where this one does, and whose calls ``emit`` takes."""
        trial = LiteralReader(self.tools, self.models, emit, runs=self.runs, meant=self.meant, names=dict(self.names))
        trial.toolboxes |= self.toolboxes
        trial.calls, trial._budget = self.calls, self._budget
        trial._unread, trial._imported = set(self._unread), set(self._imported)
        return trial

    def run(self, statements: Iterable[ast.stmt]) -> None:
        """Up to where they end the program.  Raises CodeError at the first statement that can't be read; calls before
        it have been emitted."""
        for statement in statements:
            try:
                self._statement(statement)
            except RecursionError:
                raise Refused("the statement is nested too deeply") from None
            if ends_program(statement):
                return

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(ast.Constant(value)) if value is ...:
                pass
            case ast.Expr(ast.Call(ast.Name("exit" | "quit"))) if self.calls:
                pass
            case ast.Expr(value) | ast.Return(value) if value is not None:
                self._stored(value)
            case ast.Assign(targets, value):
                result = self._stored(value)
                for target in targets:
                    self._assign(target, result)
            case ast.AnnAssign(target, _, value):
                if value is not None:
                    self._assign(target, self._stored(value))
            case ast.Pass() | ast.Return():
                pass
            case ast.If(test, body, []) if ast.unparse(test) == "__name__ == '__main__'":
                self.run(body)
            case _ if not self._defined(node):
                self._find_unread(node)  # What looks at a result waits for it, whatever else it does.
                raise why(node)
            case _:
                pass

    def _defined(self, node: ast.stmt) -> bool:
        """The statement says what names mean, and that is known now."""
        match node:
            case ast.Import(names):
                self._import([alias.name for alias in names])
                self._imported |= {alias.asname or alias.name for alias in names if _is_there(alias.name)}
            case ast.ImportFrom(module, names, 0):
                # The functions are there without an import of them.
                foreign = [alias for alias in names if not self._offered(alias.name)]
                self._import([module or ""] if foreign else [])
                if _is_there(module or ""):
                    self._imported |= {alias.asname or alias.name for alias in foreign}
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name) if self._offered(name):
                pass  # The stub repeated.
            case ast.ClassDef(name) if is_toolbox(node, self.tools):
                self.toolboxes.add(name)
            case ast.ClassDef(name) if (members := self._enum(node)) is not None:
                self.names[name] = EnumClass(members)
            case _:
                return False
        return True

    def _enum(self, node: ast.ClassDef) -> dict[str, Member] | None:
        """The members of an enum that only names values, None for any other class."""
        if not is_enum(node):
            return None
        members: dict[str, Member] = {}
        for part in node.body:
            match part:
                case ast.Assign([ast.Name(name)], ast.Constant(str() | int() | float() as value)):
                    members[name] = Member(f"{node.name}.{name}", name, value)
                case ast.Pass() | ast.Expr(ast.Constant()):
                    pass
                case _:
                    return None
        return members

    def _offered(self, name: str) -> bool:
        return name in self.tools or name in self.models

    def _import(self, modules: list[str]) -> None:
        for module in modules:
            if module.split(".")[0] not in HARMLESS_IMPORTS:
                raise Refused(f"import of {module} is not allowed: the functions given are all there is")

    def _assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(name):
                if name in self.tools:
                    raise Refused(f"{name} is a function and can't be assigned to")
                self.names[name] = self._spent(value)
                (self._unread.add if holds_unread(value) else self._unread.discard)(name)
            case ast.Tuple(elements) | ast.List(elements):
                if isinstance(value, Unread):
                    raise Dependent("unpacks a result")
                if not isinstance(value, list | tuple) or len(value) != len(elements):  # pyright: ignore[reportUnknownArgumentType]
                    raise Refused("the assignment doesn't unpack")
                for element, part in zip(elements, value, strict=True):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
                    self._assign(element, part)
            case _:
                raise why(target)

    def _stored(self, node: ast.expr) -> Any:
        """A value that is only kept: a call's result may stand here without being looked into."""
        match node:
            case ast.Await(value):
                return self._stored(value)
            case ast.List(elements) | ast.Tuple(elements) | ast.Set(elements) if not any(
                isinstance(e, ast.Starred) for e in elements
            ):
                values = [self._stored(element) for element in elements]
                return tuple(values) if isinstance(node, ast.Tuple) else values
            case ast.Dict(keys, values) if all(key is not None for key in keys):
                return {self._key(key): self._stored(v) for key, v in zip(keys, values, strict=True) if key}
            case ast.Call(ast.Name("print" | "pprint"), arguments, keywords):
                for argument in (*arguments, *(keyword.value for keyword in keywords)):
                    self._printed(argument)
                return None
            case ast.Call(function) if (name := self._tool_name(function)) is not None:
                return self._call(name, node)
            case ast.Name(name) if name in self.names:
                return self.names[name]
            case _:
                return self._value(node)

    def _printed(self, node: ast.expr) -> None:
        """What is printed is not needed here, only the calls in it, if all of them could be made."""
        if isinstance(node, ast.JoinedStr) and not any(getattr(part, "format_spec", None) for part in node.values):
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    self._printed(part.value)
            return
        before = self.calls
        try:
            self._stored(node)
        except (Dependent, NeedsRun):
            if self.runs or self.calls - before < self._calls_in(node):
                raise

    def _calls_in(self, node: ast.expr) -> int:
        calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
        return sum(self._tool_name(call.func) is not None for call in calls)
