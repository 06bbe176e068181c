"""A request's body taken out of its Content-Encoding.  Pure.

Rule: what comes out is never held beyond the limit on bodies, however little went in, and is whole or an error.
Sources: RFC 9110, section 8.4 (codings, in the order in which they were applied), RFC 7694 (Accept-Encoding in a 415).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Any, cast

import brotli

from emulator.errors import InvalidRequest, RequestTooLarge, UnknownEncoding

_MOST = 3  # codings, one in the other; nobody needs two
_MOST_MEMBERS = 1000  # of a gzip file: each costs a decoder of its own
_PIECE = 1 << 16


def decoded(body: bytes, header: str, limit: int) -> bytes:
    """``body`` without the codings that a Content-Encoding ``header`` names.

    Raises UnknownEncoding for one that isn't taken, RequestTooLarge as soon as ``limit`` bytes are exceeded, and
    InvalidRequest for data that are broken, end early, or go on behind their end.
    """
    codings = [name for word in header.lower().split(",") if (name := word.strip()) not in ("", "identity")]
    unknown = [name for name in codings if name not in _DECODERS]
    if unknown or len(codings) > _MOST:
        taken = "gzip, deflate and br"
        why = f"Content-Encoding {unknown[0][:40]!r}" if unknown else f"More than {_MOST} codings of one body"
        raise UnknownEncoding(
            f"{why} can't be read here; this server takes {taken}.", headers={"Accept-Encoding": "gzip, deflate, br"}
        )
    for name in reversed(codings):
        body = _limited(_DECODERS[name](body), name, limit)
    return body


def _limited(pieces: Iterator[bytes], name: str, limit: int) -> bytes:
    read: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > limit:
                raise RequestTooLarge(
                    f"The request's body, decoded, is larger than {limit} bytes, this server's limit (--max-body)."
                )
            read.append(piece)
    except (zlib.error, brotli.error, _Broken):
        raise InvalidRequest(
            f"The request's body is no whole {name} data, as its Content-Encoding says.", code="invalid_body"
        ) from None
    return b"".join(read)


class _Broken(Exception):
    """The data end early, or go on behind their end."""


def _gzip(data: bytes) -> Iterator[bytes]:
    """Of one member or several, as ``cat a.gz b.gz`` makes it."""
    at = 0
    for _ in range(_MOST_MEMBERS):
        at = yield from _member(data, at, 16 + zlib.MAX_WBITS)
        if at == len(data):
            return
    raise _Broken


def _deflate(data: bytes) -> Iterator[bytes]:
    """With zlib's header, as the RFC has it, or without, as many send it."""
    headed = data[:1] and data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2]) % 31 == 0
    end = yield from _member(data, 0, zlib.MAX_WBITS if headed else -zlib.MAX_WBITS)
    if end != len(data):
        raise _Broken


def _member(data: bytes, at: int, window: int) -> Generator[bytes, None, int]:
    """One stream of compressed data that begins ``at`` this place; returns where it ends."""
    decoder = zlib.decompressobj(window)
    while not decoder.eof:
        piece = decoder.unconsumed_tail
        if not piece:
            piece = data[at : at + _PIECE]
            at += len(piece)
        read = decoder.decompress(piece, _PIECE)
        if not (piece or read or decoder.eof):
            raise _Broken
        yield read
    return at - len(decoder.unused_data)


def _brotli(data: bytes) -> Iterator[bytes]:
    decoder = cast(Any, brotli).Decompressor()
    while not decoder.is_finished():
        piece = decoder.process(data, output_buffer_limit=_PIECE)
        data = b""
        if not piece and decoder.can_accept_more_data() and not decoder.is_finished():
            raise _Broken
        yield piece


_DECODERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
}
