"""However the model server fails, the client is told so: no failure may end as an empty answer or a whole stream."""

from __future__ import annotations

import json
import socket
import time
from typing import Any, cast

import pytest

from tests.live.conftest import StartServer
from tests.live.server import PARIS, TOOLS, Answer, Server, fold
from tests.live.upstream import PATIENCE, Json, Reply, ScriptedUpstream, plain_body, stream_frames

pytestmark = pytest.mark.live

WAYS = [
    pytest.param({"tools": TOOLS}, id="plain"),
    pytest.param({"tools": TOOLS, "stream": True}, id="stream"),
    pytest.param({}, id="plain, passed through"),
    pytest.param({"stream": True}, id="stream, passed through"),
]
PLAIN_WAYS = [WAYS[0], WAYS[2]]
STREAMED_WAYS = [WAYS[1], WAYS[3]]
HTML = b"<!doctype html><title>502 Bad Gateway</title><h1>nginx</h1>"


def error_body(**fields: Any) -> bytes:
    return json.dumps({"error": {"message": "Said upstream.", "type": "some_error", "param": None} | fields}).encode()


REFUSALS: dict[str, tuple[Reply, int, str, str | None]] = {
    "400": (
        Reply(
            status=400, raw=error_body(type="invalid_request_error", param="messages", code="context_length_exceeded")
        ),
        400,
        "invalid_request_error",
        "context_length_exceeded",
    ),
    "401": (
        Reply(status=401, raw=error_body(type="invalid_request_error", code="invalid_api_key")),
        401,
        "invalid_request_error",
        "invalid_api_key",
    ),
    "404": (
        Reply(status=404, raw=error_body(type="invalid_request_error", code="model_not_found")),
        404,
        "invalid_request_error",
        "model_not_found",
    ),
    "429": (
        Reply(status=429, raw=error_body(type="tokens", code="rate_limit_exceeded"), headers={"Retry-After": "7"}),
        429,
        "tokens",
        "rate_limit_exceeded",
    ),
    "500": (Reply(status=500, raw=error_body(type="server_error", code=None)), 500, "server_error", None),
    "502, HTML": (Reply(status=502, raw=HTML, content_type="text/html"), 502, "server_error", None),
    "503, empty": (Reply(status=503, raw=b"", headers={"Retry-After": "3"}), 503, "server_error", None),
    "Ollama's": (
        Reply(status=404, raw=b'{"error": "model \'x\' not found, try pulling it first"}'),
        404,
        "invalid_request_error",
        None,
    ),
    "FastAPI's": (Reply(status=422, raw=b'{"detail": "Said upstream."}'), 422, "invalid_request_error", None),
}


