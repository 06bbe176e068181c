"""A request's body, read and counted by ourselves.

Flask's limit doesn't stop a chunked body, and gunicorn gives the view what came of a body that broke off; both
would be answered as if they were whole.
"""

from __future__ import annotations

from flask import Request

from emulator.errors import InvalidRequest, RequestTooLarge
from emulator.web.encodings import decoded

_PIECE = 1 << 16


def read_body(request: Request, limit: int) -> bytes:
    """The body as it was before its Content-Encoding.

    Raises RequestTooLarge beyond ``limit`` bytes, coded or not, InvalidRequest where the body ends early or is broken.
    """
    raw = _sent(request, limit)
    coding = request.headers.get("Content-Encoding")
    return decoded(raw, coding, limit) if coding and raw else raw


def _sent(request: Request, limit: int) -> bytes:
    environ = request.environ
    declared = _declared(environ.get("CONTENT_LENGTH"))
    if declared is not None and declared > limit:
        raise _too_large(limit)
    if declared is None and not environ.get("wsgi.input_terminated"):
        return b""
    stream, pieces, size = environ["wsgi.input"], list[bytes](), 0
    wanted = limit + 1 if declared is None else declared
    try:
        while size < wanted and (
            piece := stream.read(min(_PIECE, wanted - size) if declared is None else wanted - size)
        ):
            pieces.append(piece)
            size += len(piece)
    except Exception as error:  # noqa: BLE001 - each WSGI server has exceptions of its own for a chunk that is broken.
        raise InvalidRequest(
            f"The request's body could not be read: {type(error).__name__}.", code="invalid_body"
        ) from None
    if size > limit:
        raise _too_large(limit)
    if declared is not None and size < declared:
        raise InvalidRequest(
            f"The request's body ended after {size} of the {declared} bytes that its Content-Length promised.",
            code="invalid_body",
        )
    return b"".join(pieces)


def _declared(header: str | None) -> int | None:
    if not header:
        return None
    if not header.isascii() or not header.isdigit():
        raise InvalidRequest("The Content-Length header is not a number.", code="invalid_body")
    return int(header)


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(f"The request's body is larger than {limit} bytes, this server's limit (--max-body).")
