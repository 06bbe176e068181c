"""A client builds its items from events alone: each kind of item has events of its own, whose fields, order, ids and
statuses must lead to the very item that the response has, however the answer ends."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from emulator.protocols.responses_items import sealed
from emulator.protocols.responses_output import Output, Wire
from tests.protocols.responses_cases import FORMAT, KEY, TOOLS, Json, asked, message

SEARCH: Json = {"type": "tool_search", "execution": "client", "description": "Finds.", "parameters": {"type": "object"}}
SUMMARY: Json = {"reasoning": {"summary": "auto"}}
SEALED: Json = {"include": ["reasoning.encrypted_content"]}
ADDED, DONE = "response.output_item.added", "response.output_item.done"


def made(**fields: Any) -> Output:
    return Output(asked(**{"tools": [*TOOLS, SEARCH]} | fields), KEY)


def told(output: Output, events: Iterable[Event]) -> list[Wire]:
    return [wire for event in events for wire in output.add(event)]


def call(name: str, *fragments: str, index: int = 0) -> list[Event]:
    return [CallStarted(0, index, f"call_{index}", name), *(ArgumentsDelta(0, index, part) for part in fragments)]


def part(words: str) -> Json:
    return {"type": "output_text", "text": words, "annotations": [], "logprobs": []}


def refusal(words: str) -> Json:
    return {"type": "refusal", "refusal": words}


def thought(words: str, kind: str = "reasoning_text") -> Json:
    return {"type": kind, "text": words}


def item(prefix: str, kind: str, **fields: Any) -> Json:
    """The item as it is announced."""
    return {"id": f"{prefix}_{KEY}0", "type": kind, "status": "in_progress"} | fields


WORDS = item("msg", "message", role="assistant", content=[])
THOUGHT = item("rs", "reasoning", summary=[])
CALL = item("fc", "function_call", call_id="call_0", name="f", arguments="")
INNER = CALL | {"name": "g", "namespace": "crm"}
CUSTOM = item("ctc", "custom_tool_call", call_id="call_0", name="shout", input="")
FOUND = item("tsc", "tool_search_call", call_id="call_0", execution="client", arguments={})


@dataclass(frozen=True)
class Kind:
    """A kind of item: what is said; the item as it is announced; the other events, each with what only it has; and what
    the item has in the end.  ``fields`` are the request's."""

    name: str
    said: list[Event]
    opened: Json
    between: list[tuple[str, Json]]
    ended: Json
    fields: Json = field(default_factory=dict[str, Any])

    def item(self, status: str) -> Json:
        """The item in the end; a call has left whole before anything could end it."""
        is_call = self.opened["type"] not in ("message", "reasoning")
        return self.opened | self.ended | {"status": "completed" if is_call else status}

    def story(self, status: str) -> list[list[Any]]:
        """All events of it."""
        at = {"item_id": self.opened["id"], "output_index": 0}
        return [
            [ADDED, {"output_index": 0, "item": self.opened}],
            *([f"response.{kind}", at | fields] for kind, fields in self.between),
            [DONE, {"output_index": 0, "item": self.item(status)}],
        ]


