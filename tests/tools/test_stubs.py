"""A stub is what the model reads and what its names come back through: it must be harmless Python, short, and reversible."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import Any

import black
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from benchmarks.tokens import measure
from emulator.tools.compact import compact
from emulator.tools.naming import FUNCTION_WORDS, identifier
from emulator.tools.schema import SchemaError, SchemaLimits
from emulator.tools.stubs import ToolStub, make_stub, wire_arguments

LIMITS = SchemaLimits(bytes=200_000, depth=32, properties=1000, enum=1000)
CORPUS = Path(__file__).parent.parent / "data" / "schemas.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
MODE = black.Mode(line_length=1_000_000, magic_trailing_comma=False)
HOSTILE = st.text(alphabet=st.characters(), max_size=40) | st.sampled_from(
    [
        '"""',
        "\\",
        '"',
        "```",
        "a\\",
        '\\"""',
        "'''\n\n#",
        "x\r\ny",
        "\u2028",
        "\x00",
        "\udc80",
        "# fmt: off",
        "None",
        "__init__",
        '"" "',
    ]
)


def stub(parameters: object, description: str | None = None, name: str = "tool") -> ToolStub:
    return make_stub(name, description, parameters, python_name=identifier(name, FUNCTION_WORDS), limits=LIMITS)


def props(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def check_shape(source: str) -> ast.FunctionDef:
    """Only classes with annotated fields, then one function that has nothing but a docstring."""
    module = ast.parse(source)
    *classes, function = module.body
    for node in classes:
        assert isinstance(node, ast.ClassDef)
        assert all(isinstance(item, (ast.AnnAssign, ast.Pass)) for item in node.body)
        assert not node.decorator_list
    assert isinstance(function, ast.FunctionDef)
    assert len(function.body) == 1
    assert isinstance(function.body[0], ast.Expr)
    assert isinstance(function.body[0].value, ast.Constant)
    for node in ast.walk(module):
        assert not isinstance(
            node, (ast.Call, ast.Import, ast.ImportFrom, ast.Attribute, ast.Lambda, ast.NamedExpr, ast.Await)
        )
    return function


def meaning(source: str) -> tuple[str, list[str]]:
    """The syntax tree without the indentation of docstrings, and the comments."""
    module = ast.parse(source)
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[0], ast.Expr):
            node.body[0].value = ast.Constant(ast.get_docstring(node))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return ast.dump(module), [token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT]


def assert_compact(source: str) -> None:
    """Black's form means the same, and has this one as its compact form, docstrings apart."""
    formatted = black.format_str(source, mode=MODE)
    assert meaning(formatted) == meaning(source)
    assert compact(formatted).partition('"""')[0] == source.partition('"""')[0]


def check_function(source: str) -> ast.FunctionDef:
    """The function, which may have ``...`` for a body."""
    return check_shape(source.removesuffix("...") + '""' if source.endswith(": ...") else source)


def test_a_tool_as_the_model_sees_it() -> None:
    parameters = props(
        "city",
        city={"type": "string", "description": "City, e.g. Paris", "minLength": 1},
        unit={
            "type": "string",
            "enum": ["celsius", "fahrenheit"],
            "description": "Optional. Unit of the temperature: celsius or fahrenheit",
        },
        days={
            "type": "integer",
            "minimum": 1,
            "maximum": 14,
            "default": 3,
            "description": "The days to forecast (default: 3)",
        },
        since={"type": "string", "format": "date-time", "examples": ["2025-01-01T00:00:00Z"]},
        tags={"type": "array", "items": {"type": "string", "description": "a label"}, "uniqueItems": True},
    )
    made = stub(parameters, "  Weather forecast.\n\n\n  Costs money. ", "get-weather")
    assert made.source == snapshot('''\
def get_weather(*, city: str, unit: Literal["celsius", "fahrenheit"]=None, days: int=3, since: str=None, tags: list[str]=None) -> Any:
 """Weather forecast.

Costs money.

city: City, e.g. Paris
unit: Unit of the temperature: celsius or fahrenheit
days: Days to forecast (1..14)
since: date-time; e.g. "2025-01-01T00:00:00Z"
tags: unique; a label"""\
''')


