"""The JSON that a client wants is found in a model's words, whole and as written, or it is said why it isn't there."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.tools.answer_format import AnswerFormat, Misfit
from emulator.tools.schema import SchemaError

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
WANTED = AnswerFormat(SCHEMA, "a")


@pytest.mark.parametrize(
    "words",
    [
        '{"a": 1}',
        ' \n{"a": 1}\n',
        '```json\n{"a": 1}\n```',
        'Here it is:\n```\n{"a": 1}\n```\nBye.',
        'The answer is {"a": 1}.',
        '{"b": 2}\n{"a": 1}',  # only one of them fits
        '{"a": 1}\n\n{"a": 1}',  # said twice
        '```json\n{"a": 1}',
    ],
)
def test_found(words: str) -> None:
    assert WANTED.fitting(words) == '{"a": 1}'


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Hello.", "no JSON"),
        ('{"a": "one"}', "at a"),
        ("{}", "does not fit"),
        ('{"a": 1', "no JSON"),
        ('{"a": NaN}', "no JSON"),
        ('Not {"a": 1} but {"a": 2}', "several"),
    ],
)
def test_missed(words: str, reason: str) -> None:
    with pytest.raises(Misfit, match=reason):
        WANTED.fitting(words)


def test_any_object_will_do_without_a_schema() -> None:
    assert AnswerFormat().fitting('{"x": [1]}') == '{"x": [1]}'
    with pytest.raises(Misfit, match="one JSON object"):
        AnswerFormat().fitting("[1]")


@pytest.mark.parametrize("text", ['{"a": 1, "b": "x\ny"}', '{"a": 1, "b": "\\ud83d\ny"}'])
def test_what_is_no_strict_json_is_written_anew(text: str) -> None:
    found = WANTED.fitting(text)
    assert json.loads(found) == json.loads(text, strict=False)
    found.encode()


def test_a_schema_that_is_none() -> None:
    with pytest.raises(SchemaError):
        AnswerFormat({"type": "nonsense"})


@pytest.mark.parametrize("words", ["`" * 100_000, "```\n" * 30_000, "{" * 100_000, "[" * 100_000 + "]", " " * 200_000])
def test_hostile_words_are_words(words: str) -> None:
    with pytest.raises(Misfit):
        WANTED.fitting(words)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner, max_size=3)))
def test_whatever_fits_comes_back_as_it_was(value: object) -> None:
    wanted = {"a": 1, "value": value}
    assert json.loads(WANTED.fitting(f"```json\n{json.dumps(wanted, ensure_ascii=False)}\n```")) == wanted
