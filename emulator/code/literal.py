"""Statements whose calls can be read off without running them → calls.

An evaluator over an allow-list of nodes: constants, containers, names assigned before, simple arithmetic,
f-strings of constants, model objects.  What a tool returns is an ``Unread`` value: it may be stored and
printed, and whoever looks into it has to wait for the client's result.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.code.check import (
    FORBIDDEN_CALLS,
    HARMLESS_IMPORTS,
    IMPLIED_NAMES,
    JSON_NAMES,
    MODULES,
    TOOL_OWNERS,
    Dependent,
    NeedsRun,
    Refused,
    UnknownFunction,
    why,
)
from emulator.code.values import (
    BINARY,
    UNARY,
    ModelObject,
    ParsedCall,
    Unread,
    bounded,
    check_size,
    first_look,
    holds_unread,
    plain,
)

_DATA_UNITS = 1 << 19
_CONVERSIONS: dict[int, Callable[[Any], str]] = {115: str, 114: repr, 97: ascii}
"""The ``!s``, ``!r`` and ``!a`` of an f-string, by the number that ast gives them."""


@dataclass(slots=True)
class LiteralReader:
    """Reads statements in order; knows the tools' Python names and each model's fields in order."""

    tools: Collection[str]
    models: Mapping[str, tuple[str, ...]]
    emit: Callable[[ParsedCall], None]
    """Takes each call as soon as it is read, in the order in which Python would make it."""
    runs: bool = False
    """What can't be read off will be run, so that only what is sure to wait for a result need be told here."""
    names: dict[str, Any] = field(default_factory=dict[str, Any])
    calls: int = 0
    _unread: set[str] = field(default_factory=set[str])
    _imported: set[str] = field(default_factory=lambda: set(IMPLIED_NAMES))
    _budget: int = _DATA_UNITS

    def run(self, statements: Iterable[ast.stmt]) -> None:
        """Raises CodeError at the first statement that can't be read; calls before it have been emitted."""
        for statement in statements:
            try:
                self._statement(statement)
            except RecursionError:
                raise Refused("the statement is nested too deeply") from None

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value) | ast.Return(value) if value is not None:
                self._stored(value)
            case ast.Assign(targets, value):
                result = self._stored(value)
                for target in targets:
                    self._assign(target, result)
            case ast.AnnAssign(target, _, value):
                if value is not None:
                    self._assign(target, self._stored(value))
            case ast.Import(names):
                self._import([alias.name for alias in names])
                self._imported |= {alias.asname or alias.name for alias in names}
            case ast.ImportFrom(module, names, 0):
                # The functions are there without an import of them.
                foreign = [alias for alias in names if not self._offered(alias.name)]
                self._import([module or ""] if foreign else [])
                self._imported |= {alias.asname or alias.name for alias in foreign}
            case ast.Pass() | ast.Return():
                pass
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name) if self._offered(name):
                pass  # The stub repeated.
            case ast.If(test, body, []) if ast.unparse(test) == "__name__ == '__main__'":
                self.run(body)
            case _:
                self._find_unread(node)  # What looks at a result waits for it, whatever else it does.
                raise why(node)

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
            case ast.List(elements) | ast.Tuple(elements) if not any(isinstance(e, ast.Starred) for e in elements):
                values = [self._stored(element) for element in elements]
                return values if isinstance(node, ast.List) else tuple(values)
            case ast.Dict(keys, values) if all(key is not None for key in keys):
                return {self._key(key): self._stored(v) for key, v in zip(keys, values, strict=True) if key}
            case ast.Call(ast.Name("print"), arguments, keywords):
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

    def _tool_name(self, function: ast.expr) -> str | None:
        match function:
            case ast.Name(name) if name in self.tools:
                return name
            case ast.Attribute(ast.Name(owner), name) if owner in TOOL_OWNERS and owner not in self.names:
                if name not in self.tools:
                    raise UnknownFunction(name)
                return name
            case _:
                return None

    def _call(self, name: str, node: ast.Call) -> Unread:
        positional: list[Any] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                positional += self._sequence(argument.value)
            else:
                positional.append(self._value(argument))
        keywords = self._keywords(node.keywords)
        self._spent([positional, keywords])
        self.emit(ParsedCall(name, tuple(positional), keywords))
        self.calls += 1
        return Unread(self.calls - 1)

    def _keywords(self, keywords: list[ast.keyword]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for keyword in keywords:
            value = self._value(keyword.value)
            given = {keyword.arg: value} if keyword.arg is not None else self._mapping(value)
            for key, item in given.items():
                if key in values:
                    raise Refused(f"the argument {key} is given twice")
                values[key] = item
        return values

    def _mapping(self, value: Any) -> dict[str, Any]:
        fields = value.fields if isinstance(value, ModelObject) else value
        if not isinstance(fields, dict) or not all(isinstance(key, str) for key in fields):  # pyright: ignore[reportUnknownVariableType]
            raise Refused("what stands behind ** is not a dict with names as keys")
        self._charge(len(fields))  # pyright: ignore[reportUnknownArgumentType]
        return fields  # pyright: ignore[reportUnknownVariableType]

    def _sequence(self, node: ast.expr) -> list[Any]:
        value = self._value(node)
        if not isinstance(value, list | tuple | str):
            raise Refused("what stands behind * is not a list")
        self._charge(len(value))  # pyright: ignore[reportUnknownArgumentType]
        return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]

    def _key(self, node: ast.expr) -> Any:
        key = self._value(node)
        if not isinstance(key, str | int | float | bool | None):
            raise NeedsRun("a key that is no text or number can't be read without running it")
        return key

    def _value(self, node: ast.expr) -> Any:
        """A value that somebody uses: no unread result may be part of it."""
        match node:
            case ast.Constant(value):
                return self._constant(value)
            case ast.Name(name):
                return self._named(name)
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                return self._container(node)
            case ast.UnaryOp(op, operand):
                return self._unary(op, self._value(operand))
            case ast.BinOp(left, op, right):
                return self._binary(op, self._value(left), self._value(right))
            case ast.JoinedStr(parts):
                return bounded("".join(self._formatted(part) for part in parts))
            case ast.Await(value):
                return self._value(value)
            case ast.Call():
                return self._called(node)
            case ast.Subscript(value) | ast.Attribute(value):
                self._value(value)  # An unread result below says more than an index does.
                raise why(node)
            case _:
                self._find_unread(node)
                raise why(node)

    def _container(self, node: ast.List | ast.Tuple | ast.Set | ast.Dict) -> Any:
        match node:
            case ast.Dict(keys, values):
                return self._dict(keys, values)
            case ast.Tuple(elements):
                return tuple(self._elements(elements))
            case ast.List(elements) | ast.Set(elements):  # JSON has no sets; the order is the one written.
                return self._elements(elements)

    def _find_unread(self, node: ast.AST) -> None:
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if self.runs and not (names.isdisjoint(self.tools) and isinstance(self.names.get(first_look(node)), Unread)):
            return
        if unread := names & self._unread:
            raise Dependent(f"uses the result {min(unread)}")

    def _constant(self, value: Any) -> Any:
        if isinstance(value, str | int | float | bool | None):
            return value
        raise Refused(f"a {type(value).__name__} is no JSON value")

    def _named(self, name: str) -> Any:
        if name in self.names:
            value = self.names[name]
            if name in self._unread:
                raise Dependent(f"uses the result {name}")
            return value
        if name in self._imported or name in MODULES:
            raise NeedsRun(f"{name} can't be read without running it")
        if name in JSON_NAMES:
            return JSON_NAMES[name]
        if name in self.tools:
            raise NeedsRun(f"the function {name} can't be a value")
        raise Refused(f"NameError: the name {name} is not defined")

    def _charge(self, units: int) -> None:
        self._budget -= units
        if self._budget < 0:
            raise Refused("the code holds too much data")

    def _spent(self, value: Any) -> Any:
        """``value``, its size taken off what an answer may hold: names make a small text a huge value."""
        left = [value]
        while left:
            item = left.pop()
            self._charge(1 + len(item) // 8 if isinstance(item, str) else 1)
            if isinstance(item, ModelObject):
                item = item.fields
            if isinstance(item, dict):
                left += [*item, *item.values()]  # pyright: ignore[reportUnknownArgumentType]
            elif isinstance(item, list | tuple):
                left += item  # pyright: ignore[reportUnknownArgumentType]
        return value

    def _elements(self, elements: list[ast.expr]) -> list[Any]:
        values: list[Any] = []
        for element in elements:
            if isinstance(element, ast.Starred):
                values += self._sequence(element.value)
            else:
                values.append(self._value(element))
        return values

    def _dict(self, keys: list[ast.expr | None], values: list[ast.expr]) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, node in zip(keys, values, strict=True):
            if key is None:
                result |= self._mapping(self._value(node))
            else:
                result[self._key(key)] = self._value(node)
        return result

    def _unary(self, op: ast.unaryop, value: Any) -> Any:
        if isinstance(op, ast.Not) or isinstance(value, int | float):
            return UNARY[type(op)](value)
        raise Refused(f"a {type(value).__name__} has no {type(op).__name__}")

    def _binary(self, op: ast.operator, left: Any, right: Any) -> Any:
        function = BINARY.get(type(op))
        if function is None:
            raise why(op)
        check_size(op, left, right)
        try:
            return self._spent(bounded(function(left, right)))
        except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
            raise Refused(f"{type(error).__name__}: {error}") from None

    def _formatted(self, part: ast.expr) -> str:
        match part:
            case ast.Constant(str() as text):
                return text
            case ast.FormattedValue(value, conversion, spec):
                shown = self._spent(self._value(value))
                if isinstance(shown, ModelObject):
                    raise NeedsRun("a model object in an f-string can't be read without running it")
                if conversion in _CONVERSIONS:
                    shown = _CONVERSIONS[conversion](shown)
                layout = str(self._value(spec)) if spec is not None else ""
                if re.search(r"\d{4}", layout):
                    raise Refused("the format's width is too large")
                try:
                    return format(shown, layout)
                except (TypeError, ValueError) as error:
                    raise Refused(f"{type(error).__name__}: {error}") from None
            case _:
                raise why(part)

    def _called(self, node: ast.Call) -> Any:
        name = self._tool_name(node.func)
        if name is not None:
            self._call(name, node)
            raise Dependent(f"uses the result of {name}")
        match node.func:
            case ast.Name("dict"):
                return self._made_dict(node)
            case ast.Name(("list" | "tuple") as kind) if not node.keywords and len(node.args) <= 1:
                values = self._sequence(node.args[0]) if node.args else []
                return values if kind == "list" else tuple(values)
            case ast.Attribute(ast.Name("json"), "dumps") if len(node.args) == 1 and not node.keywords:
                return json.dumps(plain(self._spent(self._value(node.args[0]))), ensure_ascii=False)
            case ast.Name(forbidden) if forbidden in FORBIDDEN_CALLS:
                raise Refused(f"{forbidden}() is not allowed: {FORBIDDEN_CALLS[forbidden]}")
            case ast.Name(imported) if imported in self._imported:
                self._find_unread(node)  # What it is given may need a result, which is the better reason to stop.
                raise NeedsRun(f"{imported}() can't be read without running it")
            case ast.Name(model) if model in self.models or model[:1].isupper():
                return self._model(model, node)
            case ast.Name(function):
                self._find_unread(node)
                if hasattr(builtins, function):
                    raise NeedsRun(f"{function}() can't be read without running it")
                raise UnknownFunction(function)
            case ast.Attribute(value, _):
                self._find_unread(value)
                raise NeedsRun("a method call can't be read without running it")
            case _:
                raise why(node)

    def _made_dict(self, node: ast.Call) -> dict[str, Any]:
        first: Any = self._value(node.args[0]) if node.args else {}
        if not isinstance(first, dict | ModelObject):
            raise NeedsRun("dict() of a list can't be read without running it")
        return self._mapping(first) | self._keywords(node.keywords)

    def _model(self, model: str, node: ast.Call) -> ModelObject:
        fields = self.models.get(model, ())
        positional = self._elements(node.args)
        if len(positional) > len(fields):
            raise Refused(f"{model} takes its fields by name")
        given = dict(zip(fields, positional, strict=False))
        named = self._keywords(node.keywords)
        if twice := given.keys() & named.keys():
            raise Refused(f"the field {min(twice)} of {model} is given twice")
        return ModelObject(model, given | named)
