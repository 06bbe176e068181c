"""A Responses stream ends in one of four ways, and its end must be the plain answer: whatever was said before, a client
has to know what it has, and find it again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from emulator.errors import EmulatorError, InvalidRequest, UpstreamBroken, UpstreamRefused
from emulator.events import ArgumentsDelta, CallStarted, Event, Finished, ReasoningDelta, RefusalDelta, TextDelta
from emulator.protocols.responses_answer import ResponsesAnswer
from tests.protocols.openai_events import event_problems, events_of
from tests.protocols.responses_cases import END, FORMAT, HEAD, KEY, Json, asked, message, streamed, whole

_STREAM_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


@pytest.mark.parametrize(("reason", "why"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_answers_that_are_not_whole(reason: str, why: str) -> None:
    last = streamed([HEAD, TextDelta(0, "Hel"), Finished(0, reason), END])[-1]
    assert (last["type"], last["response"]["status"]) == ("response.incomplete", "incomplete")
    assert last["response"]["incomplete_details"] == {"reason": why}
    assert last["response"]["output"] == [message(0, "Hel", status="incomplete")]


ERRORS: list[tuple[EmulatorError, str]] = [
    (UpstreamBroken("cut"), "server_error"),
    (InvalidRequest("wrong", param="input"), "invalid_prompt"),
    (UpstreamRefused("wait", status=429, type="requests"), "rate_limit_exceeded"),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=str)
def test_an_error_in_the_middle(error: EmulatorError, code: str) -> None:
    kept: list[Json] = []
    form = ResponsesAnswer(asked(), KEY, 1000, kept.append)

    def broken() -> Any:
        yield from (HEAD, TextDelta(0, "Hel"))
        raise error

    frames: list[bytes] = []
    with pytest.raises(EmulatorError):
        frames.extend(form.frames(broken(), lambda: "told"))
    events = events_of(b"".join([*frames, form.failure(error)]))
    assert [problem for event in events for problem in event_problems(event)] == []
    told_error, failed = events[-2:]
    assert told_error == {
        "type": "error",
        "sequence_number": failed["sequence_number"] - 1,
        "code": error.code,
        "message": error.message,
        "param": error.param,
    }
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")
    assert failed["response"]["error"] == {"code": code, "message": error.message}
    assert kept == [failed["response"]]
    assert failed["response"]["output"] == [message(0, "Hel", status="incomplete")]


CUT: list[list[Event]] = [
    [CallStarted(0, 0, "call_0", "f"), ArgumentsDelta(0, 0, '{"a":1}')],
    [CallStarted(0, 0, "call_0", "shout"), ArgumentsDelta(0, 0, '{"input":"x"}')],
    [TextDelta(0, "So"), CallStarted(0, 0, "call_0", "crm__g"), ArgumentsDelta(0, 0, "{}")],
    [ReasoningDelta(0, "hm")],
    [RefusalDelta(0, "No")],
]


@pytest.mark.parametrize("said", CUT, ids=str)
def test_what_an_error_ends_is_what_was_streamed(said: list[Event]) -> None:
    """A call that has left has left whole, and is found so, in the stream and in what is kept."""
    error = UpstreamBroken("cut")

    def cut() -> Iterator[Event]:
        yield from [HEAD, *said]
        raise error

    form = ResponsesAnswer(asked(), KEY, 1000)
    frames: list[bytes] = []
    with pytest.raises(UpstreamBroken):
        frames.extend(form.frames(cut(), lambda: "told"))
    events = events_of(b"".join([*frames, form.failure(error)]))
    assert [problem for event in events for problem in event_problems(event)] == []
    output = events[-1]["response"]["output"]
    assert [event["item"] for event in events if event["type"] == "response.output_item.done"] == output
    calls = [item for item in output if "call_id" in item]
    assert all(item["status"] == "completed" and (item.get("arguments") or item["input"]) for item in calls)
    unheard = ResponsesAnswer(asked(), KEY, 1000)
    with pytest.raises(UpstreamBroken):
        unheard.whole(cut())
    assert events_of(unheard.failure(error))[-1]["response"]["output"] == output


def test_an_error_before_anything_was_said_is_a_stream_too() -> None:
    events = events_of(ResponsesAnswer(asked(), KEY, 1000).failure(UpstreamBroken("cut")))
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "error",
        "response.failed",
    ]


def test_it_is_kept_before_the_client_hears_of_it() -> None:
    """Who has read the last event may go on from this response at once."""
    kept: list[Json] = []
    frames = ResponsesAnswer(asked(), KEY, 1000, kept.append).frames(
        [HEAD, TextDelta(0, "A"), Finished(0, "stop"), END], lambda: "told"
    )
    for frame in frames:
        assert (b"response.completed" in frame) == bool(kept)
    assert kept[0]["status"] == "completed"


def test_the_comment_stands_before_the_last_event() -> None:
    last = list(
        ResponsesAnswer(asked(), KEY, 1000).frames([HEAD, TextDelta(0, "A"), Finished(0, "stop"), END], lambda: "told")
    )[-1]
    assert last.startswith(b": told\n\nevent: response.completed\n")


def turns(dice: random.Random) -> list[Event]:
    """Anything that a turn may say."""
    events: list[Event] = [HEAD]
    calls = 0
    for _ in range(dice.randrange(8)):
        match dice.randrange(4):
            case 0:
                events += [TextDelta(0, dice.choice(["a", " b", "\n", "ü"])) for _ in range(dice.randrange(1, 4))]
            case 1:
                events += [ReasoningDelta(0, "hm") for _ in range(dice.randrange(1, 3))]
            case 2:
                events += [RefusalDelta(0, "No.") for _ in range(dice.randrange(1, 3))]
            case _:
                name, arguments = dice.choice([("f", '{"a":1}'), ("crm__g", "{}"), ("shout", '{"input":"x"}')])
                cut = dice.randrange(len(arguments))
                events += [CallStarted(0, calls, f"call_{calls}", name)]
                events += [ArgumentsDelta(0, calls, piece) for piece in (arguments[:cut], arguments[cut:]) if piece]
                calls += 1
    return [*events, Finished(0, dice.choice(["stop", "length"])), END]


@pytest.mark.parametrize("fields", [{}, {"text": FORMAT}, {"reasoning": {"summary": "auto"}}], ids=str)
def test_whatever_is_said_the_stream_comes_to_the_plain_answer(fields: Json) -> None:
    """The SDK's own accumulator is the judge of the order of events."""
    dice = random.Random(3)
    for _ in range(60):
        events = turns(dice)
        found = streamed(events, **fields)
        assert found[-1]["response"] == whole(events, **fields)
        state = ResponseStreamState[None](input_tools=omit, text_format=omit)
        for event in found:
            state.handle_event(_STREAM_EVENT.validate_python(event))
        done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
        assert done == found[-1]["response"]["output"]