KINDS: list[Kind] = [
    Kind(
        "words",
        [TextDelta(0, "Hel"), TextDelta(0, "lo")],
        WORDS,
        [
            ("content_part.added", {"content_index": 0, "part": part("")}),
            ("output_text.delta", {"content_index": 0, "delta": "Hel", "logprobs": []}),
            ("output_text.delta", {"content_index": 0, "delta": "lo", "logprobs": []}),
            ("output_text.done", {"content_index": 0, "text": "Hello", "logprobs": []}),
            ("content_part.done", {"content_index": 0, "part": part("Hello")}),
        ],
        {"content": [part("Hello")]},
    ),
    Kind(
        "a refusal",
        [RefusalDelta(0, "I "), RefusalDelta(0, "won't.")],
        WORDS,
        [
            ("content_part.added", {"content_index": 0, "part": refusal("")}),
            ("refusal.delta", {"content_index": 0, "delta": "I "}),
            ("refusal.delta", {"content_index": 0, "delta": "won't."}),
            ("refusal.done", {"content_index": 0, "refusal": "I won't."}),
            ("content_part.done", {"content_index": 0, "part": refusal("I won't.")}),
        ],
        {"content": [refusal("I won't.")]},
    ),
    Kind(
        "a thought",
        [ReasoningDelta(0, "h"), ReasoningDelta(0, "m")],
        THOUGHT,
        [
            ("content_part.added", {"content_index": 0, "part": thought("")}),
            ("reasoning_text.delta", {"content_index": 0, "delta": "h"}),
            ("reasoning_text.delta", {"content_index": 0, "delta": "m"}),
            ("reasoning_text.done", {"content_index": 0, "text": "hm"}),
            ("content_part.done", {"content_index": 0, "part": thought("hm")}),
        ],
        {"content": [thought("hm")], "encrypted_content": sealed("hm")},
        SEALED,
    ),
    Kind(
        "a thought's summary",
        [ReasoningDelta(0, "hm")],
        THOUGHT,
        [
            ("reasoning_summary_part.added", {"summary_index": 0, "part": thought("", "summary_text")}),
            ("reasoning_summary_text.delta", {"summary_index": 0, "delta": "hm"}),
            ("reasoning_summary_text.done", {"summary_index": 0, "text": "hm"}),
            ("reasoning_summary_part.done", {"summary_index": 0, "part": thought("hm", "summary_text")}),
        ],
        {"summary": [thought("hm", "summary_text")]},
        SUMMARY,
    ),
    Kind(
        "a call",
        call("f", '{"a":', "1}"),
        CALL,
        [
            ("function_call_arguments.delta", {"delta": '{"a":'}),
            ("function_call_arguments.delta", {"delta": "1}"}),
            ("function_call_arguments.done", {"name": "f", "arguments": '{"a":1}'}),
        ],
        {"arguments": '{"a":1}'},
    ),
    Kind(
        "a call in a namespace",
        call("crm__g", "{}"),
        INNER,
        [
            ("function_call_arguments.delta", {"delta": "{}"}),
            ("function_call_arguments.done", {"name": "g", "arguments": "{}"}),
        ],
        {"arguments": "{}"},
    ),
    Kind(
        "a custom tool's call",
        call("shout", '{"input":"x\\', "n" + "y" * 1024 + '"}'),
        CUSTOM,
        [
            ("custom_tool_call_input.delta", {"delta": "x"}),
            ("custom_tool_call_input.delta", {"delta": "\n" + "y" * 1024}),
            ("custom_tool_call_input.done", {"input": "x\n" + "y" * 1024}),
        ],
        {"input": "x\n" + "y" * 1024},
    ),
    Kind(
        "a custom tool's call with nothing",
        call("shout", '{"input":""}'),
        CUSTOM,
        [("custom_tool_call_input.done", {"input": ""})],
        {"input": ""},
    ),
    Kind("a search", call("tool_search", '{"n":', "1}"), FOUND, [], {"arguments": {"n": 1}}),
]
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def plain(value: Any) -> Any:
    """As a client has it: arguments that are passed on as they are can only be looked at this way."""
    return orjson.loads(orjson.dumps(value))


@kinds
@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
    ],
)
def test_an_item_and_the_answers_end(kind: Kind, reason: str, status: str, why: str | None) -> None:
    output = made(**kind.fields)
    assert plain(told(output, [*kind.said, Finished(0, reason)])) == kind.story(status)
    assert (plain(output.items), output.incomplete) == ([kind.item(status)], why)


@kinds
def test_an_item_that_an_error_ends(kind: Kind) -> None:
    output = made(**kind.fields)
    assert plain([*told(output, kind.said), *output.close("incomplete")]) == kind.story("incomplete")
    assert (plain(output.items), output.incomplete) == ([kind.item("incomplete")], None)
    assert list(output.close("incomplete")) == []


@kinds
def test_an_item_is_over_before_the_next_begins(kind: Kind) -> None:
    """Whatever follows, whole it stays: only the last item can be cut short."""
    output = made(**kind.fields)
    follower: list[Event] = call("f", "{}", index=1) if kind.opened["type"] == "message" else [TextDelta(0, "So.")]
    wires = plain(told(output, [*kind.said, *follower, Finished(0, "length")]))
    story = kind.story("completed")
    assert wires[: len(story)] == story
    next_type, fields = wires[len(story)]
    assert (next_type, fields["output_index"]) == (ADDED, 1)


