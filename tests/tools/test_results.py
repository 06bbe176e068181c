"""What a tool says of its results is a help and nothing more: it must read right, harm nobody and never cost the tool."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from emulator.tools.results import ResultType, make_result
from emulator.tools.schema import SchemaLimits
from emulator.tools.stubs import ToolStub, make_stub

LIMITS = SchemaLimits(bytes=200_000, depth=32, properties=1000, enum=1000)
STR, INT = {"type": "string"}, {"type": "integer"}


def obj(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def stub(returns: object, parameters: object = None, name: str = "find_book") -> ToolStub:
    return make_stub(name, "Looks it up.", parameters, python_name=name, limits=LIMITS, returns=returns)


def result(schema: object) -> ResultType:
    return make_result(schema, tool="find_book", limits=LIMITS)


def test_an_object_is_a_typed_dict_that_says_what_helps_to_read_it() -> None:
    book = obj(
        "shelf",
        "copies",
        shelf={**STR, "description": "Where it stands", "pattern": "^[A-Z]"},
        copies={**INT, "description": "Number of copies", "minimum": 0, "default": 1},
        due={**STR, "format": "date", "description": "(optional) Day of return"},
        state={"enum": ["in", "out"]},
    )
    assert stub({**book, "description": "What the library knows"}, obj("title", title=STR)).source == snapshot('''\
class FindBookResult(TypedDict):
 shelf: str # Where it stands
 copies: int
 due: NotRequired[str] # Day of return (date)
 state: NotRequired[Literal["in", "out"]]

def find_book(*, title: str) -> FindBookResult:
 """Looks it up.
return: What the library knows"""\
''')


def test_objects_inside_of_lists_and_objects() -> None:
    owner = obj("name", name=STR)
    found = {"type": "array", "items": obj("id", "owner", id=INT, owner={"anyOf": [owner, {"type": "null"}]})}
    assert stub(found).source == snapshot('''\
class Owner(TypedDict):
 name: str

class FindBookResult(TypedDict):
 id: int
 owner: Owner | None

def find_book() -> list[FindBookResult]:
 """Looks it up."""\
''')


def test_titles_and_definitions_name_classes() -> None:
    person = {"title": "Person", **obj("name", name={**STR, "title": "Name"})}
    page = obj("books", "next", books={"type": "array", "items": {"$ref": "#/$defs/Book"}}, next={"type": "null"})
    book = {"title": "Book", "description": "One copy", **obj(by={"$ref": "#/$defs/Person"})}
    assert stub({"title": "Page", **page, "$defs": {"Book": book, "Person": person}}).source == snapshot('''\
class Person(TypedDict):
 name: str

class Book(TypedDict, total=False): # One copy
 by: Person

class Page(TypedDict):
 books: list[Book]
 next: None

def find_book() -> Page:
 """Looks it up."""\
''')


def test_keys_that_are_no_names_stay_the_client_s() -> None:
    keys = {
        "from": {**STR, "description": "Address of the sender"},
        "max-price": INT,
        "list": {"type": "array"},
        "__typename": STR,
        '"`\n': {},
    }
    mail = {"title": "Mail", **obj("from", **keys)}
    assert stub(mail).source == snapshot('''\
Mail=TypedDict("Mail", {
 "from": str, # Address of the sender
 "max-price": NotRequired[int],
 "list": NotRequired[list],
 "__typename": NotRequired[str],
 '"`\\n': NotRequired[Any],
})

def find_book() -> Mail:
 """Looks it up."""\
''')
    ours = stub(obj("list", "self", list={"type": "array"}, self=STR)).source
    assert ours.startswith("class FindBookResult(TypedDict):\n list: list\n self: str\n")
    assert stub(obj(**{"a-b": STR})).source.startswith(
        'FindBookResult=TypedDict("FindBookResult", {\n "a-b": str,\n}, total=False)\n'
    )


def test_classes_of_arguments_keep_their_names() -> None:
    parameters = obj("book", book=obj("title", title=STR))
    returns = obj("book", book=obj("title", title=STR))
    assert stub(returns, parameters).source == snapshot('''\
class Book(BaseModel):
 title: str

class ResultBook(TypedDict):
 title: str

class FindBookResult(TypedDict):
 book: ResultBook

def find_book(*, book: Book) -> FindBookResult:
 """Looks it up."""\
''')
    made, silent = stub(returns, parameters), stub(None, parameters)
    assert (made.models, made.parameters, made.renames) == (silent.models, silent.parameters, silent.renames)
    assert ToolStub.from_json(json.loads(json.dumps(made.to_json()))) == made


@pytest.mark.parametrize(
    ("schema", "annotation", "note"),
    [
        (STR, "str", ""),
        ({**STR, "description": "ISO date of delivery"}, "str", "ISO date of delivery"),
        ({**INT, "title": "Count"}, "int", ""),
        ({**INT, "title": "Books found"}, "int", "Books found"),
        ({**INT, "minimum": 1}, "int", ""),
        ({"type": ["number", "null"]}, "float | None", ""),
        ({"type": "null"}, "None", ""),
        ({"enum": ["a", 1, True]}, 'Literal["a", 1, True]', ""),
        ({"const": "```"}, 'Literal["\\x60\\x60\\x60"]', ""),
        ({"enum": [f"v{n}" for n in range(40)]}, "str", "one of v0 to v39"),
        ({"anyOf": [STR, {"type": "array", "items": INT}]}, "str | list[int]", ""),
        ({"oneOf": [{"type": "string", "format": "uri"}, {"type": "null"}]}, "str | None", "uri"),
        ({"type": "array", "items": {**STR, "description": "a label"}}, "list[str]", "a label"),
        ({"type": "array"}, "list", ""),
        ({"prefixItems": [STR, INT]}, "tuple[str, int]", ""),
        ({"type": "object"}, "dict", ""),
        ({"type": "object", "additionalProperties": INT}, "dict[str, int]", ""),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "boolean"}}}, "bool", ""),
        ({"title": "Loop", "$ref": "#/$defs/a", "$defs": {"a": STR}}, "str", ""),
        ({"description": "Says nothing of the type"}, "Any", "Says nothing of the type"),
    ],
)
def test_what_needs_no_class(schema: Any, annotation: str, note: str) -> None:
    assert result(schema) == ResultType(annotation, {}, {"return": note} if note else {})


@pytest.mark.parametrize("reference", ["#", "#/$defs/Node"])
def test_a_result_that_holds_itself_is_one_class(reference: str) -> None:
    node = obj("next", next={"anyOf": [{"$ref": reference}, {"type": "null"}]})
    made = result({**node, "$defs": {"Node": node}} if reference != "#" else {"title": "Node", **node})
    assert list(made.classes) == [made.annotation]
    assert f"next: {made.annotation} | None" in made.classes[made.annotation]


def doubling(levels: int) -> dict[str, Any]:
    twice = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**twice, f"d{levels}": STR}}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = STR
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {},
        True,
        False,
        "string",
        [STR],
        5,
        {"type": "text"},
        {"type": "object", "properties": []},
        {"enum": "a"},
        {"const": float("nan")},
        {"const": {1, 2}},
        {"$ref": "https://example.com/a"},
        {"$ref": "#/$defs/gone"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"$ref": "#"},
        doubling(40),
        nested(40),
        nested(900),
        nested(100_000),
        {"enum": list(range(1001))},
        obj(**{f"p{n}": STR for n in range(1001)}),
        obj(**{f"p{n}": obj(**{f"q{n}": STR}) for n in range(500)}),
        {**STR, "description": "long " * 10_000},
        {**STR, "description": "x" * 200_000},
    ],
)
def test_a_schema_that_can_not_be_used_says_nothing(schema: object) -> None:
    assert result(schema) == ResultType()
    parameters = obj("book", book=obj("title", title=STR))
    assert stub(schema, parameters) == stub(None, parameters)


HOSTILE = st.text(alphabet=st.characters(), max_size=30) | st.sampled_from(
    [
        '"""',
        "\\",
        "```",
        "'''\n#",
        "x\r\ny",
        "\u2028",
        "\x00",
        "\udc80",
        "\u202e",
        "None",
        "__init__",
        "Any",
        "TypedDict",
    ]
)
SCHEMAS = st.recursive(
    st.sampled_from([STR, INT, {}])
    | HOSTILE.map(lambda text: {"const": text})
    | HOSTILE.map(lambda text: {"type": "string", "pattern": text, "format": text, "description": text}),
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(HOSTILE, inner, max_size=3)},
            optional={"description": HOSTILE, "title": HOSTILE, "required": st.lists(HOSTILE, max_size=2)},
        )
        | st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"description": HOSTILE})
        | st.lists(inner, min_size=1, max_size=2).map(lambda options: {"anyOf": options})
    ),
    max_leaves=6,
)


