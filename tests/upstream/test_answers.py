"""Model servers differ in every field; whatever they leave out or add, the turn must see the same few parts."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from emulator.errors import UpstreamBroken, UpstreamRefused
from emulator.ports import AnswerDelta, AnswerHead, AnswerPart, AnswerUsage, CallDelta
from emulator.upstream.answers import AnswerReader
from emulator.upstream.faults import Redactor


def read(*chunks: Any, done: bool = True) -> list[AnswerPart]:
    reader = AnswerReader(Redactor.of("sk-secret"))
    parts: list[AnswerPart] = []
    for chunk in chunks:
        parts += reader.feed(chunk if isinstance(chunk, bytes) else orjson.dumps(chunk))
    if done:
        parts += reader.feed(b"[DONE]")
    return parts + reader.end()


def delta(delta: Any = None, finish_reason: Any = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason, **more}]}


STOP = delta({}, "stop")

DELTAS: list[tuple[Any, AnswerDelta | None]] = [
    ({"content": "a"}, AnswerDelta(0, "a")),
    ({"role": "assistant", "content": ""}, None),
    ({"role": "assistant", "content": None}, None),
    ({}, None),
    (None, None),
    ("a", None),
    ([], None),
    ({"content": 5}, None),
    (
        {"content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]},
        AnswerDelta(0, "ab"),
    ),
    ({"content": ["a", None, {"text": 1}]}, AnswerDelta(0, "a")),
    ({"reasoning_content": "t", "content": None}, AnswerDelta(0, "", "t")),
    ({"reasoning": "t"}, AnswerDelta(0, "", "t")),
    ({"reasoning": "t", "reasoning_content": "t"}, AnswerDelta(0, "", "t")),
    ({"reasoning": "t", "reasoning_details": [{"type": "reasoning.text", "text": "t"}]}, AnswerDelta(0, "", "t")),
    ({"reasoning_details": [{"text": "t"}, {"summary": "s"}, {"data": "x"}]}, AnswerDelta(0, "", "ts")),
    ({"reasoning": {"text": "t"}}, None),
    ({"content": None, "refusal": "no"}, AnswerDelta(0, refusal="no")),
    ({"content": "a", "refusal": {"text": "no"}}, AnswerDelta(0, "a")),
    ({"role": "assistant", "content": None, "annotations": [], "audio": None, "function_call": None}, None),
    ({"content": "a", "annotations": [{"type": "x"}]}, AnswerDelta(0, "a", others={"annotations": [{"type": "x"}]})),
    ({"audio": {"id": "a", "data": "AA"}}, AnswerDelta(0, others={"audio": {"id": "a", "data": "AA"}})),
    (
        {"tool_calls": [{"index": 1, "id": "c", "function": {"name": "f", "arguments": "{}"}}]},
        AnswerDelta(0, calls=(CallDelta(1, "f", "{}", "c"),)),
    ),
    (
        {"tool_calls": [{"function": {"arguments": {"a": 1}}}, None, {"function": {"name": 5}}]},
        AnswerDelta(0, calls=(CallDelta(0, "", '{"a":1}'), CallDelta(2))),
    ),
    ({"tool_calls": "f()"}, None),
]


@pytest.mark.parametrize(("sent", "part"), DELTAS)
@pytest.mark.parametrize("form", ["delta", "message"])
def test_a_piece(sent: Any, part: AnswerDelta | None, form: str) -> None:
    parts = read({"choices": [{form: sent}]}, STOP)
    assert parts == [AnswerHead({}), *([part] if part else []), AnswerDelta(0, finish_reason="stop")]


def test_logprobs_of_words_and_of_a_refusal() -> None:
    logprobs = {"content": [{"token": "a"}], "refusal": [{"token": "n"}, None]}
    [_, words, refusal, *_] = read(
        delta({"content": "a"}, logprobs=logprobs | {"refusal": None}),
        delta({"refusal": "n"}, "stop", logprobs=logprobs | {"content": None}),
    )
    assert words == AnswerDelta(0, "a", logprobs=({"token": "a"},))
    assert refusal == AnswerDelta(0, finish_reason="stop", refusal="n", refusal_logprobs=({"token": "n"},))


def test_head_comes_once_without_what_is_no_identity() -> None:
    first = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "system_fingerprint": None,
        "usage": None,
    }
    parts = read(first | delta({"content": "a"}), {"id": "other"} | STOP)
    assert parts[0] == AnswerHead({"id": "c", "created": 1, "model": "m", "system_fingerprint": None})
    assert sum(isinstance(part, AnswerHead) for part in parts) == 1


def test_head_is_filled_by_the_chunk_that_has_choices() -> None:
    filters = {"choices": [], "id": "", "model": "", "prompt_filter_results": [1]}
    assert read(filters, {"id": "c", "model": "m"} | STOP)[0] == AnswerHead(
        {"id": "c", "model": "m", "prompt_filter_results": [1]}
    )


def test_usage_is_the_last_one_and_comes_last() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    chunks: list[Any] = [
        delta({"content": "a"}) | {"usage": {"total_tokens": 1}},
        STOP | {"usage": None},
        {"choices": [], "usage": usage},
    ]
    assert read(*chunks)[-1] == AnswerUsage(usage)
    assert not any(isinstance(part, AnswerUsage) for part in read(STOP | {"usage": {}}))


def test_choices_are_told_apart_by_index_or_else_by_position() -> None:
    both = {
        "choices": [
            {"message": {"content": "a"}, "finish_reason": "stop"},
            {"message": {"content": "b"}, "finish_reason": "length"},
        ]
    }
    expected = [AnswerDelta(0, "a", finish_reason="stop"), AnswerDelta(1, "b", finish_reason="length")]
    assert read(both)[1:] == expected
    indexed = [{"choices": [{"index": 1, "delta": {"content": "b"}}, {"index": 0, "delta": {"content": "a"}}]}]
    assert read(*indexed)[1:3] == [AnswerDelta(1, "b"), AnswerDelta(0, "a")]
    assert read({"choices": [{"index": index, "delta": {"content": "a"}} for index in (-1, True)]})[1:3] == [
        AnswerDelta(0, "a"),
        AnswerDelta(1, "a"),
    ]


def test_logprobs_are_the_entries_of_content() -> None:
    entry = {"token": "a", "logprob": -0.1}
    assert read(delta({"content": "a"}, logprobs={"content": [entry, 5]}), STOP)[1] == AnswerDelta(
        0, "a", logprobs=(entry,)
    )
    assert read(delta({"content": "a"}, logprobs={"tokens": ["a"]}), STOP)[1] == AnswerDelta(0, "a")


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "content_filter", "eos"])
def test_finish_reason_is_kept_as_sent(reason: str) -> None:
    assert read(delta({"content": "a"}, reason), done=False)[1:] == [AnswerDelta(0, "a", finish_reason=reason)]


@pytest.mark.parametrize("missing", [None, "", 5])
def test_finish_reason_that_is_missing_at_done_is_stop(missing: Any) -> None:
    assert read(delta({"content": "a"}, missing))[1:] == [AnswerDelta(0, "a"), AnswerDelta(0, finish_reason="stop")]


def test_a_choice_ends_once() -> None:
    assert read(delta({"content": "a"}, "stop"), delta({"content": "b"}, "stop"), STOP)[1:] == [
        AnswerDelta(0, "a", finish_reason="stop")
    ]


NO_ANSWERS: list[tuple[list[Any], bool, str]] = [
    ([], True, "no choices"),
    ([{}], True, "no choices"),
    ([{"choices": []}], True, "no choices"),
    ([{"choices": [], "usage": {"total_tokens": 1}}], False, "no choices"),
    ([{"choices": {"a": 1}}], True, "no list"),
    ([{"choices": [None]}], True, "no object"),
    ([delta({"role": "assistant"})], True, "neither content nor"),
    ([delta({"content": "a"})], False, "in the middle"),
    (
        [{"choices": [{"index": 0, "finish_reason": "stop"}, {"index": 1, "delta": {"content": "b"}}]}],
        False,
        "in the middle",
    ),
    ([b"{"], True, "not JSON"),
    ([b'{"choices": [{"delta": {"content": NaN}}]}'], True, "not JSON"),
    ([b"[" * 100_000], True, "not JSON"),
    ([b"[]"], True, "no JSON object"),
    ([b"<html><body>sk-secret</body></html>"], True, "not JSON: '***'"),
]


@pytest.mark.parametrize(("chunks", "done", "says"), NO_ANSWERS)
def test_what_is_no_answer_is_never_taken_for_one(chunks: list[Any], done: bool, says: str) -> None:
    with pytest.raises(UpstreamBroken) as caught:
        read(*chunks, done=done)
    assert says in caught.value.message
    assert len(caught.value.message) < 400


def test_bytes_that_are_no_utf8_cost_a_character_not_the_answer() -> None:
    assert read(b'{"choices":[{"delta":{"content":"a\xffb"}}]}', STOP)[1] == AnswerDelta(0, "a\ufffdb")


@pytest.mark.parametrize("half", [b"\\ud83d", b"\\uDE00", b"\\ud83d\\ud83d"])
def test_half_a_character_that_a_proxy_cut_costs_it_not_the_answer(half: bytes) -> None:
    parts = read(b'{"choices":[{"delta":{"content":"a' + half + b'\\u00e9\\ud83d\\ude00"}}]}', STOP)
    assert parts[1] == AnswerDelta(0, "a" + "\ufffd" * half.count(b"u") + "é😀")


def test_blank_events_are_skipped() -> None:
    assert read(b"", b" \n", STOP) == [AnswerHead({}), AnswerDelta(0, finish_reason="stop")]


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        ({"message": "busy", "code": 429, "type": "t"}, 429, "busy"),
        ({"message": "busy", "code": "rate_limit"}, 502, "busy"),
        ({"message": "ok?", "code": 200}, 502, "ok?"),
        ("broken sk-secret", 502, "broken ***"),
        ({"code": 500}, 500, "reported an error without a message"),
    ],
)
def test_an_error_inside_an_answer(error: Any, status: int, message: str) -> None:
    with pytest.raises(UpstreamRefused) as caught:
        read(delta({"content": "a"}), {"error": error, "choices": [{"finish_reason": "error"}]})
    assert caught.value.status == status
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("told", "stop"),
    [
        ({"stop_reason": "END"}, "END"),
        ({"matched_stop": "END"}, "END"),
        ({"stop_reason": None, "matched_stop": 151645}, None),
        ({}, None),
    ],
    ids=["vLLM", "SGLang", "a token", "nobody"],
)
def test_the_stop_sequence_that_ended_a_choice(told: dict[str, Any], stop: str | None) -> None:
    assert read(delta({"content": "a"}, "stop", **told))[-1] == AnswerDelta(0, "a", finish_reason="stop", stop=stop)
