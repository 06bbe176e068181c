"""Clients fold a Responses stream event by event and stop at what is out of order; each item must be told in OpenAI's
order and words, and stand in the response as it was told."""

from __future__ import annotations

import orjson
import pytest

from emulator.events import ArgumentsDelta, CallStarted, Event, Finished, Head, ReasoningDelta, RefusalDelta, TextDelta
from emulator.protocols.responses_answer import responses_usage
from emulator.protocols.responses_items import unsealed
from tests.protocols.responses_cases import END, FORMAT, HEAD, KEY, USAGE, Json, asked, message, streamed, whole

PROBABLE: Json = {"token": "é", "logprob": -0.5, "top_logprobs": [{"token": "e", "logprob": -1, "bytes": [101]}]}


def told(event: Json) -> str:
    """An event in a word or two."""
    kind = event["type"].removeprefix("response.")
    if "response" in event:
        return f"{kind} {event['response']['status']}"
    where = event.get("output_index")
    match kind:
        case "output_item.added" | "output_item.done":
            return f"{where} {kind} {event['item']['type']} {event['item']['status']}"
        case (
            "content_part.added" | "content_part.done" | "reasoning_summary_part.added" | "reasoning_summary_part.done"
        ):
            return f"{where} {kind} {event['part']}"
        case _:
            said = next(event[key] for key in ("delta", "text", "refusal", "arguments", "input") if key in event)
            return f"{where} {kind} {said!r}"


def part(text: str) -> str:
    return str({"type": "output_text", "text": text, "annotations": [], "logprobs": []})


def test_words() -> None:
    events = streamed([HEAD, TextDelta(0, "Hel"), TextDelta(0, "lo"), Finished(0, "stop"), END])
    assert [told(event) for event in events] == [
        "created in_progress",
        "in_progress in_progress",
        "0 output_item.added message in_progress",
        f"0 content_part.added {part('')}",
        "0 output_text.delta 'Hel'",
        "0 output_text.delta 'lo'",
        "0 output_text.done 'Hello'",
        f"0 content_part.done {part('Hello')}",
        "0 output_item.done message completed",
        "completed completed",
    ]
    assert {event["item_id"] for event in events if "item_id" in event} == {f"msg_{KEY}0"}


MIXED: list[Event] = [
    HEAD,
    ReasoningDelta(0, "h"),
    ReasoningDelta(0, "m"),
    TextDelta(0, "One."),
    CallStarted(0, 0, "call_1", "f"),
    ArgumentsDelta(0, 0, '{"a":'),
    ArgumentsDelta(0, 0, "1}"),
    TextDelta(0, "Two."),
    CallStarted(0, 1, "call_2", "shout"),
    ArgumentsDelta(0, 1, '{"input":"x\\n'),
    ArgumentsDelta(0, 1, '\\"y\\""}'),
    CallStarted(0, 2, "call_3", "crm__g"),
    ArgumentsDelta(0, 2, "{}"),
    Finished(0, "tool_calls"),
    END,
]


def test_thoughts_words_and_calls_each_have_their_item() -> None:
    thought = {"type": "reasoning_text", "text": "hm"}
    assert [told(event) for event in streamed(MIXED)][2:-1] == [
        "0 output_item.added reasoning in_progress",
        f"0 content_part.added {thought | {'text': ''}}",
        "0 reasoning_text.delta 'h'",
        "0 reasoning_text.delta 'm'",
        "0 reasoning_text.done 'hm'",
        f"0 content_part.done {thought}",
        "0 output_item.done reasoning completed",
        "1 output_item.added message in_progress",
        f"1 content_part.added {part('')}",
        "1 output_text.delta 'One.'",
        "1 output_text.done 'One.'",
        f"1 content_part.done {part('One.')}",
        "1 output_item.done message completed",
        "2 output_item.added function_call in_progress",
        "2 function_call_arguments.delta '{\"a\":'",
        "2 function_call_arguments.delta '1}'",
        "2 function_call_arguments.done '{\"a\":1}'",
        "2 output_item.done function_call completed",
        "3 output_item.added message in_progress",
        f"3 content_part.added {part('')}",
        "3 output_text.delta 'Two.'",
        "3 output_text.done 'Two.'",
        f"3 content_part.done {part('Two.')}",
        "3 output_item.done message completed",
        "4 output_item.added custom_tool_call in_progress",
        "4 custom_tool_call_input.delta 'x\\n'",
        "4 custom_tool_call_input.delta '\"y\"'",
        "4 custom_tool_call_input.done 'x\\n\"y\"'",
        "4 output_item.done custom_tool_call completed",
        "5 output_item.added function_call in_progress",
        "5 function_call_arguments.delta '{}'",
        "5 function_call_arguments.done '{}'",
        "5 output_item.done function_call completed",
    ]


