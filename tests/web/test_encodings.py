"""A coded body is what its sender meant or an error, and never more than the limit: a few bytes can stand for gigabytes."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any, cast

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InvalidRequest, RequestTooLarge, UnknownEncoding
from emulator.web.encodings import decoded

LIMIT = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def stored(data: bytes) -> bytes:
    """Without compression, which begins with other bytes."""
    packer = zlib.compressobj(0, wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def quick_brotli(data: bytes) -> bytes:
    return cast(Any, brotli).compress(data, quality=5)


CODED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "stored deflate": ("deflate", stored),
    "brotli": ("br", quick_brotli),
}
coded = pytest.mark.parametrize(("header", "pack"), CODED.values(), ids=CODED)
bodies = st.binary(max_size=300) | st.binary(min_size=1, max_size=20).map(lambda data: data * 20_000)


@coded
@given(data=bodies)
def test_every_coding_is_undone(header: str, pack: Callable[[bytes], bytes], data: bytes) -> None:
    assert decoded(pack(data), header, LIMIT) == data


@given(data=bodies, names=st.lists(st.sampled_from(list(CODED)), max_size=3))
def test_codings_in_a_row_are_undone_from_the_last(data: bytes, names: list[str]) -> None:
    packed = data
    for name in names:
        packed = CODED[name][1](packed)
    assert decoded(packed, ", identity ,".join(CODED[name][0] for name in names), LIMIT) == data


def test_a_gzip_file_may_have_several_members() -> None:
    packed = b"".join(gzip.compress(bytes([n]) * n) for n in range(200))
    assert decoded(packed, "gzip", LIMIT) == b"".join(bytes([n]) * n for n in range(200))


@coded
def test_the_limit_itself_is_within_it(header: str, pack: Callable[[bytes], bytes]) -> None:
    assert len(decoded(pack(bytes(LIMIT)), header, LIMIT)) == LIMIT
    with pytest.raises(RequestTooLarge, match="--max-body"):
        decoded(pack(bytes(LIMIT + 1)), header, LIMIT)


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw deflate", "brotli"])
def test_a_bomb_takes_no_more_memory_than_a_body_may(name: str) -> None:
    header, pack = CODED[name]
    bomb = pack(bytes(20 * LIMIT))
    tracemalloc.start()
    try:
        with pytest.raises(RequestTooLarge):
            decoded(bomb, header, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 4 * LIMIT
    finally:
        tracemalloc.stop()


def test_a_bomb_in_a_bomb_is_stopped_at_the_first() -> None:
    bomb = gzip.compress(gzip.compress(bytes(200 * LIMIT), 1), 9)
    with pytest.raises(RequestTooLarge):
        decoded(bomb, "gzip, gzip", LIMIT)


@coded
@given(cut=st.integers(0, 10_000))
def test_what_ends_early_is_broken(header: str, pack: Callable[[bytes], bytes], cut: int) -> None:
    packed = pack(b"A body of some length. " * 3)
    with pytest.raises(InvalidRequest, match="no whole") as caught:
        decoded(packed[: cut % len(packed)], header, LIMIT)
    assert (caught.value.status, caught.value.code) == (400, "invalid_body")


@coded
@pytest.mark.parametrize("size", [0, 10, 300_000])
@pytest.mark.parametrize("rest", [b"x", b"\x00" * 10, b"trailing"])
def test_what_goes_on_behind_its_end_is_broken(
    header: str, pack: Callable[[bytes], bytes], size: int, rest: bytes
) -> None:
    with pytest.raises(InvalidRequest, match="no whole"):
        decoded(pack(bytes(size)) + rest, header, LIMIT)


@given(data=st.binary(max_size=200), header=st.sampled_from(["gzip", "deflate", "br"]))
def test_any_bytes_are_a_body_or_an_error(data: bytes, header: str) -> None:
    try:
        assert len(decoded(data, header, 1000)) <= 1000
    except InvalidRequest as error:
        assert error.status in (400, 413)


def test_members_without_content_have_an_end() -> None:
    empty = gzip.compress(b"")
    with pytest.raises(InvalidRequest, match="no whole"):
        decoded(empty * 200_000, "gzip", LIMIT)


@pytest.mark.parametrize("header", ["zstd", "compress", "gzip, zstd", "gzip;q=1", "br, br, br, br", "x" * 500])
def test_other_codings_are_refused_with_those_that_are_taken(header: str) -> None:
    with pytest.raises(UnknownEncoding, match="gzip, deflate and br") as caught:
        decoded(b"x", header, LIMIT)
    assert caught.value.status == 415
    assert caught.value.headers == {"Accept-Encoding": "gzip, deflate, br"}
    assert len(caught.value.message) < 200


def test_no_coding_is_none() -> None:
    assert decoded(b"x", " identity, ", LIMIT) == b"x"


def test_a_gzip_head_with_a_name_and_a_comment() -> None:
    """As the command gzip writes it."""
    buffer = io.BytesIO()
    with gzip.GzipFile("a name", "wb", fileobj=buffer) as file:
        file.write(b"body")
    assert decoded(buffer.getvalue(), "gzip", LIMIT) == b"body"
