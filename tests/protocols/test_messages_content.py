"""Blocks of Anthropic's become parts that every model server knows, each only where it may stand, and what can't be
read here is refused by its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InvalidRequest
from emulator.protocols.messages_content import (
    CONTENT,
    RESULT,
    SAID,
    SYSTEM,
    TEXT,
    Reader,
    blocks_of,
    content_of,
    parts_of,
    text_parts,
)

Json = dict[str, Any]
PLACES: dict[str, Mapping[str, Reader]] = {
    "system text": TEXT,
    "system": SYSTEM,
    "assistant": SAID,
    "user": CONTENT,
    "result": RESULT,
}


def text(said: str) -> Json:
    return {"type": "text", "text": said}


def image(**source: Any) -> Json:
    return {"type": "image", "source": source}


def document(source: Json, **more: Any) -> Json:
    return {"type": "document", "source": source, **more}


def found(*content: Any, title: Any = "T", source: Any = "s") -> Json:
    return {"type": "search_result", "title": title, "source": source, "content": list(content)}


def picture(url: str) -> Json:
    return {"type": "image_url", "image_url": {"url": url}}


def file(name: str) -> Json:
    return {"type": "file", "file": {"filename": name, "file_data": "data:application/pdf;base64,JVBE"}}


IMAGE = image(type="url", url="u")
PICTURE = picture("u")
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
PLAIN = {"type": "text", "media_type": "text/plain", "data": "words"}

READ: list[tuple[Json, list[Json]]] = [
    (text("a"), [text("a")]),
    (text(" a\n"), [text(" a\n")]),
    (text(""), []),
    (text(" \n"), []),
    (IMAGE, [PICTURE]),
    (image(type="base64", media_type="image/png", data="AAAA"), [picture("data:image/png;base64,AAAA")]),
    (document(PDF), [file("document.pdf")]),
    (document(PDF, title=None, context=None), [file("document.pdf")]),
    (document(PDF, title="a.pdf", context="Of May."), [text("Of May."), file("a.pdf")]),
    (document(PLAIN), [text("words")]),
    (document(PLAIN, title="T"), [text("T\n\nwords")]),
    (document(PLAIN, title=" ", context="C"), [text("C\n\nwords")]),
    (document(PLAIN | {"data": ""}, title="T", context="C"), [text("T\nC")]),
    (document(PLAIN | {"data": ""}), []),
    (document({"type": "content", "content": "words"}, title="T"), [text("T\n\nwords")]),
    (document({"type": "content", "content": [text("a"), IMAGE, text("b")]}), [text("a"), PICTURE, text("b")]),
    (document({"type": "content", "content": [IMAGE, text("b")]}, title="T"), [text("T"), PICTURE, text("b")]),
    (document({"type": "content", "content": None}), []),
    (document({"type": "content"}, title="T"), [text("T")]),
    (found(text("a"), text("b")), [text("T\ns\n\na"), text("b")]),
    (found(), [text("T\ns")]),
    (found(text("a"), title="", source=""), [text("a")]),
    ({"type": "tool_reference", "tool_name": "f"}, [text("Tool found: f")]),
]


@pytest.mark.parametrize(("block", "parts"), READ)
def test_blocks(block: Json, parts: list[Json]) -> None:
    assert parts_of(block | {"cache_control": {"type": "ephemeral"}}, "p", RESULT) == parts


STAND: dict[str, set[str]] = {
    "text": {"system text", "system", "assistant", "user", "result"},
    "image": {"assistant", "user", "result"},
    "document": {"user", "result"},
    "search_result": {"user", "result"},
    "tool_reference": {"result"},
    "tool_addition": {"system"},
    "tool_removal": {"system"},
    "audio": set(),
}
ONE_OF_EACH: dict[str, Json] = {
    "text": text("a"),
    "image": IMAGE,
    "document": document(PLAIN),
    "search_result": found(),
    "tool_reference": {"type": "tool_reference", "tool_name": "f"},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", STAND)
def test_where_blocks_may_stand(kind: str, place: str) -> None:
    block = ONE_OF_EACH.get(kind, {"type": kind})
    if place in STAND[kind]:
        parts_of(block, "p", PLACES[place])
        return
    with pytest.raises(InvalidRequest, match=f"^p: Input tag '{kind}' found") as raised:
        parts_of(block, "p", PLACES[place])
    assert (raised.value.param, raised.value.code) == ("p", None)
    allowed = [known for known, places in STAND.items() if place in places]
    assert all(f"'{known}'" in raised.value.message for known in allowed)


def test_what_changes_the_tools_says_nothing() -> None:
    assert parts_of({"type": "tool_addition", "tool": {"type": "tool_reference", "name": "f"}}, "p", SYSTEM) == []


WRONG: list[tuple[Json, str, str | None]] = [
    ({"type": "text"}, "p.text", "missing_required_parameter"),
    ({"type": "text", "text": ["a"]}, "p.text", "invalid_type"),
    ({"type": "image"}, "p.source", "missing_required_parameter"),
    ({"type": "image", "source": "u"}, "p.source", "invalid_type"),
    (image(), "p.source.type", "missing_required_parameter"),
    (image(type=1), "p.source.type", "invalid_type"),
    (image(type="url"), "p.source.url", "missing_required_parameter"),
    (image(type="url", url=1), "p.source.url", "invalid_type"),
    (image(type="base64", data="AAAA"), "p.source.media_type", "missing_required_parameter"),
    (image(type="base64", media_type="image/png"), "p.source.data", "missing_required_parameter"),
    (image(type="file", file_id="f"), "p.source", None),
    (document({"type": "url", "url": "u"}), "p.source", None),
    (document({"type": "file", "file_id": "f"}), "p.source", None),
    (document(PLAIN | {"data": 1}), "p.source.data", "invalid_type"),
    (document({"type": "base64", "data": "JVBE"}), "p.source.media_type", "missing_required_parameter"),
    (document(PLAIN, title=1), "p.title", "invalid_type"),
    (document(PLAIN, context=[]), "p.context", "invalid_type"),
    (document({"type": "content", "content": 3}), "p.source.content", "invalid_type"),
    (document({"type": "content", "content": [IMAGE, {"type": "text"}]}), "p.source.content.1.text", "missing_required_parameter"),
    (document({"type": "content", "content": [document(PLAIN)]}), "p.source.content.0", None),
    (found(title=None), "p.title", "missing_required_parameter"),
    (found(source=1), "p.source", "invalid_type"),
    (found() | {"content": "a"}, "p.content", "invalid_type"),
    (found(text("a"), IMAGE), "p.content.1", None),
    (found(text("a"), 1), "p.content.1", "invalid_type"),
    ({"type": "tool_reference"}, "p.tool_name", "missing_required_parameter"),
]  # fmt: skip


@pytest.mark.parametrize(("block", "param", "code"), WRONG)
def test_what_is_wrong(block: Json, param: str, code: str | None) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parts_of(block, "p", RESULT)
    assert (raised.value.param, raised.value.code) == (param, code)


def test_a_source_that_would_have_to_be_fetched_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"^p\.source: a source of type 'file' can't be used here") as raised:
        parts_of(image(type="file", file_id="f"), "p", CONTENT)
    assert raised.value.message.endswith("Send the content itself.")


@pytest.mark.parametrize(
    ("content", "blocks"),
    [
        ("hi", [(text("hi"), "m.0")]),
        ("", [(text(""), "m.0")]),
        ([], []),
        ([text("a"), IMAGE], [(text("a"), "m.0.0"), (IMAGE, "m.0.1")]),
    ],
)
def test_a_string_is_a_block(content: object, blocks: list[tuple[Json, str]]) -> None:
    assert blocks_of(content, "m.0") == blocks


@pytest.mark.parametrize(
    ("content", "param", "code"),
    [
        (None, "m.0", "invalid_type"),
        ({"type": "text"}, "m.0", "invalid_type"),
        ([text("a"), "b"], "m.0.1", "invalid_type"),
        ([text("a"), {}], "m.0.1.type", "missing_required_parameter"),
        ([{"type": ["text"]}], "m.0.0.type", "invalid_type"),
    ],
)
def test_what_is_no_content(content: object, param: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        blocks_of(content, "m.0")
    assert (raised.value.param, raised.value.code) == (param, code)


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ([], ""),
        ([text("a")], "a"),
        ([text("a"), text("b")], "a\n\nb"),
        ([PICTURE], [PICTURE]),
        ([text("a"), PICTURE], [text("a"), PICTURE]),
    ],
)
def test_text_alone_is_a_string(parts: list[Json], content: Any) -> None:
    assert content_of(parts) == content


@given(st.text())
def test_words_come_through_as_they_are(said: str) -> None:
    assert content_of(text_parts(said)) == (said if said.strip() else "")


FIELDS = "type text source url media_type data title context content tool_name".split()
KINDS = [*STAND, "base64", "url", "content", "file", ""]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(KINDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.sampled_from(list(STAND)), st.dictionaries(st.sampled_from(FIELDS[1:]), ANY_JSON), st.sampled_from(list(PLACES))
)
def test_whatever_a_block_holds_is_read_or_refused_by_its_path(kind: str, fields: Json, place: str) -> None:
    try:
        parts = parts_of({"type": kind} | fields, "p", PLACES[place])
    except InvalidRequest as error:
        assert error.param is not None
        assert error.param.split(".")[0] == "p"
    else:
        assert {part["type"] for part in parts} <= {"text", "image_url", "file"}
        assert all(part["text"].strip() for part in parts if part["type"] == "text")
