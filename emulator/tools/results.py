"""The schema of a tool's results → the return type that its stub shows, with the classes it takes.

Rule: it is a help to whoever writes programs, and nothing is judged by it, so whatever is wrong with the schema the
type is ``Any`` and the tool as good as without.  A result is a dict with the client's own keys, hence TypedDicts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from emulator.tools.naming import STUB_WORDS
from emulator.tools.notes import Notes, facts_note, field_note
from emulator.tools.schema import SchemaLimits, rebuild_value
from emulator.tools.tree import build_result
from emulator.tools.types import Facts, FieldType, Model, annotation, literal

_LONGEST = 20_000
"""Characters of a type beyond which it costs a reader more than it tells."""

_RESERVED = frozenset(["TypedDict", "NotRequired", "Result"])
"""``Result`` would be the first choice of every tool whose result has no name."""

_TOLD = frozenset(["format", "contentEncoding", "enum", "values", "like"])
"""What helps to read a value; its bounds only matter to whoever makes one."""


@dataclass(frozen=True, slots=True)
class ResultType:
    """``annotation`` is the type in Python, ``classes`` the texts of those in it by name, ``notes`` has what there is
    to say of the whole under "return"."""

    annotation: str = "Any"
    classes: dict[str, str] = field(default_factory=dict[str, str])
    notes: dict[str, str] = field(default_factory=dict[str, str])


def make_result(schema: object, *, tool: str, limits: SchemaLimits, reserved: Collection[str] = ()) -> ResultType:
    """The type of what ``schema`` describes, None for nothing; no class has one of ``reserved`` for its name."""
    if not schema:
        return ResultType()
    try:
        made = _made(schema, tool, limits, {*reserved, *_RESERVED})
    except Exception:  # noqa: BLE001 - a tool that says nothing of its results is one all the same
        return ResultType()
    texts = [made.annotation, *made.classes.values(), *made.notes.values()]
    return made if sum(map(len, texts)) <= _LONGEST else ResultType()


def _made(schema: object, tool: str, limits: SchemaLimits, reserved: Collection[str]) -> ResultType:
    tree = build_result(rebuild_value(schema, limits), tool=tool, reserved=reserved)
    notes = Notes()
    # Outer classes are mentioned first, and Python defines them last.
    classes = {model.name: _class(model, notes) for model in reversed(tree.models)}
    [value] = tree.root.fields
    note = field_note(_read(value), [tool, "result"], notes, "")
    return ResultType(annotation(value.type), classes, {value.python: note} if note else {})


def _class(model: Model, notes: Notes) -> str:
    """A TypedDict.  Keys that Python can't write as names take its other form, in which they are text."""
    partial = not any(item.required for item in model.fields)
    total = ", total=False" if partial and model.fields else ""
    named = all(item.python == item.wire or item.wire in STUB_WORDS for item in model.fields)
    head = f"class {model.name}(TypedDict{total}):" if named else f'{model.name}=TypedDict("{model.name}", {{'
    lines = [_noted(head, facts_note(_bare(model.facts), [model.name], notes, model.name))]
    context = [model.name, *(item.wire for item in model.fields)]
    for item in model.fields:
        kind = annotation(item.type)
        kind = kind if item.required or partial else f"NotRequired[{kind}]"
        line = f" {item.wire}: {kind}" if named else f" {literal(item.wire)}: {kind},"
        lines.append(_noted(line, field_note(_read(item), context, notes, f"{model.name}.{item.python}")))
    if not model.fields:
        lines.append(" pass")
    return "\n".join(lines if named else [*lines, f"}}{total})"])


def _noted(line: str, note: str) -> str:
    return f"{line} # {note}" if note else line


def _read(value: FieldType) -> FieldType:
    """A field as who reads it needs to know it: without what stands in for a missing argument."""
    return replace(value, default=None, facts=_bare(value.facts))


def _bare(facts: Facts) -> Facts:
    parts = tuple((label, _bare(part)) for label, part in facts.parts)
    return Facts(facts.doc, tuple(limit for limit in facts.limits if limit[0] in _TOLD), parts)
