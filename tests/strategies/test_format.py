"""``response_format`` by prompt: words leave only as the JSON that was asked for; calls beside it work as ever."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import ModelFault
from emulator.events import Finished, TextDelta
from emulator.strategies.code import answer
from emulator.tools.answer_format import AnswerFormat
from tests.strategies.playing import Played, fenced, play, task, whole

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def run(*answers: str, reason: str = "stop", **options: Any) -> Played:
    todo = task(format=AnswerFormat(SCHEMA), **options)
    return play(answer(todo), [whole(text, reason) for text in answers])


@pytest.mark.parametrize("text", ['{"a": 1}', '```json\n{"a": 1}\n```', 'Here it is:\n{"a": 1}\nBye.'])
def test_the_json_is_all_that_is_said(text: str) -> None:
    assert run(text).events == [TextDelta(0, '{"a": 1}'), Finished(0, "stop")]


def test_what_does_not_fit_is_asked_again() -> None:
    played = run('{"a": "one"}', '{"a": 1}')
    assert played.text == '{"a": 1}'
    assert "does not fit the schema" in played.question and "at a" in played.question


def test_what_never_fits_is_an_error() -> None:
    with pytest.raises(ModelFault, match="not the JSON that was asked for"):
        run("No.", "No.", repairs=1)


def test_an_answer_that_a_limit_cut_is_what_it_is() -> None:
    assert run('{"a":', reason="length").events == [TextDelta(0, '{"a":'), Finished(0, "length")]


def test_calls_come_as_ever() -> None:
    played = play(answer(task(format=AnswerFormat(SCHEMA))), [fenced("now()")])
    assert played.calls == [("now", "{}")] and not played.text
