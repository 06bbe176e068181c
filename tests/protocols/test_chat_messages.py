"""Programs go on by the results that stand beside their calls: each result must be found, and a history in which one is
missing, strange or malformed must be told so with its place, whatever client made it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InvalidRequest
from emulator.protocols.chat_messages import parse_messages
from emulator.protocols.conversation import Message, PastCall, Result

Json = dict[str, Any]

USER: Json = {"role": "user", "content": "hi"}
ASKED = Message("user", "hi", USER)
ORPHAN = "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
LEGACY_ORPHAN = ORPHAN.replace("'tool'", "'function'").replace("tool_calls", "function_call")
UNANSWERED = "These tool_call_ids of messages[{}] did not have response messages: {}."
LEGACY_UNANSWERED = "The call of 'f' in messages[0] did not have one."
NOT_ASSISTANT = "only messages with role 'assistant' make calls"


def call(identifier: str, name: str = "f", **function: Any) -> Json:
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": "{}"} | function}


def calls(*made: Any, **fields: Any) -> Json:
    return {"role": "assistant", "content": None, "tool_calls": list(made)} | fields


def result(identifier: str, content: Any = "ok", **fields: Any) -> Json:
    return {"role": "tool", "tool_call_id": identifier, "content": content} | fields


def legacy(**function: Any) -> Json:
    return {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"} | function}


FUNCTION_RESULT: Json = {"role": "function", "name": "f", "content": "ok"}


def read(*messages: Any) -> tuple[Message, ...]:
    return parse_messages({"messages": list(messages)})


CONTENTS: list[tuple[Json, Message]] = [
    (USER, ASKED),
    ({"role": "system", "content": ""}, Message("system", "", {"role": "system", "content": ""})),
    ({"role": "developer", "content": "D"}, Message("developer", "D", {"role": "developer", "content": "D"})),
    ({"role": "assistant", "content": None}, Message("assistant", None, {"role": "assistant"})),
    ({"role": "assistant"}, Message("assistant", None, {"role": "assistant"})),
    (
        {"role": "assistant", "content": "A", "reasoning_content": "hm", "refusal": None, "images": []},
        Message("assistant", "A", {"role": "assistant", "content": "A", "reasoning_content": "hm"}),
    ),
    (
        {
            "role": "assistant",
            "content": "A",
            "tool_calls": [],
            "function_call": None,
            "annotations": [1],
            "parsed": {},
        },
        Message("assistant", "A", {"role": "assistant", "content": "A"}),
    ),
    (USER | {"name": "Ann", "tool_calls": None}, Message("user", "hi", USER | {"name": "Ann"})),
]


@pytest.mark.parametrize(("item", "message"), CONTENTS, ids=str)
def test_messages(item: Json, message: Message) -> None:
    assert read(item) == (message,)


def test_parts_stay_as_they_are() -> None:
    """What kinds of them there are is the model server's business."""
    parts: list[Json] = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "https://x.org/i.png"}},
        {"type": "made_up", "text": 3},
        {},
    ]
    [message] = read({"role": "user", "content": parts})
    assert message.content == parts


CALLS: list[tuple[Json, PastCall]] = [
    (call("a", arguments='{"x": 1}'), PastCall("a", "f", '{"x": 1}')),
    (call("a", arguments="not JSON"), PastCall("a", "f", "not JSON")),
    (call("a", arguments=""), PastCall("a", "f", "{}")),
    (call("a", arguments=None), PastCall("a", "f", "{}")),
    ({"id": "a", "function": {"name": "f"}}, PastCall("a", "f", "{}")),
    (
        {"id": "a", "type": "custom", "custom": {"name": "shout", "input": 'x\n"y"'}},
        PastCall("a", "shout", '{"input":"x\\n\\"y\\""}'),
    ),
    ({"id": "a", "type": "custom", "custom": {"name": "shout"}}, PastCall("a", "shout", '{"input":""}')),
]


@pytest.mark.parametrize(("item", "expected"), CALLS, ids=str)
def test_what_a_call_says(item: Json, expected: PastCall) -> None:
    [message] = read(calls(item), result("a"))
    assert (message.calls, message.results) == ((expected,), (Result("a", "ok"),))


RESULTS: list[tuple[Json, Result]] = [
    (result("a", ""), Result("a", "")),
    (result("a", None), Result("a", "")),
    ({"role": "tool", "tool_call_id": "a"}, Result("a", "")),
    (result("a", [{"type": "text", "text": "x"}]), Result("a", [{"type": "text", "text": "x"}])),
    (result("a", name="another", artifact=None), Result("a", "ok")),
    (result("a", is_error=True), Result("a", "ok", error=True)),
    (result("a", is_error=False), Result("a", "ok")),
    (result("a", is_error="true"), Result("a", "ok")),
]


