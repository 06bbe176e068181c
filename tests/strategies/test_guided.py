"""Constrained decoding: which questions carry the grammar, and what becomes of it where no upstream honours one."""

from __future__ import annotations

import pytest

from emulator.errors import StrategyUnfit
from emulator.ports import Capabilities
from emulator.strategies.guided import guided
from tests.strategies.playing import fenced, formed, play, whole

GRAMMAR = Capabilities("gbnf")
NOW = ("now", "{}")


def test_guided_questions_carry_the_grammar() -> None:
    played = play(guided(formed()), [whole("now(x=1)"), fenced("now()")], GRAMMAR)
    assert [dict(ask.fields) for ask in played.asks] == [{"grammar": "calls"}] * 2
    assert played.calls == [NOW]


def test_guided_needs_an_upstream_that_honours_a_grammar() -> None:
    with pytest.raises(StrategyUnfit):
        play(guided(formed()), [], Capabilities())


def test_an_output_is_worded_without_a_grammar() -> None:
    played = play(guided(formed()), [fenced("if len([1]) > 1:\n    now()\nprint(2)"), whole("Two.")], GRAMMAR)
    assert [dict(ask.fields) for ask in played.asks] == [{"grammar": "calls"}, {}]