@pytest.mark.parametrize(
    ("schema", "required", "line"),
    [
        ({"type": "string"}, False, ""),
        ({"type": "string", "description": "The value of the tool"}, False, ""),
        ({"type": "boolean", "description": "Whether to value the tool"}, False, ""),
        ({"type": "array", "items": {}, "description": "List of values"}, False, ""),
        ({"type": "string", "description": "Value in metres"}, False, "Value in metres"),
        ({"type": "string", "description": "(optional) Where to go"}, False, "Where to go"),
        ({"type": "string", "description": "(optional) Where to go"}, True, "(optional) Where to go"),
        ({"type": "integer", "default": 5, "description": "How many. Defaults to 5."}, False, "How many."),
        ({"type": "integer", "default": 5, "description": "How many (default: 6)"}, False, "How many (default: 6)"),
        ({"type": "integer", "default": 5, "description": "How many"}, True, "How many (usually 5)"),
        ({"enum": ["ab", "cd"], "description": "Kind of it. One of ab or cd"}, False, "Kind of it."),
        ({"enum": ["ab", "cd"], "description": "Kind of it (must be 'ab' or 'cd')."}, False, "Kind of it."),
        ({"enum": ["ab", "cd"], "description": "Kind of it (ab, not cd)"}, False, "Kind of it (ab, not cd)"),
        ({"enum": ["ab", "cd"], "description": "Kind of it. Can be ab"}, False, "Kind of it. Can be ab"),
        ({"type": "integer", "minimum": 0, "maximum": 2**53 - 1}, False, ">=0"),
        ({"type": "integer", "maximum": 50, "description": "Rows (max: 50)"}, False, "Rows (max: 50)"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1.5}, False, ">0, <=1.5"),
        ({"type": "number", "multipleOf": 0.5}, False, "multiple of 0.5"),
        ({"type": "string", "minLength": 1}, False, "non-empty"),
        ({"type": "string", "minLength": 2, "maxLength": 2}, False, "2 chars"),
        ({"type": "string", "pattern": "^\\d+$"}, False, "/^\\d+$/"),
        (
            {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "integer", "minimum": 1}},
            False,
            "1..3 items; each: >=1",
        ),
        (
            {
                "type": "object",
                "additionalProperties": {"type": "string", "description": "a colour"},
                "propertyNames": {"pattern": "^c"},
            },
            False,
            "keys: /^c/; values: a colour",
        ),
        ({"enum": [0.5, 1]}, False, "one of 0.5, 1"),
        (
            {"anyOf": [{"type": "string", "format": "uri"}, {"type": "integer", "minimum": 1}]},
            False,
            "if str: uri; if int: >=1",
        ),
        ({"anyOf": [{"type": "string", "description": "an address"}, {"type": "null"}]}, False, "an address"),
        ({"type": "string", "deprecated": True}, False, "deprecated"),
        ({"enum": [f"v{n}" for n in range(40)]}, False, "one of v0 to v39"),
        ({"enum": [*(f"a {n}" for n in range(40))]}, False, "one of " + ", ".join(f'"a {n}"' for n in range(40))),
    ],
)
def test_a_parameter_says_what_its_name_and_type_do_not(schema: Any, required: bool, line: str) -> None:
    made = stub(props(*(["value"] if required else []), value=schema))
    docstring = (ast.get_docstring(check_function(made.source)) or "").rstrip()
    assert docstring == (f"value: {line}" if line else "")


def test_a_long_text_is_said_once() -> None:
    doc = "Identifier or URL-encoded path of the thing that is meant"
    made = stub(props(a={"type": "string", "description": doc}, b={"type": "string", "description": doc}))
    assert made.source.count(doc) == 1
    assert "b: as a" in made.source


@pytest.mark.parametrize(
    ("parameters", "signature"),
    [
        (None, "def tool() -> Any: ..."),
        ({}, "def tool() -> Any: ..."),
        (True, "def tool() -> Any: ..."),
        ({"type": "object"}, "def tool() -> Any: ..."),
        ({"additionalProperties": {"type": "integer"}}, "def tool(**others: int) -> Any: ..."),
        (props("b", a={"type": "string"}, b={"type": "integer"}), "def tool(*, b: int, a: str=None) -> Any: ..."),
        (props(a={"default": {"k": [1, None, "`"]}}), 'def tool(*, a: Any={"k": [1, None, "`"]}) -> Any: ...'),
    ],
)
def test_signatures(parameters: object, signature: str) -> None:
    assert stub(parameters).source == signature


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_real_tools_are_harmless_and_what_black_has_in_less_space(row: dict[str, Any]) -> None:
    made = stub(row["schema"], row.get("description"), row.get("name") or "tool")
    module = ast.parse(made.source)
    assert all(isinstance(node, (ast.ClassDef, ast.FunctionDef)) for node in module.body)
    assert_compact(made.source)
    assert ToolStub.from_json(json.loads(json.dumps(made.to_json()))) == made
    instances: list[dict[str, Any]] = row.get("valid", [])
    for instance in instances:
        python_of: dict[str, str] = {wire: python for python, wire in made.parameters.items()}
        assert wire_arguments(made, {python_of.get(key, key): value for key, value in instance.items()}) == instance
        assert wire_arguments(made, instance) == instance


SCALARS = st.sampled_from([{"type": "string"}, {"type": "integer"}, {}, {"type": "boolean", "nullable": True}])
SCHEMAS = st.recursive(
    SCALARS
    | HOSTILE.map(lambda text: {"const": text})
    | HOSTILE.map(lambda text: {"type": "string", "pattern": text, "format": text, "default": text}),
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(HOSTILE, inner, max_size=3)},
            optional={
                "description": HOSTILE,
                "title": HOSTILE,
                "default": st.dictionaries(HOSTILE, HOSTILE, max_size=2),
            },
        )
        | st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={"description": HOSTILE, "examples": st.lists(HOSTILE, max_size=2)},
        )
        | st.lists(inner, min_size=1, max_size=2).map(lambda options: {"anyOf": options})
    ),
    max_leaves=6,
)