def test_the_whole_response() -> None:
    assert whole(MIXED) == {
        "id": f"resp_{KEY}",
        "object": "response",
        "created_at": 1000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "real-model",
        "output": [
            {
                "id": f"rs_{KEY}0",
                "type": "reasoning",
                "status": "completed",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "hm"}],
            },
            message(1, "One."),
            {
                "id": f"fc_{KEY}2",
                "type": "function_call",
                "status": "completed",
                "call_id": "call_1",
                "name": "f",
                "arguments": '{"a":1}',
            },
            message(3, "Two."),
            {
                "id": f"ctc_{KEY}4",
                "type": "custom_tool_call",
                "status": "completed",
                "call_id": "call_2",
                "name": "shout",
                "input": 'x\n"y"',
            },
            {
                "id": f"fc_{KEY}5",
                "type": "function_call",
                "status": "completed",
                "call_id": "call_3",
                "name": "g",
                "namespace": "crm",
                "arguments": "{}",
            },
        ],
        "usage": {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 15,
        },
        **(asked().echo | {"service_tier": "default"}),
    }


def test_a_summary_is_shown_where_one_was_asked_for() -> None:
    events: list[Event] = [HEAD, ReasoningDelta(0, "hm"), TextDelta(0, "A"), Finished(0, "stop"), END]
    found = streamed(events, reasoning={"summary": "auto"}, include=["reasoning.encrypted_content"])
    summary = {"type": "summary_text", "text": "hm"}
    assert [told(event) for event in found][2:8] == [
        "0 output_item.added reasoning in_progress",
        f"0 reasoning_summary_part.added {summary | {'text': ''}}",
        "0 reasoning_summary_text.delta 'hm'",
        "0 reasoning_summary_text.done 'hm'",
        f"0 reasoning_summary_part.done {summary}",
        "0 output_item.done reasoning completed",
    ]
    item = found[-1]["response"]["output"][0]
    assert item["summary"] == [summary] and "content" not in item
    assert unsealed(item["encrypted_content"]) == "hm"


def test_a_refusal_is_told_from_other_words() -> None:
    events: list[Event] = [
        HEAD,
        TextDelta(0, "Well."),
        RefusalDelta(0, "I "),
        RefusalDelta(0, "won't."),
        Finished(0, "stop"),
        END,
    ]
    refusal = {"type": "refusal", "refusal": "I won't."}
    found = streamed(events)
    assert [told(event) for event in found][8:-1] == [
        "1 output_item.added message in_progress",
        f"1 content_part.added {refusal | {'refusal': ''}}",
        "1 refusal.delta 'I '",
        '1 refusal.delta "won\'t."',
        '1 refusal.done "I won\'t."',
        f"1 content_part.done {refusal}",
        "1 output_item.done message completed",
    ]
    assert found[-1]["response"]["output"][1]["content"] == [refusal]


def test_words_beside_calls_are_no_answer_in_a_format() -> None:
    """The SDK parses what isn't said to be commentary, and raises where it is no JSON."""
    events: list[Event] = [
        HEAD,
        TextDelta(0, "Let me "),
        TextDelta(0, "look."),
        CallStarted(0, 0, "call_1", "f"),
        ArgumentsDelta(0, 0, "{}"),
        TextDelta(0, "And now?"),
        Finished(0, "tool_calls"),
        END,
    ]
    found = streamed(events, text=FORMAT)
    assert [event["item"].get("phase") for event in found if event["type"] == "response.output_item.added"] == [
        "commentary",
        None,
        "commentary",
    ]
    answer: list[Event] = [HEAD, TextDelta(0, '{"a"'), TextDelta(0, ":1}"), Finished(0, "stop"), END]
    assert whole(answer, text=FORMAT)["output"] == [message(0, '{"a":1}')]


