"""A bound that is missed must be said to be missed, also where nothing sensible was measured."""

from __future__ import annotations

from typing import Literal

import pytest

from benchmarks.report import Figure


@pytest.mark.parametrize(
    ("value", "sense", "kept"), [(1.5, "<=", True), (1.51, "<=", False), (0.7, ">=", True), (0.69, ">=", False)]
)
def test_a_bound_is_kept_up_to_itself(value: float, sense: Literal["<=", ">="], kept: bool) -> None:
    figure = Figure("a", "b", value, {}, 1.5 if sense == "<=" else 0.7, sense)
    assert figure.kept is kept


def test_a_figure_that_is_no_number_keeps_no_bound() -> None:
    assert not Figure("a", "b", float("nan"), {}, 1.5).kept
