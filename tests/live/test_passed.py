"""Paths that are the model server's own go there and back unchanged: a client needs no second base URL for them."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import openai
import pytest

from tests.live.recorder import Recorder, Told
from tests.live.server import CHAT, Server
from tests.live.upstream import PATIENCE
from tests.specs import OPENAI_ERROR, openai_problems

pytestmark = pytest.mark.live

KEY = "sk-the-server-s-own-key"
ALSO = "files,files/*,fine_tuning/*/cancel,chat/*,models/*,health,v1beta/*"
MULTIPART = (
    b'--b0\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\nRIFF\x00\xff\r\n--\n\r\n--b0--\r\n"
)
ODD_JSON = b' {"model":"m", "input" :"h\\u00e9llo", "n":1.0,"n":2 }\n'


@pytest.fixture(scope="module")
def model() -> Iterator[Recorder]:
    server = Recorder()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def server(start_server: Callable[..., Server], model: Recorder) -> Server:
    own = ("--api-key", KEY, "--pass-paths", ALSO, "--max-requests", "1", "--max-body", "100000")
    return start_server("--base-url", f"{model.url}/v1", "--no-check", *own)


@pytest.fixture(autouse=True)
def fresh(model: Recorder) -> None:
    model.reset()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/v1/completions", "/v1/completions"),
        ("/v1/embeddings", "/v1/embeddings"),
        ("/embeddings/", "/v1/embeddings"),
        ("//v1//moderations", "/v1/moderations"),
        ("/v1/audio/transcriptions", "/v1/audio/transcriptions"),
        ("/v1/audio/deep/er?a=%20b&c=%C3%A4&c=", "/v1/audio/deep/er?a=%20b&c=%C3%A4&c="),
        ("/v1/images/edits", "/v1/images/edits"),
        ("/v1/rerank", "/v1/rerank"),
        ("/rerank", "/v1/rerank"),
        ("/v2/rerank", "/v2/rerank"),
        ("/tokenize", "/tokenize"),
        ("/v1/detokenize", "/detokenize"),
        ("/v1/files", "/v1/files"),
        ("/files/file-1/content", "/v1/files/file-1/content"),
        ("/v1/fine_tuning/j%C3%B6b/cancel", "/v1/fine_tuning/j%C3%B6b/cancel"),
        ("/v1beta/files", "/v1/v1beta/files"),
        ("/v1/v1beta/files", "/v1/v1beta/files"),
    ],
)
def test_a_request_and_its_answer_are_the_same_bytes(
    server: Server, model: Recorder, method: str, path: str, there: str
) -> None:
    model.answer = Told(pieces=(b"\x00\xffID3",), kind="audio/mpeg", status=201, headers={"OpenAI-Version": "v"})
    headers = {"Content-Type": "multipart/form-data; boundary=b0", "OpenAI-Beta": "x"}
    answer = server.ask(method, path, MULTIPART, headers)
    received = model.next()
    assert (received.method, received.path, received.raw) == (method, there, MULTIPART)
    assert received.headers["content-type"] == "multipart/form-data; boundary=b0"
    assert received.headers["openai-beta"] == "x"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert (answer.status, answer.raw, answer.headers["content-type"]) == (201, b"\x00\xffID3", "audio/mpeg")
    assert answer.headers["openai-version"] == "v"
    assert answer.headers["x-request-id"].startswith("req_")


def test_json_is_not_written_anew_and_nothing_may_come_back(server: Server, model: Recorder) -> None:
    model.answer = Told(pieces=(b"",), kind="text/plain")
    answer = server.ask("POST", "/v1/embeddings", ODD_JSON)
    assert model.next().raw == ODD_JSON
    assert (answer.status, answer.raw) == (200, b"")


@pytest.mark.parametrize(
    ("kind", "pieces"),
    [("text/event-stream", (b"data: 1\n\n", b": odd\n\ndata: [DONE]\n\n")), ("audio/pcm", (b"\x00\xff", b"\x01"))],
)
def test_a_stream_comes_as_it_is_made(server: Server, model: Recorder, kind: str, pieces: tuple[bytes, ...]) -> None:
    model.answer = Told(pieces=pieces, kind=kind, gate=threading.Event())
    with closing(server.connect()) as connection:
        connection.request("POST", "/v1/audio/speech", b'{"stream": true}', {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.read(len(pieces[0])) == pieces[0]
        assert model.answer.gate
        model.answer.gate.set()
        assert response.read() == b"".join(pieces[1:])
        assert response.headers["Content-Type"] == kind


def test_what_breaks_off_is_not_taken_for_whole(server: Server, model: Recorder) -> None:
    """Events can say so; of other bytes the connection breaks off."""
    model.answer = Told(pieces=(b"data: 1\n\n", b"data: 2\n\n"), kind="text/event-stream", cut=True)
    events = server.ask("POST", "/v1/completions", b'{"stream": true}').events
    assert events[:2] == [1, 2] and events[-1] == "[DONE]"
    assert openai_problems(OPENAI_ERROR, events[2]) == []
    model.answer = Told(pieces=(b"ID3", b"\xff"), kind="audio/mpeg", cut=True)
    with pytest.raises(http.client.IncompleteRead):
        server.ask("POST", "/v1/audio/speech", b"{}")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"error": {"message": "No.", "type": "invalid_request_error", "param": "input", "code": null}}'),
        (404, b'{"detail": "Not Found"}'),
        (500, b"<html>oops</html>"),
        (405, b""),
    ],
)
def test_an_error_has_openai_s_form(server: Server, model: Recorder, status: int, body: bytes) -> None:
    model.answer = Told(pieces=(body,), status=status)
    answer = server.ask("POST", "/v1/embeddings", b"{}")
    assert answer.status == status
    assert openai_problems(OPENAI_ERROR, answer.json) == []
    assert answer.raw == body or b'"error"' not in body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/batches", 404),
        ("POST", "/v1/fine_tuning/jobs", 404),
        ("POST", "/v1/fine_tuning/a/b/cancel", 404),
        ("GET", "/admin", 404),
        ("POST", "/v1/audio/../../admin", 404),
        ("POST", "/v1/audio/%2e%2e/%2e%2e/admin", 404),
        ("POST", "/v1/audio/..%2f..%2fadmin", 404),
        ("POST", "/v1/audio/..\\admin", 404),
        ("POST", "/v1/files/..", 404),
        ("GET", CHAT, 405),
        ("PUT", "/v1/models/m", 405),
        ("POST", "/health", 405),
    ],
)
def test_other_paths_never_reach_the_model_server(
    server: Server, model: Recorder, method: str, path: str, status: int
) -> None:
    """Unknown ones, those that climb, and our own with a wrong method, though a pattern would fit them."""
    answer = server.ask(method, path, b"{}")
    assert answer.status == status
    assert openai_problems(OPENAI_ERROR, answer.json) == []
    assert model.received.empty()


def test_our_own_paths_stay_ours_though_a_pattern_fits(server: Server, model: Recorder) -> None:
    assert server.ask("GET", "/health").json["status"] == "ok"
    assert model.next().path == "/v1/models"
    assert server.ask("GET", "/v1/models/m").status == 200
    assert model.next().path == "/v1/models/m"
    assert server.ask("POST", CHAT, b"{}").error["param"] == "messages"
    assert model.received.empty()


def test_a_body_beyond_the_limit_is_refused(server: Server, model: Recorder) -> None:
    assert server.ask("POST", "/v1/embeddings", b"x" * 100_001).status == 413
    assert model.received.empty()


def test_they_count_among_the_requests_under_way(server: Server, model: Recorder) -> None:
    model.answer = Told(pieces=(b"1", b"2"), gate=threading.Event())
    body = json.dumps({"model": "embedder", "input": "x"}).encode()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(server.ask, "POST", "/v1/embeddings", body)
        model.next()
        assert server.ask("POST", "/v1/embeddings", body).status == 429
        assert model.answer.gate
        model.answer.gate.set()
        assert first.result(PATIENCE).raw == b"12"
    assert '"path":"/v1/embeddings","status":429' in server.logged()


def test_the_statistics_know_their_models(server: Server, model: Recorder) -> None:
    body = json.dumps({"model": "counted", "input": "x"}).encode()
    assert server.ask("POST", "/v1/embeddings", body).status == 200
    end = time.monotonic() + PATIENCE
    while "counted" not in (models := server.ask("GET", "/stats").json["statistics"]["models"]):
        assert time.monotonic() < end, models
    assert models["counted"]["succeeded"] == 1
    assert models["counted"]["tool_requests"] == 0


def test_the_sdk_s_other_parts(server: Server, model: Recorder) -> None:
    """Real multipart bodies, binary answers and legacy streams, as the openai package makes and reads them."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        model.answer = Told(pieces=(b'{"object":"list","model":"m","data":[{"index":0,"embedding":[0.5]}]}',))
        assert client.embeddings.create(model="m", input="x", encoding_format="float").data[0].embedding == [0.5]
        model.answer = Told(pieces=(b'{"text": "Hello."}',))
        assert client.audio.transcriptions.create(model="w", file=("a.wav", b"RIFF\x00\xff")).text == "Hello."
        model.answer = Told(pieces=(b"ID3\x00", b"\xff"), kind="audio/mpeg")
        assert client.audio.speech.create(model="t", voice="alloy", input="x").content == b"ID3\x00\xff"
        chunk = b'data: {"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"Hi"}]}\n\n'
        model.answer = Told(pieces=(chunk, b"data: [DONE]\n\n"), kind="text/event-stream")
        said = [part.choices[0].text for part in client.completions.create(model="m", prompt="x", stream=True)]
        assert said == ["Hi"]
        model.answer = Told(pieces=(b'{"object":"list","data":[],"has_more":false}',))
        assert client.files.list().data == []
    _, upload = model.next(), model.next()
    assert b"RIFF\x00\xff" in upload.raw and upload.headers["content-type"].startswith("multipart/form-data")
