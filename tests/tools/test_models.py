"""Nested objects go through a code generator, which must see only their shape and whose text must say only theirs."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from emulator.tools import models
from emulator.tools.models import render_models
from emulator.tools.notes import Notes
from emulator.tools.schema import SchemaLimits, rebuild
from emulator.tools.tree import build_tree
from emulator.tools.types import (
    ANY,
    NONE,
    Default,
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
    annotation,
    union,
)

LIMITS = SchemaLimits(bytes=200_000, depth=32, properties=1000, enum=1000)


def rendered(schema: dict[str, Any]) -> str:
    classes = render_models(build_tree(rebuild(schema, LIMITS), tool="search").models, "search", Notes())
    return "\n\n".join(classes.values())


def test_a_field_is_a_line_with_its_type_its_default_and_what_is_to_say() -> None:
    schema: dict[str, Any] = {
        "properties": {
            "filters": {
                "type": "object",
                "properties": {
                    "from": {"type": "string", "format": "date", "description": "First\nday"},
                    "unit": {"enum": ["km", 'mile "US"'], "default": "km"},
                    "size": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
                    "tags": {
                        "type": "array",
                        "items": {"type": "string", "pattern": "^#"},
                        "maxItems": 3,
                        "default": [],
                    },
                    "near": {"$ref": "#/$defs/Place"},
                    "more": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Place"}},
                },
                "required": ["from"],
            }
        },
        "$defs": {
            "Place": {
                "type": "object",
                "description": "A point on Earth",
                "properties": {"lat": {"type": "number"}, "next": {"$ref": "#/$defs/Place"}},
                "required": ["lat"],
            }
        },
    }
    assert rendered(schema) == snapshot("""\
class Place(BaseModel): # A point on Earth
 lat: float
 next: Place=None

class Filters(BaseModel):
 from_: str # First day (date)
 unit: Literal["km", 'mile "US"']="km"
 size: int | None=None # 1..9
 tags: list[str]=[] # <=3 items; each: /^#/
 near: Place=None
 more: dict[str, Place]=None\
""")


def test_no_models_no_text() -> None:
    assert rendered({"properties": {"a": {"type": "string"}}}) == ""


TYPES: st.SearchStrategy[Type] = st.recursive(
    st.sampled_from(
        [ANY, NONE, Plain("str"), Plain("int"), Plain("float"), Plain("bool"), ModelRef("Ä"), ModelRef("B2")]
    )
    | st.lists(
        st.text(max_size=6) | st.integers() | st.booleans(),
        min_size=1,
        max_size=4,
        unique_by=lambda value: (type(value), value),
    ).map(lambda values: Literals(tuple(values))),
    lambda inner: (
        inner.map(ListOf)
        | inner.map(MapOf)
        | st.lists(inner, min_size=1, max_size=3).map(lambda items: TupleOf(tuple(items)))
        | st.lists(inner, min_size=2, max_size=3).map(union)
    ),
    max_leaves=5,
)


@settings(max_examples=60)
@given(st.lists(TYPES, min_size=1, max_size=3))
def test_the_generator_says_of_every_type_what_the_signature_says(kinds: list[Type]) -> None:
    fields = tuple(FieldType(f"w-{n}", f"w_{n}", kind, True, None, Facts()) for n, kind in enumerate(kinds))
    written = render_models([Model("Ä", Facts(), fields), Model("B2", Facts(), ())], "tool", Notes())
    classes = {name: ast.parse(text).body[0] for name, text in written.items()}
    assert classes.keys() == {"Ä", "B2"}
    assert isinstance(classes["Ä"], ast.ClassDef)
    found = [ast.dump(node.annotation) for node in classes["Ä"].body if isinstance(node, ast.AnnAssign)]
    assert found == [ast.dump(ast.parse(annotation(kind), mode="eval").body) for kind in kinds]


def test_nothing_of_the_clients_reaches_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = models._generator()  # pyright: ignore[reportPrivateUsage]

    def generate(schema: str) -> str:
        seen.append(schema)
        return real(schema)

    monkeypatch.setattr(models, "_generator", lambda: generate)
    fact = Facts("SECRET doc", (("pattern", "SECRET"), ("examples", ["SECRET"])))
    field = FieldType("SECRET-wire", "SECRET_python", Literals(("SECRET",)), False, Default("SECRET"), fact)
    source = render_models([Model("SECRETClass", fact, (field,))], "SECRET_tool", Notes())["SECRETClass"]
    assert source.count("SECRET") > 5
    assert len(seen) == 1
    assert "SECRET" not in seen[0]


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.system('x')\nclass M1(BaseModel):\n    f0: str\n",
        "class M0(BaseModel):\n    f0: os.PathLike\n",
        "class M0(BaseModel):\n    f0: list[str()]\n",
        "class M0(BaseModel):\n    f0: Other\n    f1: int\n",
        "class M0(BaseModel):\n    f0: Literal[__import__]\n",
        "",
    ],
)
def test_generated_text_that_is_no_shape_is_left_out(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def generate(_: str) -> str:
        return text

    monkeypatch.setattr(models, "_generator", lambda: generate)
    field = FieldType("a", "a", Plain("str"), True, None, Facts())
    assert render_models([Model("A", Facts(), (field,))], "tool", Notes()) == {"A": "class A(BaseModel):\n a: str"}
