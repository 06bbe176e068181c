"""What the names and the forms of a program mean to its scheduling."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Generator, Iterable
from contextlib import contextmanager
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
_LANGUAGE_METHODS = frozenset(
    method for kind in (str, bytes, list, dict, set, tuple, int, float) for method in dir(kind)
)
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
    enums: set[str] = field(default_factory=set[str])
    """Enums that the program has defined; their members are their values."""
    toolboxes: set[str] = field(default_factory=set[str])
    """Classes of nothing but the stubs, and their objects: their methods are the tools."""
    shadowed: frozenset[str] = frozenset()
    """Names that mean something else where the scheduling just is: parameters."""
    hoisted: int = 0
    """Functions that were made for expressions so far."""

    def learn(self, nodes: Iterable[ast.AST]) -> None:
        """What a program's nodes define."""
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions.add(node.name)
            elif isinstance(node, ast.ClassDef):
                self.methods |= {
                    part.name for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
                }
                self.classes.add(node.name)
                self.modules.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self.modules |= {alias.asname or alias.name.split(".")[0] for alias in node.names}

    def is_tool(self, name: str) -> bool:
        return name in self.tools and name not in self.shadowed

    @contextmanager
    def within(self, arguments: ast.arguments) -> Generator[None]:
        """Inside a function with these parameters."""
        before = self.shadowed
        self.shadowed = before.union(part.arg for part in ast.walk(arguments) if isinstance(part, ast.arg))
        try:
            yield
        finally:
            self.shadowed = before

    def certain(self, node: ast.expr) -> bool:
        """No stand-in itself, whatever it holds."""
        match node:
            case ast.BinOp() | ast.List() | ast.Tuple() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp():
                return True
            case ast.SetComp() | ast.GeneratorExp():
                return True
            case ast.Call(ast.Name(function)):
                return function in _SCALARS and function not in self.bound
            case _:
                return isinstance(node, _COMPUTED)

    def certain_throughout(self, node: ast.expr) -> bool:
        """No stand-in, and none in it."""
        match node:
            case ast.List(elements) | ast.Tuple(elements) | ast.Set(elements):
                return all(self.certain_throughout(element) for element in elements)
            case ast.Dict(keys, values):
                return all(part is not None and self.certain_throughout(part) for part in [*keys, *values])
            case ast.Call(ast.Name(function)):
                return function in _SCALARS and function not in self.bound
            case _:
                return isinstance(node, _COMPUTED)

    def passes_on(self, method: str) -> bool:
        """A method of the program's own classes, and of nothing else."""
        return method in self.methods and method not in _LANGUAGE_METHODS

    def calls(self, node: ast.AST) -> bool:
        """Something in ``node`` may call a tool: by itself, as a value, or through a function that isn't the
        language's, be it defined later."""
        return self.calls_a_tool(node) or any(
            isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and self._unknown(part.func.id)
            for part in ast.walk(node)
        )

    def calls_a_tool(self, node: ast.AST) -> bool:
        """As far as the program is known by now."""
        known = (self.tools - self.shadowed) | self.functions
        return any(
            (isinstance(part, ast.Name) and part.id in known)
            or (isinstance(part, ast.Attribute) and part.attr in self.methods)
            for part in ast.walk(node)
        )

    def _unknown(self, function: str) -> bool:
        return function not in self.models | self.modules and not hasattr(builtins, function)


def specified(node: ast.JoinedStr) -> bool:
    return any(isinstance(part, ast.FormattedValue) and part.format_spec is not None for part in node.values)


def decides(node: ast.Try) -> bool:
    """Whether an error in the body, which isn't known before its calls' results are, could change what follows.

    It can't where the body only gives a call's result to a name or a container, and each handler gives something else
    to the same: whoever looks into that waits anyway.
    """
    given = [_given(statement) for statement in node.body]
    if len(given) != 1 or given[0] is None or node.orelse:
        return True
    for handler in node.handlers:
        kept = [statement for statement in handler.body if not _only_prints(statement)]
        if len(kept) != 1 or _given(kept[0], of_call=False) != given[0]:
            return True
    return False


def _given(node: ast.stmt, *, of_call: bool = True) -> str | None:
    """What a statement gives a value to, and how; of a call, or of something that calls nothing."""
    match node:
        case ast.Assign([ast.Name() | ast.Subscript() as target], value):
            how = f"{ast.unparse(target)} ="
        case ast.Expr(ast.Call(ast.Attribute(base, "append"), [value], [])):
            how = f"{ast.unparse(base)}.append"
        case ast.Return(value) if value is not None:
            how = "return"
        case _:
            return None
    calls = [part for part in ast.walk(value) if isinstance(part, ast.Call)]
    if of_call:
        return how if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and len(calls) == 1 else None
    return how if all(isinstance(part.func, ast.Name) and part.func.id in ("str", "repr") for part in calls) else None


def _only_prints(node: ast.stmt) -> bool:
    match node:
        case ast.Pass() | ast.Expr(ast.Constant()) | ast.Expr(ast.Call(ast.Name("print"))):
            return True
        case _:
            return False
