"""Clients send conversations back as items in many shapes and orders; whatever the order, each result must stand beside
its call, and what one answer said must be one assistant message."""

from __future__ import annotations

import random
from typing import Any

import pytest

from emulator.errors import EmulatorError, InvalidRequest, NotFound
from emulator.protocols.conversation import Message, PastCall, Result
from emulator.protocols.responses_items import Past, conversation, input_items, references, resolved, sealed, unsealed

Json = dict[str, Any]

USER: Json = {"role": "user", "content": "hi"}
ASKED = Message("user", "hi")


def call(identifier: str, name: str = "f", arguments: str = "{}", **fields: Any) -> Json:
    return {"type": "function_call", "call_id": identifier, "name": name, "arguments": arguments} | fields


def output(identifier: str, text: Any = "ok") -> Json:
    return {"type": "function_call_output", "call_id": identifier, "output": text}


def said(text: str) -> Json:
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def thought(text: str) -> Json:
    return {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": text}]}


def read(*items: Any, past: tuple[Json, ...] = ()) -> tuple[Message, ...]:
    given = [(item, f"input[{index}]") for index, item in enumerate(input_items(list(items)))]
    return conversation([*Past(past).located, *given], None)


def turn(*names: str, content: str | None = None, **fields: str) -> Message:
    calls = tuple(PastCall(name, "f", "{}") for name in names)
    return Message("assistant", content, fields, calls, tuple(Result(name, "ok") for name in names))


CONTENTS: list[tuple[Json, Message]] = [
    ({"role": "system", "content": "S"}, Message("system", "S")),
    ({"role": "developer", "content": "D", "type": "message"}, Message("developer", "D")),
    ({"role": "user", "content": ""}, Message("user", "")),
    ({"role": "user", "content": []}, Message("user", "")),
    ({"role": "user", "content": [{"type": "input_text", "text": "a"}]}, Message("user", "a")),
    (
        {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "text", "text": "b"}]},
        Message("user", "a\nb"),
    ),
    (
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"},
                {"type": "input_image", "image_url": "https://x.org/i.png"},
                {"type": "input_file", "file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"},
                {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
            ],
        },
        Message(
            "user",
            [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://x.org/i.png"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"}},
                {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
            ],
        ),
    ),
    ({"role": "assistant", "content": "A"}, Message("assistant", "A")),
    (
        {"role": "assistant", "content": [{"type": "output_text", "text": "A"}, {"type": "refusal", "refusal": "No."}]},
        Message("assistant", "ANo."),
    ),
]


@pytest.mark.parametrize(("item", "message"), CONTENTS, ids=str)
def test_messages(item: Json, message: Message) -> None:
    assert read(item) == (message,)


def test_a_string_is_the_users_message() -> None:
    assert conversation(resolved(input_items("hi"), Past()), "Be brief.") == (Message("system", "Be brief."), ASKED)


def test_easy_forms_are_kept_written_out() -> None:
    easy: list[Any] = [USER, {"role": "assistant", "content": "A"}]
    asked, answered = input_items(easy)
    assert (asked["type"], asked["content"]) == ("message", [{"type": "input_text", "text": "hi"}])
    assert answered["content"] == [{"type": "output_text", "text": "A", "annotations": [], "logprobs": []}]


TURNS: list[tuple[str, list[Json], list[Message]]] = [
    ("one call", [USER, call("a"), output("a")], [ASKED, turn("a")]),
    ("in order", [USER, call("a"), call("b"), output("a"), output("b")], [ASKED, turn("a", "b")]),
    ("swapped", [USER, call("a"), call("b"), output("b"), output("a")], [ASKED, turn("a", "b")]),
    (
        "between",
        [USER, call("a"), call("b"), output("b"), call("c"), output("a"), output("c")],
        [ASKED, turn("a", "b", "c")],
    ),
    ("two turns", [USER, call("a"), output("a"), call("b"), output("b")], [ASKED, turn("a"), turn("b")]),
    (
        "a whole answer",
        [USER, thought("hm"), said("Wait."), call("a"), output("a"), said("Done.")],
        [ASKED, turn("a", content="Wait.", reasoning_content="hm"), Message("assistant", "Done.")],
    ),
    (
        "words around calls",
        [USER, said("One."), call("a"), thought("hm"), said("Two."), call("b"), output("a"), output("b")],
        [ASKED, turn("a", "b", content="One.\n\nTwo.", reasoning_content="hm")],
    ),
    ("the user speaks first", [call("a"), USER, output("a")], [turn("a"), ASKED]),
    ("an id twice", [call("a"), output("a"), USER, call("a"), output("a")], [turn("a"), ASKED, turn("a")]),
    ("an output twice", [call("a"), output("a", "no"), output("a")], [turn("a")]),
    ("only thought", [USER, thought("hm"), USER], [ASKED, ASKED]),
    ("nothing said", [USER, said(""), USER], [ASKED, ASKED]),
    (
        "of other tools",
        [
            USER,
            {"type": "web_search_call", "id": "ws_1"},
            {"type": "mcp_list_tools"},
            {"type": "compaction"},
            call("a"),
            output("a"),
        ],
        [ASKED, turn("a")],
    ),
]


