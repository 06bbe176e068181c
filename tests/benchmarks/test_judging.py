"""What the table of strategies counts as right decides which one a profile names: too lenient or too strict misleads."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.judging import Call, Case, Verdict, judged
from benchmarks.strategies import SETS, read_cases

ACCEPTED: dict[str, Any] = {
    "city": ["New York", "NYC"],
    "days": [5],
    "unit": ["celsius", ""],
    "tags": [["a", "b"], ["b", "a"]],
    "place": [{"lat": [40.0], "note": ["x", ""]}, ""],
}
FIRST: dict[str, Any] = {"city": "New York", "days": 5, "tags": ["a", "b"]}


def case(*arguments: dict[str, Any]) -> Case:
    expected = tuple(Call("f", each) for each in arguments)
    return Case("1", "simple", [], [], expected, tuple(ACCEPTED for _ in expected))


@pytest.mark.parametrize(
    ("changed", "accepted"),
    [
        ({}, True),
        ({"city": "new york."}, True),
        ({"city": "N.Y.C"}, True),
        ({"city": "York"}, False),
        ({"city": ["New York"]}, False),
        ({"days": 5.0}, True),
        ({"days": "5"}, False),
        ({"days": True}, False),
        ({"unit": "Celsius"}, True),
        ({"unit": "fahrenheit"}, False),
        ({"tags": ["B", "A"]}, True),
        ({"tags": ["a"]}, False),
        ({"place": {"lat": 40}}, True),
        ({"place": {"lat": 40, "note": "X"}}, True),
        ({"place": {"lat": 41}}, False),
        ({"place": {"note": "x"}}, False),
        ({"more": 1}, False),
    ],
)
def test_values_are_judged_as_bfcl_does(changed: dict[str, Any], accepted: bool) -> None:
    verdict = judged(case(FIRST), [Call("f", FIRST | changed)])
    assert verdict.names
    assert verdict.values is accepted
    assert verdict.exact is (FIRST | changed == FIRST and changed != {"days": True})


def test_what_may_not_be_left_out_is_missed() -> None:
    assert not judged(case(FIRST), [Call("f", {"city": "NYC", "tags": ["a", "b"]})]).values


def test_true_is_not_one() -> None:
    one = Case("1", "simple", [], [], (Call("f", {"n": 1}),), ({"n": [1]},))
    assert judged(one, [Call("f", {"n": True})]) == Verdict(names=True, values=False, exact=False)


def test_calls_in_another_order_are_the_same() -> None:
    other = FIRST | {"city": "NYC"}
    both = case(FIRST, other)
    assert judged(both, [Call("f", other), Call("f", FIRST)]) == Verdict(names=True, values=True, exact=True)


@pytest.mark.parametrize("calls", [[], [Call("g", FIRST)], [Call("f", FIRST)] * 2])
def test_other_functions_or_another_number_of_calls_is_wrong(calls: list[Call]) -> None:
    assert judged(case(FIRST), calls) == Verdict(names=False, values=False, exact=False)


def test_a_call_where_none_is_wanted_is_wrong() -> None:
    assert judged(case(), []) == Verdict(names=True, values=True, exact=True)
    assert not judged(case(), [Call("f", {})]).names


@pytest.mark.parametrize("name", SETS)
def test_the_cases_are_as_they_were_chosen(name: str) -> None:
    cases = read_cases(name)
    assert [len(cases), sum(bool(case.expected) for case in cases)] == [40, 28]
    assert all(judged(case, case.expected) == Verdict(True, True, True) for case in cases)
    assert not {case.id for case in cases} & {case.id for other in SETS if other != name for case in read_cases(other)}
