"""Real clients break on details of chunks (index, role, repeated names): the shapes are pinned, plain and streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from emulator.errors import UpstreamBroken
from emulator.events import ArgumentsDelta, CallStarted, Event, Finished, Head, ReasoningDelta, TextDelta, UsageTotal
from emulator.protocols.chat_answer import ChatAnswer, error_frames, fold

USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
PROBABLE: dict[str, Any] = {"token": "Sure", "bytes": None, "logprob": -0.5, "top_logprobs": []}
EVENTS: list[Event] = [
    Head({"id": "x", "created": 5, "model": "m", "system_fingerprint": "fp"}),
    ReasoningDelta(0, "hm"),
    TextDelta(0, "Sure", (PROBABLE,)),
    CallStarted(0, 0, "call_1", "f"),
    ArgumentsDelta(0, 0, '{"a":'),
    ArgumentsDelta(0, 0, "1}"),
    CallStarted(0, 1, "call_2", "g"),
    ArgumentsDelta(0, 1, "{}"),
    Finished(0, "tool_calls"),
    UsageTotal(USAGE),
]


def chunks(events: list[Event], *, include_usage: bool = False) -> list[dict[str, Any]]:
    frames = list(ChatAnswer(include_usage).frames(events, lambda: "said at the end"))
    assert frames[-1] == b": said at the end\n\ndata: [DONE]\n\n"
    assert all(frame.startswith(b"data: ") and frame.endswith(b"\n\n") for frame in frames[:-1])
    return [orjson.loads(frame[6:]) for frame in frames[:-1]]


def test_stream() -> None:
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks(EVENTS)]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "hm"},
        {"content": "Sure"},
        {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
        {"tool_calls": [{"index": 1, "id": "call_2", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]


def test_every_chunk_is_one_of_openais() -> None:
    for chunk in chunks(EVENTS, include_usage=True):
        ChatCompletionChunk.model_validate(chunk, strict=True)
        assert (chunk["id"], chunk["created"], chunk["model"]) == ("x", 5, "m")


def test_usage_comes_only_where_asked_and_without_choices() -> None:
    asked = chunks(EVENTS, include_usage=True)
    assert (asked[-1]["choices"], asked[-1]["usage"]) == ([], USAGE)
    assert all(chunk["usage"] is None for chunk in asked[:-1])
    assert not any("usage" in chunk for chunk in chunks(EVENTS))


def test_the_comment_is_asked_for_when_all_is_said() -> None:
    said: list[str] = []

    def events() -> Iterator[Event]:
        yield from EVENTS
        said.append("all")

    def comment() -> str:
        assert said == ["all"]
        return "x"

    assert list(ChatAnswer(include_usage=False).frames(events(), comment))[-1].startswith(b": x\n\n")


def test_fold_says_the_same_as_the_stream() -> None:
    body = fold(EVENTS)
    ChatCompletion.model_validate(body, strict=True)
    choice = body["choices"][0]
    assert choice["message"] == {
        "role": "assistant",
        "content": "Sure",
        "refusal": None,
        "reasoning_content": "hm",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
            {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ],
    }
    assert (choice["finish_reason"], choice["logprobs"]["content"], body["usage"]) == ("tool_calls", [PROBABLE], USAGE)


def test_content_is_null_beside_calls_and_text_without() -> None:
    called: list[Event] = [CallStarted(0, 0, "call_1", "f"), ArgumentsDelta(0, 0, "{}"), Finished(0, "tool_calls")]
    assert fold(called)["choices"][0]["message"]["content"] is None
    assert fold([Finished(0, "length")])["choices"][0]["message"]["content"] == ""


def test_choices_keep_apart() -> None:
    events: list[Event] = [Head({}), TextDelta(1, "b"), TextDelta(0, "a"), Finished(1, "stop"), Finished(0, "stop")]
    assert [c["message"]["content"] for c in fold(events)["choices"]] == ["a", "b"]
    first = [c["choices"][0] for c in chunks(events) if "role" in c["choices"][0]["delta"]]
    assert [choice["index"] for choice in first] == [0, 1]


def test_an_error_in_a_stream_has_openais_body() -> None:
    frame, done, _ = error_frames(UpstreamBroken("cut")).split(b"\n\n")
    assert orjson.loads(frame[6:])["error"]["code"] == "upstream_invalid_response"
    assert done == b"data: [DONE]"
