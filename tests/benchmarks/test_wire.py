"""The benchmarks read HTTP by themselves; a response misread would be taken for the server's fault."""

from __future__ import annotations

import pytest

from benchmarks.wire import BrokenAnswer, Response

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!"


@pytest.mark.parametrize("wire", [CHUNKED, WHOLE])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_response_is_the_same_however_it_is_cut(wire: bytes, size: int) -> None:
    response = Response()
    pieces = b"".join(response.feed(wire[at : at + size]) for at in range(0, len(wire), size))
    assert (response.status, response.done, pieces, bytes(response.body)) == (200, True, b"hello!", b"hello!")


def test_a_response_that_breaks_off_is_told() -> None:
    response = Response()
    response.feed(CHUNKED[:-3])
    assert not response.done
    with pytest.raises(BrokenAnswer):
        response.feed(b"")
