"""Events must come out the same wherever the network cuts the stream: a lost or doubled one is a lost or doubled token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.upstream.sse import EventReader

TABLE: list[tuple[bytes, list[bytes]]] = [
    (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    (b"data:a\n\n", [b"a"]),
    (b"data:  a\n\n", [b" a"]),
    (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    (b"data: a\n\r\n", [b"a"]),
    (b"data: a\r\n\ndata: b\n\r", [b"a", b"b"]),
    (b"data: a\ndata: b\ndata:\n\n", [b"a\nb\n"]),
    (b"data\n\n", [b""]),
    (b"data\ndata\n\n", [b"\n"]),
    (b": ping\n\n: ping\ndata: a\n: x\n\n", [b"a"]),
    (b"event: error\nid: 1\nretry: 5\ndata: a\nunknown: b\nnonsense\n\n", [b"a"]),
    (b"database: a\ndatas\n Data: b\n data: c\n\n", []),
    (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    (b"\n\xef\xbb\xbfdata: a\n\n", []),
    ("data: é日𝄞\n\n".encode(), ["é日𝄞".encode()]),
    (b"data: a\x0bb\x0cc\x1cd\x85e\n\n", [b"a\x0bb\x0cc\x1cd\x85e"]),
    (b"data: a\n", []),
    (b"data: a", []),
    (b"\n\n\n", []),
]


@pytest.mark.parametrize(("stream", "events"), TABLE)
def test_whole_byte_by_byte_and_cut_in_two(stream: bytes, events: list[bytes]) -> None:
    assert EventReader().feed(stream) == events
    reader = EventReader()
    assert [event for byte in stream for event in reader.feed(bytes([byte]))] == events
    for cut in range(len(stream) + 1):
        reader = EventReader()
        assert reader.feed(stream[:cut]) + reader.feed(b"") + reader.feed(stream[cut:]) == events


def test_an_event_comes_out_with_the_byte_that_completes_it() -> None:
    reader = EventReader()
    assert reader.feed(b"data: a\r") == []
    assert reader.feed(b"\n\r") == [b"a"]
    assert reader.feed(b"\ndata: b\n\n") == [b"b"]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a", [b"a"]),
        (b"data: a\n", [b"a"]),
        (b"data: a\r", [b"a"]),
        (b"data: a\n\n", []),
        (b"", []),
        (b": a", []),
    ],
)
def test_the_end_of_the_stream_ends_its_last_event(stream: bytes, events: list[bytes]) -> None:
    reader = EventReader()
    reader.feed(stream)
    assert reader.flush() == events
    assert reader.flush() == []


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n")), max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.data(),
)
def test_what_was_written_is_read_at_any_cuts(payloads: list[str], end: str, data: st.DataObject) -> None:
    stream = "".join(f": c{end}data: {payload}{end}{end}" for payload in payloads).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = EventReader()
    read = [
        event
        for begin, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for event in reader.feed(stream[begin:stop])
    ]
    assert read == [payload.encode() for payload in payloads]
