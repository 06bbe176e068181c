"""A tool → the Python that a model is shown: its classes, its signature, its docstring.

Rule: whatever a client writes, the stub is Python made of classes and one function that do nothing.
Text of the client's stands only inside docstrings, comments and literals, each escaped for its place.
"""

from __future__ import annotations

from collections.abc import Collection

from emulator.tools.compact import compact
from emulator.tools.grammar.forms import forms_of
from emulator.tools.models import default_text, render_models
from emulator.tools.notes import Notes, facts_note, field_note
from emulator.tools.repeats import once
from emulator.tools.results import make_result
from emulator.tools.schema import SchemaError, SchemaLimits, rebuild
from emulator.tools.toolstub import ModelNames, Shape, ToolStub, wire_arguments
from emulator.tools.tree import whole_tree
from emulator.tools.types import (
    FieldType,
    ListOf,
    MapOf,
    Model,
    ModelRef,
    TupleOf,
    Type,
    Union,
    annotation,
    clean,
)

__all__ = ["ModelNames", "Shape", "ToolStub", "make_stub", "wire_arguments"]


def make_stub(
    name: str,
    description: str | None,
    parameters: object,
    *,
    python_name: str,
    limits: SchemaLimits,
    reserved: Collection[str] = (),
    returns: object = None,
) -> ToolStub:
    """The stub of one tool.  ``python_name`` is an identifier, chosen by the caller among all tools' names;
    ``reserved`` are names that its classes can't have, because others of the same set have them; ``returns`` is the
    schema of its results, or None.

    Raises SchemaError for ``parameters`` that can't be worked with; whether they can judge a call is another question.
    ``returns`` that can't be worked with say nothing.
    """
    try:
        whole = whole_tree(rebuild(parameters, limits), tool=python_name, reserved=reserved)
        tree = once(whole)
        fields = _in_order(tree.root)
        notes = Notes()
        classes = render_models(tree.models, python_name, notes)
        told = _notes(fields, tree.root, python_name, notes)
        result = make_result(returns, tool=python_name, limits=limits, reserved={*reserved, *classes})
        head = compact(f"def {python_name}({_signature(fields, tree.root.others)}) -> {result.annotation}:")
    except RecursionError:
        raise SchemaError("nested too deeply once its references are followed", "parameters") from None
    renamed = _renamed_classes(tree.models)
    return ToolStub(
        name=name,
        python_name=python_name,
        head=head,
        parameters={field.python: field.wire for field in fields},
        about="\n".join(_paragraphs(description or "")),
        notes=told | result.notes,
        classes=classes | result.classes,
        models={model.name: ModelNames(_names(model), _nested(model, renamed)) for model in tree.models},
        renames=_nested(tree.root, renamed),
        forms=forms_of(_in_order(whole.root), whole.root.others, whole.models),
    )


def _in_order(root: Model) -> list[FieldType]:
    """As in the signature: required parameters first."""
    return sorted(root.fields, key=lambda field: not field.required)


def _signature(fields: list[FieldType], others: Type | None) -> str:
    parts = ["*"] if fields else []
    parts.extend(f"{field.python}: {annotation(field.type)}{default_text(field)}" for field in fields)
    if others is not None:
        taken = {field.python for field in fields}
        parts.append(f"**{'others' if 'others' not in taken else 'others_'}: {annotation(others)}")
    return ", ".join(parts)


def _notes(fields: list[FieldType], root: Model, name: str, notes: Notes) -> dict[str, str]:
    siblings = [field.wire for field in fields]
    told = {field.python: field_note(field, [name, *siblings], notes, field.python) for field in fields}
    told = {"": facts_note(root.facts, (), notes, ""), **told}
    return {python: note for python, note in told.items() if note}


def _paragraphs(text: str) -> list[str]:
    """Lines without trailing space, without the indentation they share, and without two blank ones in a row."""
    first, *rest = [line.rstrip() for line in clean(text).strip().split("\n")]
    shared = min((len(line) - len(line.lstrip()) for line in rest if line), default=0)
    lines = [first, *(line[shared:] for line in rest)]
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return kept if first else []


def _names(model: Model) -> dict[str, str]:
    return {field.python: field.wire for field in model.fields}


def _renamed_classes(models: tuple[Model, ...]) -> set[str]:
    """Classes with a renamed field, in themselves or anywhere below."""
    below = {model.name: set[str]().union(*(_classes(field.type) for field in model.fields)) for model in models}
    found = {model.name for model in models if any(field.python != field.wire for field in model.fields)}
    while more := {name for name, inner in below.items() if name not in found and inner & found}:
        found |= more
    return found


def _classes(kind: Type) -> set[str]:
    match kind:
        case ModelRef(name):
            return {name}
        case ListOf(inner) | MapOf(inner):
            return _classes(inner)
        case TupleOf(several) | Union(several):
            return set[str]().union(*map(_classes, several))
        case _:
            return set()


def _nested(model: Model, renamed: set[str]) -> dict[str, Shape]:
    shapes = {field.python: _shape(field.type, renamed) for field in model.fields}
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _shape(kind: Type, renamed: set[str]) -> Shape:
    match kind:
        case ModelRef(name):
            return name if name in renamed else None
        case ListOf(item):
            return ["list", inner] if (inner := _shape(item, renamed)) is not None else None
        case MapOf(value):
            return ["map", inner] if (inner := _shape(value, renamed)) is not None else None
        case TupleOf(items):
            return ["tuple", parts] if any(parts := [_shape(item, renamed) for item in items]) else None
        case Union(options):
            parts = [part for part in (_shape(option, renamed) for option in options) if part is not None]
            return (["union", parts] if len(parts) > 1 else parts[0]) if parts else None
        case _:
            return None
