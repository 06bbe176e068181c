"""Frames and counts that all protocols share: a client must read from a frame just what was put into it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.protocols.answer import comment_frame, sse, usage_detail
from emulator.upstream.sse import EventReader

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("data", "event", "frame"),
    [
        (b"[DONE]", "", b"data: [DONE]\n\n"),
        (b"{}", "ping", b"event: ping\ndata: {}\n\n"),
        (b"", "", b"data: \n\n"),
        (b" x", "", b"data:  x\n\n"),
    ],
)
def test_a_frame(data: bytes, event: str, frame: bytes) -> None:
    assert sse(data, event) == frame


def test_a_comment() -> None:
    assert comment_frame("é kept") == ": é kept\n\n".encode()


TEXTS = st.text(st.characters(codec="utf-8"))


@given(st.lists(st.dictionaries(TEXTS, TEXTS, max_size=3), max_size=3), st.sampled_from(["", "message_start"]))
def test_frames_are_read_as_they_were_meant(said: list[Json], event: str) -> None:
    """Whatever line ends are in the words, and with comments between."""
    stream = b"".join(sse(orjson.dumps(data), event) + comment_frame("emulator attempts=1") for data in said)
    assert [orjson.loads(data) for data in EventReader().feed(stream)] == said


@pytest.mark.parametrize(
    ("usage", "count"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 7}}, 7),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, 0),
        ({"prompt_tokens_details": {"cached_tokens": -1}}, None),
        ({"prompt_tokens_details": {"cached_tokens": 1.5}}, None),
        ({"prompt_tokens_details": {"cached_tokens": True}}, None),
        ({"prompt_tokens_details": {"cached_tokens": "7"}}, None),
        ({"prompt_tokens_details": {"cached_tokens": None}}, None),
        ({"prompt_tokens_details": {"audio_tokens": 7}}, None),
        ({"prompt_tokens_details": {}}, None),
        ({"prompt_tokens_details": None}, None),
        ({"prompt_tokens_details": ["cached_tokens"]}, None),
        ({"prompt_tokens_details": 7}, None),
        ({"cached_tokens": 7}, None),
        ({}, None),
    ],
)
def test_counts_that_a_model_server_may_tell(usage: Json, count: int | None) -> None:
    """Zero is a count, and nothing said is none."""
    found = usage_detail(usage, "prompt_tokens_details", "cached_tokens")
    assert found == count
    assert type(found) is type(count)