@pytest.mark.parametrize("fields", WAYS)
@pytest.mark.parametrize(("reply", "status", "type", "code"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_passed_on(
    server: Server, scripted: ScriptedUpstream, reply: Reply, status: int, type: str, code: str | None, fields: Json
) -> None:
    """Clients wait and try again, or give up, by the status, the code and Retry-After."""
    scripted.say(reply)
    answer = server.chat(**fields)
    assert answer.status == status
    assert (answer.error["type"], answer.error["code"]) == (type, code)
    assert answer.error["message"]
    assert "<" not in answer.error["message"]
    assert answer.headers.get("retry-after") == reply.headers.get("Retry-After")


NONSENSE: dict[str, Reply] = {
    "empty": Reply(raw=b""),
    "HTML": Reply(raw=b"<!doctype html><title>Welcome</title>", content_type="text/html"),
    "broken JSON": Reply(raw=plain_body(Reply())[:-10]),
    "no object": Reply(raw=b"[]"),
    "no choices": Reply(raw=b'{"object": "chat.completion"}'),
    "empty choices": Reply(raw=b'{"object": "chat.completion", "choices": []}'),
    "an empty stream": Reply(raw=b"", content_type="text/event-stream"),
    "a stream of nothing": Reply(raw=b"data: [DONE]\n\n", content_type="text/event-stream"),
    "a stream of nonsense": Reply(raw=b"data: {\n\ndata: [DONE]\n\n", content_type="text/event-stream"),
    "moved": Reply(status=302, raw=b"", headers={"Location": "http://127.0.0.1:1/"}),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_answer_is_an_error(server: Server, scripted: ScriptedUpstream, reply: Reply, stream: bool) -> None:
    """A 200 with nothing in it would be shown to a user as the model's silence."""
    scripted.say(reply)
    answer = server.chat(tools=TOOLS, stream=stream)
    assert answer.status == 502
    assert answer.error["code"] == "upstream_invalid_response"
    assert answer.error["type"] == "upstream_error"


@pytest.mark.parametrize("fields", WAYS)
def test_an_empty_body_is_an_error_also_when_passed_through(
    server: Server, scripted: ScriptedUpstream, fields: Json
) -> None:
    """Bytes pass unchanged, but no bytes at all are no answer."""
    scripted.say(Reply(raw=b""))
    assert server.chat(**fields).status == 502


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_without_words_is_an_error(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """The model is asked again, in every way there is; if it goes on saying nothing, that is told."""
    scripted.script = lambda asked: Reply(text="")
    answer = server.chat(tools=TOOLS, stream=stream)
    assert (answer.status, answer.error["code"]) == (502, "empty_answer")
    assert scripted.asked.qsize() > 3


@pytest.mark.parametrize("fields", PLAIN_WAYS)
def test_a_plain_answer_cut_in_the_middle_is_not_answered_whole(
    server: Server, scripted: ScriptedUpstream, fields: Json
) -> None:
    """Half a body behind a status of 200 has to break, or be an error: it must never be taken for an answer."""
    scripted.say(Reply(text=PARIS, cut=0))
    if "tools" in fields:
        answer = server.chat(**fields)
        assert answer.status == 502
        assert answer.error["code"] == "upstream_invalid_response"
    else:
        with pytest.raises(Exception, match=r"IncompleteRead|closed"):
            server.chat(**fields)


@pytest.mark.parametrize("fields", STREAMED_WAYS)
def test_a_stream_cut_in_the_middle_ends_with_an_error_event(
    server: Server, scripted: ScriptedUpstream, fields: Json
) -> None:
    """The status has gone out, so the error comes as an event, which SDKs raise; what came before stays."""
    scripted.say(Reply(text="The weather is fine today, and so on and on.", cut=3))
    answer = server.chat(**fields)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    *said, failed, done = answer.events
    words = "".join(choice["delta"].get("content") or "" for event in said for choice in event["choices"])
    assert words
    assert "The weather is fine today".startswith(words)
    assert failed["error"]["type"] == "upstream_error"
    assert failed["error"]["code"] == "upstream_invalid_response"
    assert done == "[DONE]"


@pytest.mark.parametrize("stream", [False, True])
def test_a_stream_that_merely_ends_is_no_whole_answer(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """A proxy that loses its model server ends the body properly, but neither finish_reason nor [DONE] came."""
    frames = list(stream_frames(Reply(text="The weather is fine today.")))
    scripted.say(Reply(raw=b"".join(frames[:3]), content_type="text/event-stream"))
    answer = server.chat(tools=TOOLS, stream=stream)
    error = answer.events[-2]["error"] if stream else answer.error
    assert error["code"] == "upstream_invalid_response"


def test_a_call_that_has_left_stays_when_the_stream_is_cut(server: Server, scripted: ScriptedUpstream) -> None:
    """It was final when it left; but the answer isn't whole, and doesn't say so either."""
    scripted.say(Reply(text=f"{PARIS[:-4]}\nnow(\n```", chunk=0, cut=1))
    answer = server.chat(tools=TOOLS, stream=True)
    choices = [choice for event in answer.events[:-2] for choice in event["choices"]]
    names = [call["function"].get("name") for choice in choices for call in choice["delta"].get("tool_calls", ())]
    assert names[0] == "get-weather"
    assert not any(choice["finish_reason"] for choice in choices)
    assert answer.events[-2]["error"]["code"] == "upstream_invalid_response"


def test_an_error_event_of_the_model_server_is_passed_on(server: Server, scripted: ScriptedUpstream) -> None:
    """vLLM and llama.cpp report what goes wrong in the middle of a stream so."""
    event = b'data: {"error": {"message": "The GPU fell off the bus.", "type": "server_error", "code": 500}}\n\n'
    scripted.say(*[Reply(raw=event, content_type="text/event-stream")] * 2)
    answer = server.chat(tools=TOOLS, stream=True)
    assert answer.status == 500
    assert answer.error["message"] == "The GPU fell off the bus."
    passed = server.chat(stream=True)
    assert passed.raw == event


def timed_out(answer: Answer) -> Json:
    """The error of an answer that had begun, or hadn't."""
    if answer.status == 200:
        return cast(Json, answer.events[-2]["error"])
    assert answer.status == 504
    return answer.error


@pytest.mark.parametrize("fields", STREAMED_WAYS)
@pytest.mark.parametrize(
    ("hold_after", "flag"), [(0, "--first-token-timeout"), (2, "--silence-timeout")], ids=["first token", "silence"]
)
def test_a_model_server_that_falls_silent_is_left(
    strict_server: Server, scripted: ScriptedUpstream, hold_after: int, flag: str, fields: Json
) -> None:
    """The sentence names the setting, since slow models are no rarity."""
    hold = scripted.hold()
    scripted.say(Reply(text="The weather is fine today.", hold=hold, hold_after=hold_after))
    answer = strict_server.chat(**fields)
    error = timed_out(answer)
    assert error["code"] == "upstream_timeout"
    assert flag in error["message"]
    assert hold.left.wait(2)


@pytest.fixture(scope="module")
def hasty_server(start_server: StartServer, model_server: ScriptedUpstream) -> Server:
    """Takes three seconds for a request at most; the stubs of TOOLS, which count in, are ready."""
    server = start_server("--base-url", model_server.url, "--no-check", "--timeout", "3")
    model_server.script = lambda asked: Reply(text=PARIS)
    end = time.monotonic() + PATIENCE
    while (answer := server.chat(tools=TOOLS)).status == 504:
        assert time.monotonic() < end, answer
    return server


@pytest.mark.parametrize("fields", WAYS)
def test_the_total_time_ends_every_answer(hasty_server: Server, scripted: ScriptedUpstream, fields: Json) -> None:
    """An answer may take its time, but not for ever, and a stream that goes on is no exception."""
    hold = scripted.hold()
    scripted.say(Reply(hold=hold))
    error = timed_out(hasty_server.chat(**fields))
    assert error["code"] == "upstream_timeout"
    assert "--timeout" in error["message"]
    assert hold.left.wait(2)


@pytest.fixture(scope="module")
def lonely_server(start_server: StartServer) -> Server:
    """Nobody listens where its model server should be."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    return start_server("--base-url", f"http://127.0.0.1:{port}/v1", "--no-check")


@pytest.mark.parametrize("fields", WAYS)
def test_a_model_server_out_of_reach_is_named(lonely_server: Server, fields: Json) -> None:
    """It is the operator's first mistake; 502 tells the client that it isn't its own."""
    answer = lonely_server.chat(**fields)
    assert answer.status == 502
    assert answer.error["code"] == "upstream_unreachable"
    assert "127.0.0.1" in answer.error["message"]


def test_health_and_models_say_that_it_is_out_of_reach(lonely_server: Server) -> None:
    """Whoever watches the server sees at once which of the two is down."""
    health = lonely_server.ask("GET", "/health")
    assert health.status == 503
    assert health.json["upstream"]["status"] == "unreachable"
    assert lonely_server.ask("GET", "/v1/models").error["code"] == "upstream_unreachable"


@pytest.mark.parametrize("stream", [False, True])
def test_a_failing_repair_keeps_what_has_left(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """The second question fails: a stream has sent its first call and says the error; a plain answer is the error."""
    first = '```python\nget_weather(city="Paris")\nget_weather(town="Rome")\n```'
    scripted.say(first, REFUSALS["429"][0])
    answer = server.chat(tools=TOOLS, stream=stream)
    if stream:
        assert any('"get-weather"' in json.dumps(event) for event in answer.events[:-2])
        assert answer.events[-2]["error"]["code"] == "rate_limit_exceeded"
    else:
        assert answer.status == 429
        assert answer.headers["retry-after"] == "7"


def test_plain_json_for_a_stream_is_understood(server: Server, scripted: ScriptedUpstream) -> None:
    """Some servers ignore stream: true."""
    scripted.say(Reply(raw=plain_body(Reply(text=PARIS))))
    assert fold(server.chat(tools=TOOLS, stream=True))[0].named_calls == [("get-weather", {"city": "Paris"})]