@settings(max_examples=150)
@given(HOSTILE, HOSTILE, st.dictionaries(HOSTILE, SCHEMAS, max_size=3))
def test_hostile_text_stays_text(name: str, description: str, properties: dict[str, Any]) -> None:
    made = stub({"type": "object", "properties": properties, "required": list(properties)[:1]}, description, name)
    function = check_function(made.source)
    assert function.name == made.python_name
    made.source.encode("utf-8")
    assert "```" not in made.source
    assert list(made.parameters.values()) == list(properties)
    assert [argument.arg for argument in function.args.kwonlyargs] == list(made.parameters)


@given(HOSTILE)
def test_a_description_ends_where_its_docstring_ends(description: str) -> None:
    made = stub(props("a", a={"type": "string", "description": f"the {description} of it"}), f"Says {description}")
    function = check_function(made.source)
    assert (ast.get_docstring(function) or "").startswith("Says")
    if "# fmt" not in description:
        assert_compact(made.source)


def test_the_clients_names_come_back_at_every_depth() -> None:
    node = props("1st", **{"1st": {"type": "string"}, "self": {"$ref": "#/$defs/a.b"}})
    parameters = props(
        **{
            "from": {"type": "string"},
            "日付": {"type": "string"},
            "list": {"type": "array", "items": props(**{"x-y": {"type": "array", "items": {"$ref": "#/$defs/a.b"}}})},
            "map": {"type": "object", "additionalProperties": {"$ref": "#/$defs/a.b"}},
            "free": {"type": "object"},
            "either": {"oneOf": [{"$ref": "#/$defs/a.b"}, props(**{"other-key": {}}), {"type": "null"}]},
            "pair": {"prefixItems": [{"type": "string"}, {"$ref": "#/$defs/a.b"}]},
        }
    ) | {"$defs": {"a.b": node}}
    made = stub(parameters)
    python = {
        "from_": "x",
        "日付": "y",
        "list_": [{"x_y": [{"_1st": "a", "self_": {"_1st": "b"}}]}],
        "map": {"_1st": {"_1st": "free key, known field"}},
        "free": {"from_": 1, "_1st": 2},
        "either": {"other_key": 3},
        "pair": ("_1st", {"_1st": "c"}),
    }
    wire = {
        "from": "x",
        "日付": "y",
        "list": [{"x-y": [{"1st": "a", "self": {"1st": "b"}}]}],
        "map": {"_1st": {"1st": "free key, known field"}},
        "free": {"from_": 1, "_1st": 2},
        "either": {"other-key": 3},
        "pair": ("_1st", {"1st": "c"}),
    }
    assert wire_arguments(made, python) == wire
    assert wire_arguments(made, wire) == wire
    assert wire_arguments(made, {"either": {"_1st": "d"}}) == {"either": {"1st": "d"}}
    assert wire_arguments(made, {"either": None, "list_": "wrong", "unknown": 1}) == {
        "either": None,
        "list": "wrong",
        "unknown": 1,
    }
    assert wire_arguments(made, {"from_": 1, "from": 2}) == {"from_": 1, "from": 2}


def test_a_class_of_the_stub_lists_its_fields_in_order() -> None:
    made = stub(props(place=props(**{"b": {}, "a-1": {}})))
    assert {name: model.fields for name, model in made.models.items()} == {"Place": {"b": "b", "a_1": "a-1"}}


def test_a_schema_deeper_than_the_stack_is_an_error_of_the_schema() -> None:
    schema: dict[str, Any] = {}
    for _ in range(60):
        schema = {"anyOf": [{"type": "array", "items": schema}]}
    with pytest.raises(SchemaError):
        make_stub("tool", None, props(a=schema), python_name="tool", limits=SchemaLimits(10**6, 10**6, 10**6, 10**6))


def test_the_stubs_cost_less_than_the_json() -> None:
    counts, refused = measure(ROWS)
    assert not refused
    assert counts["all"].tools == len(ROWS)
    assert counts["document"].stubs <= 0.5 * counts["document"].json
    assert counts["all"].stubs <= 0.65 * counts["all"].json


def test_flat_tools_load_neither_generator_nor_formatter() -> None:
    program = (
        "import sys; from emulator.tools.stubs import *; from emulator.tools.schema import SchemaLimits\n"
        "make_stub('a', 'b', {'properties': {'c': {'enum': ['d']}}}, python_name='a', limits=SchemaLimits(99, 9, 9, 9))\n"
        "assert not {'black', 'datamodel_code_generator', 'pydantic'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
