"""Expressions of a program → the same with every look at a value made visible: the inner part of scheduling.

An expression is asked for in one of the ways in which its surroundings use it: *stored* (kept, passed on, returned:
it may be a stand-in), *shallow* (looked at itself, but not at what it holds) or *deep* (looked at all through).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence

from emulator.code.check import FORBIDDEN_CALLS, Refused
from emulator.code.words import (
    CALLBACKS,
    HOLDERS,
    LAZY,
    METHODS,
    SHALLOW,
    STORING,
    TEXT,
    USING_UP,
    Words,
    call,
    certain,
    certain_throughout,
    name,
    specified,
)


class Expressions:
    """Rewrites expressions in place.  ``at`` says which statement they belong to."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._definitions: list[ast.stmt] = []
        self._node: ast.stmt = ast.Pass(lineno=1, col_offset=0)
        self._count = 0

    def at(self, node: ast.stmt) -> None:
        self._node = node

    def taken_definitions(self) -> list[ast.stmt]:
        """Functions that expressions of the last statement need before it."""
        taken, self._definitions = self._definitions, []
        return taken

    def shallow(self, node: ast.expr) -> ast.expr:
        known = certain(node)
        new = self.stored(node)
        return new if known else call("_u_", new)

    def deep(self, node: ast.expr) -> ast.expr:
        known = certain_throughout(node)
        new = self.stored(node)
        return new if known else call("_d_", new)

    def index(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Slice):
            for part in ("lower", "upper", "step"):
                if (bound := getattr(node, part)) is not None:
                    setattr(node, part, self.shallow(bound))
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
                return self._call(node)
            case ast.Name(identifier):
                return self._tool_as_value(identifier) if identifier in self._words.tools else node
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
                node.body = self._inner(body)
            case ast.JoinedStr():
                self._formatted(node)
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                self._display(node)
            case ast.Starred(value):
                node.value = self._unpacked(value)
            case ast.ListComp(element, generators) | ast.SetComp(element, generators):
                self._generators(generators)
                node.elt = self.stored(element)
            case ast.DictComp(key, value, generators):
                self._generators(generators)
                node.key, node.value = self.deep(key), self.stored(value)
            case ast.GeneratorExp(element, generators):
                if self._words.calls(node):
                    raise Refused(LAZY)
                self._generators(generators)
                node.elt = self.deep(element)
            case _:
                pass
        return node

    def _unpacked(self, node: ast.expr) -> ast.expr:
        """What stands behind a star: gone through at once, and to its end, without a look at what comes of it."""
        made = self.as_generator(node)
        if isinstance(made, ast.GeneratorExp):
            made = ast.ListComp(made.elt, made.generators)
        return self.shallow(made)

    def _display(self, node: ast.List | ast.Tuple | ast.Set | ast.Dict) -> None:
        if isinstance(node, ast.Dict):
            looks = [self.shallow if key is None else self.stored for key in node.keys]
            node.keys = [key and self.deep(key) for key in node.keys]
            node.values = [look(value) for look, value in zip(looks, node.values, strict=True)]
        else:
            node.elts = [self.stored(element) for element in node.elts]

    def _inner(self, body: ast.expr) -> ast.expr:
        """A lambda's body: what it needs defined can't stand before it."""
        kept, self._definitions = self._definitions, []
        made = self.stored(body)
        if self._definitions:
            raise Refused("a lambda can't hold a generator expression that calls functions; write a loop")
        self._definitions = kept
        return made

    def _generators(self, generators: Sequence[ast.comprehension]) -> None:
        for generator in generators:
            generator.iter = self.iterated(generator.iter, generator.target)
            generator.ifs = [self.shallow(test) for test in generator.ifs]
            generator.is_async = 0

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
        return ast.parse(f"lambda *_vs_, **_ks_: _t_({tool}(*_vs_, **_ks_))", mode="eval").body

    def _attribute(self, node: ast.Attribute) -> ast.expr:
        base = node.value
        if isinstance(base, ast.Name) and base.id in self._words.modules:
            return node
        return call("_a_", self.stored(base), ast.Constant(node.attr))

    def _call(self, node: ast.Call) -> ast.expr:
        function = node.func
        if isinstance(function, ast.Name):
            return self._named_call(node, function.id)
        if isinstance(function, ast.Attribute):
            return self._method_call(node, function)
        node.func = self.shallow(function)
        return self._with_arguments(node, deep=True)

    def _named_call(self, node: ast.Call, function: str) -> ast.expr:
        words = self._words
        if function in words.tools:
            node.args = [self._passed(argument) for argument in node.args]
            for keyword in node.keywords:
                keyword.value = self.shallow(keyword.value) if keyword.arg is None else self._passed(keyword.value)
            return call("_t_", node)
        if function in words.functions | words.models | words.classes:
            return self._with_arguments(node, deep=None)
        if function in FORBIDDEN_CALLS:
            raise Refused(f"{function}() is not allowed: {FORBIDDEN_CALLS[function]}")
        if function == "print":
            return self._print(node)
        if (made := self.as_generator(node)) is not node:
            return self.stored(made)
        node.args = [self.as_generator(argument) for argument in node.args]
        first = node.args[0] if node.args else None
        if isinstance(first, ast.GeneratorExp) and words.calls(first):
            if function in ("list", "tuple", "set"):
                return call(function, self.stored(ast.ListComp(first.elt, first.generators)))
            if function in ("any", "all", "next"):
                return self._lazily(node, function, first)
            if function in USING_UP:
                node.args[0] = self._used_up(first)
                return self._rest_of(node)
        if function in ("sorted", "min", "max") and (keyed := self._keyed(node, function)) is not None:
            return keyed
        return self._with_arguments(node, deep=function not in SHALLOW, callbacks=function in CALLBACKS)

    def _method_call(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        base, method = function.value, function.attr
        if isinstance(base, ast.Name) and base.id in self._words.modules:
            if (base.id, method) == ("json", "loads"):
                return self._with_arguments(ast.Call(name("_loads_"), node.args, node.keywords), deep=True)
            if (base.id, method) == ("json", "dumps"):
                node.keywords = [keyword for keyword in node.keywords if keyword.arg != "default"]
            return self._with_arguments(node, deep=True, callbacks=True)
        if method == "sort" and any(self._words.calls(k.value) for k in node.keywords if k.arg == "key"):
            return self._with_arguments(ast.Call(name("_sort_"), [base, *node.args], node.keywords), deep=None)
        if method in ("join", "extend", "update") and len(node.args) == 1:
            made = self.as_generator(node.args[0])
            if isinstance(made, ast.GeneratorExp) and self._words.calls(made):
                function.value, node.args = self.shallow(base), [self._used_up(made)]
                return node
        holds = method in HOLDERS or method in self._words.methods
        function.value = self.shallow(base) if holds else self.deep(base)
        if method in STORING or method in self._words.methods:
            return self._with_arguments(node, deep=None)
        return self._with_arguments(node, deep=method not in HOLDERS, callbacks=method == "sort")

    def _passed(self, argument: ast.expr) -> ast.expr:
        """An argument of a tool: the host sees a stand-in itself, so all arguments are computed first."""
        if isinstance(argument, ast.Starred) or certain_throughout(argument):
            return self.stored(argument)
        return call("_p_", self.stored(argument))

    def _with_arguments(self, node: ast.Call, *, deep: bool | None, callbacks: bool = False) -> ast.expr:
        """``deep`` None: arguments are passed on.  Several that hold calls are computed before any is looked at."""
        if callbacks:
            node.args = [self._callback(argument) for argument in node.args]
            for keyword in node.keywords:
                keyword.value = self._callback(keyword.value)
        plain = not any(isinstance(argument, ast.Starred) for argument in node.args)
        if deep and plain and any(self._words.calls(argument) for argument in node.args[1:]):
            looked = call("_ds_", *[self.stored(argument) for argument in node.args])
            node.args = [ast.Starred(looked, ast.Load())]
        else:
            look = self.stored if deep is None else self.deep if deep else self.shallow
            node.args = [self.stored(a) if isinstance(a, ast.Starred) else look(a) for a in node.args]
        for keyword in node.keywords:
            look = self.stored if deep is None and keyword.arg is not None else self.deep
            keyword.value = look(keyword.value)
        return node

    def _callback(self, node: ast.expr) -> ast.expr:
        """A function that the language calls looks at what it returns; a method needs a function around it."""
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            if isinstance(node.value, ast.Name) and node.value.id in TEXT:
                return ast.parse(f"lambda _v_, *_vs_: _v_.{node.attr}(*_vs_)", mode="eval").body
            made = ast.parse(f"lambda *_vs_: _v_.{node.attr}(*_vs_)", mode="eval").body
            assert isinstance(made, ast.Lambda) and isinstance(made.body, ast.Call)
            assert isinstance(made.body.func, ast.Attribute)
            made.body.func.value = node.value
            return made
        if isinstance(node, ast.Lambda):
            if self._words.calls(node.body):
                raise Refused("a function given to another can't call functions here; write a loop")
            node.body = call("_d_", node.body)
        return node

    def _print(self, node: ast.Call) -> ast.expr:
        """What is printed isn't looked at: output counts only in the run that gets to the end."""
        shown: list[ast.expr] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                shown.append(ast.Starred(call("_p_", self._unpacked(argument.value)), ast.Load()))
            elif isinstance(argument, ast.JoinedStr) and not specified(argument):
                shown.append(self._formatted_in_print(argument))
            else:
                shown.append(self._passed(argument))
        node.args = shown
        node.keywords = [keyword for keyword in node.keywords if keyword.arg in ("sep", "end")]
        for keyword in node.keywords:
            keyword.value = self.deep(keyword.value)
        return node

    def _formatted_in_print(self, node: ast.JoinedStr) -> ast.JoinedStr:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self._passed(part.value)
        return node

    def _rest_of(self, node: ast.Call) -> ast.expr:
        """What is given beside a first argument that is done."""
        node.args[1:] = [self.deep(argument) for argument in node.args[1:]]
        for keyword in node.keywords:
            keyword.value = self.deep(self._callback(keyword.value))
        return node

    def _used_up(self, node: ast.GeneratorExp) -> ast.expr:
        """Monty runs generator expressions at once, which is right only for one that is gone through to its end."""
        self._generators(node.generators)
        return ast.ListComp(self.deep(node.elt), node.generators)

    def as_generator(self, node: ast.expr) -> ast.expr:
        """``map`` and ``filter`` as the generator expressions they are, where what they call may be a tool's."""
        match node:
            case ast.Call(ast.Name("map" | "filter" as function), [given, iterable], []) if self._words.calls(given):
                return ast.copy_location(_generator_of(given, iterable, filtering=function == "filter"), node)
            case _:
                return node

    def _lazily(self, node: ast.Call, function: str, generator: ast.GeneratorExp) -> ast.expr:
        """``any``, ``all`` and ``next`` stop at the first element that tells: as a loop that returns."""
        self._count += 1
        defined = f"_g{self._count}_"
        element = copy.deepcopy(generator.elt)
        if function == "next":
            found: ast.stmt = ast.Return(self.stored(element))
            default = self.stored(node.args[1]) if len(node.args) > 1 else None
            end: ast.stmt = ast.Return(default) if default else ast.Raise(call("StopIteration"), None)
        else:
            tells = self.shallow(element)
            wanted = function == "any"
            found = ast.If(tells if wanted else ast.UnaryOp(ast.Not(), tells), [ast.Return(ast.Constant(wanted))], [])
            end = ast.Return(ast.Constant(not wanted))
        body: ast.stmt = found
        for part in reversed(generator.generators):
            for test in reversed(part.ifs):
                body = ast.If(self.shallow(test), [body], [])
            body = ast.For(part.target, self.iterated(part.iter, part.target), [body], [])
        arguments = ast.arguments([], [], None, [], [], None, [])
        made = ast.FunctionDef(defined, arguments, [body, end], [])
        self._definitions.append(ast.copy_location(made, self._node))
        return call(defined)

    def _keyed(self, node: ast.Call, function: str) -> ast.expr | None:
        """``key=`` with a function that may call a tool: the keys are made first, in a loop of our own."""
        keys = [keyword for keyword in node.keywords if keyword.arg == "key"]
        if not keys or len(node.args) != 1 or not self._words.calls(keys[0].value):
            return None
        if function == "sorted":
            return self._with_arguments(ast.Call(name("_sorted_"), node.args, node.keywords), deep=None)
        default = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
        values = [self.stored(value) for value in [node.args[0], keys[0].value, *default]]
        return call("_best_", name(function), *values)


def _generator_of(given: ast.expr, iterable: ast.expr, *, filtering: bool) -> ast.GeneratorExp:
    item = ast.Name("_i_", ast.Store())
    if isinstance(given, ast.Lambda) and len(given.args.args) == 1:
        item = ast.Name(given.args.args[0].arg, ast.Store())
        result: ast.expr = given.body
    else:
        result = ast.Call(given, [name("_i_")], [])
    loaded = name(item.id)
    comprehension = ast.comprehension(item, iterable, [result] if filtering else [], 0)
    return ast.GeneratorExp(loaded if filtering else result, [comprehension])