@pytest.mark.parametrize(("item", "expected"), RESULTS, ids=str)
def test_what_a_result_says(item: Json, expected: Result) -> None:
    [message] = read(calls(call("a")), item)
    assert message.results == (expected,)


@given(st.permutations(["a", "b", "c", "d"]))
def test_results_in_any_order_make_the_same_conversation(order: list[str]) -> None:
    """Clients that run calls at once send results as they come in."""
    made = calls(*(call(name) for name in "abcd"))
    [turn, behind] = read(made, *(result(name, name.upper()) for name in order), USER)
    assert turn.results == tuple(Result(name, name.upper()) for name in "abcd")
    assert behind == ASKED


def test_of_two_results_of_a_call_the_last_counts() -> None:
    [turn] = read(calls(call("a")), result("a", "first"), result("a", "second"))
    assert turn.results == (Result("a", "second"),)


def test_every_turn_has_the_results_right_behind_it() -> None:
    """Some servers number the calls of each answer anew, so ids come again."""
    first, user, second = read(
        calls(call("call_0")), result("call_0", "1"), USER, calls(call("call_0")), result("call_0", "2")
    )
    assert (first.results, user, second.results) == ((Result("call_0", "1"),), ASKED, (Result("call_0", "2"),))


def test_a_function_call_is_answered_by_the_next_message() -> None:
    """It has no id: what it gets tells the calls of a conversation apart."""
    one, two = read(legacy(arguments='{"x": 1}'), FUNCTION_RESULT, legacy(), FUNCTION_RESULT | {"name": "other"})
    assert (one.calls, one.results) == (
        (PastCall("function_call_0", "f", '{"x": 1}'),),
        (Result("function_call_0", "ok"),),
    )
    assert (two.calls, two.results) == ((PastCall("function_call_2", "f", "{}"),), (Result("function_call_2", "ok"),))


def test_calls_of_tools_count_before_a_function_call() -> None:
    """Servers in between fill both in."""
    both = calls(call("a", "g"), call("b", "g"), function_call={"name": "f", "arguments": "{}"})
    [turn] = read(both, result("a"), result("b"))
    assert turn.calls == (PastCall("a", "g", "{}"), PastCall("b", "g", "{}"))
    assert turn.results == (Result("a", "ok"), Result("b", "ok"))


MISSING, TYPE, VALUE = "missing_required_parameter", "invalid_type", "invalid_value"
FIELDS: list[tuple[Any, str, str]] = [
    (None, "", MISSING),
    ({}, "", TYPE),
    ("hi", "", TYPE),
    ([], "", "empty_array"),
    ([USER, None], "[1]", TYPE),
    ([USER, "hi"], "[1]", TYPE),
    ([{}], "[0].role", MISSING),
    ([{"role": 3}], "[0].role", TYPE),
    ([{"role": "bot"}], "[0].role", VALUE),
    ([{"role": "User", "content": "x"}], "[0].role", VALUE),
    ([{"role": "user"}], "[0].content", MISSING),
    ([{"role": "user", "content": None}], "[0].content", MISSING),
    ([{"role": "system"}], "[0].content", MISSING),
    ([{"role": "user", "content": {}}], "[0].content", TYPE),
    ([{"role": "assistant", "content": 0}], "[0].content", TYPE),
    ([{"role": "user", "content": [USER, 3]}], "[0].content[1]", TYPE),
    ([{"role": "user", "content": [{"type": "text"}]}], "[0].content[0].text", MISSING),
    ([{"role": "user", "content": [{"type": "text", "text": 3}]}], "[0].content[0].text", TYPE),
    ([calls(tool_calls={})], "[0].tool_calls", TYPE),
    ([USER, calls("a")], "[1].tool_calls[0]", TYPE),
    ([calls(call("a"), {})], "[0].tool_calls[1].id", MISSING),
    ([calls(call("a") | {"id": 3})], "[0].tool_calls[0].id", TYPE),
    ([calls({"id": "a"})], "[0].tool_calls[0].function", MISSING),
    ([calls({"id": "a", "function": "f"})], "[0].tool_calls[0].function", TYPE),
    ([calls({"id": "a", "function": {}})], "[0].tool_calls[0].function.name", MISSING),
    ([calls(call("a", arguments={}))], "[0].tool_calls[0].function.arguments", TYPE),
    ([calls({"id": "a", "type": "custom"})], "[0].tool_calls[0].custom", MISSING),
    ([calls({"id": "a", "type": "custom", "custom": {}})], "[0].tool_calls[0].custom.name", MISSING),
    (
        [calls({"id": "a", "type": "custom", "custom": {"name": "f", "input": {}}})],
        "[0].tool_calls[0].custom.input",
        TYPE,
    ),
    ([{"role": "assistant", "function_call": "f"}], "[0].function_call", TYPE),
    ([{"role": "assistant", "function_call": {"arguments": "{}"}}], "[0].function_call.name", MISSING),
    ([legacy(arguments=3)], "[0].function_call.arguments", TYPE),
    ([calls(call("a")), {"role": "tool", "content": "x"}], "[1].tool_call_id", MISSING),
    ([calls(call("a")), result("a") | {"tool_call_id": 3}], "[1].tool_call_id", TYPE),
    ([calls(call("a")), FUNCTION_RESULT], "[1].tool_call_id", MISSING),
    ([calls(call("a")), result("a", 3)], "[1].content", TYPE),
    ([calls(call("a")), result("a", [None])], "[1].content[0]", TYPE),
    ([calls(call("a")), None], "[1]", TYPE),
]


