"""What the names and the forms of a program mean to its scheduling."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field

SHALLOW = frozenset(
    ["list", "tuple", "enumerate", "zip", "reversed", "len", "iter", "next", "isinstance", "type", "bool", "callable"]
)
"""Functions of the language that look at their arguments, not at what those hold."""
STORING = frozenset(["append", "appendleft", "insert"])
HOLDERS = frozenset(
    (
        "extend update setdefault items keys values get copy pop popleft popitem clear reverse add insert append"
        " appendleft"
    ).split()
)
"""Methods of containers that don't look at what the container holds."""
METHODS = frozenset(
    (
        "append capitalize count endswith extend find format get index isdigit isalpha items join keys lower lstrip"
        " pop replace rstrip split startswith strip title update upper values"
    ).split()
)
"""Methods that are passed as values: Monty has no bound methods."""
TEXT = frozenset(["str", "bytes", "list", "dict", "set", "int", "float"])
CALLBACKS = frozenset(["map", "filter", "sorted", "min", "max", "reduce", "defaultdict", "next", "any", "all", "sum"])
_SCALARS = frozenset(["len", "str", "int", "float", "bool", "range", "repr", "isinstance", "type", "id", "any", "all"])
USING_UP = frozenset("sum min max sorted list tuple dict set frozenset Counter deque".split())
"""What goes through its argument to the end."""
LAZY = "a generator expression that calls functions can't be run here; use a list comprehension or a loop"
_COMPUTED = (ast.Constant, ast.JoinedStr, ast.Compare, ast.UnaryOp, ast.Lambda)


def name(identifier: str) -> ast.Name:
    return ast.Name(identifier, ast.Load())


def call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(name(function), list(arguments), [])


@dataclass(slots=True)
class Words:
    """What the names of a program mean: the tools, the stubs' classes, and what the program defined so far."""

    tools: frozenset[str]
    models: frozenset[str]
    functions: set[str] = field(default_factory=set[str])
    methods: set[str] = field(default_factory=set[str])
    classes: set[str] = field(default_factory=set[str])
    modules: set[str] = field(default_factory=set[str])
    """What is imported, and the classes: their attributes are nobody's results."""
    bound: set[str] = field(default_factory=set[str])
    """Names that the program itself has given a meaning so far."""
    given: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Of the program's functions, the parameters that have got another name: they had a tool's."""

    def learn(self, statements: Iterable[ast.stmt]) -> None:
        for node in (part for statement in statements for part in ast.walk(statement)):
            if isinstance(node, ast.FunctionDef):
                self.functions.add(node.name)
            elif isinstance(node, ast.ClassDef):
                self.methods |= {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
                self.classes.add(node.name)
                self.modules.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self.modules |= {alias.asname or alias.name.split(".")[0] for alias in node.names}

    def calls(self, node: ast.AST) -> bool:
        """Something in ``node`` may call a tool: by itself, as a value, or through a function that isn't the
        language's, be it defined later."""
        return self.calls_a_tool(node) or any(
            isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and self._unknown(part.func.id)
            for part in ast.walk(node)
        )

    def calls_a_tool(self, node: ast.AST) -> bool:
        """As far as the program is known by now."""
        known = self.tools | self.functions
        return any(
            (isinstance(part, ast.Name) and part.id in known)
            or (isinstance(part, ast.Attribute) and part.attr in self.methods)
            for part in ast.walk(node)
        )

    def _unknown(self, function: str) -> bool:
        return function not in self.models | self.modules and not hasattr(builtins, function)


def specified(node: ast.JoinedStr) -> bool:
    return any(isinstance(part, ast.FormattedValue) and part.format_spec is not None for part in node.values)


def certain(node: ast.expr) -> bool:
    """No stand-in itself, whatever it holds."""
    match node:
        case ast.BinOp() | ast.List() | ast.Tuple() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp():
            return True
        case ast.SetComp() | ast.GeneratorExp():
            return True
        case ast.Call(ast.Name(function)):
            return function in _SCALARS
        case _:
            return isinstance(node, _COMPUTED)


def certain_throughout(node: ast.expr) -> bool:
    """No stand-in, and none in it."""
    match node:
        case ast.List(elements) | ast.Tuple(elements) | ast.Set(elements):
            return all(certain_throughout(element) for element in elements)
        case ast.Dict(keys, values):
            return all(key is not None and certain_throughout(key) for key in keys) and all(
                certain_throughout(value) for value in values
            )
        case ast.Call(ast.Name(function)):
            return function in _SCALARS
        case _:
            return isinstance(node, _COMPUTED)


def decides(node: ast.Try, words: Words) -> bool:
    """Whether an error in the body, which isn't known before its calls' results are, could change what follows.

    It can't where each handler only prints, or gives what the body would have given to the same names and containers:
    those hold stand-ins meanwhile, so that whoever looks into them waits anyway.
    """
    kept = {ast.unparse(target) for statement in node.body for target in _kept_in(statement)}
    statements = [statement for handler in node.handlers for statement in handler.body]
    if any(words.calls(statement) for statement in statements):
        return True
    return not all(_only_prints(statement) or _keeps(statement, kept) for statement in statements)


def _kept_in(node: ast.stmt) -> list[ast.expr]:
    """Names and containers that a statement gives something to."""
    match node:
        case ast.Assign(targets):
            return targets
        case ast.Expr(ast.Call(ast.Attribute(base, "append"))):
            return [base]
        case _:
            return []


def _keeps(node: ast.stmt, kept: set[str]) -> bool:
    given = _kept_in(node)
    return bool(given) and {ast.unparse(target) for target in given} <= kept


def _only_prints(node: ast.stmt) -> bool:
    match node:
        case ast.Pass() | ast.Expr(ast.Constant()) | ast.Expr(ast.Call(ast.Name("print"))):
            return True
        case _:
            return False
