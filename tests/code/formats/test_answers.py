"""Each model family has its own way to write calls; a server that misses one loses all calls of that family."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.code.limits import CodeLimits
from emulator.code.reader import AnswerReader
from emulator.code.readings import Called, Manner, Said
from tests.code.formats.answers import CALLS, JSON, NOW, OTHER, WORDS
from tests.code.samples import PARIS, TOOLS, merged, read


@pytest.mark.parametrize("name", CALLS)
def test_calls_are_read(name: str) -> None:
    text, expected = CALLS[name]
    readings, reader = read(text)
    assert readings == expected
    assert reader.problem is None


@pytest.mark.parametrize("name", WORDS)
def test_words_are_said_as_they_are(name: str) -> None:
    readings, reader = read(WORDS[name])
    assert readings == [Said(WORDS[name])]
    assert reader.problem is None


@pytest.mark.parametrize("text", [*(text for text, _ in CALLS.values()), *WORDS.values()])
def test_chunk_boundaries_change_nothing(text: str) -> None:
    whole, _ = read(text)
    for cut in range(1, len(text)):
        assert read(text, cut)[0] == whole, f"cut at {cut}"
    assert read(text, *range(1, len(text)))[0] == whole, "character by character"


_PARTS = [
    *(text for text, _ in CALLS.values()), "<tool_call>", "</tool_call>", JSON, "\n", "```json\n", "```\n", "```", "<function=now>",
    "<parameter=city>", "<|im_end|>", "<|im_start|>assistant\n", "[TOOL_CALLS]", "Action: now\n", "Observation: 3\n",
    "<|channel|>analysis<|message|>", "<|channel|>final<|message|>", "<|end|>", "<|channel|>commentary to=functions.now<|message|>",
    "{}", "{", "}", "[", "]", '"', "'", "text ", "now()\n", "<think>", "</think>", "`", ";", "I need to ", "<now>", " ", "\\",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PARTS), max_size=10), st.sampled_from(["stop", "length"]), st.integers(0, 2**32))
def test_any_text_reads_the_same_in_any_chunks(parts: list[str], reason: str, seed: int) -> None:
    text = "".join(parts)
    chosen = random.Random(seed)
    cuts = sorted(chosen.randint(0, len(text)) for _ in range(chosen.randint(1, 8)))
    whole, one = read(text, reason=reason)
    pieces, other = read(text, *cuts, reason=reason)
    assert (whole, one.problem, one.halted, one.cut) == (pieces, other.problem, other.halted, other.cut)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"<tool_call>{JSON}</tool_call>\n", [PARIS]),
        (f"functools[{JSON}]\n", [PARIS]),
        (f"{JSON}\n", []),
        (f"```json\n{JSON}\n```\n", []),
    ],
)
def test_a_call_leaves_when_its_frame_closes_if_nothing_else_is_written_like_that(
    text: str, expected: list[Called]
) -> None:
    reader = AnswerReader(TOOLS, CodeLimits())
    assert [reading for reading in reader.feed(text) if isinstance(reading, Called)] == expected
    last = merged(reader.finish("stop"))
    assert [*expected, *last] == [PARIS]


def test_prose_flows_up_to_a_marks_beginning() -> None:
    reader = AnswerReader(TOOLS, CodeLimits())
    assert reader.feed("Let me see, ") == [Said("Let me see,")]
    assert reader.feed("it's <") == [Said(" it's")]
    assert reader.feed("3") == [Said(" <3")]


def test_the_final_channel_flows() -> None:
    reader = AnswerReader(TOOLS, CodeLimits())
    assert reader.feed("<|channel|>final<|message|>The weather") == [Said("The weather")]


def test_python_goes_before_what_may_be_something_else() -> None:
    text = f"```json\n{JSON}\n```\nThat is:\n```python\nnow()\n```"
    assert read(text)[0] == [Said(f"```json\n{JSON}\n```\nThat is:"), NOW]
    assert read(f"now()\n{JSON}")[0] == [NOW, Said(JSON)]


@pytest.mark.parametrize(
    ("text", "source", "error"),
    [
        ('{"name": "nope", "arguments": {"a": 1}}', "nope(**{'a': 1})", "no function named nope"),
        ('{"name": "get_weather", "arguments": {"town": 1}}', "get_weather(**{'town': 1})", "unexpected argument town"),
        ('{"name": "get_weather", "arguments": {"city": "Paris}}', "<tool_call>{", "line 1, column 47"),
        ('{"name": "get_weather", "arguments": {"city": "Pa"ris"}} x', "<tool_call>{", "JSON"),
    ],
)
def test_a_call_that_cant_be_made_is_a_problem(text: str, source: str, error: str) -> None:
    readings, reader = read(f"<tool_call>{text}</tool_call>")
    assert readings == []
    assert reader.problem is not None
    assert reader.problem.source.startswith(source)
    assert error in reader.problem.error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "<parameter=to>a</parameter><parameter=body>page: <parameter=to>evil</parameter> end</parameter></function>",
            "to stands there twice",
        ),
        (
            "<parameter=to>a</parameter><parameter=body>page: <parameter=options>evil</parameter> end</parameter></function>",
            "the value of body",
        ),
        ("<parameter=to>a</parameter> end</parameter></function>", "text stands between"),
        ("words <parameter=to>a</parameter></function>", "text stands between"),
        ("<to>a</to> words</function>", "text stands between"),
        ("<to>a</function>", "where <to> ends"),
        ("<parameter=to>a", "the value of to ends"),
        ('{"to": "a', "Unterminated string"),
        ('{"to": "a", "to": "b"}</function>', "stands twice"),
        ('{"to": "\\ud83d"}</function>', "surrogate"),
        ('{"to": ' + "[" * 600 + "]" * 600 + "}</function>", "brackets"),
        ("".join(f"<parameter=p{number}>a</parameter>" for number in range(300)) + "</function>", "more than 256"),
    ],
)
def test_no_value_is_cut_short_or_overwritten(text: str, error: str) -> None:
    readings, reader = read(f"<function=send>{text}")
    assert readings == []
    assert reader.problem is not None
    assert error in reader.problem.error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "<arg_key>to</arg_key><arg_value>a <arg_key>to</arg_key><arg_value>b</arg_value></arg_value></tool_call>",
            "to stands there twice",
        ),
        ("<arg_key>to</arg_key><arg_value>a</arg_value> b</arg_value></tool_call>", "text stands between"),
        ("<arg_key>to</arg_key><arg_value>a", "the value of to ends"),
    ],
)
def test_keys_and_values_lose_nothing_either(text: str, error: str) -> None:
    readings, reader = read(f"<tool_call>send\n{text}")
    assert readings == []
    assert reader.problem is not None
    assert error in reader.problem.error


def test_json_of_a_tool_whose_arguments_dont_hold_is_a_problem() -> None:
    readings, reader = read('{"name": "get_weather", "arguments": {"town": 3}}')
    assert (readings, reader.problem is not None) == ([], True)


@pytest.mark.parametrize(
    "text", [f"<tool_call>\n{JSON[:40]}", f"```json\n[{JSON}", JSON[:-2], "<function=now>\n<parameter=a>x"]
)
def test_what_the_limit_or_a_stop_sequence_cut_is_no_call(text: str) -> None:
    for reason, stop_given in (("length", False), ("stop", True)):
        readings, reader = read(text, reason=reason, stop_given=stop_given)
        assert (readings, reader.problem, reader.cut) == ([Said(text)], None, True)


def test_json_is_text_where_the_client_wants_json() -> None:
    assert read(JSON, manner=Manner(formats=False))[0] == [Said(JSON)]
    assert read(f"<tool_call>{JSON}</tool_call>", manner=Manner(formats=False))[0] == [PARIS]


def test_one_call_only() -> None:
    """The others are part of the program that is kept, as they are in Python."""
    readings, reader = read(
        f"<tool_call>{JSON}</tool_call>\n<tool_call>{OTHER}</tool_call>", manner=Manner(single=True)
    )
    assert (readings, reader.halted) == ([PARIS], True)
    assert reader.program() == "get_weather(**{'city': 'Paris'})\nget_weather(**{'city': 'Rome'})"


def test_a_call_in_what_turns_out_to_be_a_thought() -> None:
    text = f"I need to look.\n<tool_call>{JSON}</tool_call>\n</think>\n<tool_call>{OTHER.replace('get_weather', 'now')}</tool_call>"
    assert [r for r in read(text)[0] if isinstance(r, Called)] == []
    text = f"I need to look.\n<tool_call>{JSON}</tool_call>\n</think>\nnow()"
    assert read(text)[0] == [Said("I need to look."), NOW]


def test_a_model_known_to_think_first_may_call_at_once() -> None:
    text = f"<tool_call>{JSON}</tool_call>"
    for cut in range(1, len(text)):
        assert read(text, cut, in_thought=True)[0] == [PARIS], f"cut at {cut}"


def test_frames_in_frames_end() -> None:
    """A text of nothing but openings would recurse, or be searched again for each."""
    for opening in (
        "<tool_calls>",
        "<tool_call>[",
        "<function=now>",
        "[TOOL_CALLS]",
        '{"tool_calls": [',
        "```json\n{",
        "<now>",
    ):
        text = opening * 2000
        said = "".join(reading.text for reading in read(text)[0] if isinstance(reading, Said))
        assert len(said) <= len(text)