@settings(max_examples=150)
@given(SCHEMAS)
def test_hostile_text_stays_text(schema: dict[str, Any]) -> None:
    made = stub(schema, obj(title=obj(**{"1st": STR})))
    made.source.encode("utf-8")
    assert "```" not in made.source
    *classes, function = ast.parse(made.source).body
    assert isinstance(function, ast.FunctionDef)
    assert isinstance(function.body[0], ast.Expr)
    for node in classes:
        if isinstance(node, ast.ClassDef):
            assert all(isinstance(item, (ast.AnnAssign, ast.Pass)) for item in node.body)
        else:
            assert isinstance(node, ast.Assign)
            assert isinstance(node.value, ast.Call)
            assert isinstance(node.value.func, ast.Name)
            assert node.value.func.id == "TypedDict"
    made_by_class = sum(isinstance(node, ast.Assign) for node in classes)
    calls = [node for node in ast.walk(ast.Module([*classes, function], [])) if isinstance(node, ast.Call)]
    assert len(calls) == made_by_class


@settings(max_examples=100)
@given(st.dictionaries(HOSTILE, SCHEMAS, min_size=1, max_size=4))
def test_the_keys_of_a_result_are_never_renamed(properties: dict[str, Any]) -> None:
    module = ast.parse(stub({"type": "object", "properties": properties, "required": list(properties)}).source)
    whole = module.body[-2]
    if isinstance(whole, ast.ClassDef):
        keys = [
            item.target.id
            for item in whole.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        ]
    else:
        assert isinstance(whole, ast.Assign)
        assert isinstance(whole.value, ast.Call)
        assert isinstance(whole.value.args[1], ast.Dict)
        keys = [ast.literal_eval(key) for key in whole.value.args[1].keys if key is not None]
    assert keys == list(properties)