def test_nothing_said_is_no_item() -> None:
    output = made()
    silent: list[Event] = [Head({"id": "x"}), OtherFields(0, {"annotations": []}), Finished(0, "stop"), UsageTotal({})]
    assert (told(output, silent), list(output.close()), output.items) == ([], [], [])


def test_a_search_keeps_the_spelling_of_its_arguments() -> None:
    output = made()
    told(output, [*call("tool_search", '{"n":123456789012345678901,', '"x":1.0}'), Finished(0, "tool_calls")])
    assert b'"arguments":{"n":123456789012345678901,"x":1.0}' in orjson.dumps(output.items)


def test_a_search_without_arguments_has_none() -> None:
    output = made()
    told(output, [*call("tool_search"), Finished(0, "tool_calls")])
    assert output.items[0]["arguments"] == {}


def test_a_function_of_that_name_is_no_search() -> None:
    output = made(tools=[{"type": "function", "name": "tool_search"}])
    told(output, [*call("tool_search", "{}"), Finished(0, "tool_calls")])
    assert output.items[0]["type"] == "function_call"


HELD: list[tuple[str, list[Event], list[tuple[str, str | None]]]] = [
    ("an answer", [TextDelta(0, "{"), TextDelta(0, "}")], [("{}", None)]),
    ("words before a call", [TextDelta(0, "So."), *call("f", "{}")], [("So.", "commentary"), ("", None)]),
    ("words behind a call", [*call("f", "{}"), TextDelta(0, "So.")], [("", None), ("So.", "commentary")]),
    (
        "a thought between",
        [TextDelta(0, "{"), ReasoningDelta(0, "hm"), TextDelta(0, "}")],
        [("{", None), ("", None), ("}", None)],
    ),
    ("a refusal behind", [TextDelta(0, "So."), RefusalDelta(0, "No.")], [("So.", None), ("", None)]),
]


@pytest.mark.parametrize(("said", "expected"), [row[1:] for row in HELD], ids=[row[0] for row in HELD])
def test_words_in_a_format_wait_until_it_is_known_what_they_are(
    said: list[Event], expected: list[tuple[str, str | None]]
) -> None:
    """``phase`` is told when a message is announced, or too late."""
    output = made(text=FORMAT)
    words = list(itertools.takewhile(lambda event: isinstance(event, TextDelta), said))
    assert told(output, words) == []
    wires = told(output, [*said[len(words) :], Finished(0, "stop")])
    assert [fields["item"].get("phase") for kind, fields in wires if kind == ADDED] == [phase for _, phase in expected]
    texts = [
        "".join(part.get("text", "") for part in item.get("content", []) if item["type"] == "message")
        for item in output.items
    ]
    assert texts == [text for text, _ in expected]


turns = st.lists(
    st.one_of(
        st.sampled_from(["a", " b", "ü\n"]).map(lambda words: [TextDelta(0, words)]),
        st.just([ReasoningDelta(0, "hm")]),
        st.just([RefusalDelta(0, "No.")]),
        st.sampled_from(
            [("f", '{"a":1}'), ("crm__g", "{}"), ("shout", '{"input":"x"}'), ("tool_search", '{"q":"y"}')]
        ).map(lambda made: call(made[0], made[1][:2], made[1][2:])),
    ),
    max_size=8,
).map(lambda said: [event for events in said for event in events])
requests = st.sampled_from([{}, SUMMARY | SEALED, {"text": FORMAT}])


@given(said=turns, fields=requests, reason=st.sampled_from(["stop", "length", None]))
def test_whatever_is_said_each_item_is_announced_filled_and_finished(
    said: list[Event], fields: Json, reason: str | None
) -> None:
    """``reason`` None: an error ends it."""
    output = made(**fields)
    ending = output.add(Finished(0, reason)) if reason else output.close("incomplete")
    # As they were when they were told: nothing may change later.
    frames = [orjson.dumps(wire) for event in said for wire in output.add(event)]
    frames += [orjson.dumps(wire) for wire in ending]
    wires: list[tuple[str, Json]] = [tuple(orjson.loads(frame)) for frame in frames]
    items = plain(output.items)
    indexes = [fields["output_index"] for _, fields in wires]
    assert indexes == sorted(indexes)
    assert [item["id"].partition("_")[2] for item in items] == [f"{KEY}{index:x}" for index in range(len(items))]
    for index, item in enumerate(items):
        story = [(kind, fields) for kind, fields in wires if fields["output_index"] == index]
        assert [kind for kind, _ in story].count(ADDED) == [kind for kind, _ in story].count(DONE) == 1
        (first, opened), *middle, (last, done) = story
        assert (first, last, done["item"]) == (ADDED, DONE, item)
        assert (opened["item"]["id"], opened["item"]["status"]) == (item["id"], "in_progress")
        assert {fields["item_id"] for _, fields in middle} <= {item["id"]}
        pieces = "".join(fields["delta"] for kind, fields in middle if kind.endswith(".delta"))
        assert pieces == said_by(item)
    assert [item["status"] for item in items[:-1]] == ["completed"] * len(items[:-1])


