"""The values that the reader of literals works with, and what keeps them small.

A few names can make a short text a huge value, so sizes are looked at before a value is made.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from emulator.code.check import NeedsRun, Refused

LONGEST_TEXT = 1 << 20
LONGEST_REPEAT = LONGEST_TEXT // 8
LARGEST_BITS = 4096

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}


@dataclass(frozen=True, slots=True)
class Unread:
    """A result that the client hasn't sent yet; ``call`` counts the answer's calls from 0."""

    call: int


@dataclass(frozen=True, slots=True)
class ParsedCall:
    """A tool called with values, names as Python has them.  ``positional`` are still to be bound."""

    name: str
    positional: tuple[Any, ...]
    keywords: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelObject:
    """``SomeModel(a=1)``: what stands for a dict in the stubs' own terms."""

    model: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """``Unit.CELSIUS``, as it was ``written``; its ``value`` is None where the model never said which it is."""

    written: str
    name: str
    value: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class EnumClass:
    """An enum that the model has defined."""

    members: Mapping[str, Member]


def plain(value: Any) -> Any:
    """Model objects as dicts, all the way down, and members as their values, if they are known."""
    match value:
        case Member(_, _, known) if known is not None:
            return known
        case ModelObject(_, fields):
            return {key: plain(item) for key, item in fields.items()}
        case dict():
            return {key: plain(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list():
            return [plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case tuple():
            return tuple(plain(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def holds_unread(value: Any) -> bool:
    match value:
        case Unread():
            return True
        case list() | tuple():
            return any(holds_unread(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return any(holds_unread(item) for item in value.values())  # pyright: ignore[reportUnknownVariableType]
        case _:
            return False


def check_size(op: ast.operator, left: Any, right: Any) -> None:
    """Refuse what would be large before it is made."""
    if isinstance(op, ast.Pow) and isinstance(left, int) and isinstance(right, int):
        if max(left.bit_length(), 1) * max(right, 0) > LARGEST_BITS:
            raise Refused("the number is too large")
    elif isinstance(op, ast.Mult):
        for many, unit in ((left, right), (right, left)):
            if isinstance(many, int) and isinstance(unit, str | list | tuple) and many * len(unit) > LONGEST_REPEAT:  # pyright: ignore[reportUnknownArgumentType]
                raise Refused("the value is too long")
    elif isinstance(op, ast.Mod) and isinstance(left, str | bytes):
        raise NeedsRun("%-formatting can't be read without running it")


def bounded(value: Any) -> Any:
    """``value``, unless it is too large or no JSON value at all."""
    if isinstance(value, str | list | tuple) and len(cast(str, value)) > LONGEST_TEXT:
        raise Refused("the value is too long")
    if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
        raise Refused("the number is too large")
    if isinstance(value, complex):
        raise Refused("a complex number is no JSON value")
    return cast(Any, value)


def first_look(node: ast.AST) -> str:
    """The name that is looked into before anything else in ``node`` happens, "" where that isn't plain to see."""
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(value) | ast.Subscript(value) | ast.Starred(value) | ast.UnaryOp(_, value):
            return first_look(value)
        case ast.BinOp(left) | ast.Compare(left):
            return first_look(left)
        case ast.Call(ast.Attribute(value)):
            return first_look(value)
        case ast.BoolOp(_, [first, *_]):
            return first_look(first)
        case ast.If(test) | ast.While(test) | ast.IfExp(test):
            return first_look(test)
        case ast.For(_, iterable):
            return first_look(iterable)
        case _:
            return ""
