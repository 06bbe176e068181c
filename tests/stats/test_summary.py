"""GET /stats is read by monitors: its fields must add up, and be there before the first request too."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.stats.facts import PASSED, RequestFacts, counter_name, request_counts
from emulator.stats.savings import Saved
from emulator.stats.summary import has_since, models_in, since_name, summary


def counted(*requests: RequestFacts) -> Counter[str]:
    total = Counter[str]()
    for facts in requests:
        total.update({counter_name(what, facts.model): n for what, n in request_counts(facts).items()})
    return total


def facts(*rungs: str, **given: Any) -> RequestFacts:
    fields: dict[str, Any] = {"upstream": "here", "model": "m", "succeeded": True, "ms": 100.0, "own_ms": 2.0}
    fields |= {"rungs_tried": rungs, "strategy": rungs[-1] if rungs else PASSED, **given}
    return RequestFacts(**fields)


def test_before_the_first_request_everything_is_nothing() -> None:
    told = summary({})
    assert told["success_rates"] == {}
    statistics = told["statistics"]
    assert statistics["total_requests"] == 0 and statistics["fallback_rate"] == 0.0
    assert statistics["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert statistics["since"] is None and statistics["models"] == {}


def test_what_four_requests_add_up_to() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 20}
    told = summary(
        counted(
            facts("guided", usage=usage, saved=Saved(30, 5), calls=1, stream=True),
            facts("guided", "code", usage=usage, calls=2, asked=3, repairs=1),
            facts("guided", "code", succeeded=False, asked=2),
            facts(model="n", ms=10.0),
        )
    )
    statistics = told["statistics"]
    models = statistics.pop("models")
    assert told["success_rates"] == {"code": 0.5, "guided": round(1 / 3, 4), "passthrough": 1.0}
    assert statistics == {
        "since": None,
        "total_requests": 4,
        "tool_requests": 3,
        "streamed_requests": 1,
        "succeeded": 3,
        "failed": 1,
        "interrupted": 0,
        "code_success": 1,
        "guided_success": 1,
        "passthrough_success": 1,
        "fallback_requests": 2,
        "fallback_rate": round(2 / 3, 4),
        "repairs": 1,
        "repaired_requests": 1,
        "tool_calls": 3,
        "upstream_requests": 7,
        "latency_ms": {name: pytest.approx(100, rel=0.05) for name in ("p50", "p95", "p99")},
        "own_latency_ms": {name: pytest.approx(2, rel=0.05) for name in ("p50", "p95", "p99")},
        "tokens": {"prompt": 200, "completion": 40},
        "tokens_saved_against_json": {"prompt": 30, "completion": 5, "total": 35},
    }
    assert list(models) == ["m", "n"]
    assert models["n"]["total_requests"] == 1 and models["n"]["success_rates"] == {"passthrough": 1.0}
    assert models["m"]["fallback_rate"] == round(2 / 3, 4)


@given(
    st.lists(
        st.builds(
            facts,
            st.sampled_from(["code", "guided"]),
            model=st.sampled_from(["a", "b", "since"]),
            succeeded=st.sampled_from([True, False, None]),
            ms=st.floats(0.01, 1e6),
            calls=st.integers(0, 9),
        ),
        max_size=30,
    )
)
def test_the_whole_is_the_sum_of_the_models(requests: list[RequestFacts]) -> None:
    statistics = summary(counted(*requests))["statistics"]
    models = statistics["models"].values()
    for key in ("total_requests", "succeeded", "failed", "interrupted", "tool_calls"):
        assert statistics[key] == sum(model[key] for model in models)
    assert statistics["total_requests"] == len(requests)
    assert models_in(counted(*requests)) == {facts.model for facts in requests}


def test_counting_began_when_the_first_process_began() -> None:
    begun = {since_name(1_800_000_007.9): 1, since_name(1_800_000_000.1): 2}
    assert summary(begun)["statistics"]["since"] == "2027-01-15T08:00:00+00:00"
    assert has_since(begun) and not has_since(counted(facts("code")))
    assert models_in(begun) == set()
