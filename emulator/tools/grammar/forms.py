"""The typed tree of a tool → the forms of its values, small enough to go along with its stub.

Rule: a form is plain JSON.  What would take too much room is a looser form of the same kind.

``"s"`` str, ``"i"`` int, ``"f"`` float, ``"b"`` bool, ``"n"`` None, ``"a"`` anything; with bounds ``["s", low, high]``
(characters), ``["i", low, high]``, ``["f", low, high]``; ``["e", value, …]`` one of these values;
``["l", item, low, high]`` a list; ``["t", low, high, item, …]`` a list that begins with these; ``["d", value]`` a dict
with free keys; ``["u", form, …]`` one of several; ``["m", name]`` a model.  The fields of a model, and the parameters,
are a list of forms, ``["?", form]`` for one that may be left out, and last ``["*", form]`` where other names are shown
to be allowed, or ``["+", "a"]`` in a model where they are allowed and not shown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, cast

from emulator.tools.types import (
    AnyType,
    Facts,
    FieldType,
    ListOf,
    Literals,
    MapOf,
    Model,
    ModelRef,
    Plain,
    TupleOf,
    Type,
    Union,
)

Form = str | list[Any]
Forms = dict[str, list[Form]]
"""The fields of each model by its class, and under "" the parameters, all in the order of the stub."""

LONGEST_TEXT = 16
"""Characters up to which a string's length is counted; each of them costs a rule."""

MOST_ITEMS = 16
_MOST_VALUES = 256
_MOST_VALUE_BYTES = 8_000
_MOST_BYTES = 32_000

_CODES = {"str": "s", "int": "i", "float": "f", "bool": "b", "None": "n"}


def forms_of(parameters: Sequence[FieldType], others: Type | None, models: Sequence[Model]) -> Forms:
    """What the parameters of a tool may be; empty where that would be too much to say."""
    forms = {"": _fields(parameters, others)}
    for model in models:
        more: list[Form] = [] if model.closed or model.others is not None else [["+", "a"]]
        forms[model.name] = _fields(model.fields, model.others) + more
    return forms if len(json.dumps(forms)) <= _MOST_BYTES else {}


def _fields(fields: Sequence[FieldType], others: Type | None) -> list[Form]:
    forms = [_field(field) for field in fields]
    return forms if others is None else [*forms, ["*", _form(others, Facts())]]


def _field(field: FieldType) -> Form:
    form = _form(field.type, field.facts)
    if field.required:
        return form
    # The stub shows None for what may be left out, so it may be written, too.
    nothing = field.default is None or field.default.value is None
    return ["?", _either([form, "n"]) if nothing else form]


def _form(kind: Type, facts: Facts) -> Form:
    limits = dict(facts.limits)
    if "enum" in limits:
        return _values(limits["enum"], "a")
    match kind:
        case AnyType():
            return "a"
        case Plain(name):
            return _bounded(_CODES[name], limits)
        case Literals(values):
            return _values(list(values), _either(sorted({_CODES.get(type(value).__name__, "n") for value in values})))
        case ListOf(item):
            return ["l", _form(item, _part(facts, "each")), *_count(limits)]
        case TupleOf(items):
            parts = [_form(item, _part(facts, f"[{index}]")) for index, item in enumerate(items)]
            return ["t", *_count(limits), *parts]
        case MapOf(value):
            return ["d", _form(value, Facts())]
        case Union(options):
            return _either([_form(option, facts) for option in options])
        case ModelRef(name):
            return ["m", name]


def _part(facts: Facts, label: str) -> Facts:
    """What is known of an element, if it is known of just one kind of value."""
    found = [part for name, part in facts.parts if name == label]
    return found[0] if len(found) == 1 else Facts()


def _either(forms: Sequence[Form]) -> Form:
    options: list[Form] = []
    for form in forms:
        for option in cast(list[Form], form[1:]) if form[0] == "u" else [form]:
            if option not in options:
                options.append(option)
    if "a" in options:
        return "a"
    return options[0] if len(options) == 1 else ["u", *options]


def _values(values: list[Any], otherwise: Form) -> Form:
    few = 0 < len(values) <= _MOST_VALUES and len(json.dumps(values)) <= _MOST_VALUE_BYTES
    return ["e", *values] if few else otherwise


def _count(limits: dict[str, Any]) -> tuple[int, int | None]:
    """How many items a list has."""
    low, high = limits.get("minItems", 0), limits.get("maxItems")
    low = min(int(low), MOST_ITEMS)
    return low, int(high) if high is not None and low <= high <= MOST_ITEMS else None


def _bounded(code: str, limits: dict[str, Any]) -> Form:
    low: float | None
    high: float | None
    if code == "s":
        low, high = min(int(limits.get("minLength", 0)), LONGEST_TEXT), limits.get("maxLength")
        high = int(high) if high is not None and low <= high <= LONGEST_TEXT else None
        return ["s", low, high] if low or high is not None else code
    if code not in "if":
        return code
    low = max((limits[key] for key in ("minimum", "exclusiveMinimum") if key in limits), default=None)
    high = min((limits[key] for key in ("maximum", "exclusiveMaximum") if key in limits), default=None)
    if code == "i":
        low = _integer(low, limits.get("exclusiveMinimum"), up=True)
        high = _integer(high, limits.get("exclusiveMaximum"), up=False)
    return code if low is None and high is None else [code, low, high]


def _integer(bound: float | None, excluded: float | None, *, up: bool) -> int | None:
    """The first whole number within the bound."""
    if bound is None:
        return None
    whole = math.ceil(bound) if up else math.floor(bound)
    return whole + (1 if up else -1) if whole == excluded else whole
