"""Broken JSON is mended by guessing; a wrong guess is a wrong call, so nothing that was written may get lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.code.formats.json_mended import mended
from emulator.code.formats.json_values import BracketScanner, json_fault, json_values, leading_value, unfenced

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), min_size=1, max_size=3),
    st.sampled_from([" ", "\n", ";", ", ", ""]),
)
def test_json_is_read_as_json(values: list[Any], separator: str) -> None:
    assert json_values(separator.join(map(json.dumps, values))) == values


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3), st.integers(0, 60))
def test_a_values_end_is_seen_in_any_pieces(value: dict[str, Any], cut: int) -> None:
    text = json.dumps(value)
    scanner = BracketScanner()
    ends = [scanner.feed(part) for part in (text[:cut], text[cut:])]
    assert scanner.whole
    assert ends == ([len(text), None] if cut >= len(text) else [None, len(text) - cut])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 'it\\'s', 'b': True}", {"a": "it's", "b": True}),
        ('{"a": 1,}', {"a": 1}),
        ('{"a": {"b": 1}', {"a": {"b": 1}}),
        ("{a: 1, b_c: [1, 2]}", {"a": 1, "b_c": [1, 2]}),
        ('{_from: "x"}', {"_from": "x"}),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ('{"a": 1, // one\n "b": 2 /* two */}', {"a": 1, "b": 2}),
        ('{"a": "http://x/y"} // z', {"a": "http://x/y"}),
        ("{“a”: “b”}", {"a": "b"}),
        ("""{"a": '{"b": 6, "c": 3}'}""", {"a": '{"b": 6, "c": 3}'}),
        ("{\"a\": true, 'b': null}", {"a": True, "b": None}),
        ("{'a': 'http:\\/\\/x', }", {"a": "http://x"}),
        ("{'a': 'say \"yes\"', 'b': '\\x41'}", {"a": 'say "yes"', "b": "A"}),
        ('{"a": [{"b": 1} {"b": 2}]}', {"a": [{"b": 1}, {"b": 2}]}),
        ('{"a": [1, 2}', {"a": [1, 2]}),
        ('{"a": 1}}]', {"a": 1}),
        ('{"a": 1e5,}', {"a": 1e5}),
        ('{"a": 1 # one\n}', {"a": 1}),
    ],
)
def test_broken_json_is_mended(text: str, value: Any) -> None:
    assert mended(text) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "never clo',
        "words",
        "",
        "{",
        "[]",
        '{"a": 1} and words',
        '{"a": 1e999, }',
        "{" * 3000,
        '{"a": 1,' + " " * 40_000 + "}",
        '{"a": $5,}',
        '{"a": 5%}',
        '{"a": <5}',
        '{"a": !5}',
        '{"a": 1 234}',
        '{"a": [1 234]}',
        '{"a": http://a.b/c}',
        '{"a": fix #12, "b": 1}',
        '{"a": 5 # five, "b": 1}',
        '{"a": Paris}',
        '{"a": "b" + "c"}',
        '{"a": ["b" "c"]}',
        '{"a": "say "yes" now"}',
        "{'a': 'it's, ok'}",
        "{'a': 'b\\d'}",
        "{'a': 1, 'a': 2}",
        "{'a': '\\ud83d'}",
        '{"a": [1,,3]}',
        '{"a": [,1]}',
        '{"a": 1]}',
        '{"a": 1},} {"b": 2}',
        "[{" * 10_000,
        "[" * 100 + "1," + "]" * 100,
    ],
)
def test_what_may_be_something_else_is_not(text: str) -> None:
    assert mended(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1, "b": {"a": 2, "a": 3}}', "the key 'a' stands twice"),
        ('{"a": "\\ud83d"}', "surrogate"),
        ('{"\\udc00": 1}', "surrogate"),
        ('{"a": 1e999}', "out of range"),
        ('{"a": ' + "[" * 600 + "]" * 600 + "}", "brackets"),
        ("[" * 100_000, "nesting"),
    ],
)
def test_json_of_which_no_call_can_be_made(text: str, fault: str) -> None:
    assert json_values(text, mend=True) is None
    assert leading_value(text, 0) is None
    assert fault in (json_fault(text) or "")


def test_whole_surrogate_pairs_are_characters() -> None:
    assert json_values('{"a": "\\ud83d\\ude00"}') == [{"a": "\U0001f600"}]


def test_line_ends_in_strings_are_read() -> None:
    assert json_values('{"a": "x\ny"}') == [{"a": "x\ny"}]
    assert json_values('{"a": NaN}') is None


def test_a_fence_around_a_value() -> None:
    assert unfenced('```json\n{"a": "``"}\n```\n') == '{"a": "``"}'
    assert unfenced("```json\n{}\n") == "{}"
    assert unfenced("a ```b``` c") == "a ```b``` c"