@pytest.mark.parametrize(("messages", "place", "code"), FIELDS, ids=str)
def test_fields_that_are_wrong(messages: Any, place: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_messages({"messages": messages})
    assert (raised.value.param, raised.value.code, raised.value.status) == (f"messages{place}", code, 400)
    assert f"'messages{place}'" in raised.value.message or code == VALUE


ORDER: list[tuple[list[Json], str | None, str]] = [
    ([result("a")], None, f"{ORPHAN} (messages[0])."),
    ([USER, FUNCTION_RESULT], None, f"{LEGACY_ORPHAN} (messages[1])."),
    ([calls(call("a")), result("a"), USER, result("a")], None, f"{ORPHAN} (messages[3])."),
    ([calls(call("a")), result("a"), result("b")], None, f"{ORPHAN} (messages[2])."),
    ([legacy(), FUNCTION_RESULT, FUNCTION_RESULT], None, f"{LEGACY_ORPHAN} (messages[2])."),
    ([calls(call("a"))], None, UNANSWERED.format(0, "a")),
    ([USER, calls(call("a")), USER, result("a")], None, UNANSWERED.format(1, "a")),
    ([calls(call("a"), call("b"), call("c")), result("b")], None, UNANSWERED.format(0, "a, c")),
    ([legacy()], None, LEGACY_UNANSWERED),
    ([legacy(), USER], None, LEGACY_UNANSWERED),
    ([USER | {"tool_calls": [call("a")]}], VALUE, NOT_ASSISTANT),
    ([USER | {"function_call": {"name": "f"}}], VALUE, NOT_ASSISTANT),
    ([result("a") | {"tool_calls": [call("a")]}], VALUE, NOT_ASSISTANT),
]


@pytest.mark.parametrize(("messages", "code", "said"), ORDER, ids=str)
def test_calls_and_results_that_do_not_belong_together(messages: list[Json], code: str | None, said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read(*messages)
    assert (raised.value.param, raised.value.code) == ("messages", code)
    assert said in raised.value.message


VALUES: list[Any] = [None, "a", "", 3, True, [], {}, [3], ["x"], [{"type": "text"}], [{"type": "text", "text": "t"}]]
KEYS = ("content", "tool_calls", "function_call", "tool_call_id", "name", "is_error")
GOOD = [USER, calls(call("a")), calls(call("a"), call("b")), result("a"), result("b"), legacy(), FUNCTION_RESULT]
roles = st.sampled_from(["user", "assistant", "tool", "function"])
odd: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"role": roles}, optional=dict.fromkeys(KEYS, st.sampled_from(VALUES))
)


@given(st.lists(st.sampled_from(GOOD) | odd, max_size=6))
def test_any_messages_are_read_or_refused(messages: list[Json]) -> None:
    """Whatever a client sends, it gets a conversation in which each call has its result, or a sentence."""
    before = copy.deepcopy(messages)
    try:
        read_messages = read(*messages)
    except InvalidRequest as error:
        assert error.status == 400 and (error.param or "").startswith("messages")
    else:
        assert all([made.id for made in told.calls] == [found.id for found in told.results] for told in read_messages)
        assert not any(told.role in ("tool", "function") for told in read_messages)
    assert messages == before


@pytest.mark.parametrize("identifier", ["", "same"])
def test_calls_that_share_an_id_get_their_results_in_order(identifier: str) -> None:
    """Some servers make such ids; a result that is told of the wrong call would be a lie."""
    made = calls(call(identifier, "f"), call(identifier, "g"))
    [turn] = read(made, result(identifier, "one"), result(identifier, "two"))
    assert [answer.content for answer in turn.results] == ["one", "two"]
    with pytest.raises(InvalidRequest, match="did not have response messages"):
        read(made, result(identifier, "one"))


def test_of_results_too_many_the_last_counts() -> None:
    [turn] = read(calls(call("a")), result("a", "first"), result("a", "last"))
    assert [answer.content for answer in turn.results] == ["last"]
