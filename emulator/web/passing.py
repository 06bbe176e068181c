"""What passes through to the upstream and back as it is, byte for byte."""

from __future__ import annotations

from flask import Response, request

from emulator.errors import EmulatorError, UpstreamBroken
from emulator.protocols.chat_answer import error_frames
from emulator.web.respond import Watched, authorization


def pass_through(
    watched: Watched,
    body: bytes | None,
    *,
    stream: bool = False,
    path: str = "/chat/completions",
    at_root: bool = False,
    may_be_empty: bool = False,
) -> Response:
    """The upstream's status, headers and bytes as they come; its errors in OpenAI's form.

    ``path``, ``at_root`` and ``stream`` are ``UpstreamClient.forward``'s.  HEAD is asked as GET, since many servers
    know no HEAD, and Werkzeug leaves the body out.
    """
    answer = watched.core.upstream.forward(
        "GET" if request.method == "HEAD" else request.method,
        path,
        query=request.query_string.decode("latin-1"),
        body=body,
        headers=dict(request.headers),
        authorization=authorization(),
        lifetime=watched.lifetime,
        streams=stream,
        at_root=at_root,
    )
    try:
        first = next(answer.body, b"")
        if not first and answer.status == 200 and not may_be_empty:
            raise UpstreamBroken("The model server answered with an empty body.")
    except BaseException:
        answer.body.close()
        raise
    watched.status = answer.status
    events = answer.headers.get("content-type", "").startswith("text/event-stream")

    def said(error: EmulatorError) -> bytes:
        if events:
            return error_frames(error)
        raise error  # The connection breaks off, which tells the client that the body isn't whole.

    response = watched.stream(answer.body, first, said)
    response.status_code = answer.status
    response.headers.clear()
    for name, value in answer.headers.items():
        response.headers[name] = value
    if events:
        response.headers["X-Accel-Buffering"] = "no"
    response.headers["X-Request-Id"] = watched.id
    return response
