"""All protocols read a body's fields with these: what is wrong has OpenAI's words, path and code, and no number that
is passed on changes."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.errors import InvalidRequest
from emulator.protocols.fields import (
    empty_array,
    json_bytes,
    json_object,
    missing,
    number,
    object_at,
    required,
    too_long,
    typed,
    unsupported,
    wrong_type,
)

Json = dict[str, Any]
LONG = 2**70

WRONG: list[tuple[bytes, str]] = [
    (b"", "invalid_json"),
    (b"{", "invalid_json"),
    (b'{"a": NaN}', "invalid_json"),
    (b'{"a": 1e999}', "invalid_json"),
    (b'{"a": %b}' % (b"9" * 5000), "invalid_json"),
    (b'{"a": "\\ud800"}', "invalid_json"),
    (b'{"a": "\xff"}', "invalid_json"),
    (b'\xef\xbb\xbf{"a": 1}', "invalid_json"),
    (b'{"a": 1} x', "invalid_json"),
    (b'{"a": %b}' % (b"[" * 5000 + b"]" * 5000), "invalid_json"),
    (b"null", "invalid_type"),
    (b"[{}]", "invalid_type"),
    (b'"{}"', "invalid_type"),
]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("raw", "code"), WRONG)
def test_bodies_that_are_no_json_object(raw: bytes, code: str, exact: bool) -> None:
    with pytest.raises(InvalidRequest) as raised:
        json_object(raw, exact=exact)
    assert (raised.value.status, raised.value.param, raised.value.code) == (400, None, code)


def test_a_body_that_can_be_read_but_not_looked_through_is_too_deep() -> None:
    raw = b'{"a": %b}' % (b"[" * 1010 + b"]" * 1010)
    assert json_object(raw, exact=False)
    with pytest.raises(InvalidRequest, match="it is nested too deeply") as raised:
        json_object(raw)
    assert (raised.value.param, raised.value.code) == (None, "invalid_json")


NUMBERS = st.integers(-(2**300), 2**300) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
@example(-(2**63) - 1)
@example(2**64)
def test_parameters_are_passed_on_to_the_last_digit(value: Any) -> None:
    given = json.dumps({"seed": value})
    read = json_object(given.encode())
    assert json.dumps(read) == given
    assert json.loads(json_bytes(read)) == json.loads(given)


@given(VALUES)
def test_a_body_that_is_given_back_can_be_said_again(value: Any) -> None:
    """Rounded, where orjson knows no such integers."""
    read = json_object(json.dumps({"seed": value}).encode(), exact=False)
    assert orjson.loads(orjson.dumps(read)) == read


def test_what_orjson_refuses_is_json_all_the_same() -> None:
    value = {"n": LONG, "s": "\ud800"}
    assert json.loads(json_bytes(value)) == value
    assert b" " not in json_bytes(value)


def test_what_is_too_deep_to_be_said_is_the_clients_fault() -> None:
    """A body is read high up in the stack, and what is in it is written further down."""
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InvalidRequest, match="nested too deeply") as raised:
        json_bytes({"messages": deep})
    assert raised.value.code == "invalid_json"


KINDS: list[tuple[object, str]] = [
    ({}, "an object"),
    ([], "an array"),
    ("", "a string"),
    (True, "a boolean"),
    (1, "an integer"),
    (1.5, "a number"),
    (None, "null"),
]


@pytest.mark.parametrize(("value", "words"), KINDS)
def test_a_wrong_type_is_named(value: object, words: str) -> None:
    error = wrong_type("a.b", "a thing", value)
    assert error.message == f"Invalid type for 'a.b': expected a thing, but got {words} instead."
    assert (error.param, error.code) == ("a.b", "invalid_type")


TYPES: list[tuple[type, str, Any, list[object]]] = [
    (dict, "an object", {"x": 1}, [[], "x", True, 1, 1.5]),
    (list, "an array", [1], [{}, "x", False, 1, 1.5]),
    (str, "a string", "x", [{}, [], True, 1, 1.5]),
    (bool, "a boolean", False, [{}, [], "true", 0, 1.0]),
    (int, "an integer", 0, [{}, [], "1", True, 1.0]),
]


@pytest.mark.parametrize(("kind", "words", "right", "wrong"), TYPES)
def test_fields_are_of_their_type(kind: type, words: str, right: Any, wrong: list[object]) -> None:
    assert typed({"a": right}, "a", kind, words, "default") == right
    assert required({"a": right}, "a", kind, words, "p.") == right
    for value in wrong:
        with pytest.raises(InvalidRequest, match=f"expected {words}, but got") as raised:
            typed({"a": value}, "a", kind, words, None, "p.")
        assert (raised.value.param, raised.value.code) == ("p.a", "invalid_type")
        with pytest.raises(InvalidRequest, match=f"expected {words}, but got") as raised:
            required({"a": value}, "a", kind, words, "p.")
        assert (raised.value.param, raised.value.code) == ("p.a", "invalid_type")


@pytest.mark.parametrize("body", [{}, {"a": None}], ids=["left out", "null"])
def test_what_is_left_out(body: Json) -> None:
    assert typed(body, "a", str, "a string", "default") == "default"
    assert number(body, "a") is None
    with pytest.raises(InvalidRequest) as raised:
        required(body, "a", str, "a string", "p.")
    assert raised.value.message == missing("p.a").message == "Missing required parameter: 'p.a'."
    assert (raised.value.param, raised.value.code) == ("p.a", "missing_required_parameter")


@pytest.mark.parametrize("value", [0, -1, 2.5, LONG])
def test_numbers(value: float) -> None:
    assert number({"a": value}, "a") == value


@pytest.mark.parametrize("value", [True, "1", [], {}])
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(InvalidRequest, match="expected a number") as raised:
        number({"a": value}, "a")
    assert (raised.value.param, raised.value.code) == ("a", "invalid_type")


def test_objects() -> None:
    given: Json = {"a": 1}
    assert object_at("tools[0]", given) is given
    with pytest.raises(InvalidRequest) as raised:
        object_at("tools[0]", [given])
    assert (raised.value.param, raised.value.code) == ("tools[0]", "invalid_type")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (("a", "b"), "'a' and 'b'"),
        (("a", "b", "c"), "'a', 'b', and 'c'"),
        (("a", "b", "c", "d"), "'a', 'b', 'c', and 'd'"),
    ],
)
def test_words_that_are_known(known: tuple[str, ...], words: str) -> None:
    error = unsupported("x" * 100, "tool_choice", known)
    assert error.message == f"Invalid value: '{'x' * 80}'. Supported values are: {words}."
    assert (error.param, error.code) == ("tool_choice", "invalid_value")


LIMITS: list[tuple[InvalidRequest, str, str]] = [
    (
        empty_array("messages"),
        "empty_array",
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    ),
    (
        empty_array("messages", "Say something."),
        "empty_array",
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead. Say something.",
    ),
    (
        too_long("messages", 64),
        "string_above_max_length",
        "Invalid 'messages': string too long. Expected at most 64 characters.",
    ),
    (
        too_long("messages", 64, "bytes"),
        "string_above_max_length",
        "Invalid 'messages': string too long. Expected at most 64 bytes.",
    ),
]


@pytest.mark.parametrize(("error", "code", "message"), LIMITS)
def test_too_little_and_too_much(error: InvalidRequest, code: str, message: str) -> None:
    assert (error.param, error.code, error.message) == ("messages", code, message)
