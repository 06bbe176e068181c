"""Every strategy that settings, profiles and headers can name is one that can be begun, and none is sent tools unasked."""

from __future__ import annotations

from dataclasses import replace

from emulator.profiles import Profile, Profiles
from emulator.settings import STRATEGIES
from emulator.strategies.table import rungs
from tests.strategies.playing import task


def names(order: tuple[str, ...], *, probe_native: bool = False) -> list[str]:
    return [rung.strategy for rung in rungs(task(), order, probe_native=probe_native)]


def test_all_can_be_begun_in_any_order() -> None:
    assert names(STRATEGIES) == [*STRATEGIES]
    assert names(STRATEGIES[::-1]) == [*STRATEGIES[::-1]]


def test_native_is_first_where_it_is_probed_for_and_once() -> None:
    assert names(("code",), probe_native=True) == ["native", "code"]
    assert names(("code", "native"), probe_native=True) == ["code", "native"]


def test_without_a_tool_there_is_one_way_to_ask() -> None:
    assert [rung.strategy for rung in rungs(replace(task(), vocabulary=None), STRATEGIES)] == ["code"]


def test_no_profile_of_ours_sends_tools() -> None:
    assert "native" not in Profile().strategies
    for model in ("qwen2.5-coder", "llama-3.1-8b", "gpt-oss-20b", "mistral-7b", "unheard-of"):
        assert "native" not in Profiles().of(model).strategies