@pytest.mark.parametrize(("items", "messages"), [row[1:] for row in TURNS], ids=[row[0] for row in TURNS])
def test_turns(items: list[Json], messages: list[Message]) -> None:
    assert list(read(*items)) == messages


def test_the_past_and_the_input_are_one_conversation() -> None:
    before = input_items([USER, call("a"), call("b")])
    assert read(output("b"), output("a"), past=before) == (ASKED, turn("a", "b"))


def test_outputs_in_any_order_make_the_same_conversation() -> None:
    """Clients that run calls at once send results as they come in, some of them before other calls."""
    dice = random.Random(5)
    names = [f"call_{n}" for n in range(6)]
    expected = read(USER, *map(call, names), *map(output, names))
    for _ in range(200):
        order = dice.sample(names, 6)
        assert read(USER, *map(call, names), *map(output, order)) == expected


def test_what_a_call_says() -> None:
    custom = {"type": "custom_tool_call", "call_id": "b", "name": "shout", "input": 'a\n"b"'}
    answer = {"type": "custom_tool_call_output", "call_id": "b", "output": "ok"}
    inside = call("a", "g", '{"x": 1}', namespace="crm")
    late = call("c", "h", namespace="h")
    [message] = read(inside, custom, late, output("a"), answer, output("c"))
    assert message.calls == (
        PastCall("a", "crm__g", '{"x": 1}'),
        PastCall("b", "shout", '{"input":"a\\n\\"b\\""}'),
        PastCall("c", "h", "{}"),
    )


