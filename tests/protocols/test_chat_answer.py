"""Real clients break on details of chunks (index, role, repeated names): the shapes are pinned, plain and streamed, and
both must say the same to a client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

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
from emulator.protocols.chat_answer import ChatAnswer, error_frames
from emulator.tools.plain import arguments_json
from tests.specs import CHAT, CHAT_CHUNK, openai_problems

USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
PROBABLE: dict[str, Any] = {"token": "Sure", "bytes": None, "logprob": -0.5, "top_logprobs": []}
HEAD = Head({"id": "x", "created": 5, "model": "m", "system_fingerprint": "fp", "service_tier": "flex"})
EVENTS: list[Event] = [
    HEAD,
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
CUSTOM: list[Event] = [
    HEAD,
    CallStarted(0, 0, "call_1", "sql"),
    ArgumentsDelta(0, 0, '{"input":"a\\'),
    ArgumentsDelta(0, 0, 'n"}'),
    Finished(0, "tool_calls"),
    UsageTotal(USAGE),
]
CALL: list[Event] = [
    HEAD,
    CallStarted(0, 0, "call_1", "f"),
    ArgumentsDelta(0, 0, '{"a":'),
    ArgumentsDelta(0, 0, "1}"),
    Finished(0, "tool_calls"),
    UsageTotal(USAGE),
]
DECLINED: list[Event] = [
    HEAD,
    RefusalDelta(0, "No", (PROBABLE,)),
    RefusalDelta(0, "."),
    Finished(0, "stop"),
    UsageTotal(USAGE),
]
LEGACY = {"legacy": True}
CUSTOMS = {"customs": frozenset(["sql"])}


def chunks(events: list[Event], *, include_usage: bool = False, **form: Any) -> list[dict[str, Any]]:
    frames = list(ChatAnswer(include_usage, **form).frames(events, lambda: "said at the end"))
    assert frames[-1] == b": said at the end\n\ndata: [DONE]\n\n"
    assert all(frame.startswith(b"data: ") and frame.endswith(b"\n\n") for frame in frames[:-1])
    return [orjson.loads(frame[6:]) for frame in frames[:-1]]


def deltas(events: list[Event], **form: Any) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in chunks(events, **form)]


def fold(events: list[Event], **form: Any) -> dict[str, Any]:
    return ChatAnswer(**form).whole(events)


def message(events: list[Event], **form: Any) -> dict[str, Any]:
    return fold(events, **form)["choices"][0]["message"]


FIRST = {"role": "assistant", "content": "", "refusal": None}


def test_stream() -> None:
    assert deltas(EVENTS) == [
        FIRST,
        {"reasoning_content": "hm"},
        {"content": "Sure"},
        {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
        {"tool_calls": [{"index": 1, "id": "call_2", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]


def test_calls_of_functions_have_no_ids() -> None:
    assert deltas(CALL, legacy=True) == [
        FIRST,
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": '{"a":'}},
        {"function_call": {"arguments": "1}"}},
        {},
    ]
    assert chunks(CALL, legacy=True)[-1]["choices"][0]["finish_reason"] == "function_call"
    body = fold(CALL, legacy=True)
    assert body["choices"][0]["finish_reason"] == "function_call"
    assert message(CALL, legacy=True) == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "annotations": [],
        "function_call": {"name": "f", "arguments": '{"a":1}'},
    }
    ChatCompletion.model_validate(body, strict=True)


def test_calls_of_custom_tools_have_a_text() -> None:
    assert deltas(CUSTOM, **CUSTOMS) == [
        FIRST,
        {"tool_calls": [{"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "sql", "input": ""}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "a"}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "\n"}}]},
        {},
    ]
    body = fold(CUSTOM, **CUSTOMS)
    assert message(CUSTOM, **CUSTOMS)["tool_calls"] == [
        {"id": "call_1", "type": "custom", "custom": {"name": "sql", "input": "a\n"}}
    ]
    ChatCompletion.model_validate(body, strict=True)


def test_what_the_upstream_says_beside_words_comes_through() -> None:
    cited = {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 1, "url": "u", "title": "t"}}
    events: list[Event] = [
        HEAD,
        OtherFields(0, {"audio": {"id": "a", "transcript": "Hi"}}),
        OtherFields(0, {"audio": {"transcript": " you", "data": "AAAA"}}),
        OtherFields(0, {"audio": {"expires_at": 7}, "annotations": [cited]}),
        Finished(0, "stop"),
        UsageTotal(USAGE),
    ]
    assert deltas(events)[1:3] == [
        {"audio": {"id": "a", "transcript": "Hi"}},
        {"audio": {"transcript": " you", "data": "AAAA"}},
    ]
    assert message(events) == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "annotations": [cited],
        "audio": {"id": "a", "transcript": "Hi you", "data": "AAAA", "expires_at": 7},
    }
    assert openai_problems(CHAT, fold(events)) == []


def test_a_refusal_is_no_content() -> None:
    assert deltas(DECLINED)[1:3] == [{"refusal": "No"}, {"refusal": "."}]
    assert chunks(DECLINED)[1]["choices"][0]["logprobs"] == {"content": None, "refusal": [PROBABLE]}
    assert (message(DECLINED)["content"], message(DECLINED)["refusal"]) == (None, "No.")
    assert fold(DECLINED)["choices"][0]["logprobs"] == {"content": None, "refusal": [PROBABLE]}


@pytest.mark.parametrize("events", [EVENTS, CALL, DECLINED])
@pytest.mark.parametrize("form", [{}, LEGACY])
def test_every_body_is_one_of_openais(events: list[Event], form: dict[str, Any]) -> None:
    for chunk in chunks(events, include_usage=True, **form):
        ChatCompletionChunk.model_validate(chunk, strict=True)
        assert openai_problems(CHAT_CHUNK, chunk) == []
        assert (chunk["id"], chunk["created"], chunk["model"]) == ("x", 5, "m")
        assert (chunk["system_fingerprint"], chunk["service_tier"]) == ("fp", "flex")
    body = fold(events, **form)
    ChatCompletion.model_validate(body, strict=True)
    assert openai_problems(CHAT, body) == []
    assert (body["id"], body["system_fingerprint"], body["service_tier"]) == ("x", "fp", "flex")


def test_what_the_upstream_does_not_say_is_made_up() -> None:
    events: list[Event] = [
        Head({"system_fingerprint": None}),
        TextDelta(0, "a"),
        Finished(0, "stop"),
        UsageTotal(USAGE),
    ]
    body = fold(events)
    made_up = {"id", "created", "model", "service_tier", "system_fingerprint"}
    assert body.keys() == made_up | {"object", "choices", "usage"} and None not in body.values()
    assert openai_problems(CHAT, body) == []


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
    choice = body["choices"][0]
    assert choice["message"] == {
        "role": "assistant",
        "content": "Sure",
        "refusal": None,
        "annotations": [],
        "reasoning_content": "hm",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
            {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ],
    }
    assert (choice["finish_reason"], choice["logprobs"]["content"], body["usage"]) == ("tool_calls", [PROBABLE], USAGE)


def test_content_is_null_beside_calls_and_text_without() -> None:
    called: list[Event] = [CallStarted(0, 0, "call_1", "f"), ArgumentsDelta(0, 0, "{}"), Finished(0, "tool_calls")]
    assert message(called)["content"] is None
    assert message([Finished(0, "length")])["content"] == ""


def test_choices_keep_apart() -> None:
    events: list[Event] = [Head({}), TextDelta(1, "b"), TextDelta(0, "a"), Finished(1, "stop"), Finished(0, "stop")]
    assert [c["message"]["content"] for c in fold(events)["choices"]] == ["a", "b"]
    first = [c["choices"][0] for c in chunks(events) if "role" in c["choices"][0]["delta"]]
    assert [choice["index"] for choice in first] == [0, 1]


def test_an_error_in_a_stream_has_openais_body() -> None:
    frame, done, _ = error_frames(UpstreamBroken("cut")).split(b"\n\n")
    assert orjson.loads(frame[6:])["error"]["code"] == "upstream_invalid_response"
    assert done == b"data: [DONE]"


words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
said = st.one_of(
    words.map(lambda text: [TextDelta(0, text)]),
    words.map(lambda text: [ReasoningDelta(0, text)]),
    words.map(lambda text: [RefusalDelta(0, text)]),
    words.map(lambda text: [OtherFields(0, {"audio": {"transcript": text, "data": text}})]),
)


@st.composite
def called(draw: st.DrawFn, index: int, names: list[str]) -> list[Event]:
    """A call and its arguments, cut anywhere."""
    name = draw(st.sampled_from(names))
    argument = draw(st.text(st.characters(codec="utf-8"), max_size=30))
    text = arguments_json({"input": argument} if name == "sql" else {"a": argument})
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    return [CallStarted(0, index, f"call_{index}", name), *(ArgumentsDelta(0, index, piece) for piece in pieces)]


@st.composite
def turns(draw: st.DrawFn, names: list[str], most: int) -> list[Event]:
    events: list[Event] = [HEAD]
    index = 0
    for _ in range(draw(st.integers(0, 5))):
        if index < most and draw(st.booleans()):
            events += draw(called(index, names))
            index += 1
        else:
            events += draw(said)
    return [*events, Finished(0, "tool_calls" if index else "stop"), UsageTotal(USAGE)]


def heard(events: list[Event], **form: Any) -> dict[str, Any]:
    """What OpenAI's own client has added up when the stream is over."""
    state = ChatCompletionStreamState()
    for chunk in chunks(events, include_usage=True, **form):
        state.handle_chunk(ChatCompletionChunk.construct(**chunk))
    return state.current_completion_snapshot.to_dict()


