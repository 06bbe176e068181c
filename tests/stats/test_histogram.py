"""Percentiles are read off counters; they must be near enough to what sorting all latencies would give."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.stats.histogram import bucket, percentile

latencies = st.lists(st.floats(0.01, 86_400_000.0), min_size=1, max_size=200)


@given(latencies, st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_within_five_percent_of_the_exact_one(values: list[float], share: float) -> None:
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    assert percentile(Counter(map(bucket, values)), share) == pytest.approx(exact, rel=0.05)


@given(latencies, latencies)
def test_counters_of_two_processes_add_up(ours: list[float], theirs: list[float]) -> None:
    both = Counter(map(bucket, ours)) + Counter(map(bucket, theirs))
    assert percentile(both, 0.95) == percentile(Counter(map(bucket, ours + theirs)), 0.95)


@pytest.mark.parametrize("value", [0.0, -1.0, 1e-300, 1e300, math.inf])
def test_what_no_latency_is_has_a_bucket_too(value: float) -> None:
    middle = percentile({bucket(value): 1}, 0.5)
    assert middle is not None and 0.009 < middle < 1.1e9


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile({}, 0.5) is None
