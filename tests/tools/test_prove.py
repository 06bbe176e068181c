"""What reaches the client must fit its schema, unchanged where it fits, and what doesn't must be told to the model exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.tools import coerce
from emulator.tools.prove import Proven, Prover, Refused
from emulator.tools.schema import SchemaError

CALLS = Path(__file__).resolve().parents[1] / "data" / "calls.jsonl"
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from(["3", "-7", "2.5", "true", "false", "[1]", '{"a": "1"}', "x", "", "1e3"])
LOOSE = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([1.0, 2.5, -0.0]) | WORDS


def obj(required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


def prover(schema: object, **names: str) -> Prover:
    return Prover(schema, function="f", names=names)


def proven(schema: object, **arguments: Any) -> dict[str, Any]:
    outcome = prover(schema).prove(arguments)
    assert isinstance(outcome, Proven), outcome
    return outcome.arguments


def errors(schema: object, **arguments: Any) -> tuple[str, ...]:
    outcome = prover(schema).prove(arguments)
    assert isinstance(outcome, Refused), outcome
    return outcome.errors


INT, NUM, STR, BOOL, NULL = ({"type": name} for name in ("integer", "number", "string", "boolean", "null"))
LIST = {"type": "array", "items": INT}
POINT = obj(["x"], x=INT, label=STR)
TREE = {**obj(["root"], root={"$ref": "#/$defs/N"}), "$defs": {"N": obj(["v"], v=INT, next={"$ref": "#/$defs/N"})}}

COERCED: list[tuple[str, Any, Any, Any]] = [
    ("text of an integer", INT, "3", 3),
    ("negative", INT, "-3", -3),
    ("text of a number", NUM, "3.5", 3.5),
    ("a whole number's text stays whole", NUM, "3", 3),
    ("beyond 64 bits", INT, "123456789012345678901234567890", 123456789012345678901234567890),
    ("text of a boolean", BOOL, "true", True),
    ("Python's spelling", BOOL, "False", False),
    ("whole float", INT, 3.0, 3),
    ("or null", {"type": ["integer", "null"]}, "3", 3),
    ("whole float in a union with text", {"anyOf": [INT, STR]}, 3.0, 3),
    ("enum of integers", {"enum": [1, 2]}, "2", 2),
    ("const", {"const": 5}, "5", 5),
    ("tuple", LIST, (1, 2), [1, 2]),
    ("inside of a list", LIST, ["1", 2.0, 3], [1, 2, 3]),
    ("JSON text of a list", LIST, "[1, 2]", [1, 2]),
    ("JSON text of an object, and inside of it", POINT, '{"x": "1"}', {"x": 1}),
    ("Python text of an object", POINT, "{'x': 1}", {"x": 1}),
    ("Python text of a list", LIST, "[1, 2,]", [1, 2]),
    ("one branch of anyOf", {"anyOf": [INT, BOOL]}, "7", 7),
    ("branches that read it alike", {"anyOf": [INT, NUM]}, "7", 7),
    ("nullable by anyOf", {"anyOf": [POINT, NULL]}, {"x": "1"}, {"x": 1}),
    ("the branch that the rest fits", {"oneOf": [obj(["k"], k={"const": "a"}, n=INT), obj(["k"], k={"const": "b"}, n=BOOL)]}, {"k": "a", "n": "1"}, {"k": "a", "n": 1}),
    ("allOf", {"allOf": [obj(["x"], x=INT), obj(y=BOOL)]}, {"x": "1", "y": "true"}, {"x": 1, "y": True}),
    ("additionalProperties", {"type": "object", "additionalProperties": INT}, {"a": "1"}, {"a": 1}),
    ("prefixItems", {"type": "array", "prefixItems": [INT, BOOL]}, ["1", "true"], [1, True]),
    ("None for an optional key", POINT, {"x": 1, "label": None}, {"x": 1}),
    ("halves of a character", STR, "\ud83d\ude00", "😀"),
]  # fmt: skip

KEPT: list[tuple[str, Any, Any]] = [
    ("integer for a number", NUM, 5),
    ("float for a number", NUM, 5.0),
    ("text where text fits too", {"anyOf": [STR, INT]}, "5"),
    ("null where it is allowed", {"type": ["string", "null"]}, None),
    ("text of JSON where text is wanted", STR, "[1]"),
    ("anything", {}, {"a": [None, 1.0, "3"]}),
    ("a format is not asserted", {"type": "string", "format": "date"}, "tomorrow"),
    ("beyond 64 bits", INT, 2**70),
]

REFUSED: list[tuple[str, Any, Any, str]] = [
    ("enum in another case", {"enum": ["celsius", "fahrenheit"]}, "Celsius", 'f: argument "a" must be one of "celsius", "fahrenheit"; got "Celsius"'),
    ("an integer for text", STR, 5, 'f: argument "a" must be a string; got 5'),
    ("a boolean for an integer", INT, True, 'f: argument "a" must be an integer; got True'),
    ("a half for an integer", INT, 3.5, 'f: argument "a" must be an integer; got 3.5'),
    ("text of a half for an integer", INT, "3.5", 'f: argument "a" must be an integer; got "3.5"'),
    ("spaces", INT, " 3", 'f: argument "a" must be an integer; got " 3"'),
    ("digits of another script", INT, "٣", 'f: argument "a" must be an integer; got "٣"'),
    ("a number that no float holds", NUM, "0.1234567890123456789", 'f: argument "a" must be a number; got "0.1234567890123456789"'),
    ("too large for a float", NUM, "1e999", 'f: argument "a" must be a number; got "1e999"'),
    ("coerced, and still wrong", {"type": "integer", "maximum": 2}, "3", 'f: argument "a" must be at most 2; got 3'),
    ("two readings", {"anyOf": [obj(k=INT), obj(b=BOOL)]}, {"k": "1", "b": "true"}, 'f: argument "a.k" must be an integer; got "1"'),
    ("text fits by type", {"anyOf": [INT, {"type": "string", "maxLength": 2}]}, "300", 'f: argument "a" must have at most 2 characters; got "300"'),
    ("JSON text with a key twice", POINT, '{"x": 1, "x": 2}', 'f: argument "a" must be a dict; got "{\\"x\\": 1, \\"x\\": 2}"'),
    ("Python text with a key twice", POINT, "{'x': 1, 'x': 2}", 'f: argument "a" must be a dict; got "{\'x\': 1, \'x\': 2}"'),
    ("Python text that would have to be run", POINT, "dict(x=1)", 'f: argument "a" must be a dict; got "dict(x=1)"'),
    ("a set", LIST, {1}, 'f: argument "a" is a set, which has no order in JSON; write a list'),
    ("NaN", NUM, float("nan"), 'f: argument "a" must be a finite number; got nan'),
    ("infinity deep inside", {}, {"x": [float("inf")]}, 'f: argument "a.x[0]" must be a finite number; got inf'),
    ("half a character", {}, "\ud83d", 'f: argument "a" holds half of a surrogate pair, which is no character'),
    ("keys that are no text", {}, {1: 2}, "f: argument \"a\" has the key 1, but JSON's keys are strings; write it in quotes"),
    ("an object", {}, b"x", 'f: argument "a" is of type bytes, which JSON does not have'),
    ("None in a list", LIST, [None], 'f: argument "a[0]" must be an integer; got None'),
    ("a missing key", POINT, {}, 'f: argument "a" lacks the required key "x"'),
    ("an unknown key", {**POINT, "additionalProperties": False}, {"x": 1, "lable": ""}, 'f: argument "a" has the unknown key "lable"; did you mean "label"?'),
    ("a key that is no name", {"type": "object", "additionalProperties": INT}, {"b c": "x"}, 'f: argument "a["b c"]" must be an integer; got "x"'),
    ("neither type", {"anyOf": [INT, NULL]}, "x", 'f: argument "a" must be an integer or None; got "x"'),
    ("two forms at once", {"oneOf": [INT, NUM]}, 1, 'f: argument "a" must fit exactly one of its forms, and fits several; got 1'),
    ("pattern", {"type": "string", "pattern": "^[a-z]+$"}, "A", 'f: argument "a" must match the regular expression ^[a-z]+$; got "A"'),
    ("forbidden", False, 1, 'f: argument "a" is not allowed; got 1'),
    ("not", {"not": STR}, "x", 'f: argument "a" must not be what {"type": "string"} describes; got "x"'),
    ("repeated", {"type": "array", "uniqueItems": True}, [1, 1], 'f: argument "a" must not have the same item twice; got [1, 1]'),
    ("one item", {"type": "array", "minItems": 2}, [1], 'f: argument "a" must have at least 2 items; got [1]'),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "given", "wanted"), [row[1:] for row in COERCED], ids=[row[0] for row in COERCED])
def test_what_has_one_lossless_reading_is_read_so(schema: Any, given: Any, wanted: Any) -> None:
    found = proven(obj(a=schema), a=given)["a"]
    assert found == wanted
    assert repr(found) == repr(wanted)  # 3, not 3.0, and True, not 1


@pytest.mark.parametrize(("schema", "given"), [row[1:] for row in KEPT], ids=[row[0] for row in KEPT])
def test_what_is_valid_stays_as_it_is(schema: Any, given: Any) -> None:
    assert repr(proven(obj(a=schema), a=given)["a"]) == repr(given)


@pytest.mark.parametrize(("schema", "given", "sentence"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_does_not_hold_is_named_with_its_place(schema: Any, given: Any, sentence: str) -> None:
    assert errors(obj(["a"], a=schema), a=given) == (sentence,)


@pytest.mark.parametrize(
    ("arguments", "sentences"),
    [
        ({}, ('f: missing required argument "city"',)),
        ({"town": "x"}, ('f: unexpected argument "town"; did you mean "city"?', 'f: missing required argument "city"')),
        ({"city": "x", "unti": "C"}, ('f: unexpected argument "unti"; did you mean "unit"?',)),
        ({"city": "x", "q": 1}, ('f: unexpected argument "q"; the arguments are "city", "unit" and "zip-code"',)),
        ({"city": None}, ('f: argument "city" must be a string; got None',)),
    ],
)
def test_arguments_that_the_signature_lacks_or_misses(arguments: dict[str, Any], sentences: tuple[str, ...]) -> None:
    assert errors(obj(["city"], city=STR, unit=STR, **{"zip-code": STR}), **arguments) == sentences


def test_a_none_for_an_optional_argument_is_left_out() -> None:
    assert proven(obj(["city"], city=STR, unit=STR), city="x", unit=None) == {"city": "x"}


def test_names_are_those_of_the_signature() -> None:
    outcome = Prover(obj(["from-city"], **{"from-city": STR}), function="f", names={"from-city": "from_city"})
    assert outcome.prove({}) == Refused(('f: missing required argument "from_city"',))
    assert outcome.prove({"from-city": 1}) == Refused(('f: argument "from_city" must be a string; got 1',))


@pytest.mark.parametrize("parameters", [None, {}, True])
def test_no_parameters_means_no_arguments(parameters: object) -> None:
    assert proven(parameters) == {}
    assert errors(parameters, a=1) == ('f: unexpected argument "a"; it takes no arguments',)


@pytest.mark.parametrize(
    "more",
    [
        {"additionalProperties": True},
        {"additionalProperties": STR},
        {"patternProperties": {"^b": STR}},
        {"allOf": [{"properties": {"b": STR}}]},
        {"$ref": "#/$defs/more", "$defs": {"more": {"properties": {"b": STR}}}},
    ],
)
def test_further_arguments_that_the_schema_speaks_of_are_taken(more: dict[str, Any]) -> None:
    assert proven({**obj(a=INT), **more}, a=1, b="x") == {"a": 1, "b": "x"}


def test_a_recursive_schema_is_followed_to_the_place() -> None:
    assert proven(TREE, root={"v": 1, "next": {"v": "2"}}) == {"root": {"v": 1, "next": {"v": 2}}}
    assert errors(TREE, root={"v": 1, "next": {"v": "b"}}) == ('f: argument "root.next.v" must be an integer; got "b"',)


def test_what_is_said_is_short_however_large_the_value() -> None:
    said = errors(obj(a=INT, b={"enum": [f"option {n}" for n in range(500)]}), a="x" * 10**6, b=list(range(50_000)))
    assert len(said) == 2
    assert all(len(sentence) <= 400 for sentence in said)
    assert len(errors({"type": "object", "additionalProperties": INT}, **{f"k{n}": "x" for n in range(500)})) == 5


def test_a_value_too_deep_or_too_large_is_refused_before_anything_recurses() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert "nested deeper" in errors(obj(a={}), a=deep)[0]
    wide: Any = [1] * 1000
    for _ in range(5):
        wide = [wide] * 1000
    assert "holds more than" in errors(obj(a={}), a=wide)[0]
    assert "too large" in errors(obj(a={}), a=1 << 20_000)[0]


def test_a_none_comes_back_where_its_key_is_required_elsewhere() -> None:
    schema = {"allOf": [obj(a=STR, b=STR), {"required": ["a"]}]}
    assert errors(schema, a=None, b=None) == ('f: argument "a" must be a string; got None',)


def test_large_unions_and_lists_are_corrected_in_a_few_validations(monkeypatch: pytest.MonkeyPatch) -> None:
    branches = [obj(["k"], k={"const": f"c{n}"}, n=INT) for n in range(200)]
    judge = prover(obj(a={"type": "array", "items": {"anyOf": branches}}))
    validations: list[object] = []
    all_errors = coerce._errors  # pyright: ignore[reportPrivateUsage] - the costly step, which nothing else shows

    def counted(validator: jsonschema_rs.Validator, value: Any) -> list[jsonschema_rs.ValidationError]:
        validations.append(value)
        return all_errors(validator, value)

    monkeypatch.setattr(coerce, "_errors", counted)
    items = [{"k": f"c{n}", "n": str(n)} for n in range(20)]
    assert judge.prove({"a": items}) == Proven({"a": [{"k": f"c{n}", "n": n} for n in range(20)]})
    assert len(validations) == 2


def test_catastrophic_patterns_are_answered() -> None:
    linear = obj(a={"type": "string", "pattern": "^(a+)+$"})
    assert "must match" in errors(linear, a="a" * 50_000 + "b")[0]
    backtracking = obj(a={"type": "string", "pattern": r"^(?=(a+)+b)(a+)+\1b$"})
    assert errors(backtracking, a="a" * 5_000)[0].startswith('f: argument "a"')


@pytest.mark.parametrize("row", [pytest.param(json.loads(line), id=json.loads(line)["id"]) for line in CALLS.open()])
def test_real_calls_are_proven_unchanged(row: dict[str, Any]) -> None:
    assert Prover(row["parameters"], function="f").prove(row["arguments"]) == Proven(row["arguments"])


@given(JSON_VALUES)
def test_any_json_passes_where_anything_is_allowed(value: Any) -> None:
    assert repr(proven(obj(a={}), a=value)["a"]) == repr(value)


@given(
    arguments=st.fixed_dictionaries({}, optional={"i": LOOSE, "s": LOOSE, "u": LOOSE, "l": st.lists(LOOSE, max_size=3), "o": st.dictionaries(st.sampled_from(["i", "b"]), LOOSE)})
)  # fmt: skip
def test_whatever_is_proven_is_valid_and_stays_proven(arguments: dict[str, Any]) -> None:
    schema = obj(
        ["i"],
        i=INT,
        s=STR,
        u={"anyOf": [INT, BOOL, NULL]},
        l={"type": "array", "items": NUM},
        o=obj(["i"], i=INT, b=BOOL),
    )
    judge = prover(schema)
    before = repr(arguments)
    outcome = judge.prove(arguments)
    assert repr(arguments) == before
    if isinstance(outcome, Proven):
        assert jsonschema_rs.is_valid(schema, outcome.arguments)
        assert repr(judge.prove(outcome.arguments)) == repr(outcome)
    else:
        assert not jsonschema_rs.is_valid(schema, arguments)
        assert outcome.errors


def test_a_schema_that_is_none_is_an_error_when_it_is_made() -> None:
    with pytest.raises(SchemaError):
        prover({"type": "nothing"})


def test_nullable_is_read_as_clients_mean_it() -> None:
    """OpenAPI's word stands in many tools' schemas, and their stubs say None is fine."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "nullable": True}, "nullable": {"type": "integer"}},
        "required": ["a"],
    }
    assert proven(schema, a=None) == {"a": None}
    assert proven(schema, a="x", nullable=3) == {"a": "x", "nullable": 3}
    assert errors(schema, a=3)
