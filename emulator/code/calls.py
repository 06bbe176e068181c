"""Calls in a program: of tools, of the program's own functions, of the language's and of methods.

Each looks at its arguments in a way of its own: a tool's host sees stand-ins itself, the program's own functions are
scheduled too, and what is the language's looks at all it is given, unless it is known not to.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from emulator.code.check import FORBIDDEN_CALLS, Refused
from emulator.code.words import (
    CALLBACKS,
    HOLDERS,
    METHODS,
    SHALLOW,
    STORING,
    TEXT,
    USING_UP,
    Words,
    call,
    name,
    specified,
)

_ON_RESULTS = {"getattr": "_get_", "hasattr": "_has_"}
"""What reads attributes reads a result's keys too, as ``result.key`` does."""


class Looks(Protocol):
    """The ways in which a call may use its arguments: see Expressions."""

    scope: list[str]

    def stored(self, node: ast.expr) -> ast.expr: ...
    def shallow(self, node: ast.expr) -> ast.expr: ...
    def deep(self, node: ast.expr) -> ast.expr: ...
    def unpacked(self, node: ast.expr) -> ast.expr: ...
    def iterated(self, node: ast.expr, target: ast.expr) -> ast.expr: ...
    def generators(self, generators: Sequence[ast.comprehension]) -> AbstractContextManager[None]: ...


