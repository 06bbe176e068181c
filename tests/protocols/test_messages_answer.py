"""Anthropic's clients put an answer together from its events: order, indices and required fields are all they have."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.shared import ErrorResponse
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from emulator.errors import UpstreamBroken
from emulator.events import (
    ArgumentsDelta,
    CallStarted,
    Event,
    Finished,
    Head,
    OtherFields,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    UsageTotal,
)
from emulator.protocols.messages_answer import MessagesAnswer, Thoughts
from tests.specs import ANTHROPIC_ERROR, MESSAGE, MESSAGE_EVENT, anthropic_problems

Json = dict[str, Any]
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)

USAGE: Json = {"prompt_tokens": 30, "completion_tokens": 4, "total_tokens": 34}
EVENTS: list[Event] = [
    Head({"id": "x", "model": "upstream's"}),
    ReasoningDelta(0, "Hm"),
    ReasoningDelta(0, "m."),
    TextDelta(0, "Let me "),
    TextDelta(0, "look."),
    CallStarted(0, 0, "call_1", "weather"),
    ArgumentsDelta(0, 0, '{"city":'),
    ArgumentsDelta(0, 0, '"Rome"}'),
    CallStarted(0, 1, "call_2", "now"),
    ArgumentsDelta(0, 1, "{}"),
    TextDelta(0, "Wait."),
    Finished(0, "tool_calls"),
    UsageTotal(USAGE),
]
SIGNATURE = base64.b64encode(hashlib.sha256(b"Hmm.").digest()).decode()


def answer(thoughts: Thoughts = "shown", stops: tuple[str, ...] = ()) -> MessagesAnswer:
    return MessagesAnswer("asked-for", "req_1", thoughts, stops)


def told(events: Sequence[Event], form: MessagesAnswer | None = None) -> list[Json]:
    """The events of a stream; each has its name on an ``event:`` line, as the SDK's reader wants it."""
    *frames, comment, last = (form or answer()).frames(iter(events), lambda: "said at the end")
    assert comment == b": said at the end\n\n"
    found: list[Json] = []
    for frame in (*frames, last):
        name, data, *rest = frame.split(b"\n")
        assert rest == [b"", b""]
        found.append(orjson.loads(data.removeprefix(b"data: ")))
        assert name == b"event: " + found[-1]["type"].encode()
    return found


def whole(events: Sequence[Event], form: MessagesAnswer | None = None) -> Json:
    return orjson.loads(orjson.dumps((form or answer()).whole(iter(events))))


def short(event: Json) -> Any:
    """An event in a few words."""
    match event["type"]:
        case "content_block_start":
            return event["index"], event["content_block"]
        case "content_block_delta":
            return event["index"], event["delta"]
        case "content_block_stop":
            return event["index"]
        case _:
            return event["type"]


def called(id: str, name: str) -> Json:
    return {"type": "tool_use", "id": id, "name": name, "input": {}, "caller": {"type": "direct"}}


def test_the_whole_sequence() -> None:
    assert [short(event) for event in told(EVENTS)] == [
        "message_start",
        "ping",
        (0, {"type": "thinking", "thinking": "", "signature": ""}),
        (0, {"type": "thinking_delta", "thinking": "Hm"}),
        (0, {"type": "thinking_delta", "thinking": "m."}),
        (0, {"type": "signature_delta", "signature": SIGNATURE}),
        0,
        (1, {"type": "text", "text": "", "citations": None}),
        (1, {"type": "text_delta", "text": "Let me "}),
        (1, {"type": "text_delta", "text": "look."}),
        1,
        (2, called("call_1", "weather")),
        (2, {"type": "input_json_delta", "partial_json": '{"city":'}),
        (2, {"type": "input_json_delta", "partial_json": '"Rome"}'}),
        2,
        (3, called("call_2", "now")),
        (3, {"type": "input_json_delta", "partial_json": "{}"}),
        3,
        (4, {"type": "text", "text": "", "citations": None}),
        (4, {"type": "text_delta", "text": "Wait."}),
        4,
        "message_delta",
        "message_stop",
    ]