def assert_alike(events: list[Event], **form: Any) -> None:
    whole, streamed = fold(events, **form), heard(events, **form)
    [expected], [told] = whole["choices"], streamed["choices"]
    assert told["finish_reason"] == expected["finish_reason"]
    assert streamed["usage"] == whole["usage"]
    message, answer = full(told["message"]), expected["message"]
    for call in message.get("tool_calls", ()):
        del call["index"]
        call.get("function", {}).pop("parsed_arguments", None)
    # The first chunk has an empty text, for those who add to it, and what is null stays so.
    assert (message.pop("content", None) or "") == (answer.pop("content") or "")
    assert message == full(answer)


def full(value: Any) -> Any:
    """Without the fields that are in the client's types only, and empty lists of which no chunk spoke."""
    if isinstance(value, list):
        return [full(item) for item in cast(list[Any], value)]
    if not isinstance(value, dict):
        return value
    return {key: full(field) for key, field in cast(dict[str, Any], value).items() if field not in (None, [])}


@given(turns(["f", "g"], 3))
def test_clients_hear_the_same_of_tools(events: list[Event]) -> None:
    assert_alike(events)


@given(turns(["f", "sql"], 3))
def test_clients_hear_the_same_of_custom_tools(events: list[Event]) -> None:
    assert_alike(events, **CUSTOMS)


@given(turns(["f", "g"], 1))
def test_clients_hear_the_same_of_functions(events: list[Event]) -> None:
    assert_alike(events, legacy=True)