def test_logprobs_where_they_are_wanted() -> None:
    events: list[Event] = [HEAD, TextDelta(0, "é", (PROBABLE,)), Finished(0, "stop"), END]
    wanted = [
        {
            "token": "é",
            "logprob": -0.5,
            "bytes": [195, 169],
            "top_logprobs": [{"token": "e", "logprob": -1, "bytes": [101]}],
        }
    ]
    found = streamed(events, include=["message.output_text.logprobs"], top_logprobs=1)
    assert [event["logprobs"] for event in found if "logprobs" in event] == [wanted, wanted]
    assert found[-1]["response"]["output"][0]["content"][0]["logprobs"] == wanted
    assert all(not event["logprobs"] for event in streamed(events) if "logprobs" in event)


ODD: list[Json] = [
    {"token": "a", "logprob": -1, "top_logprobs": 5},
    {
        "token": "a",
        "logprob": -1,
        "top_logprobs": [5, None, {"token": "b", "logprob": "x"}, {"token": 3, "logprob": 0}],
    },
    {"token": "a", "logprob": -1, "bytes": ["x"]},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_of_odd_logprobs_what_makes_sense_is_told(odd: Json) -> None:
    """Model servers send what they like."""
    none: list[Json] = [
        {"token": "a"},
        {"token": "a", "logprob": None},
        {"logprob": -1},
        {"token": "a", "logprob": True},
    ]
    events: list[Event] = [HEAD, TextDelta(0, "a", (odd, *none)), Finished(0, "stop"), END]
    found = whole(events, include=["message.output_text.logprobs"])["output"][0]["content"][0]["logprobs"]
    assert found == [{"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": []}]
    streamed(events, include=["message.output_text.logprobs"])


@pytest.mark.parametrize("tier", [5, "weird", ["flex"], None])
def test_only_tiers_that_clients_know_are_told(tier: object) -> None:
    events: list[Event] = [Head({"service_tier": tier}), TextDelta(0, "A"), Finished(0, "stop"), END]
    assert whole(events)["service_tier"] == "default"
    assert whole(events, service_tier="flex")["service_tier"] == "flex"


def test_an_input_comes_in_the_pieces_of_its_arguments() -> None:
    arguments = orjson.dumps({"input": "x" * 25}).decode()
    events: list[Event] = [
        HEAD,
        CallStarted(0, 0, "c", "shout"),
        *(ArgumentsDelta(0, 0, arguments[at : at + 10]) for at in range(0, len(arguments), 10)),
        Finished(0, "tool_calls"),
        END,
    ]
    deltas = [event["delta"] for event in streamed(events) if event["type"] == "response.custom_tool_call_input.delta"]
    assert deltas == ["x" * 10, "x" * 10, "x" * 5]


def test_the_upstreams_model_and_tier_count() -> None:
    events: list[Event] = [
        Head({"model": "real", "service_tier": "priority"}),
        TextDelta(0, "A"),
        Finished(0, "stop"),
        END,
    ]
    assert [whole(events, service_tier="auto")[key] for key in ("model", "service_tier")] == ["real", "priority"]
    assert [whole([Head(), *events[1:]], service_tier="flex")[key] for key in ("model", "service_tier")] == [
        "m",
        "flex",
    ]


def test_usage_with_details() -> None:
    usage = responses_usage(
        USAGE
        | {
            "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": None},
            "completion_tokens_details": {"reasoning_tokens": 2},
        }
    )
    assert usage["input_tokens_details"] == {"cached_tokens": 3, "cache_write_tokens": 0}
    assert usage["output_tokens_details"] == {"reasoning_tokens": 2}
    assert responses_usage(USAGE | {"prompt_tokens_details": None})["input_tokens_details"]["cached_tokens"] == 0
