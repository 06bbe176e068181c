"""Every protocol declares its tools through this one gate: what it refuses by name and place, and what it remembers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import FunctionTool
from emulator.protocols.declared import (
    ToolForm,
    ToolRules,
    checked_name,
    declared_tools,
    is_serial,
    known_name,
    no_tools,
)

Json = dict[str, Any]


class Reading:
    """A protocol whose items are lists of names; one that begins with ``_`` is a custom tool's."""

    def __init__(self) -> None:
        self.places: list[str] = []

    def __call__(self, item: object, path: str) -> Sequence[FunctionTool]:
        self.places.append(path)
        names = cast(list[str], item)
        return [FunctionTool(checked_name(name, f"{path}.id"), None, None, custom=name[:1] == "_") for name in names]


def form(read: Reading, protocol: str = "p") -> ToolForm:
    return ToolForm(protocol, read, "fn.id", "cust.id", "functions")


def refused(raw: list[Any], rules: ToolRules | None = None, places: tuple[str, ...] = ()) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as raised:
        declared_tools(raw, rules or ToolRules(), form(Reading()), places)
    return raised.value


def test_tools_in_the_order_of_their_declaration() -> None:
    raw = [["b", "_c"], [], ["a"]]
    tools = declared_tools(raw, ToolRules(), form(reading := Reading()))
    assert tools.names == tuple(tool.name for tool in tools.tools) == ("b", "_c", "a")
    assert reading.places == ["functions[0]", "functions[1]", "functions[2]"]
    assert tools.size == len(orjson.dumps(["p", raw]))


def test_items_may_stand_elsewhere() -> None:
    declared_tools([["a"], ["b"]], ToolRules(), form(reading := Reading()), ("tools[4]", "input[0].tools[1]"))
    assert reading.places == ["tools[4]", "input[0].tools[1]"]


TWICE: list[tuple[list[Any], tuple[str, ...], str, str]] = [
    ([["a"], ["b"], ["a"]], (), "functions[2].fn.id", "'a' is already that of functions[0]."),
    ([["b"], ["a", "a"]], (), "functions[1].fn.id", "'a' is already that of functions[1]."),
    ([["_a"], ["_a"]], (), "functions[1].cust.id", "'_a' is already that of functions[0]."),
    ([["a"], ["a"]], ("tools[1]", "input[0].tools[0]"), "input[0].tools[0].fn.id", "'a' is already that of tools[1]."),
]


@pytest.mark.parametrize(("raw", "places", "param", "why"), TWICE)
def test_a_name_is_one_tools(raw: list[Any], places: tuple[str, ...], param: str, why: str) -> None:
    error = refused(raw, places=places)
    assert (error.param, error.code, error.message) == (param, "invalid_value", f"Invalid '{param}': {why}")


def test_what_an_item_says_wrong_is_refused_as_its_protocol_says_it() -> None:
    error = refused([["a"], ["a b"]])
    assert (error.param, error.code) == ("functions[1].id", "invalid_value")


def test_tools_have_a_limit() -> None:
    rules = ToolRules(max_tools=2)
    assert declared_tools([["a"], ["b"]], rules, form(Reading())).names == ("a", "b")
    error = refused([["a"], ["b"], ["a b"]], rules)
    assert (error.param, error.code) == ("functions", "array_above_max_length")
    assert error.message == ("Invalid 'functions': array too long. Expected at most 2 tools, but got 3."), (
        "before any of them is looked at"
    )


def test_what_is_nested_too_deeply_is_refused_and_not_read() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    error = refused([["a"], deep])
    assert (error.param, error.code) == ("functions", "invalid_function_parameters")


def test_tools_that_were_just_declared_are_not_looked_through_again() -> None:
    rules, reading = ToolRules(), Reading()
    first = declared_tools([["a"]], rules, form(reading))
    assert declared_tools([["a"]], rules, form(reading)) is first
    assert len(reading.places) == 1


@pytest.mark.parametrize(
    ("raw", "protocol", "places"),
    [([["b"]], "p", ()), ([["a"]], "q", ()), ([["a"]], "p", ("tools[3]",))],
    ids=["others", "in another protocol", "at another place"],
)
def test_only_the_same_are_known(raw: list[Any], protocol: str, places: tuple[str, ...]) -> None:
    """Tools tell their places in errors, and protocols read the same words differently."""
    rules, reading = ToolRules(), Reading()
    declared_tools([["a"]], rules, form(reading))
    declared_tools(raw, rules, form(reading, protocol), places)
    assert len(reading.places) == 2


def test_what_was_refused_is_refused_again() -> None:
    rules = ToolRules()
    assert refused([["a"], ["a"]], rules).message == refused([["a"], ["a"]], rules).message


@pytest.mark.parametrize("name", ["a", "get-weather", "_", "0", "日付", "a" * 64])
def test_names(name: str) -> None:
    assert checked_name(name, "tools[0].name") == name


@pytest.mark.parametrize("name", ["", " ", "a b", "a.b", "a\n", "a/b", "'", "🌧", "a" * 65])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        checked_name(name, "tools[0].name")
    assert (raised.value.param, raised.value.code) == ("tools[0].name", "invalid_value")
    assert raised.value.message == (
        f"Invalid 'tools[0].name': {name!r} does not match the expected pattern '^[a-zA-Z0-9_-]{{1,64}}$'."
    )


def test_a_protocol_may_allow_longer_names() -> None:
    assert checked_name("a" * 128, "p", 128) == "a" * 128
    with pytest.raises(InvalidRequest, match=r"\{1,128\}"):
        checked_name("a" * 129, "p", 128)


@given(st.text(max_size=300))
def test_an_error_shows_a_name_no_further_than_needed(name: str) -> None:
    try:
        assert checked_name(name, "p") == name
    except InvalidRequest as error:
        assert repr(name[:80]).encode("utf-8", "backslashreplace").decode() in error.message
        assert len(name) <= 80 or name not in error.message


CHOSEN: list[tuple[str, str]] = [
    ("tool_choice.function.name", "tool_choice"),
    ("function_call.name", "function_call"),
    ("tool_choice", "tool_choice"),
]


@pytest.mark.parametrize(("path", "param"), CHOSEN)
def test_a_choice_is_of_a_declared_tool(path: str, param: str) -> None:
    assert known_name("b", ("a", "b"), path) == "b"
    with pytest.raises(InvalidRequest) as raised:
        known_name("c" * 100, ("a", "b"), path)
    assert (raised.value.param, raised.value.code) == (param, "invalid_value")
    assert raised.value.message == f"Invalid value for '{path}': no such tool as '{'c' * 80}' is declared."


@pytest.mark.parametrize(
    ("declared", "serial"),
    [
        ({"annotations": {"readOnlyHint": False}}, True),
        ({"annotations": {"readOnlyHint": True}}, False),
        ({"annotations": {"readOnlyHint": None}}, False),
        ({"annotations": {"readOnlyHint": 0}}, False),
        ({"annotations": {}}, False),
        ({"annotations": None}, False),
        ({"annotations": ["readOnlyHint"]}, False),
        ({}, False),
    ],
)
def test_the_order_of_calls_matters_where_a_tool_says_that_it_changes_things(declared: Json, serial: bool) -> None:
    assert is_serial(declared) is serial


def test_an_empty_list_is_refused_with_the_way_out() -> None:
    error = no_tools("functions")
    assert (error.param, error.code) == ("functions", "empty_array")
    assert error.message.endswith("Leave 'functions' out, or start the server with --empty-tools ignore.")
