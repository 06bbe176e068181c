"""A client whose stream broke asks for the rest by number: what is told again must be, event for event, what was told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InvalidRequest, UpstreamBroken
from emulator.events import (
    CallStarted,
    Event,
    Finished,
    OtherFields,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    argument_deltas,
)
from emulator.protocols.custom import custom_arguments
from emulator.protocols.responses_answer import ResponsesAnswer
from emulator.protocols.responses_replay import Replay
from emulator.protocols.segments import segmented
from tests.protocols.openai_events import event_problems, events_of
from tests.protocols.responses_cases import END, FORMAT, HEAD, KEY, TOOLS, Json, asked

SEARCH: Json = {"type": "tool_search", "execution": "client", "description": "Finds.", "parameters": {"type": "object"}}
CITATION: Json = {"start_index": 0, "end_index": 1, "url": "https://x.example", "title": "X"}
CITED = OtherFields(0, {"annotations": [{"type": "url_citation", "url_citation": CITATION}]})
TEXTS = st.text(max_size=80) | st.text("a é中\n", max_size=2500)
FIELDS: list[Json] = [
    {},
    {"text": FORMAT},
    {"reasoning": {"summary": "auto"}},
    {"include": ["reasoning.encrypted_content"]},
]


def call(index: int, name: str, arguments: str) -> list[Event]:
    return [CallStarted(0, index, f"call_{index}", name), *argument_deltas(0, index, arguments)]


def said() -> st.SearchStrategy[list[Event]]:
    """What a turn says up to its end; calls are numbered later."""
    words = TEXTS.filter(bool).map(lambda text: [TextDelta(0, text)])
    cited = TEXTS.filter(bool).map(lambda text: [TextDelta(0, text), CITED])
    thought = TEXTS.filter(bool).map(lambda text: [ReasoningDelta(0, text)])
    refusal = TEXTS.filter(bool).map(lambda text: [RefusalDelta(0, text)])
    function = TEXTS.map(lambda text: call(0, "f", orjson.dumps({"x": text}).decode()))
    inner = st.just(call(0, "crm__g", "{}"))
    custom = TEXTS.map(lambda text: call(0, "shout", custom_arguments(text)))
    search = st.just(call(0, "tool_search", '{"q":1}'))
    several = st.lists(words | cited | thought | refusal | function | inner | custom | search, max_size=6)
    return several.map(lambda groups: [event for group in groups for event in group])


def live(events: Iterable[Event], **fields: Any) -> tuple[list[Json], Json]:
    """The events of the stream, and the response as it is kept."""
    kept: list[Json] = []
    form = ResponsesAnswer(asked(**{"tools": [*TOOLS, SEARCH]} | fields), KEY, 1000, kept.append)
    frames = b"".join(form.frames(segmented(events, tokens=form.tokens), lambda: "told"))
    return events_of(frames), orjson.loads(orjson.dumps(kept[-1]))


def again(response: Json, after: int = -1) -> list[Json]:
    replay = Replay(after)
    return [event for frame in (*replay.opening(response), *replay.rest(response)) for event in events_of(frame)]


@given(said(), st.sampled_from(["stop", "length"]), st.sampled_from(FIELDS))
def test_it_is_told_as_it_was(events: list[Event], reason: str, fields: Json) -> None:
    told, kept = live([HEAD, *events, Finished(0, reason), END], **fields)
    assert again(kept) == told


def test_it_goes_on_behind_any_number() -> None:
    told, kept = live(
        [HEAD, ReasoningDelta(0, "hm"), TextDelta(0, "Two words."), *call(0, "f", "{}"), Finished(0, "stop"), END]
    )
    for after in range(-1, len(told) - 1):
        assert again(kept, after) == told[after + 1 :]


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_whoever_has_heard_more_than_is_kept_is_told_the_end(status: str) -> None:
    """A cancelled response has lost what was said of it: its listener would wait for ever."""
    told, kept = live([HEAD, TextDelta(0, "Two words."), Finished(0, "stop"), END])
    error = {"code": "server_error", "message": "The server was stopped."} if status == "failed" else None
    [end] = again(kept | {"status": status, "error": error, "output": list[Json]()}, len(told) + 5)
    assert (end["sequence_number"], end["response"]["status"]) == (len(told) + 6, status)
    assert end["type"] == ("response.completed" if status == "completed" else "response.failed")


LOGPROBS: Json = {"include": ["message.output_text.logprobs"], "top_logprobs": 1}


def tokened(*tokens: str, text: str | None = None) -> TextDelta:
    entries = tuple({"token": token, "logprob": -1.0} for token in tokens)
    return TextDelta(0, "".join(tokens) if text is None else text, entries)


@pytest.mark.parametrize(
    "pieces",
    [
        [tokened("Hel"), tokened("lo"), tokened(" you")],
        [tokened("Hel", "lo"), tokened(" ", "you")],
        [tokened("Hel", "lo", " you")],
    ],
    ids=["one by one", "in pairs", "at once"],
)
def test_tokens_stay_apart_where_they_were_asked_for(pieces: list[Event]) -> None:
    told, kept = live([HEAD, *pieces, Finished(0, "stop"), END], **LOGPROBS)
    assert again(kept) == told
    told, kept = live([HEAD, *pieces, Finished(0, "stop"), END])
    assert again(kept) == told


def test_tokens_that_make_up_no_text_are_told_from_the_beginning_only() -> None:
    """Parts of a character, say: what stood behind which number isn't known any more."""
    pieces = [tokened("\ufffd", text=""), tokened("\ufffd", text="😀"), tokened(" Hi")]
    _, kept = live([HEAD, *pieces, Finished(0, "stop"), END], **LOGPROBS)
    deltas = [event for event in again(kept) if event["type"] == "response.output_text.delta"]
    assert "".join(event["delta"] for event in deltas) == "😀 Hi"
    assert [len(event["logprobs"]) for event in deltas] == [3]
    with pytest.raises(InvalidRequest, match="from the beginning") as caught:
        again(kept, 4)
    assert caught.value.param == "starting_after"