def said_by(item: Json) -> str:
    """What the pieces of an item come to."""
    match item["type"]:
        case "message" | "reasoning":
            [only] = item.get("content") or item["summary"]
            return only.get("text") or only.get("refusal")
        case "function_call":
            return item["arguments"]
        case "custom_tool_call":
            return item["input"]
        case _:
            return ""


def test_the_ids_are_hexadecimal() -> None:
    output = made()
    told(output, [event for index in range(17) for event in call("f", "{}", index=index)])
    assert [item["id"] for item in output.items[9:]] == [f"fc_{KEY}{place}" for place in "9 a b c d e f 10".split()]


def test_neighbours_of_a_kind() -> None:
    """Words that follow words are one message; calls are always items of their own."""
    output = made()
    said: list[Event] = [
        TextDelta(0, "A"),
        TextDelta(0, "B"),
        *call("f", "{}"),
        *call("f", "{}", index=1),
        TextDelta(0, "C"),
    ]
    told(output, [*said, Finished(0, "stop")])
    assert [item["type"] for item in output.items] == ["message", "function_call", "function_call", "message"]
    assert (output.items[0], output.items[3]) == (message(0, "AB"), message(3, "C"))


CITED: Json = {"start_index": 0, "end_index": 5, "url": "https://x.example", "title": "X"}


def beside(*annotations: object) -> OtherFields:
    return OtherFields(0, {"annotations": list(annotations)})


@pytest.mark.parametrize(
    "events",
    [
        [beside({"type": "url_citation", "url_citation": CITED}), TextDelta(0, "Hello")],
        [TextDelta(0, "Hel"), beside({"type": "url_citation", "url_citation": CITED}), TextDelta(0, "lo")],
        [
            TextDelta(0, "Hello"),
            beside({"url_citation": CITED | {"more": 1}}, 7, {"type": "file"}, {"url_citation": {}}),
        ],
    ],
    ids=["in front", "within", "behind, with others"],
)
@pytest.mark.parametrize("fields", [{}, {"text": FORMAT}], ids=["words", "a format"])
def test_citations_belong_to_the_words_beside_which_they_stand(events: list[Event], fields: Json) -> None:
    output = made(**fields)
    wires = told(output, [*events, *call("f", "{}"), Finished(0, "stop")])
    [words, _] = output.items
    citation = {"type": "url_citation"} | CITED
    assert words["content"] == [part("Hello") | {"annotations": [citation]}]
    place = [kind for kind, _ in wires].index("response.output_text.annotation.added")
    assert wires[place][1]["annotation"] == citation and wires[place][1]["annotation_index"] == 0
    assert wires[place + 1][0] == "response.output_text.done"


def test_citations_behind_a_call_are_of_words_that_were_told() -> None:
    """And not of those that follow, whose places they aren't."""
    output = made()
    cited = beside({"type": "url_citation", "url_citation": CITED})
    told(output, [TextDelta(0, "Hello"), *call("f", "{}"), cited, TextDelta(0, "More."), Finished(0, "stop")])
    assert [item["content"][0]["annotations"] for item in output.items if item["type"] == "message"] == [[], []]


@pytest.mark.parametrize("nothing", [None, {}, "x", [None], [{"url_citation": CITED | {"end_index": "5"}}]])
def test_citations_that_are_none(nothing: object) -> None:
    output = made()
    told(output, [TextDelta(0, "Hello"), OtherFields(0, {"annotations": nothing}), Finished(0, "stop")])
    assert output.items[0]["content"] == [part("Hello")]
