"""A tool's stub as it crosses processes, and the way back from its Python names to the client's.

Rule: this is all the server needs at run time; the code that makes stubs stays in the process that makes them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Shape = str | list[Any] | None
"""Where models are inside a value: a class's name, ``["list", shape]``, ``["map", shape]``, ``["tuple", [shape, …]]``,
``["union", [shape, …]]``, or None where no key below has another name in Python."""


@dataclass(frozen=True, slots=True)
class ModelNames:
    """A class of the stub: ``fields`` are Python name → wire name in the order of the class, ``nested`` the
    shapes of those fields that hold further models."""

    fields: dict[str, str]
    nested: dict[str, Shape] = field(default_factory=dict[str, Shape])


@dataclass(frozen=True, slots=True)
class ToolStub:
    """A tool as the model sees it.  ``name`` is the client's.

    ``classes`` are the texts of its classes by name, those of its result too; ``models`` only those of arguments.
    ``head`` is the function's signature up to the colon, ``about`` what the tool is for, ``notes`` what there is to
    say of each parameter, under "" of all of them and under "return" of the result.
    ``parameters`` are Python name → wire name in the order of the signature; ``renames`` the shapes of
    those parameters inside which keys have other names in Python; ``forms`` what the values may be, see
    grammar/forms.py.
    """

    name: str
    python_name: str
    head: str
    parameters: dict[str, str]
    about: str = ""
    notes: dict[str, str] = field(default_factory=dict[str, str])
    classes: dict[str, str] = field(default_factory=dict[str, str])
    models: dict[str, ModelNames] = field(default_factory=dict[str, ModelNames])
    renames: dict[str, Shape] = field(default_factory=dict[str, Shape])
    forms: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    @property
    def source(self) -> str:
        """The tool by itself as text for the prompt."""
        return "\n\n".join([*self.classes.values(), self.function()])

    def note_lines(self) -> list[str]:
        """A line for each of the ``notes``."""
        return [f"{name}: {note}" if name else note for name, note in self.notes.items()]

    def function(self, said: Collection[str] = ()) -> str:
        """The function with its docstring; note lines in ``said`` are left out, because they stand elsewhere."""
        lines = [line for line in self.note_lines() if line not in said]
        gap = [""] if "\n" in self.about and lines else []
        docstring = _docstring("\n".join([*([self.about] if self.about else []), *gap, *lines]))
        return f"{self.head}\n {docstring}" if docstring else f"{self.head} ..."

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "python_name": self.python_name,
            "head": self.head,
            "parameters": self.parameters,
            "about": self.about,
            "notes": self.notes,
            "classes": self.classes,
            "models": {name: [model.fields, model.nested] for name, model in self.models.items()},
            "renames": self.renames,
            "forms": self.forms,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ToolStub:
        """The inverse of ``to_json``, also after a way through JSON text."""
        models = {name: ModelNames(fields, nested) for name, (fields, nested) in data["models"].items()}
        fields: dict[str, Any] = {**data, "models": models}
        return ToolStub(**fields)


def _docstring(text: str) -> str:
    """``text`` with its quotes, whatever it holds; "" for nothing.

    Its lines aren't indented, which Python allows and which costs a token less for each.
    """
    text = text.replace('"""', "'''").strip()
    if not text:
        return ""
    if text[-1] == '"' or (len(text) - len(text.rstrip("\\"))) % 2:
        text += " "
    return f'{"r" if chr(92) in text else ""}"""{" " if text[0] == chr(34) else ""}{text}"""'


def wire_arguments(stub: ToolStub, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """``arguments`` with the client's names for the stub's, at the top and inside models.

    Keys that are no Python name of the stub stay as they are, so what is named as the client names it
    passes; keys of free-form maps are never touched.
    """
    top = ModelNames(stub.parameters, stub.renames)
    return _object(arguments, top, stub.models)


def _object(value: Mapping[str, Any], names: ModelNames, models: Mapping[str, ModelNames]) -> dict[str, Any]:
    python_of = {wire: python for python, wire in names.fields.items()}
    renamed: dict[str, Any] = {}
    for key, item in value.items():
        python = python_of.get(key, key)
        wire = names.fields.get(python, key)
        # Who wrote a name in both forms is told of the second one by the validator.
        renamed[key if wire != key and wire in value else wire] = _value(item, names.nested.get(python), models)
    return renamed


def _value(value: Any, shape: Shape, models: Mapping[str, ModelNames]) -> Any:
    if shape is None:
        return value
    if isinstance(shape, str):
        return _object(cast(dict[str, Any], value), models[shape], models) if isinstance(value, dict) else value
    kind, inner = shape
    if kind == "union":
        chosen = _chosen(value, inner, models)
        return value if chosen is None else _value(value, chosen, models)
    if kind == "map" and isinstance(value, dict):
        return {key: _value(item, inner, models) for key, item in cast(dict[str, Any], value).items()}
    if kind in ("list", "tuple") and isinstance(value, (list, tuple)):
        items = list(cast(list[Any] | tuple[Any, ...], value))
        shapes: list[Shape] = [inner] * len(items) if kind == "list" else [*inner, *[None] * len(items)]
        renamed = [_value(item, part, models) for item, part in zip(items, shapes, strict=False)]
        return tuple(renamed) if isinstance(value, tuple) else renamed
    return value


def _chosen(value: Any, shapes: list[Shape], models: Mapping[str, ModelNames]) -> Shape:
    """The branch that ``value`` was most likely written for: the model that knows most of its keys."""
    if not isinstance(value, dict):
        fitting = [shape for shape in shapes if isinstance(shape, list) and shape[0] in ("list", "tuple")]
        return fitting[0] if fitting and isinstance(value, (list, tuple)) else None
    keys = set(cast(dict[str, Any], value))
    named = [shape for shape in shapes if isinstance(shape, str)]
    if named:
        best = max(named, key=lambda name: len(keys & _all_names(models[name])))
        if keys & _all_names(models[best]):
            return best
    maps = [shape for shape in shapes if isinstance(shape, list) and shape[0] == "map"]
    return maps[0] if maps else None


def _all_names(model: ModelNames) -> set[str]:
    return {*model.fields.keys(), *model.fields.values()}
