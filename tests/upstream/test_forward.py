"""What is passed through must arrive byte for byte, and nothing beside it: no key, no foreign path, no half error."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from emulator.errors import ClientGone, NotFound, UpstreamError, UpstreamTimeout
from emulator.lifetime import Lifetime
from tests.upstream.wire import (
    END,
    KEY,
    STREAM_HEAD,
    Answering,
    Peer,
    Serve,
    chunk,
    client_of,
    forward,
    http,
    waiting,
)


def test_forward_is_byte_for_byte(answering: Answering) -> None:
    body = b' {"odd" : 1}\r\n\xff'
    answer = http(
        body,
        "203 Fine",
        "X-Request-Id: r1",
        "OpenAI-Version: 1",
        "Set-Cookie: a=b",
        "Keep-Alive: timeout=5",
        kind="application/json; x=y",
    )
    server = answering(answer)
    client = client_of(server)
    answered = forward(
        client,
        "POST",
        "/embeddings",
        query="a=1&b=%20",
        body=b"\x00raw",
        headers={
            "Content-Type": "x/y",
            "OpenAI-Beta": "b",
            "Host": "evil",
            "Authorization": "Bearer other",
            "Cookie": "c",
            "Connection": "close, X-Hop",
            "X-Hop": "1",
            "Content-Length": "99",
        },
    )
    assert answered.status == 203
    assert answered.headers == {
        "content-type": "application/json; x=y",
        "content-length": str(len(body)),
        "x-request-id": "r1",
        "openai-version": "1",
    }
    assert b"".join(answered.body) == body
    answered.body.close()
    head = server.heads[0].split("\r\n")
    assert head[0] == "POST /v1/embeddings?a=1&b=%20 HTTP/1.1"
    sent = dict(line.split(": ", 1) for line in head[1:])
    assert sent["Authorization"] == f"Bearer {KEY}" and sent["OpenAI-Beta"] == "b" and sent["Content-Type"] == "x/y"
    assert sent["Host"].startswith("127.0.0.1") and not {"Cookie", "Connection", "X-Hop"} & sent.keys()
    assert server.bodies[0] == b"\x00raw"
    forward(client).body.close()
    assert server.connections == 1


def test_forward_streams_chunks_as_they_come(serve: Serve) -> None:
    seen = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM_HEAD, chunk(b": odd\n"))
        assert seen.wait(10)
        peer.send(chunk(b"\ndata: x\n\n"), END)

    server = serve(script)
    body = forward(client_of(server), "POST", "chat/completions", body=b"{}", streams=True).body
    assert next(body) == b": odd\n"
    seen.set()
    assert list(body) == [b"\ndata: x\n\n"]
    server.finish()


def test_forward_errors_in_openais_form_as_they_are(answering: Answering) -> None:
    body = b'{"error": {"message":"no", "inner": [1]}}'
    answered = forward(client_of(answering(http(body, "404 Not Found", "Retry-After: 3"))))
    assert (answered.status, b"".join(answered.body), answered.headers["retry-after"]) == (404, body, "3")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (http({"error": {"message": f"key {KEY}"}}, "401 No"), 401),
        (http(b"<p>gateway</p>", "502 Bad", kind="text/html"), 502),
        (http(b"", "301 Moved", "Location: http://elsewhere/"), 502),
        (http(b"", "304 Not Modified"), 502),
    ],
)
def test_forward_translates_other_errors(answering: Answering, answer: bytes, status: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        forward(client_of(answering(answer)))
    assert caught.value.status == status and KEY not in caught.value.message


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("models/a b/ü?#%2e", "/v1/models/a%20b/%C3%BC%3F%23%252e"),
        ("models/llama3:8b", "/v1/models/llama3:8b"),
        ("models/x\r\nHost: evil", "/v1/models/x%0D%0AHost:%20evil"),
    ],
)
def test_forward_quotes_paths(answering: Answering, path: str, line: str) -> None:
    server = answering(http({}))
    forward(client_of(server), path=path).body.close()
    assert server.heads[0].split("\r\n")[0] == f"GET {line} HTTP/1.1"


@pytest.mark.parametrize("path", ["models/../../admin", "..", "models/./x", "models\\..\\x"])
def test_forward_stays_below_the_base_url(answering: Answering, path: str) -> None:
    server = answering(http({}))
    with pytest.raises(NotFound):
        forward(client_of(server), path=path)
    assert server.heads == []


def test_forward_keeps_a_query_of_the_base_url(answering: Answering) -> None:
    server = answering(http({}))
    forward(client_of(server, base_url=server.url + "/?api-version=1"), query="limit=2").body.close()
    assert server.heads[0].startswith("GET /v1/models?api-version=1&limit=2 HTTP")


def test_forward_head_has_no_body(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")
        peer.left()

    assert list(forward(client_of(serve(script)), "HEAD").body) == []


@pytest.mark.parametrize(
    ("pieces", "streams", "settings", "says"),
    [
        ((), True, {"first_token_timeout": 0.2}, "--first-token-timeout"),
        ((STREAM_HEAD,), False, {"first_token_timeout": 0.2}, "--first-token-timeout"),
        ((STREAM_HEAD, chunk(b": ping\n\n")), True, {"silence_timeout": 0.2}, "--silence-timeout"),
    ],
)
def test_forward_has_the_same_limits(
    serve: Serve, pieces: tuple[bytes, ...], streams: bool, settings: dict[str, Any], says: str
) -> None:
    server = serve(waiting(*pieces))
    with pytest.raises(UpstreamTimeout, match=says):
        list(forward(client_of(server, **settings), "POST", "chat/completions", body=b"{}", streams=streams).body)
    server.finish()


def test_forward_that_is_never_read_can_be_closed(serve: Serve) -> None:
    server = serve(waiting(STREAM_HEAD))
    forward(client_of(server)).body.close()
    server.finish()


def test_forward_frees_the_upstream_of_a_client_that_leaves(serve: Serve) -> None:
    lifetime = Lifetime(60)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM_HEAD, chunk(b"data: x\n\n"))
        lifetime.end(ClientGone("gone"))
        assert peer.left()

    server = serve(script)
    with pytest.raises(ClientGone):
        list(forward(client_of(server), lifetime=lifetime).body)
    server.finish()


# Looking whether it is there


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (http({"object": "list", "data": []}), "ok", 200),
        (http({"error": {"message": "no"}}, "401 Unauthorized"), "refused_key", 401),
        (http(b"", "403 Forbidden"), "refused_key", 403),
        (http(b"nothing here", "404 Not Found"), "wrong_path", 404),
        (http(b"<html></html>", kind="text/html"), "not_json", 200),
        (http([]), "not_json", 200),
        (http(b"", "500 Oops"), "refused", 500),
        (http(b"", "302 Found", "Location: /"), "refused", 302),
        (b"SSH-2.0 Connection: close\r\n", "not_json", None),
    ],
)
def test_probe(answering: Answering, answer: bytes, kind: str, status: int | None) -> None:
    server = answering(answer)
    probe = client_of(server).probe()
    assert (probe.kind, probe.status, probe.ok) == (kind, status, kind == "ok")
    assert probe.message.endswith(".") and KEY not in probe.message
    assert "GET /v1/models HTTP/1.1" in server.heads[0] and f"Authorization: Bearer {KEY}" in server.heads[0]


def test_probe_of_a_silent_server(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.upstream.client._PROBE_SECONDS", 0.2)
    server = serve(waiting())
    assert client_of(server).probe().kind == "timeout"
    server.finish()


def test_probe_leaves_no_connection_that_a_forked_process_could_share(answering: Answering) -> None:
    server = answering(http({"data": []}))
    client = client_of(server)
    client.probe()
    client.probe()
    assert server.connections == 2
