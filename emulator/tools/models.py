"""Objects with known keys → Pydantic models, as text for the model to read.

Rule: datamodel-code-generator sees the shape only.  Classes, fields and literals go to it under names made
here and are put back into the syntax tree of what it wrote, so nothing of a client's text ever reaches its
templates; and nothing it writes is imported or run.
"""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Callable, Sequence
from typing import Any

from emulator.tools.compact import compact
from emulator.tools.notes import Notes, facts_note, field_note
from emulator.tools.types import (
    AnyType,
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
    annotation,
    literal,
)

_JSON_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "None": "null"}
_TYPE_NAMES = frozenset(["str", "int", "float", "bool", "list", "dict", "tuple", "Any", "Literal"])


def render_models(models: Sequence[Model], tool: str, notes: Notes) -> dict[str, str]:
    """The classes by name, each field on a line with what there is to say of it: what black formats, made compact.

    ``tool`` is the function they belong to.
    """
    if not models:
        return {}
    shape = _Shape(models)
    module = ast.parse(_generator()(json.dumps(shape.schema())))
    written = {node.name: node for node in module.body if isinstance(node, ast.ClassDef) and node.name in shape.models}
    order = [*written, *(key for key in shape.models if key not in written)]
    source = "\n".join(shape.source(name, written.get(name)) for name in order)
    return _with_notes(compact(_black()(source)), [shape.models[name] for name in order], tool, notes)


def default_text(field: FieldType) -> str:
    """``= default`` as a signature or a class has it: ``None`` where a value may be left out."""
    if field.required:
        return ""
    return f" = {literal(field.default.value) if field.default else None}"


class _Shape:
    """The models with every name and literal replaced: classes M0…, fields f0…, literals "L0"…"""

    def __init__(self, models: Sequence[Model]) -> None:
        self.models = {f"M{index}": model for index, model in enumerate(models)}
        self.keys = {model.name: key for key, model in self.models.items()}
        self.literals: list[Literals] = []

    def schema(self) -> dict[str, Any]:
        definitions = {key: self._object(model) for key, model in self.models.items()}
        properties = {key.lower(): {"$ref": f"#/$defs/{key}"} for key in definitions}
        return {"title": "Everything", "type": "object", "properties": properties, "$defs": definitions}

    def _object(self, model: Model) -> dict[str, Any]:
        names = [f"f{index}" for index in range(len(model.fields))]
        properties = {name: self._type(field.type) for name, field in zip(names, model.fields, strict=True)}
        return {"type": "object", "properties": properties, "required": names}

    def _type(self, kind: Type) -> dict[str, Any]:
        match kind:
            case AnyType():
                return {}
            case Plain(name):
                return {"type": _JSON_TYPES[name]}
            case Literals():
                self.literals.append(kind)
                return {"enum": [f"L{len(self.literals) - 1}"]}
            case ListOf(item):
                return {"type": "array", "items": self._type(item)}
            case MapOf(value):
                return {"type": "object", "additionalProperties": self._type(value) or True}
            case TupleOf(items):
                parts = [self._type(item) for item in items]
                size = {"minItems": len(parts), "maxItems": len(parts)}
                return {"type": "array", "prefixItems": parts, "items": False, **size}
            case Union(options):
                return {"anyOf": [self._type(option) for option in options]}
            case ModelRef(name):
                return {"$ref": f"#/$defs/{self.keys[name]}"}

    def source(self, key: str, node: ast.ClassDef | None) -> str:
        """A generated class in the client's names, reduced to its fields."""
        model = self.models[key]
        found = {
            item.target.id: item.annotation
            for item in (node.body if node else ())
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }
        lines = [f"class {model.name}(BaseModel):"]
        for index, field in enumerate(model.fields):
            kind = self._restored(found.get(f"f{index}")) or annotation(field.type)
            lines.append(f"    {field.python}: {kind}{default_text(field)}")
        return "\n".join(lines if model.fields else [*lines, "    pass"]) + "\n"

    def _restored(self, kind: ast.expr | None) -> str | None:
        """A generated type in the client's terms; None where it isn't one of the shape's (the generator makes
        further classes of some nested tuples, for example)."""
        try:
            return None if kind is None else ast.unparse(_Restored(self).visit(kind))
        except _NotOurs:
            return None


class _NotOurs(Exception):
    """A type that needs more than the names it was made from."""


class _Restored(ast.NodeTransformer):
    """Puts the real names and literals back; raises _NotOurs for whatever isn't a type in the shape's terms."""

    def __init__(self, shape: _Shape) -> None:
        self.shape = shape

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.shape.models:
            return ast.Name(self.shape.models[node.id].name, ast.Load())
        if node.id not in _TYPE_NAMES:
            raise _NotOurs
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        match node:
            case ast.Subscript(value=ast.Name("Literal"), slice=ast.Constant(str(placeholder))):
                # As a "name", so that it is written as it stands: ast.unparse would undo its escapes.
                return ast.Name(annotation(self.shape.literals[int(placeholder[1:])]), ast.Load())
            case ast.Subscript(value=ast.Name("list"), slice=ast.Name("Any")):
                return ast.Name("list", ast.Load())
            case ast.Subscript(value=ast.Name("dict"), slice=ast.Tuple([_, ast.Name("Any")])):
                return ast.Name("dict", ast.Load())
            case _:
                return self.generic_visit(node)  # pyright: ignore[reportReturnType]

    def visit_Call(self, node: ast.Call) -> ast.expr:
        raise _NotOurs


def _with_notes(source: str, models: Sequence[Model], tool: str, notes: Notes) -> dict[str, str]:
    """Each class and field with its comment; black has left one line to each, and a blank one between classes."""
    written: dict[str, str] = {}
    for model, text in zip(models, source.split("\n\n"), strict=True):
        others = [field.wire for field in model.fields]
        told = [facts_note(model.facts, [model.name], notes, model.name)]
        told += [
            field_note(item, [model.name, tool, *others], notes, f"{model.name}.{item.python}") for item in model.fields
        ]
        if not model.fields:
            told.append("")
        lines = zip(text.split("\n"), told, strict=True)
        written[model.name] = "\n".join(f"{line} # {note}" if note else line for line, note in lines)
    return written


@functools.cache
def _generator() -> Callable[[str], str]:
    """The generator, imported on first need: it takes a quarter of a second and most tools are flat."""
    from datamodel_code_generator import generate
    from datamodel_code_generator.config import GenerateConfig
    from datamodel_code_generator.enums import DataModelType, InputFileType

    config = GenerateConfig(
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        enum_field_as_literal="all",  # pyright: ignore[reportArgumentType]
        use_standard_collections=True,
        use_union_operator=True,
        use_tuple_for_fixed_items=True,
        target_python_version="3.11",  # pyright: ignore[reportArgumentType]
        disable_timestamp=True,
        formatters=[],
    )
    return lambda schema: str(generate(schema, config=config))


@functools.cache
def _black() -> Callable[[str], str]:
    import black

    mode = black.Mode(line_length=1_000_000, magic_trailing_comma=False)
    return lambda source: black.format_str(source, mode=mode)