def test_the_plain_answer() -> None:
    message = whole(EVENTS)
    assert message.pop("id").startswith("msg_")
    assert message == {
        "type": "message",
        "role": "assistant",
        "model": "asked-for",
        "content": [
            {"type": "thinking", "thinking": "Hmm.", "signature": SIGNATURE},
            {"type": "text", "text": "Let me look.", "citations": None},
            called("call_1", "weather") | {"input": {"city": "Rome"}},
            called("call_2", "now"),
            {"type": "text", "text": "Wait.", "citations": None},
        ],
        "container": None,
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 30,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 4,
            "output_tokens_details": None,
            "server_tool_use": None,
            "inference_geo": None,
            "service_tier": "standard",
        },
    }


def test_the_beginning_and_the_end_of_a_stream() -> None:
    start, *_, delta, _ = told(EVENTS)
    begun = start["message"]
    assert (begun["content"], begun["stop_reason"], begun["stop_sequence"]) == ([], None, None)
    assert (begun["model"], begun["role"]) == ("asked-for", "assistant")
    assert delta == {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None, "stop_details": None, "container": None},
        "usage": {
            "input_tokens": 30,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 4,
            "output_tokens_details": None,
            "server_tool_use": None,
        },
    }


@pytest.mark.parametrize(
    ("thoughts", "block"),
    [
        ("shown", [{"type": "thinking", "thinking": "Hmm.", "signature": SIGNATURE}]),
        ("omitted", [{"type": "thinking", "thinking": "", "signature": SIGNATURE}]),
        ("hidden", []),
    ],
)
def test_what_is_seen_of_thoughts(thoughts: Thoughts, block: list[Json]) -> None:
    content = whole(EVENTS, answer(thoughts))["content"]
    assert [part for part in content if part["type"] == "thinking"] == block
    deltas = [
        event["delta"]["type"] for event in told(EVENTS, answer(thoughts)) if "delta" in event and "index" in event
    ]
    assert ("thinking_delta" in deltas) == (thoughts == "shown")
    assert ("signature_delta" in deltas) == (thoughts != "hidden")


STOPS: list[tuple[Finished, str, str | None]] = [
    (Finished(0, "stop"), "end_turn", None),
    (Finished(0, "length"), "max_tokens", None),
    (Finished(0, "tool_calls"), "tool_use", None),
    (Finished(0, "content_filter"), "refusal", None),
    (Finished(0, "something new"), "end_turn", None),
    (Finished(0, "stop", "END"), "stop_sequence", "END"),
    (Finished(0, "stop", "<|im_end|>"), "end_turn", None),
]


@pytest.mark.parametrize(("finished", "reason", "stop"), STOPS)
def test_why_it_stopped(finished: Finished, reason: str, stop: str | None) -> None:
    """A stop sequence is told only if it is the client's own."""
    events: list[Event] = [Head(), TextDelta(0, "x"), finished, UsageTotal(USAGE)]
    message, delta = whole(events, answer(stops=("STOP", "END"))), told(events, answer(stops=("END",)))[-2]["delta"]
    for said in (message, delta):
        assert (said["stop_reason"], said["stop_sequence"]) == (reason, stop)
        assert (said["stop_details"] is not None) == (reason == "refusal")