def test_outputs_of_several_parts() -> None:
    parts = [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
    image = [{"type": "input_image", "image_url": "https://x.org/i.png"}]
    one = [{"type": "input_text", "text": "a"}]
    [message] = read(call("a"), call("b"), call("c"), output("a", parts), output("b", image), output("c", one))
    assert [result.content for result in message.results] == [
        [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        [{"type": "image_url", "image_url": {"url": "https://x.org/i.png"}}],
        "a",
    ]


THOUGHTS: list[tuple[Json, str | None]] = [
    ({"content": [{"type": "reasoning_text", "text": "a"}, {"type": "reasoning_text", "text": "b"}]}, "a\n\nb"),
    ({"summary": [{"type": "summary_text", "text": "s"}]}, "s"),
    ({"encrypted_content": sealed("öx"), "summary": [{"type": "summary_text", "text": "s"}]}, "öx"),
    ({"encrypted_content": "gAAAA-somebody-else's", "summary": [{"type": "summary_text", "text": "s"}]}, "s"),
    ({"encrypted_content": None, "content": None, "summary": []}, None),
    ({"content": [3, {"text": 3}]}, None),
]


@pytest.mark.parametrize(("fields", "text"), THOUGHTS, ids=str)
def test_thoughts_go_back_to_the_model(fields: Json, text: str | None) -> None:
    [message] = read({"type": "reasoning"} | fields, said("A"))
    assert message.fields == ({} if text is None else {"reasoning_content": text})


@pytest.mark.parametrize("text", ["", "a", "日付\n🎉"])
def test_a_sealed_thought_opens_again(text: str) -> None:
    assert unsealed(sealed(text)) == text


@pytest.mark.parametrize("given", [None, 3, "", "x", "emulator.1.!", "emulator.1.//8=", "emulator.1.é"])
def test_nothing_else_opens(given: object) -> None:
    assert unsealed(given) == ""


WRONG: list[tuple[list[Any], str, str]] = [
    ([call("a")], "input", "No tool output found for function call a."),
    ([call("a"), call("b"), output("b"), USER], "input", "No tool output found for function call a."),
    ([output("a")], "input", "No tool call found for function call output with call_id a."),
    ([output("a"), call("a")], "input", "No tool call found for function call output with call_id a."),
    (
        [{"type": "custom_tool_call_output", "call_id": "a", "output": "x"}],
        "input",
        "No tool call found for custom tool call output with call_id a.",
    ),
    ([call("a"), {"type": "function_call_output", "output": "x"}], "input[1].call_id", "Missing required parameter"),
    ([call("a"), output("a", None)], "input[1].output", "Missing required parameter"),
    ([call("a"), output("a", {"x": 1})], "input[1].output", "Invalid type"),
    ([{"type": "function_call", "name": "f"}], "input[0].call_id", "Missing required parameter"),
    ([{"type": "function_call", "call_id": "a"}], "input[0].name", "Missing required parameter"),
    ([call("a", arguments=3)], "input[0].arguments", "Invalid type"),  # pyright: ignore[reportArgumentType]
    ([{"type": "custom_tool_call", "call_id": "a", "name": "f"}], "input[0].input", "Missing required parameter"),
    ([{"type": 3}], "input[0].type", "Invalid type"),
    ([{"type": "item_reference"}], "input[0].id", "Missing required parameter"),
    ([{"type": "shell_call_output"}], "input[0].type", "'shell_call_output'"),
    ([{"type": "reasoning", "summary": "s"}], "input[0].summary", "Invalid type"),
    ([{"role": "user", "content": [{"type": "video"}]}], "input[0].content[0].type", "'video'"),
    ([{"role": "user", "content": [{"type": "input_text"}]}], "input[0].content[0].text", "Missing required parameter"),
    (
        [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}],
        "input[0].content[0].file_id",
        "No uploaded files",
    ),
    (
        [{"role": "user", "content": [{"type": "input_file", "file_url": "u"}]}],
        "input[0].content[0].file_url",
        "not fetched",
    ),
    (
        [{"role": "assistant", "content": [{"type": "input_image", "image_url": "u"}]}],
        "input[0].content[0].type",
        "hold text only",
    ),
]


@pytest.mark.parametrize(("items", "param", "message"), WRONG, ids=str)
def test_items_that_are_wrong(items: list[Any], param: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read(*items)
    assert raised.value.param == param and message in raised.value.message


def test_items_may_be_named() -> None:
    items = input_items([{"type": "item_reference", "id": "fc_1"}, {"id": "msg_0"}, output("a")])
    past = Past(({"type": "message", "role": "user", "content": "x", "id": "msg_0"},), {"fc_1": call("a", id="fc_1")})
    assert references(items) == ["fc_1", "msg_0"]
    assert resolved(items, past) == [(call("a", id="fc_1"), "input[0]"), (output("a"), "input[2]")]


def test_an_item_that_nobody_knows_is_not_found() -> None:
    with pytest.raises(NotFound, match="Item with id 'rs_1' not found") as raised:
        resolved(input_items([{"type": "item_reference", "id": "rs_1"}]), Past())
    assert (raised.value.status, raised.value.param) == (404, "input")


def test_any_items_are_read_or_refused() -> None:
    """Whatever a client sends, it gets a conversation or a sentence."""
    dice = random.Random(7)
    kinds = [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "compaction",
        "x",
        None,
    ]
    values: list[Any] = [None, "a", "", 3, [], {}, [3], [{"type": "input_text", "text": "t"}], ["x"], {"type": "text"}]
    keys = ["role", "content", "id", "call_id", "name", "arguments", "input", "output", "summary", "encrypted_content"]
    for _ in range(3000):
        item: Json = {key: dice.choice(values) for key in dice.sample(keys, dice.randrange(len(keys)))}
        if (kind := dice.choice(kinds)) is not None:
            item["type"] = kind
        try:
            read(USER, item | ({"role": "user"} if dice.random() < 0.3 else {}))
        except EmulatorError as error:
            assert error.status == 400


def test_calls_that_share_an_id_get_their_outputs_in_order() -> None:
    """Some servers make such ids; an output that is told of the wrong call would be a lie."""
    [_, made] = read(USER, call("a"), call("a", "g"), output("a", "one"), output("a", "two"))
    assert [answer.content for answer in made.results] == ["one", "two"]
    with pytest.raises(InvalidRequest, match="No tool output found for function call a"):
        read(USER, call("a"), call("a", "g"), output("a", "one"))
