"""Most models are shown text by a template that knows nothing else: what is text must arrive as such, what isn't must
arrive whole in Chat Completions' words, and what can't must be told by its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InvalidRequest
from emulator.protocols.responses_content import content_of, spoken, with_parts

Json = dict[str, Any]

PATH = "input[0]"
TEXT: Json = {"type": "input_text", "text": "a"}
IMAGE: Json = {"type": "input_image", "image_url": "https://x.org/i.png"}
FILE: Json = {"type": "input_file", "file_data": "data:application/pdf;base64,AA"}
AUDIO: Json = {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}
CHAT_IMAGE: Json = {"type": "image_url", "image_url": {"url": "https://x.org/i.png"}}
CHAT_FILE: Json = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA"}}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def read(content: object, **options: Any) -> Any:
    return content_of({"content": content}, "content", PATH, **options)


PARTS: list[tuple[Json, Json]] = [
    (IMAGE, CHAT_IMAGE),
    (IMAGE | {"detail": "low"}, {"type": "image_url", "image_url": CHAT_IMAGE["image_url"] | {"detail": "low"}}),
    (IMAGE | {"detail": None, "file_id": None}, CHAT_IMAGE),
    (FILE, CHAT_FILE),
    (FILE | {"filename": "a.pdf"}, {"type": "file", "file": CHAT_FILE["file"] | {"filename": "a.pdf"}}),
    (FILE | {"filename": None, "file_id": None, "file_url": None}, CHAT_FILE),
    (AUDIO, AUDIO),
]


@pytest.mark.parametrize(("part", "expected"), PARTS, ids=str)
def test_parts_in_chat_completions_words(part: Json, expected: Json) -> None:
    assert read([part]) == [expected]
    assert read([TEXT, part, TEXT]) == [text("a"), expected, text("a")]


@pytest.mark.parametrize(
    "part",
    [
        TEXT,
        text("a"),
        {"type": "output_text", "text": "a", "annotations": [{"type": "url_citation"}], "logprobs": []},
        {"type": "refusal", "refusal": "a"},
    ],
    ids=str,
)
def test_text_has_many_names(part: Json) -> None:
    assert read([part]) == "a"
    assert read([part, IMAGE]) == [text("a"), CHAT_IMAGE]


@pytest.mark.parametrize(
    ("content", "joined", "apart"),
    [
        ("", "", ""),
        ("a", "a", "a"),
        ([], "", ""),
        ([TEXT], "a", "a"),
        ([TEXT, text("b")], "a\nb", [text("a"), text("b")]),
        ([text(""), text("")], "\n", [text(""), text("")]),
    ],
    ids=str,
)
def test_text_alone_becomes_a_string(content: Any, joined: str, apart: Any) -> None:
    assert read(content) == joined
    assert read(content, apart=True) == apart


@given(st.lists(st.text(max_size=5), max_size=4))
def test_no_word_is_lost(words: list[str]) -> None:
    parts = [text(word) for word in words]
    assert read(parts) == "\n".join(words)
    assert spoken({"content": parts}, PATH) == "".join(words)
    assert [part["text"] for part in read([*parts, IMAGE])[:-1]] == words


MISSING, TYPE, VALUE = "missing_required_parameter", "invalid_type", "invalid_value"
WRONG: list[tuple[Any, str, str]] = [
    (None, "", MISSING),
    (3, "", TYPE),
    ({}, "", TYPE),
    (["a"], "[0]", TYPE),
    ([None], "[0]", TYPE),
    ([{}], "[0].type", MISSING),
    ([{"type": 3}], "[0].type", TYPE),
    ([{"type": "video"}], "[0].type", VALUE),
    ([{"type": "image_url", "image_url": {"url": "u"}}], "[0].type", VALUE),
    ([TEXT, {"type": "input_text"}], "[1].text", MISSING),
    ([{"type": "output_text", "text": 3}], "[0].text", TYPE),
    ([{"type": "refusal", "text": "a"}], "[0].refusal", MISSING),
    ([{"type": "input_image"}], "[0].image_url", MISSING),
    ([{"type": "input_image", "image_url": {"url": "u"}}], "[0].image_url", TYPE),
    ([IMAGE | {"detail": 3}], "[0].detail", TYPE),
    ([IMAGE | {"file_id": "file-1"}], "[0].file_id", VALUE),
    ([{"type": "input_file"}], "[0].file_data", MISSING),
    ([{"type": "input_file", "file_data": 3}], "[0].file_data", TYPE),
    ([FILE | {"filename": 3}], "[0].filename", TYPE),
    ([FILE | {"file_url": "https://x.org/a.pdf"}], "[0].file_url", VALUE),
    ([TEXT, FILE | {"file_id": "file-1"}], "[1].file_id", VALUE),
    ([{"type": "input_audio"}], "[0].input_audio", MISSING),
    ([{"type": "input_audio", "input_audio": "AA"}], "[0].input_audio", TYPE),
]


@pytest.mark.parametrize(("content", "place", "code"), WRONG, ids=str)
def test_contents_that_are_wrong(content: Any, place: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read(content)
    assert (raised.value.param, raised.value.code, raised.value.status) == (f"{PATH}.content{place}", code, 400)


def test_the_place_is_where_the_content_stands() -> None:
    with pytest.raises(InvalidRequest) as raised:
        content_of({"output": [{"type": "video"}]}, "output", "input[7]")
    assert raised.value.param == "input[7].output[0].type"
    assert (
        "'input_text', 'input_image', 'input_file', 'input_audio', 'output_text', and 'refusal'" in raised.value.message
    )


@pytest.mark.parametrize(
    ("part", "hint"),
    [
        (IMAGE | {"file_id": "file-1"}, "Send 'image_url', which may be a data URL."),
        (FILE | {"file_id": "file-1"}, "Send 'file_data'."),
        (FILE | {"file_url": "https://x.org/a.pdf"}, "Send 'file_data'."),
    ],
    ids=str,
)
def test_it_is_said_what_is_served_instead(part: Json, hint: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read([part])
    assert raised.value.message.endswith(hint)


@pytest.mark.parametrize(
    ("content", "words"),
    [("A", "A"), ([], ""), ([text("A")], "A"), ([text("A"), {"type": "refusal", "refusal": "No."}], "ANo.")],
    ids=str,
)
def test_what_an_assistant_said(content: Any, words: str) -> None:
    assert spoken({"content": content}, PATH) == words


@pytest.mark.parametrize(
    ("content", "place", "code"),
    [
        (None, "", MISSING),
        ([IMAGE], "[0].type", VALUE),
        ([text("A"), AUDIO], "[1].type", VALUE),
        ([text("A"), {"type": "input_text"}], "[1].text", MISSING),
    ],
    ids=str,
)
def test_what_no_assistant_can_have_said(content: Any, place: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        spoken({"content": content}, PATH)
    assert (raised.value.param, raised.value.code) == (f"{PATH}.content{place}", code)


WRITTEN: list[tuple[str, Json]] = [
    ("user", {"type": "input_text", "text": "hi"}),
    ("system", {"type": "input_text", "text": "hi"}),
    ("developer", {"type": "input_text", "text": "hi"}),
    ("assistant", {"type": "output_text", "text": "hi", "annotations": [], "logprobs": []}),
]


@pytest.mark.parametrize(("role", "part"), WRITTEN)
def test_strings_are_given_back_as_parts(role: str, part: Json) -> None:
    item: Json = {"type": "message", "role": role, "content": "hi", "id": "msg_1"}
    written = with_parts(item)
    assert written == item | {"content": [part]}
    assert item["content"] == "hi"
    assert read(written["content"]) == "hi"
    assert with_parts(written) is written


@pytest.mark.parametrize("content", [None, 3, [], [TEXT]], ids=str)
def test_what_is_no_string_stays(content: Any) -> None:
    item: Json = {"role": "user", "content": content}
    assert with_parts(item) is item


VALUES: list[Any] = [None, "a", "", 3, True, [], {}, {"url": "u"}]
values = st.sampled_from(VALUES)
keys = ("text", "refusal", "image_url", "detail", "file_id", "file_data", "file_url", "filename", "input_audio")
kinds = st.sampled_from(
    ["input_text", "output_text", "refusal", *(part["type"] for part in (IMAGE, FILE, AUDIO)), "x", 3]
)
parts_of_any_kind = st.fixed_dictionaries({}, optional={"type": kinds} | dict.fromkeys(keys, values)) | values


@given(st.lists(parts_of_any_kind, max_size=3))
def test_any_parts_are_read_or_refused(parts: list[Any]) -> None:
    before = copy.deepcopy(parts)
    try:
        found = read(parts)
    except InvalidRequest as error:
        assert (error.param or "").startswith(f"{PATH}.content[")
    else:
        assert isinstance(found, str) or len(found) == len(parts)
    assert parts == before