def test_a_refusal_is_said_and_told() -> None:
    """What else the upstream's message has is not for this protocol."""
    others = OtherFields(0, {"annotations": [1]})
    message = whole([Head(), RefusalDelta(0, "I can't."), others, Finished(0, "stop"), UsageTotal(USAGE)])
    assert message["content"] == [{"type": "text", "text": "I can't.", "citations": None}]
    assert message["stop_reason"] == "refusal"


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({}, (0, 0, 0, None)),
        (USAGE, (30, 0, 4, None)),
        (USAGE | {"prompt_tokens_details": {"cached_tokens": 20}}, (10, 20, 4, None)),
        (USAGE | {"prompt_tokens_details": {"cached_tokens": 99}}, (0, 99, 4, None)),
        (USAGE | {"prompt_tokens_details": None, "completion_tokens_details": {"reasoning_tokens": 3}}, (30, 0, 4, 3)),
        (
            USAGE | {"prompt_tokens_details": [1], "completion_tokens_details": {"reasoning_tokens": "x"}},
            (30, 0, 4, None),
        ),
    ],
)
def test_what_came_from_a_cache_is_counted_apart(usage: Json, counts: tuple[int, int, int, int | None]) -> None:
    said = whole([Head(), TextDelta(0, "x"), Finished(0, "stop"), UsageTotal(usage)])["usage"]
    *others, thought = counts
    assert [said[name] for name in ("input_tokens", "cache_read_input_tokens", "output_tokens")] == others
    assert said["output_tokens_details"] == (None if thought is None else {"thinking_tokens": thought})


def test_arguments_come_through_as_they_were_proven() -> None:
    """Numbers of any size and spelling."""
    arguments = '{"n": 123456789012345678901234567890, "m": 2.50}'
    events: list[Event] = [
        Head(),
        CallStarted(0, 0, "a", "f"),
        ArgumentsDelta(0, 0, arguments),
        Finished(0, "tool_calls"),
    ]
    assert f'"input":{arguments}'.encode() in orjson.dumps(answer().whole(iter(events)))


def test_an_error_in_a_stream() -> None:
    name, data, *_ = answer().failure(UpstreamBroken("It was cut.")).split(b"\n")
    assert name == b"event: error"
    body = orjson.loads(data.removeprefix(b"data: "))
    assert body == {"type": "error", "error": {"type": "api_error", "message": "It was cut."}, "request_id": "req_1"}
    ErrorResponse.model_validate(body, strict=True)
    assert anthropic_problems(ANTHROPIC_ERROR, body) == []


CALLS = st.lists(st.sampled_from(["{}", '{"a": 1}', '{"b": [true, null, "é\\n"]}']), min_size=1, max_size=2)
PIECES = st.lists(
    st.tuples(st.sampled_from(["text", "thought"]), st.text(alphabet="ab é\n", max_size=4)) | CALLS, max_size=8
)


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """Whatever a turn may say."""
    events: list[Event] = [Head({})]
    calls = 0
    for piece in draw(PIECES):
        if isinstance(piece, tuple):
            kind, text = piece
            events.append(TextDelta(0, text) if kind == "text" else ReasoningDelta(0, text))
            continue
        for arguments in piece:
            cut = draw(st.integers(0, len(arguments)))
            events.append(CallStarted(0, calls, f"call_{calls}", "f"))
            events += [ArgumentsDelta(0, calls, part) for part in (arguments[:cut], arguments[cut:])]
            calls += 1
    return [*events, Finished(0, "tool_calls" if calls else "stop"), UsageTotal(USAGE)]


def strict(value: BaseModel) -> None:
    """No field of a message or an event is unknown to the SDK: it would keep it aside."""
    assert not value.model_extra, value.model_extra


@given(streams(), st.sampled_from(["shown", "omitted", "hidden"]))
def test_what_the_sdk_puts_together_is_the_plain_answer(events: list[Event], thoughts: Thoughts) -> None:
    """Every event strictly as the SDK's types and Anthropic's own document have it."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in told(events, answer(thoughts)):
        if event["type"] == "ping":
            continue
        assert anthropic_problems(MESSAGE_EVENT, event) == []
        parsed = EVENT.validate_python(event, strict=True)
        strict(parsed)
        snapshot = accumulate_event(event=parsed, current_snapshot=snapshot, json_bufs=buffers)
    plain = whole(events, answer(thoughts))
    assert anthropic_problems(MESSAGE, plain) == []
    strict(Message.model_validate(plain, strict=True))
    folded = json.loads(snapshot.to_json())
    assert {key: value for key, value in plain.items() if key != "id"} == {
        key: folded.get(key) for key in plain if key != "id"
    }
