"""A kernel may report anything: what it says reaches the client only if the client's own schema holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from emulator.code.check import UnknownFunction
from emulator.code.judge import Judge, value_key, written
from emulator.code.readings import Called
from emulator.code.values import Member, ParsedCall
from emulator.code.vocabulary import Unproven, Vocabulary
from emulator.runs import MODEL_KEY, RunCall
from emulator.tools.toolset import Proof
from tests.code.samples import TOOLS, call


@dataclass(frozen=True)
class Typed:
    """A tool whose parameters have one Python type each."""

    name: str
    types: dict[str, type[Any]]

    choices: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(self.types)

    def prove(self, arguments: Mapping[str, Any]) -> Proof:
        wrong = [key for key, value in arguments.items() if not isinstance(value, self.types[key])]
        return Proof(None, tuple(f"{key} is wrong" for key in wrong)) if wrong else Proof(json.dumps(arguments))


TYPED = Vocabulary({"store": Typed("store", {"text": str, "data": dict, "more": str})}, {})


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (RunCall("now"), call("now")),
        (RunCall("get_weather", ("Paris",)), call("get-weather", city="Paris")),
        (RunCall("get_weather", (), {"city": "Paris"}), call("get-weather", city="Paris")),
        (
            RunCall("send", ("a",), {"options": {MODEL_KEY: "SendOptions", "urgent": True}}),
            call("send", to="a", options={"urgent": True}),
        ),
        (
            RunCall("send", ([{"in": {MODEL_KEY: "SendOptions", "copies": 2}}],)),
            call("send", to=[{"in": {"copies": 2}}]),
        ),
        (RunCall("get_weather", ({MODEL_KEY: "Args", "city": "Paris"},)), call("get-weather", city="Paris")),
        (RunCall("send", ({MODEL_KEY: 5, "a": 1},)), call("send", to={"a": 1})),
    ],
)
def test_what_a_kernel_reports_is_proven(reported: RunCall, expected: Called) -> None:
    assert Judge(TOOLS).run_call(reported) == expected


@pytest.mark.parametrize(
    ("reported", "error"),
    [
        (RunCall("get_weather", ("a", "b", "c")), "at most 2 arguments"),
        (RunCall("get_weather", (), {"town": "x"}), "unexpected argument town"),
        (RunCall("get_weather", ("Paris",), {"city": "Rome"}), "city is given twice"),
        (RunCall("now", (), {MODEL_KEY: "x"}), "unexpected argument"),
    ],
)
def test_what_does_not_hold_is_refused(reported: RunCall, error: str) -> None:
    with pytest.raises(Unproven, match=error):
        Judge(TOOLS).run_call(reported)


@pytest.mark.parametrize("name", ["get-weather", "os.system", "", "_pause_", "__import__"])
def test_only_tools_are_called(name: str) -> None:
    with pytest.raises(UnknownFunction):
        Judge(TOOLS).run_call(RunCall(name, ("x",)))


TEXT = '{ "b": 1,\n "a": [1.0, null] }'
VALUE = json.loads(TEXT)


def stored(**arguments: Any) -> str | None:
    """What the tool is given, where the value came as TEXT."""
    return Judge(TYPED, {value_key(VALUE): TEXT}).run_call(RunCall("store", (), arguments)).arguments


def test_a_value_goes_back_as_the_text_it_came_as_where_a_string_is_wanted() -> None:
    assert stored(text=VALUE) == json.dumps({"text": TEXT})
    assert stored(data=VALUE) == json.dumps({"data": VALUE})
    assert stored(text=VALUE, data=VALUE) == json.dumps({"text": TEXT, "data": VALUE})
    assert stored(text=VALUE, more=VALUE) == json.dumps({"text": TEXT, "more": TEXT})
    assert stored(text={"a": [1.0, None], "b": 1}) == json.dumps({"text": TEXT}), "the order of keys is no difference"


def test_a_value_that_came_otherwise_has_no_text() -> None:
    with pytest.raises(Unproven, match="text is wrong"):
        stored(text={"b": 2})


def test_equal_values_have_equal_keys() -> None:
    assert value_key({"a": 1, "b": [2]}) == value_key({"b": [2], "a": 1})
    assert value_key([1]) != value_key(["1"])


def test_a_reported_call_is_shown_shortened() -> None:
    assert written(RunCall("f", (1, "a"), {"x": [2]})) == "f(1, 'a', x=[2])"
    assert len(written(RunCall("f", ("x" * 1000,)))) == 301


def test_members_of_enums_are_the_choices_that_they_spell() -> None:
    """``Unit.CELSIUS`` is never defined by the model: the schema says what it is, if it says just one thing."""
    tool = Typed("store", {"text": str, "more": str}, choices=("celsius", "km/h", "North-West"))
    judge = Judge(Vocabulary({"store": tool}, {}))

    def stored(name: str, value: str | None = None) -> Called:
        return judge.call(ParsedCall("store", (), {"text": Member(f"Unit.{name}", name, value)}))

    assert stored("CELSIUS") == call("store", text="celsius")
    assert stored("KM_H") == call("store", text="km/h")
    assert stored("NORTH_WEST") == call("store", text="North-West")
    assert stored("ANY", "said before") == call("store", text="said before")
    with pytest.raises(Unproven, match=r"Unit\.KELVIN is not defined"):
        stored("KELVIN")


def test_a_member_that_spells_several_choices_is_none() -> None:
    judge = Judge(Vocabulary({"store": Typed("store", {"text": str}, choices=("on", "ON"))}, {}))
    with pytest.raises(Unproven):
        judge.call(ParsedCall("store", (), {"text": Member("State.On", "On")}))


def test_what_is_nested_too_deeply_is_a_problem_of_the_model() -> None:
    nested: Any = 1
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(Unproven, match="nested too deeply"):
        Judge(TOOLS).call(ParsedCall("send", (nested,), {}))
