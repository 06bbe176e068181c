"""What passes through to the upstream and back as it is, byte for byte."""

from __future__ import annotations

from flask import Response, request

from emulator.errors import EmulatorError, UpstreamBroken
from emulator.protocols.chat_answer import error_frames
from emulator.web.respond import Watched, authorization


def pass_through(
    watched: Watched, body: bytes | None, *, stream: bool = False, path: str = "/chat/completions"
) -> Response:
    """The upstream's status, headers and bytes as they come; its errors in OpenAI's form."""
    try:
        answer = watched.core.upstream.forward(
            request.method,
            path,
            query=request.query_string.decode("latin-1"),
            body=body,
            headers=dict(request.headers),
            authorization=authorization(),
            lifetime=watched.lifetime,
            streams=stream,
        )
    except BaseException as error:
        watched.end(error)
        raise
    try:
        first = next(answer.body, b"")
        if not first and answer.status == 200:
            raise UpstreamBroken("The model server answered with an empty body.")
    except BaseException as error:
        answer.body.close()
        watched.end(error)
        raise
    watched.status = answer.status

    def said(error: EmulatorError) -> bytes:
        if stream:
            return error_frames(error)
        raise error  # The connection breaks off, which tells the client that the body isn't whole.

    response = watched.stream(answer.body, first, said)
    response.status_code = answer.status
    response.headers.clear()
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.headers["X-Request-Id"] = watched.id
    return response
