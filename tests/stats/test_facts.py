"""What a request adds to the counters, and that hostile names and counts do them no harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.stats.facts import (
    OTHER,
    PASSED,
    RequestFacts,
    counter_name,
    counter_parts,
    model_name,
    outcome_counts,
    request_counts,
)
from emulator.stats.histogram import bucket
from emulator.stats.savings import Saved


def facts(**given: Any) -> RequestFacts:
    fields: dict[str, Any] = {
        "upstream": "here",
        "model": "m",
        "succeeded": True,
        "ms": 100.0,
        "own_ms": 2.0,
        "calls": 1,
    }
    fields |= {"strategy": "code", "rungs_tried": ("code",), **given}
    return RequestFacts(**fields)


def test_what_an_answered_request_adds() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "details": {"cached_tokens": 3}}
    told = facts(repairs=1, calls=3, asked=2, stream=True, usage=usage, saved=Saved(7, -2))
    assert request_counts(told) == {
        "requests": 1,
        "succeeded": 1,
        "calls": 3,
        "asked": 2,
        "repairs": 1,
        "repaired": 1,
        "streamed": 1,
        "with tools": 1,
        "prompt tokens": 10,
        "completion tokens": 5,
        "prompt saved": 7,
        "completion saved": -2,
        f"ms {bucket(100.0)}": 1,
        f"own {bucket(2.0)}": 1,
        "won code": 1,
    }
    assert outcome_counts(told) == {"repaired code": 1}


@pytest.mark.parametrize(
    ("given", "counted", "learnt"),
    [
        ({}, {"won code": 1}, {"ok code": 1}),
        ({"succeeded": False}, {"lost code": 1}, {"failed code": 1}),
        ({"succeeded": None}, {}, {}),
        ({"rungs_tried": ("guided", "code")}, {"lost guided": 1, "won code": 1}, {"failed guided": 1, "ok code": 1}),
        ({"rungs_tried": ("guided", "code"), "succeeded": None}, {"lost guided": 1}, {"failed guided": 1}),
        (
            {"rungs_tried": ("guided", "code"), "succeeded": False, "repairs": 2},
            {"lost guided": 1, "lost code": 1},
            {"failed guided": 1, "failed code": 1},
        ),
        ({"rungs_tried": ("code", "guided")}, {"lost guided": 1, "won code": 1}, {"failed guided": 1, "ok code": 1}),
        ({"calls": 0}, {"won code": 1}, {"ok code": 1}),
        ({"rungs_tried": ("guided", "code"), "calls": 0}, {"lost guided": 1, "won code": 1}, {"failed guided": 1}),
        ({"rungs_tried": ()}, {"won code": 1}, {}),
        ({"strategy": PASSED, "rungs_tried": ()}, {f"won {PASSED}": 1}, {}),
    ],
    ids=str,
)
def test_which_strategies_a_request_speaks_for(
    given: dict[str, Any], counted: dict[str, int], learnt: dict[str, int]
) -> None:
    told = facts(**given)
    strategies = {what: n for what, n in request_counts(told).items() if what.startswith(("won ", "lost "))}
    assert strategies == counted
    assert outcome_counts(told) == learnt


def test_who_left_says_nothing_of_how_long_an_answer_takes() -> None:
    assert not [what for what in request_counts(facts(succeeded=None)) if what.startswith(("ms ", "own "))]


@pytest.mark.parametrize("count", [-1, 1 << 31, 10**30, True and "7", 1.5, None, [], {"a": 1}])
def test_a_count_of_tokens_that_is_none_is_left_out(count: Any) -> None:
    assert "prompt tokens" not in request_counts(facts(usage={"prompt_tokens": count}))


@given(st.text(max_size=400))
def test_any_text_as_a_model_has_a_name_that_counters_can_bear(text: str) -> None:
    name = model_name(text)
    assert 0 < len(name) <= 200
    assert name.isprintable() and name.encode()
    assert counter_parts(counter_name("won code", name)) == ("won code", name)
    assert model_name(name) == name


def test_names_that_are_in_use_stay_as_they_are() -> None:
    for name in ("gpt-oss:20b", "Qwen/Qwen2.5-Coder-0.5B-Instruct", "C:\\models\\日本語 model.gguf"):
        assert model_name(name) == name
    assert model_name("") == OTHER