def test_what_an_error_ended_ends_by_it_again() -> None:
    kept: list[Json] = []
    form = ResponsesAnswer(asked(), KEY, 1000, kept.append)

    def events() -> Iterator[Event]:
        yield from (HEAD, *call(0, "f", "{}"), TextDelta(0, "Half of it"))
        raise UpstreamBroken("cut in the middle")

    frames: list[bytes] = []
    with pytest.raises(UpstreamBroken) as caught:
        frames.extend(form.frames(segmented(events()), lambda: "told"))
    told = events_of(b"".join([*frames, form.failure(caught.value)]))
    repeated = again(orjson.loads(orjson.dumps(kept[-1])))
    assert [event["type"] for event in repeated] == [event["type"] for event in told]
    assert repeated[-1] == told[-1]
    assert (repeated[-2]["code"], repeated[-2]["message"]) == ("server_error", told[-2]["message"])
    assert [problem for event in repeated for problem in event_problems(event)] == []


def test_one_that_was_cancelled_ends() -> None:
    response = live([HEAD, Finished(0, "stop"), END])[1]
    response |= {"status": "cancelled", "output": list[Json]()}
    assert [event["type"] for event in again(response)[2:]] == ["error", "response.failed"]
    assert again(response)[-1]["response"]["status"] == "cancelled"
    assert again(response)[-2]["code"] == "cancelled"


def test_what_goes_wrong_meanwhile_has_the_next_number() -> None:
    replay = Replay()
    told = events_of(b"".join([*replay.opening(live([HEAD, Finished(0, "stop"), END])[1])]))
    [error] = events_of(replay.failure(UpstreamBroken("gone")))
    assert (error["type"], error["sequence_number"], error["message"]) == ("error", len(told), "gone")
