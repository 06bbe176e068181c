"""Expressions of a program → the same with every look at a value made visible: the inner part of scheduling.

An expression is asked for in one of the ways in which its surroundings use it: *stored* (kept, passed on, returned:
it may be a stand-in), *shallow* (looked at itself, but not at what it holds) or *deep* (looked at all through).
"""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

from emulator.code.calls import Calls
from emulator.code.check import Refused
from emulator.code.words import LAZY, Words, call, name


class Expressions:
    """Rewrites expressions in place.  ``at`` says which statement they belong to."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._calls = Calls(self, words)
        self.scope: list[str] = []
        """Names that only the expression has: those of its comprehensions and lambdas."""

    def at(self, node: ast.stmt) -> None:
        self._calls.node = node

    def taken_definitions(self) -> list[ast.stmt]:
        """Functions that expressions of the last statement need before it."""
        return self._calls.taken_definitions()

    def as_generator(self, node: ast.expr) -> ast.expr:
        return self._calls.as_generator(node)

    def shallow(self, node: ast.expr) -> ast.expr:
        known = self._words.certain(node)
        new = self.stored(node)
        return new if known else call("_u_", new)

    def deep(self, node: ast.expr) -> ast.expr:
        known = self._words.certain_throughout(node)
        new = self.stored(node)
        return new if known else call("_d_", new)

    def index(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Slice):
            for part in ("lower", "upper", "step"):
                if (bound := getattr(node, part)) is not None:
                    setattr(node, part, self.shallow(bound))
            return node
        if isinstance(node, ast.Tuple) and has_slice(node):  # It can stand nowhere but in the brackets.
            node.elts = [self.index(element) for element in node.elts]
            return node
        return self.deep(node)

    def iterated(self, node: ast.expr, target: ast.expr) -> ast.expr:
        """What a loop goes through; a target of several names looks into each element."""
        if not isinstance(target, ast.Tuple | ast.List):
            return self.shallow(node)
        if any(isinstance(part, ast.Tuple | ast.List) for part in target.elts):
            return self.deep(node)
        if isinstance(node, ast.Call) and (
            (isinstance(node.func, ast.Name) and node.func.id in ("enumerate", "zip"))
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "items")
        ):
            return self.shallow(node)
        return call("_e_", self.stored(node))

    def defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = [self.stored(value) for value in arguments.defaults]
        arguments.kw_defaults = [value and self.stored(value) for value in arguments.kw_defaults]
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            argument.annotation = None

    def stored(self, node: ast.expr) -> ast.expr:
        """``node``, whose value may be a stand-in."""
        made = self._made(node)
        return made if made is node else ast.copy_location(made, node)

    def _made(self, node: ast.expr) -> ast.expr:  # noqa: C901, PLR0912 - a table of node types
        match node:
            case ast.Call():
                return self._calls.call(node)
            case ast.Name(identifier):
                return self._tool_as_value(identifier) if self._words.is_tool(identifier) else node
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript(value, index):
                node.value, node.slice = self.shallow(value), self.index(index)
            case ast.BinOp(left, op, right):
                look = self.shallow if isinstance(op, ast.Add | ast.BitOr | ast.Mult) else self.deep
                if self._words.calls(right):
                    return self._at_once(node, [left, right], deep=look == self.deep)
                node.left, node.right = look(left), look(right)
            case ast.Compare(left, ops, comparators):
                if len(ops) == 1 and self._words.calls(comparators[0]):
                    return self._at_once(node, [left, comparators[0]], deep=True)
                look = self.shallow if all(isinstance(op, ast.Is | ast.IsNot) for op in ops) else self.deep
                node.left, node.comparators = look(left), [look(part) for part in comparators]
            case ast.BoolOp(_, values):
                node.values = [*map(self.shallow, values[:-1]), self.stored(values[-1])]
            case ast.UnaryOp(_, operand):
                node.operand = self.shallow(operand)
            case ast.IfExp(test, body, orelse):
                node.test, node.body, node.orelse = self.shallow(test), self.stored(body), self.stored(orelse)
            case ast.NamedExpr(_, value):
                node.value = self.stored(value)
            case ast.Lambda(arguments, body):
                self.defaults(arguments)
                with self.within(_parameters(arguments)), self._words.within(arguments):
                    node.body = self.stored(body)
            case ast.JoinedStr():
                self._formatted(node)
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                return self._display(node)
            case ast.Starred(value):
                node.value = self.unpacked(value)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return self._comprehension(node)
            case _:
                pass
        return node

    def unpacked(self, node: ast.expr) -> ast.expr:
        """What stands behind a star: gone through at once, and to its end, without a look at what comes of it."""
        made = self.as_generator(node)
        if isinstance(made, ast.GeneratorExp):
            made = ast.ListComp(made.elt, made.generators)
        return self.shallow(made)

    def _display(self, node: ast.List | ast.Tuple | ast.Set | ast.Dict) -> ast.expr:
        if isinstance(node, ast.Dict):
            looks = [self.shallow if key is None else self.stored for key in node.keys]
            node.keys = [key and self.deep(key) for key in node.keys]
            node.values = [look(value) for look, value in zip(looks, node.values, strict=True)]
            return node
        if isinstance(node, ast.Set) and not self._words.certain_throughout(
            node
        ):  # What a set holds is hashed, which is a look.
            return call("set", self.deep(ast.List(node.elts, ast.Load())))
        node.elts = [self.stored(element) for element in node.elts]
        return node

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> ast.expr:
        if isinstance(node, ast.SetComp):
            return call("set", self.deep(ast.ListComp(node.elt, node.generators)))
        self._gone_through(node)
        if isinstance(node, ast.GeneratorExp) and self._words.calls(node):
            raise Refused(LAZY)
        with self.generators(node.generators):
            if isinstance(node, ast.DictComp):
                node.key, node.value = self.deep(node.key), self.stored(node.value)
            elif isinstance(node, ast.ListComp):
                node.elt = self.stored(node.elt)
            else:  # Monty makes a list of it, which isn't what ``next`` takes.
                return call("iter", ast.ListComp(self.deep(node.elt), node.generators))
        return node

    def _gone_through(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        """``map`` of a tool in a comprehension that calls nothing else: both are gone through to the end."""
        [first, *_] = node.generators
        made = self.as_generator(first.iter)
        kept, first.iter = first.iter, ast.Constant(None)
        first.iter = made if isinstance(made, ast.GeneratorExp) and not self._words.calls(node) else kept
        if isinstance(first.iter, ast.GeneratorExp) and not isinstance(node, ast.GeneratorExp):
            first.iter = ast.ListComp(first.iter.elt, first.iter.generators)

    @contextmanager
    def within(self, names: Iterable[str]) -> Generator[None]:
        """Names that exist only inside the expression that is worked on meanwhile."""
        before = len(self.scope)
        self.scope.extend(names)
        try:
            yield
        finally:
            del self.scope[before:]

    @contextmanager
    def generators(self, generators: Sequence[ast.comprehension]) -> Generator[None]:
        """The ``for`` and ``if`` of a comprehension; what it makes of them is worked on inside."""
        with self.within(bound for generator in generators for bound in _bound(generator.target)):
            for generator in generators:
                generator.iter = self.iterated(generator.iter, generator.target)
                generator.ifs = [self.shallow(test) for test in generator.ifs]
                generator.is_async = 0
            yield

    def _at_once(self, node: ast.BinOp | ast.Compare, operands: list[ast.expr], *, deep: bool) -> ast.expr:
        """Both operands are computed, calls and all, before either is looked at."""
        left, right = name("_l_"), name("_r_")
        if isinstance(node, ast.BinOp):
            node.left, node.right = left, right
        else:
            node.left, node.comparators = left, [right]
        names = ast.arguments([], [ast.arg("_l_"), ast.arg("_r_")], None, [], [], None, [])
        values = [self.stored(operand) for operand in operands]
        looked = call("_ds_", *values) if deep else call("_e_", ast.Tuple(values, ast.Load()))
        return ast.Call(ast.Lambda(names, node), [ast.Starred(looked, ast.Load())], [])

    def _formatted(self, node: ast.JoinedStr) -> None:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.deep(part.value)
                if isinstance(part.format_spec, ast.JoinedStr):
                    self._formatted(part.format_spec)

    def _tool_as_value(self, tool: str) -> ast.expr:
        """``lambda *_vs_, **_ks_: _t_(tool(*_vs_, **_ks_))``"""
        given = ast.Call(name(tool), [ast.Starred(name("_vs_"), ast.Load())], [ast.keyword(None, name("_ks_"))])
        parameters = ast.arguments([], [], ast.arg("_vs_"), [], [], ast.arg("_ks_"), [])
        return ast.Lambda(parameters, call("_t_", given))

    def _attribute(self, node: ast.Attribute) -> ast.expr:
        base = node.value
        if isinstance(base, ast.Name) and base.id in self._words.modules:
            return node
        return call("_a_", self.stored(base), ast.Constant(node.attr))


def has_slice(index: ast.expr) -> bool:
    """``index`` is a slice or has some, so that it is no value that can be kept."""
    return isinstance(index, ast.Slice) or (isinstance(index, ast.Tuple) and any(map(has_slice, index.elts)))


def _bound(target: ast.expr) -> list[str]:
    return [part.id for part in ast.walk(target) if isinstance(part, ast.Name)]


def _parameters(arguments: ast.arguments) -> list[str]:
    return [part.arg for part in ast.walk(arguments) if isinstance(part, ast.arg)]
