"""A typed tree → the same tree with every long list of values written once, and the longest as plain text.

Rule: a Literal is for what can be chosen from at a glance.  A catalogue of values (countries, currencies) has
their plain type and stands in the note, where a value costs a third less and runs of numbers are one entry;
where the same list comes again, the note says where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emulator.tools.types import (
    NONE,
    Facts,
    FieldType,
    Json,
    ListOf,
    Literals,
    MapOf,
    Model,
    Plain,
    Tree,
    TupleOf,
    Type,
    Union,
    annotation,
    union,
)

_LONG = 60
"""Characters from which naming another place is shorter than repeating the values."""

_CATALOGUE = 32
"""Values from which an enum is no choice but a catalogue."""


def once(tree: Tree) -> Tree:
    """The tree with each long enum in one place."""
    places: dict[Literals, str] = {}
    models = tuple(_model(model, f"{model.name}.", places) for model in tree.models)
    return Tree(_model(tree.root, "", places), models)


def _model(model: Model, prefix: str, places: dict[Literals, str]) -> Model:
    return replace(model, fields=tuple(_field(field, prefix + field.python, places) for field in model.fields))


def _field(field: FieldType, place: str, places: dict[Literals, str]) -> FieldType:
    found: list[tuple[str, Json]] = []

    def shorten(literals: Literals) -> Type:
        values = literals.values
        if len(annotation(literals)) < _LONG or any(isinstance(value, bool) for value in values):
            return literals
        known = places.setdefault(literals, place)
        if known == place and len(values) < _CATALOGUE:
            return literals
        found.append(("values", values) if known == place else ("like", known))
        return union([_plain(value) for value in values])

    kind = _replaced(field.type, shorten)
    if not found:
        return field
    facts = Facts(field.facts.doc, (*found, *field.facts.limits), field.facts.parts)
    return replace(field, type=kind, facts=facts)


def _plain(value: object) -> Type:
    return NONE if value is None else Plain(type(value).__name__)


def _replaced(kind: Type, shorten: Callable[[Literals], Type]) -> Type:
    match kind:
        case Literals():
            return shorten(kind)
        case ListOf(item):
            return ListOf(_replaced(item, shorten))
        case MapOf(value):
            return MapOf(_replaced(value, shorten))
        case TupleOf(items):
            return TupleOf(tuple(_replaced(item, shorten) for item in items))
        case Union(options):
            return union([_replaced(option, shorten) for option in options])
        case _:
            return kind
