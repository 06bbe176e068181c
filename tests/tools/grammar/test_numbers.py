"""A bound that is off by one refuses a valid call, and nobody would see why the model answers something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.tools.grammar.numbers import floats, integers
from tests.tools.grammar.recognising import admits

BOUNDS = st.none() | st.integers(-1200, 1200) | st.integers(-(10**6), 10**6)


@given(low=BOUNDS, high=BOUNDS, near=st.integers(-3, 3), number=st.integers(-(10**14), 10**14))
def test_integers_are_those_within_the_bounds(low: int | None, high: int | None, near: int, number: int) -> None:
    if low is not None and high is not None and low > high:
        low, high = high, low
    read = integers(low, high)
    exact = all(bound is None or abs(bound) < 10**5 for bound in (low, high))
    for each in (number, near, *(bound + near for bound in (low, high) if bound is not None)):
        fits = (low is None or each >= low) and (high is None or each <= high)
        if fits or exact:
            assert admits(read, str(each)) == fits, (low, high, each)


@pytest.mark.parametrize("text", ["", "-", "01", "-01", "+1", "1.0", "1e3", "0x1", "1_000", "-0", " 1"])
def test_other_ways_of_writing_integers_are_none(text: str) -> None:
    assert not admits(integers(), text)


@given(
    low=st.none() | st.floats(-1e6, 1e6),
    high=st.none() | st.floats(-1e6, 1e6),
    number=st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1e6, 1e6) | st.integers(-(10**20), 10**20),
)
def test_no_number_within_the_bounds_is_refused(low: float | None, high: float | None, number: float) -> None:
    if low is not None and high is not None and low > high:
        low, high = high, low
    number = number or 0  # zero with a sign is no other number, but another text
    fits = (low is None or number >= low) and (high is None or number <= high)
    if fits or (low is None and high is None):
        assert admits(floats(low, high), repr(number)), (low, high, number)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0, 1, "2"),
        (0, 1, "1.5"),
        (0, 1, "-0.5"),
        (0, None, "-1"),
        (0, None, "-1e-05"),
        (10, 20, "9.9"),
        (None, -1, "0.5"),
    ]
    + [(None, None, text) for text in ("", ".", "1.", ".5", "1e", "inf", "nan", "1.2.3", "00")],
)
def test_numbers_far_from_the_bounds_are_refused(low: float | None, high: float | None, text: str) -> None:
    assert not admits(floats(low, high), text)


def test_bounds_between_which_nothing_is_are_none() -> None:
    """The schema admits no value at all, which is for its judge to say."""
    assert admits(integers(5, 1), "-700")
    assert admits(floats(5, 1), "-700.5")