class Calls:
    """``node`` is the statement that the calls belong to."""

    def __init__(self, looks: Looks, words: Words) -> None:
        self._looks, self._words = looks, words
        self._definitions: list[ast.stmt] = []
        self.node: ast.stmt = ast.Pass(lineno=1, col_offset=0)

    def taken_definitions(self) -> list[ast.stmt]:
        """Functions that calls of the last statement need before it."""
        taken, self._definitions = self._definitions, []
        return taken

    def call(self, node: ast.Call) -> ast.expr:
        function = node.func
        if isinstance(function, ast.Name):
            return self._named_call(node, function.id)
        if isinstance(function, ast.Attribute):
            return self._method_call(node, function)
        node.func = self._looks.shallow(function)
        return self._with_arguments(node, deep=True)

    def _named_call(self, node: ast.Call, function: str) -> ast.expr:
        words = self._words
        if words.is_tool(function):
            return self._tool(node)
        if function in words.functions | words.models | words.classes or (function == "dict" and not node.args):
            return self._with_arguments(node, deep=None)
        if function in words.bound - words.modules:
            return self._with_arguments(node, deep=True)
        if function in FORBIDDEN_CALLS:
            raise Refused(f"{function}() is not allowed: {FORBIDDEN_CALLS[function]}")
        if function == "print":
            return self._print(node)
        if function in _ON_RESULTS:
            return self._with_arguments(ast.Call(name(_ON_RESULTS[function]), node.args, node.keywords), deep=None)
        if (made := self.as_generator(node)) is not node:
            return self._looks.stored(made)
        through = self.at_once if function in USING_UP else self.as_generator
        node.args = [through(argument) for argument in node.args]
        if node.args and isinstance(node.args[0], ast.GeneratorExp) and words.calls(node.args[0]):
            return self._over_generator(node, function, node.args[0])
        if function in ("sorted", "min", "max") and (keyed := self._keyed(node, function)) is not None:
            return keyed
        return self._with_arguments(node, deep=function not in SHALLOW, callbacks=function in CALLBACKS)

    def _tool(self, node: ast.Call) -> ast.expr:
        node.args = [self._passed(argument) for argument in node.args]
        for keyword in node.keywords:
            look = self._passed if keyword.arg is not None else self._looks.shallow
            keyword.value = look(keyword.value)
        return call("_t_", node)

    def _over_generator(self, node: ast.Call, function: str, generator: ast.GeneratorExp) -> ast.expr:
        """A function of the language on a generator expression that calls."""
        if function in ("list", "tuple"):
            return call(function, self._looks.stored(ast.ListComp(generator.elt, generator.generators)))
        if function in ("any", "all", "next"):
            return self._lazily(node, function, generator)
        if function not in USING_UP:
            return self._with_arguments(node, deep=True)
        node.args[1:] = [self._looks.deep(argument) for argument in node.args[1:]]
        node.args[0] = self._used_up(generator)
        for keyword in node.keywords:
            keyword.value = self._looks.deep(self._callback(keyword.value))
        return node

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
                function.value, node.args = self._looks.shallow(base), [self._used_up(made)]
                return node
        passes = self._words.passes_on(method)
        function.value = self._looks.shallow(base) if passes or method in HOLDERS else self._looks.deep(base)
        if passes or method in STORING or (method == "update" and not node.args):
            return self._with_arguments(node, deep=None)
        if method in ("insert", "setdefault") and len(node.args) == 2:  # A place or a key, and what is kept there.
            node.args = [self._looks.deep(node.args[0]), self._looks.stored(node.args[1])]
            return node
        holds = method == "extend" or (method == "update" and isinstance(node.args[0], ast.Dict))
        return self._with_arguments(node, deep=not holds, callbacks=method == "sort")

    def _passed(self, argument: ast.expr) -> ast.expr:
        """An argument of a tool: the host sees a stand-in itself, so all arguments are computed first."""
        if isinstance(argument, ast.Starred) or self._words.certain_throughout(argument):
            return self._looks.stored(argument)
        return call("_c_", self._looks.stored(argument))

    def _with_arguments(self, node: ast.Call, *, deep: bool | None, callbacks: bool = False) -> ast.expr:
        """``deep`` None: arguments are passed on.  Several that hold calls are computed before any is looked at."""
        if callbacks:
            node.args = [self._callback(argument) for argument in node.args]
            for keyword in node.keywords:
                keyword.value = self._callback(keyword.value)
        plain = not any(isinstance(argument, ast.Starred) for argument in node.args)
        if deep and plain and any(self._words.calls(argument) for argument in node.args[1:]):
            looked = call("_ds_", *[self._looks.stored(argument) for argument in node.args])
            node.args = [ast.Starred(looked, ast.Load())]
        else:
            look = self._looks.stored if deep is None else self._looks.deep if deep else self._looks.shallow
            node.args = [self._looks.stored(a) if isinstance(a, ast.Starred) else look(a) for a in node.args]
        for keyword in node.keywords:
            look = self._looks.stored if deep is None and keyword.arg is not None else self._looks.deep
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
            if self._words.calls_a_tool(node.body):
                raise Refused("a function given to another can't call functions here; write a loop")
            node.body = call("_d_", node.body)
        return node

    def _print(self, node: ast.Call) -> ast.expr:
        """What is printed isn't looked at: output counts only in the run that gets to the end."""
        shown: list[ast.expr] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                shown.append(ast.Starred(call("_p_", self._looks.unpacked(argument.value)), ast.Load()))
            elif isinstance(argument, ast.JoinedStr) and not specified(argument):
                shown.append(self._formatted_in_print(argument))
            else:
                shown.append(call("_p_", self._looks.stored(argument)))
        node.args = shown
        node.keywords = [keyword for keyword in node.keywords if keyword.arg in ("sep", "end")]
        for keyword in node.keywords:
            keyword.value = self._looks.deep(keyword.value)
        return node

    def _formatted_in_print(self, node: ast.JoinedStr) -> ast.JoinedStr:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = call("_p_", self._looks.stored(part.value))
        return node

    def _used_up(self, node: ast.GeneratorExp) -> ast.expr:
        """Monty runs generator expressions at once, which is right only for one that is gone through to its end."""
        with self._looks.generators(node.generators):
            return ast.ListComp(self._looks.deep(node.elt), node.generators)

    def at_once(self, node: ast.expr) -> ast.expr:
        """``zip`` and ``enumerate`` that are gone through to their end, and so is all that they go through."""
        match node:
            case ast.Call(ast.Name("zip" | "enumerate"), arguments):
                made = [self.as_generator(argument) for argument in arguments]
                node.args = [ast.ListComp(m.elt, m.generators) if isinstance(m, ast.GeneratorExp) else m for m in made]
                return node
            case _:
                return self.as_generator(node)

    def as_generator(self, node: ast.expr) -> ast.expr:
        """``map`` and ``filter`` as the generator expressions they are, where what they call may be a tool's."""
        match node:
            case ast.Call(ast.Name("map" | "filter" as function), [given, iterable], []) if self._words.calls(given):
                return ast.copy_location(_generator_of(given, iterable, filtering=function == "filter"), node)
            case _:
                return node

    def _lazily(self, node: ast.Call, function: str, generator: ast.GeneratorExp) -> ast.expr:
        """``any``, ``all`` and ``next`` stop at the first element that tells: as a loop in a function that returns.

        What the generator goes through, and the default of ``next``, are computed before, as Python does.
        """
        if any(isinstance(part, ast.NamedExpr) for part in ast.walk(generator)):
            raise Refused("an assignment (:=) in a generator expression that calls can't be run here; write a loop")
        self._words.hoisted += 1
        defined, outer = f"_g{self._words.hoisted}_", list(dict.fromkeys(self._looks.scope))
        with self._looks.generators(generator.generators):
            element = (self._looks.stored if function == "next" else self._looks.shallow)(generator.elt)
        given = [generator.generators[0].iter, *(self._looks.stored(default) for default in node.args[1:])]
        generator.generators[0].iter = name("_of_")
        body, end = _telling(function, element, has_default=len(given) > 1)
        for part in reversed(generator.generators):
            for test in reversed(part.ifs):
                body = ast.If(test, [body], [])
            body = ast.For(part.target, part.iter, [body], [])
        parameters = [ast.arg(parameter) for parameter in [*outer, "_of_", "_else_"][: len(outer) + len(given)]]
        made = ast.FunctionDef(defined, ast.arguments([], parameters, None, [], [], None, []), [body, end], [])
        self._definitions.append(ast.copy_location(made, self.node))
        return call(defined, *map(name, outer), *given)

    def _keyed(self, node: ast.Call, function: str) -> ast.expr | None:
        """``key=`` with a function that may call a tool: the keys are made first, in a loop of our own."""
        keys = [keyword for keyword in node.keywords if keyword.arg == "key"]
        if not keys or len(node.args) != 1 or not self._words.calls(keys[0].value):
            return None
        if function == "sorted":
            return self._with_arguments(ast.Call(name("_sorted_"), node.args, node.keywords), deep=None)
        default = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
        values = [self._looks.stored(value) for value in [node.args[0], keys[0].value, *default]]
        return call("_best_", name(function), *values)


def _telling(function: str, element: ast.expr, *, has_default: bool) -> tuple[ast.stmt, ast.stmt]:
    """What is done with each element, and at the end where none told."""
    if function == "next":
        end = ast.Return(name("_else_")) if has_default else ast.Raise(call("StopIteration"), None)
        return ast.Return(element), end
    wanted = function == "any"
    test = element if wanted else ast.UnaryOp(ast.Not(), element)
    return ast.If(test, [ast.Return(ast.Constant(wanted))], []), ast.Return(ast.Constant(not wanted))


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
