"""A history in blocks must become the same conversation as one in messages of OpenAI's, with nothing lost on the way."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import Message, PastCall, Result
from emulator.protocols.declared import ToolRules
from emulator.protocols.messages import parse_messages
from emulator.protocols.messages_blocks import parse_conversation

Json = dict[str, Any]


def text(said: str, **more: Any) -> Json:
    return {"type": "text", "text": said, **more}


def use(id: str, name: str = "f", **input: Any) -> Json:
    return {"type": "tool_use", "id": id, "name": name, "input": input}


def result(id: str, content: Any = "ok", **more: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def user(*content: Any) -> Json:
    return {"role": "user", "content": content[0] if len(content) == 1 else list(content)}


def assistant(*content: Any) -> Json:
    return user(*content) | {"role": "assistant"}


def conversation(*messages: Json, **body: Any) -> tuple[Message, ...]:
    return parse_conversation({"messages": list(messages)} | body)


PNG = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
IMAGE = {"type": "image", "source": PNG}
CALL = PastCall("a", "f", "{}")


def part(said: str) -> Json:
    return {"type": "text", "text": said}


SAID: list[tuple[str, list[Json], tuple[Message, ...]]] = [
    ("a string", [user("hi")], (Message("user", "hi"),)),
    ("a block", [user([text("hi", cache_control={"type": "ephemeral"})])], (Message("user", "hi"),)),
    ("blocks", [user(text("a"), text("b"))], (Message("user", "a\n\nb"),)),
    ("nothing in a block", [user(text(""), text("b"), text(" \n"))], (Message("user", "b"),)),
    ("nothing at all", [user("")], (Message("user", ""),)),
    ("neighbours", [user("a"), user([text("b")])], (Message("user", "a\n\nb"),)),
    ("turns", [user("a"), assistant("b"), user("c")], tuple(map(Message, ("user", "assistant", "user"), "abc"))),
    ("a beginning of the answer", [user("a"), assistant("b")], (Message("user", "a"), Message("assistant", "b"))),
    ("a system message on the way", [user("a"), user("s") | {"role": "system"}, user("b")], (
        Message("user", "a"), Message("system", "s"), Message("user", "b"),
    )),
    ("an image", [user(text("see"), IMAGE)], (Message("user", [part("see"), PART]),)),
    ("an image elsewhere", [user([{"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}])], (
        Message("user", [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]),
    )),
    ("a document", [user([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}}])], (
        Message("user", "d"),
    )),
    ("a titled document of blocks", [user([
        {"type": "document", "title": "T", "context": "C", "source": {"type": "content", "content": [text("d"), IMAGE]}}
    ])], (Message("user", [part("T\nC\n\nd"), PART]),)),
    ("a PDF", [user([{"type": "document", "source": PNG | {"media_type": "application/pdf"}, "title": "a.pdf"}])], (
        Message("user", [{
            "type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}
        }]),
    )),
    ("a search result", [user([{"type": "search_result", "title": "T", "source": "s", "content": [text("x")]}])], (
        Message("user", "T\ns\n\nx"),
    )),
    ("thoughts", [
        user("a"),
        assistant({"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "x"}, text("b")),
    ], (Message("user", "a"), Message("assistant", "b", {"reasoning_content": "hm"}))),
    ("what other servers did", [
        user("a"),
        assistant(
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
            text("b"),
        ),
    ], (Message("user", "a"), Message("assistant", "b"))),
]  # fmt: skip


@pytest.mark.parametrize(("messages", "expected"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_what_was_said(messages: list[Json], expected: tuple[Message, ...]) -> None:
    assert conversation(*messages) == expected


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        ("Be brief.", (Message("system", "Be brief."),)),
        ([text("a", cache_control={"type": "ephemeral"}), text("b")], (Message("system", "a\n\nb"),)),
    ],
)
def test_the_system_text_comes_first(system: Any, expected: tuple[Message, ...]) -> None:
    assert conversation(user("hi"), system=system) == (*expected, Message("user", "hi"))


RESULTS: list[tuple[str, list[Json], Result]] = [
    ("a string", [result("a", "20")], Result("a", "20")),
    ("nothing", [{"type": "tool_result", "tool_use_id": "a"}], Result("a", "")),
    ("no blocks", [result("a", [])], Result("a", "")),
    ("a block", [result("a", [text("20")])], Result("a", "20")),
    ("blocks", [result("a", [text("x"), text("y")])], Result("a", [part("x"), part("y")])),
    ("an image", [result("a", [IMAGE])], Result("a", [PART])),
    ("an error", [result("a", "no such city", is_error=True)], Result("a", "no such city", error=True)),
    ("a found tool", [result("a", [{"type": "tool_reference", "tool_name": "g"}])], Result("a", "Tool found: g")),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), [row[1:] for row in RESULTS], ids=[row[0] for row in RESULTS])
def test_results(content: list[Json], expected: Result) -> None:
    said = conversation(user("q"), assistant([use("a")]), user(content))
    assert said == (Message("user", "q"), Message("assistant", None, {}, (CALL,), (expected,)))


def test_results_are_in_the_order_of_the_calls_and_words_come_behind_them() -> None:
    said = conversation(
        user("q"),
        assistant(text("Look."), use("a", city="Rome"), use("b", "g")),
        user(result("b", "2"), result("a", "1"), text("Go on."), IMAGE),
        assistant("Done."),
    )
    calls = (PastCall("a", "f", '{"city":"Rome"}'), PastCall("b", "g", "{}"))
    assert said == (
        Message("user", "q"),
        Message("assistant", "Look.", {}, calls, (Result("a", "1"), Result("b", "2"))),
        Message("user", [part("Go on."), PART]),
        Message("assistant", "Done."),
    )


def test_results_may_come_in_several_messages_as_may_calls() -> None:
    said = conversation(
        user("q"), assistant([use("a")]), assistant([use("b", "f")]), user([result("a")]), user([result("b")])
    )
    [_, turn] = said
    assert [call.id for call in turn.calls] == [found.id for found in turn.results] == ["a", "b"]


def test_arguments_keep_numbers_of_any_size() -> None:
    raw = b"""{"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "q"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f",
            "input": {"n": 123456789012345678901234567890, "m": 2.50}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]}]}"""
    [_, turn] = parse_messages(raw, ToolRules()).messages
    assert json.loads(turn.calls[0].arguments) == {"n": 123456789012345678901234567890, "m": 2.5}


WRONG: list[tuple[list[Any], str]] = [
    (["x"], "messages.0"),
    ([{}], "messages.0.role"),
    ([{"role": "tool", "content": "x"}], "messages.0.role"),
    ([{"role": "user"}], "messages.0.content"),
    ([user("s") | {"role": "system"}], "messages"),
    ([user(3)], "messages.0.content"),
    ([user(["x"])], "messages.0.content.0"),
    ([user([{}])], "messages.0.content.0.type"),
    ([user([{"type": "text"}])], "messages.0.content.0.text"),
    ([user([text("x"), {"type": "audio"}])], "messages.0.content.1"),
    ([user([use("a")])], "messages.0.content.0"),
    ([user([{"type": "image", "source": {"type": "file", "file_id": "f"}}])], "messages.0.content.0.source"),
    ([user([{"type": "image", "source": {"type": "base64", "data": "x"}}])], "messages.0.content.0.source.media_type"),
    ([user([{"type": "document", "source": {"type": "url", "url": "u"}}])], "messages.0.content.0.source"),
    ([user("q"), assistant([{"type": "tool_use", "name": "f", "input": {}}])], "messages.1.content.0.id"),
    ([user("q"), assistant([use("a") | {"input": "x"}])], "messages.1.content.0.input"),
    ([user("q"), assistant([result("a")])], "messages.1.content.0"),
    ([user("q"), user([IMAGE]) | {"role": "system"}], "messages.1.content.0"),
    ([user("q"), assistant([use("a")]), user([{"type": "tool_result"}])], "messages.2.content.0.tool_use_id"),
    ([user("q"), assistant([use("a")]), user([result("a", [{"type": "x"}])])], "messages.2.content.0.content.0"),
]


@pytest.mark.parametrize(("messages", "path"), WRONG)
def test_what_is_wrong_is_named_by_its_path(messages: list[Any], path: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_conversation({"messages": messages})
    assert raised.value.param == path
    assert path in raised.value.message


UNANSWERED = (
    "`tool_use` ids were found without `tool_result` blocks immediately after: b. Each `tool_use` block must have a "
    "corresponding `tool_result` block in the next message."
)
UNASKED = (
    "unexpected `tool_use_id` found in `tool_result` blocks: a. Each `tool_result` block must have a corresponding "
    "`tool_use` block in the previous message."
)
TWICE = "each tool_use must have a single result. Found multiple `tool_result` blocks with id: a"
PAIRS: list[tuple[str, list[Json], str, str]] = [
    (
        "a call without a result",
        [user("q"), user("r"), assistant([use("a"), use("b")]), user([result("a"), text("x")])],
        "messages.2",
        UNANSWERED,
    ),
    ("a call at the end", [user("q"), assistant([use("b")])], "messages.1", UNANSWERED),
    ("a result without a call", [user("q"), assistant("x"), user([text("y"), result("a")])], "messages.2.content.1", UNASKED),
    ("a result at the beginning", [user([result("a")])], "messages.0.content.0", UNASKED),
    ("a late result", [user("q"), assistant([use("b")]), user([result("b")]), assistant("x"), user([result("a")])], "messages.4.content.0", UNASKED),
    ("two results of one call", [user("q"), assistant([use("a")]), user([result("a"), result("a")])], "messages.2.content.1", TWICE),
    ("two calls of one id", [user("q"), assistant([use("a"), use("a")]), user([result("a")])], "messages.1.content.1", "`tool_use` ids must be unique"),
]  # fmt: skip


@pytest.mark.parametrize(("messages", "path", "words"), [row[1:] for row in PAIRS], ids=[row[0] for row in PAIRS])
def test_calls_and_results_that_are_no_pairs_get_anthropics_words(messages: list[Json], path: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        conversation(*messages)
    assert raised.value.message == f"{path}: {words}"


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["text", "tool_use", "user", "a", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("role content type text id name input source tool_use_id is_error data thinking".split()),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(ANY_JSON, max_size=4))
def test_whatever_comes_is_read_or_refused(messages: list[Any]) -> None:
    """Hostile bodies end in an error of the client's, never in one of ours."""
    try:
        parsed = parse_conversation(orjson.loads(orjson.dumps({"messages": messages})))
    except InvalidRequest as error:
        assert error.status == 400
    else:
        assert parsed
