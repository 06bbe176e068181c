"""Which Python a model may write, and precisely why anything else is refused.

The allow-list of statements and expressions that are read without a run is the dispatch table of
``literal.py``; here are parsing under caps, and the reasons for what stays out.
"""

from __future__ import annotations

import ast

from emulator.code.limits import CodeLimits

TOOL_OWNERS = frozenset(["tools", "functions", "self"])
"""What models put before a function's name: ``tools.get_user(...)``."""
JSON_NAMES = {"true": True, "false": False, "null": None, "none": None}
"""JSON's names for constants, which models mix up with Python's."""
MODULES = frozenset(
    (
        "json re math datetime collections itertools random time functools copy typing asyncio dataclasses decimal"
        " bisect base64 hashlib csv"
    ).split()
)
"""Modules that a program may import; the interpreter has its own of each, without files or network."""
UNNEEDED_MODULES = frozenset(
    "pydantic typing_extensions __future__ tools functions enum abc logging pathlib types uuid pprint".split()
)
"""Modules that models import out of habit: the line is read over."""
IMPLIED_NAMES = {
    "dataclass": "dataclasses",
    "field": "dataclasses",
    "date": "datetime",
    "timedelta": "datetime",
    "timezone": "datetime",
    "defaultdict": "collections",
    "Counter": "collections",
    "deque": "collections",
    "reduce": "functools",
    "partial": "functools",
}
"""Names that models use without importing them, and the modules they are from."""
ENUM_BASES = frozenset(["Enum", "StrEnum", "IntEnum"])
HARMLESS_IMPORTS = MODULES | UNNEEDED_MODULES

FORBIDDEN_CALLS = {
    "input": "there is nobody to ask while the code is read",
    "exit": "the code just ends",
    "quit": "the code just ends",
    "exec": "code can't make code",
    "eval": "code can't make code",
    "compile": "code can't make code",
    "__import__": "modules can't be loaded",
    "open": "there are no files; use the functions given",
    "globals": "the interpreter's inside is out of reach",
    "locals": "the interpreter's inside is out of reach",
    "vars": "the interpreter's inside is out of reach",
}

_NEEDS_RUN: dict[type[ast.AST], str] = {
    ast.For: "a for loop",
    ast.AsyncFor: "a for loop",
    ast.While: "a while loop",
    ast.If: "an if statement",
    ast.Match: "a match statement",
    ast.Try: "a try statement",
    ast.TryStar: "a try statement",
    ast.With: "a with statement",
    ast.AsyncWith: "a with statement",
    ast.FunctionDef: "a function of its own",
    ast.AsyncFunctionDef: "a function of its own",
    ast.ClassDef: "a class of its own",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a generator expression",
    ast.Lambda: "a lambda",
    ast.Compare: "a comparison",
    ast.BoolOp: "and/or",
    ast.IfExp: "a conditional expression",
    ast.NamedExpr: "a walrus assignment",
    ast.Subscript: "an index",
    ast.Attribute: "an attribute",
    ast.AugAssign: "an augmented assignment",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
}


_SHOWN = 80
"""Characters of a line that are shown on either side of an error."""


class CodeError(Exception):
    """A statement can't be read; the message is a sentence for the model."""


class NeedsRun(CodeError):
    """The statement is allowed, but its calls are known only once it is run."""


class Refused(CodeError):
    """The statement is not allowed."""


class NotPython(Refused):
    """The statement isn't Python."""


class Dependent(CodeError):
    """The statement looks into a result that isn't there yet."""


class UnknownFunction(CodeError):
    """Something is called that is neither a tool nor part of the language read here."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no function named {name}")
        self.name = name


def parse(source: str, limits: CodeLimits) -> list[ast.stmt]:
    """The statements of ``source``.  Raises Refused with the place of a syntax error, or the cap exceeded."""
    if len(source) > limits.bytes:
        raise Refused(f"the statement is longer than {limits.bytes} bytes")
    try:
        return ast.parse(source).body
    except SyntaxError as error:
        raise NotPython(f"SyntaxError: {error.msg}{_place(error, source)}") from None
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        raise Refused(f"the statement can't be parsed: {type(error).__name__}") from None


def _place(error: SyntaxError, source: str) -> str:
    """Where ``source`` isn't Python: the line and column, and the line itself with a mark below the place."""
    if not (error.lineno and error.offset):
        return ""
    place = f" (line {error.lineno}, column {error.offset})"
    lines = source.split("\n")
    if error.lineno > len(lines):
        return place
    column = error.offset - 1
    begin = max(0, column - _SHOWN)
    shown = lines[error.lineno - 1].replace("\t", " ")[begin : column + _SHOWN]
    return f"{place}\n{shown}\n{' ' * (column - begin)}^"


def why(node: ast.AST) -> CodeError:
    """The error that says why ``node`` isn't read without a run; what no run allows either is noise.py's to say."""
    return NeedsRun(f"{_NEEDS_RUN.get(type(node), type(node).__name__)} can't be read without running it")
