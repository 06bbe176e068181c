"""The typed tree: what a schema says, in Python's terms.  Rule: data only; how it is written is another stage's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

Json = Any
Scalar = str | int | bool | None


@dataclass(frozen=True, slots=True)
class AnyType:
    """Anything JSON can say."""


@dataclass(frozen=True, slots=True)
class Plain:
    """``name`` is Python's: str, int, float, bool or None."""

    name: str


@dataclass(frozen=True, slots=True)
class Literals:
    """One of these values, in the schema's order."""

    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Type


@dataclass(frozen=True, slots=True)
class TupleOf:
    items: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """Keys are free strings."""

    value: Type


@dataclass(frozen=True, slots=True)
class Union:
    """At least two different options; None, where null is allowed, is the last."""

    options: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class ModelRef:
    """An object with known keys; ``name`` is its class and its key in the tree's models, so it may recur."""

    name: str


Type = AnyType | Plain | Literals | ListOf | TupleOf | MapOf | Union | ModelRef

ANY = AnyType()
NONE = Plain("None")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a type can't say of a value: its meaning and its bounds.

    ``limits`` are JSON Schema keywords with their values; ``parts`` the facts of what is inside, each
    with how to name it ("each" for a list's items, "" for one branch of several).
    """

    doc: str = ""
    limits: tuple[tuple[str, Json], ...] = ()
    parts: tuple[tuple[str, Facts], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.doc or self.limits or self.parts)


@dataclass(frozen=True, slots=True)
class Default:
    """A schema's default; a class of its own, because null is a default too."""

    value: Json


@dataclass(frozen=True, slots=True)
class FieldType:
    """One named value: ``wire`` is the client's name, ``python`` the identifier that stands for it."""

    wire: str
    python: str
    type: Type
    required: bool
    default: Default | None
    facts: Facts


@dataclass(frozen=True, slots=True)
class Model:
    """An object with known keys.  ``others`` is the type of all further keys where the schema speaks of them;
    ``closed`` says that it forbids them."""

    name: str
    facts: Facts
    fields: tuple[FieldType, ...]
    others: Type | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """``root`` holds a tool's parameters; ``models`` every class below, in the order of first mention."""

    root: Model
    models: tuple[Model, ...]


def union(options: list[Type]) -> Type:
    """The union in its shortest form: flat, without repetition, literals together, None last."""
    flat: list[Type] = []
    for option in options:
        flat.extend(option.options if isinstance(option, Union) else [option])
    if any(isinstance(option, AnyType) for option in flat):
        return ANY
    literals = [value for option in flat if isinstance(option, Literals) for value in option.values]
    unique: dict[Type, None] = {}
    for option in flat:
        unique.setdefault(_literals(literals) if isinstance(option, Literals) else option)
    if Plain("float") in unique:
        unique.pop(Plain("int"), None)
    if NONE in unique:
        unique.pop(NONE)
        unique[NONE] = None
    if not unique:
        return ANY
    return next(iter(unique)) if len(unique) == 1 else Union(tuple(unique))


def _literals(values: list[Scalar]) -> Literals:
    # True == 1 in Python and not in JSON.
    return Literals(tuple({(type(value), value): value for value in values}.values()))


def annotation(kind: Type) -> str:
    """The type as Python writes it, formatted as black would."""
    match kind:
        case AnyType():
            return "Any"
        case Plain(name) | ModelRef(name):
            return name
        case Literals(values):
            return f"Literal[{', '.join(map(literal, values))}]"
        case ListOf(item):
            return "list" if item == ANY else f"list[{annotation(item)}]"
        case MapOf(value):
            return "dict" if value == ANY else f"dict[str, {annotation(value)}]"
        case TupleOf(items):
            return f"tuple[{', '.join(map(annotation, items))}]" if items else "list"
        case Union(options):
            return " | ".join(map(annotation, options))


def literal(value: Json) -> str:
    """JSON as a Python literal, quoted as black would; its text can't close a Markdown fence."""
    if isinstance(value, str):
        body = repr(value)[1:-1]
        if repr(value)[0] == "'":
            body = body.replace("\\'", "'")
        quote = "'" if value.count('"') > value.count("'") else '"'
        return quote + body.replace(quote, "\\" + quote).replace("```", "\\x60" * 3) + quote
    if isinstance(value, list):
        return f"[{', '.join(map(literal, cast(list[Any], value)))}]"
    if isinstance(value, dict):
        items = cast(dict[str, Any], value).items()
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in items) + "}"
    return repr(value)


_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def clean(text: str) -> str:
    """``text`` without what a reader can't see or a Python file can't hold, and without Markdown fences."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _UNSAFE.sub("", lines).replace("```", "'''").expandtabs(4)
