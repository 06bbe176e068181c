"""Expressions whose values can be read off without running them → the values.

Rule: what is not on the list of nodes here is not read.  There are constants, containers, names assigned before,
indices and fields of those, simple arithmetic, f-strings of constants, JSON texts and model objects.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.code.callees import Callees
from emulator.code.check import (
    FORBIDDEN_CALLS,
    JSON_NAMES,
    MODULES,
    Dependent,
    NeedsRun,
    Refused,
    UnknownFunction,
    why,
)
from emulator.code.values import (
    BINARY,
    UNARY,
    EnumClass,
    Member,
    ModelObject,
    ParsedCall,
    Unread,
    bounded,
    check_size,
    first_look,
    plain,
)

_DATA_UNITS = 1 << 19
_CONVERSIONS: dict[int, Callable[[Any], str]] = {115: str, 114: repr, 97: ascii}
"""The ``!s``, ``!r`` and ``!a`` of an f-string, by the number that ast gives them."""
_LONGEST_JSON = 1 << 16
_VALIDATED = frozenset(["model_validate", "parse_obj", "from_dict"])
"""What makes a model object of a dict."""
_DUMPED = frozenset(["model_dump", "dict"])
"""What gives a model object's fields."""
_DUMPS_ALL = frozenset(["mode", "by_alias"])
"""Options with which all of the fields are given."""


@dataclass(slots=True)
class Evaluator(Callees):
    """Reads expressions in the order in which Python computes them."""

    emit: Callable[[ParsedCall], None]
    """Takes each call as soon as it is read."""
    runs: bool = False
    """What can't be read off will be run, so that only what is sure to wait for a result need be told here."""
    calls: int = 0
    _unread: set[str] = field(default_factory=set[str])
    _budget: int = _DATA_UNITS

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
        if isinstance(node, ast.Name) and not self._known(node.id):
            return node.id  # JavaScript's way of writing an object.
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
            case ast.Attribute(value, name):
                return self._attribute(value, name)
            case ast.Subscript(value, index):
                return self._item(value, index)
            case _:
                self._find_unread(node)
                raise why(node)

    def _attribute(self, node: ast.expr, name: str) -> Any:
        if isinstance(node, ast.Name) and node.id[:1].isupper() and not self._known(node.id):
            return Member(f"{node.id}.{name}", name)
        match self._value(node):  # An unread result below says more than an attribute does.
            case Member() as member if name in ("value", "name"):
                return member
            case EnumClass(members) if name in members:
                return members[name]
            case ModelObject(_, fields) if name in fields:
                return fields[name]
            case ModelObject() as whole if name == "__dict__":
                return whole
            case _:
                raise NeedsRun("an attribute can't be read without running it")

    def _item(self, node: ast.expr, index: ast.expr) -> Any:
        value = self._value(node)  # As above.
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and not isinstance(index, ast.Slice):
            held = value.fields if isinstance(value, ModelObject) else value
            held = held.members if isinstance(held, EnumClass) else held
            if isinstance(held, dict | list | tuple):
                try:
                    return held[self._key(index)]  # pyright: ignore[reportUnknownVariableType, reportArgumentType, reportCallIssue]
                except (LookupError, TypeError):
                    pass
        raise NeedsRun("an index can't be read without running it")

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
                if isinstance(shown, ModelObject | Member | EnumClass):
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
        name = self._tool_name(node.func, within=True)
        if name is not None:
            self._call(name, node)
            raise Dependent(f"uses the result of {name}")
        match node.func:
            case ast.Name(function):
                return self._function(function, node)
            case ast.Attribute(ast.Name("json"), "dumps") if len(node.args) == 1 and not node.keywords:
                return json.dumps(plain(self._spent(self._value(node.args[0]))), ensure_ascii=False)
            case ast.Attribute(ast.Name("json"), "loads") if len(node.args) == 1 and not node.keywords:
                return self._loaded(node.args[0])
            case ast.Attribute(value, method):
                return self._method(value, method, node)
            case _:
                raise why(node)

    def _function(self, function: str, node: ast.Call) -> Any:
        """What a call by a plain name gives, which is no tool's."""
        if function == "dict":
            return self._made_dict(node)
        if function in ("list", "tuple") and not node.keywords and len(node.args) <= 1:
            values = self._sequence(node.args[0]) if node.args else []
            return values if function == "list" else tuple(values)
        if function in FORBIDDEN_CALLS:
            raise Refused(f"{function}() is not allowed: {FORBIDDEN_CALLS[function]}")
        if isinstance(self.names.get(function), EnumClass) and len(node.args) == 1:
            return self._value(node.args[0])
        if function in self._imported:
            self._find_unread(node)  # What it is given may need a result, which is the better reason to stop.
            raise NeedsRun(f"{function}() can't be read without running it")
        if function in self.models or function[:1].isupper():
            return self._model(function, node)
        self._find_unread(node)
        if hasattr(builtins, function):
            raise NeedsRun(f"{function}() can't be read without running it")
        raise UnknownFunction(function)

    def _method(self, node: ast.expr, method: str, call: ast.Call) -> Any:
        self._find_unread(node)
        if method in _VALIDATED and isinstance(node, ast.Name) and node.id[:1].isupper() and len(call.args) == 1:
            return ModelObject(node.id, self._mapping(self._value(call.args[0])))
        made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id[:1].isupper()
        named = isinstance(node, ast.Name) and isinstance(self.names.get(node.id), ModelObject)
        if method in _DUMPED and (made or named) and isinstance(value := self._value(node), ModelObject):
            return self._dumped(value, call)
        raise NeedsRun("a method call can't be read without running it")

    def _dumped(self, value: ModelObject, call: ast.Call) -> dict[str, Any]:
        """A model object's fields, but for those that the call leaves out."""
        options = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg not in _DUMPS_ALL}
        leaves_out = options.pop("exclude_none", ast.Constant(False))
        if call.args or options or not isinstance(leaves_out, ast.Constant):
            raise NeedsRun("the fields that are chosen can't be read without running it")
        return {key: field for key, field in value.fields.items() if not (leaves_out.value and field is None)}

    def _loaded(self, node: ast.expr) -> Any:
        text = self._value(node)
        if isinstance(text, str) and len(text) <= _LONGEST_JSON:
            try:
                return self._spent(json.loads(text))
            except (ValueError, RecursionError):
                pass
        raise NeedsRun("json.loads() can't be read without running it")

    def _made_dict(self, node: ast.Call) -> dict[str, Any]:
        first: Any = self._value(node.args[0]) if node.args else {}
        if not isinstance(first, dict | ModelObject):
            raise NeedsRun("dict() of a list can't be read without running it")
        return self._mapping(first) | self._keywords(node.keywords)

    def _model(self, model: str, node: ast.Call) -> ModelObject:
        fields = self.models.get(model, ())
        positional = self._elements(node.args)
        if model not in self.models and len(positional) == 1 and not node.keywords:
            return self._wrapped(model, positional[0])
        if len(positional) > len(fields):
            raise Refused(f"{model} takes its fields by name")
        given = dict(zip(fields, positional, strict=False))
        named = self._keywords(node.keywords)
        if twice := given.keys() & named.keys():
            raise Refused(f"the field {min(twice)} of {model} is given twice")
        return ModelObject(model, given | named)

    def _wrapped(self, model: str, value: Any) -> Any:
        """What an invented class makes of one value: an enum's member, a path, an id is the text it is made from."""
        if isinstance(value, dict):
            return ModelObject(model, self._mapping(value))  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(value, str | int | float | ModelObject):
            return value
        raise Refused(f"{model} takes its fields by name")
