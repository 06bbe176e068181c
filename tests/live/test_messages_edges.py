"""Anthropic's protocol beside its answers: keys, paths, faults, counting, models and their names."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import orjson
import pytest

from tests.live.messages import COUNT, MESSAGES, QUESTION, VERSION, WEATHER, answered, ask, body, words
from tests.live.programs import MODES, asked_of
from tests.live.server import PARIS, Answer, Server
from tests.live.server import TOOLS as CHAT_TOOLS
from tests.live.upstream import MODEL, Asked, Json, Reply, ScriptedUpstream
from tests.specs import ANTHROPIC_ERROR, ANTHROPIC_MODELS, TOKEN_COUNT, anthropic_problems

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    "headers", [{"x-api-key": "sk-client"}, {"Authorization": "Bearer sk-client", "anthropic-beta": "new-2030-01-01"}]
)
@pytest.mark.parametrize("path", [f"{MESSAGES}?beta=true", "/messages", f"{MESSAGES}/"])
def test_key_betas_and_paths(server: Server, scripted: ScriptedUpstream, headers: Mapping[str, str], path: str) -> None:
    scripted.say("Hello.")
    assert words(ask(server, body(), headers, path).json) == "Hello."
    assert scripted.question().headers["authorization"] == "Bearer sk-client"


FAULTS: list[tuple[str, str, bytes | None, int, str]] = [
    ("POST", MESSAGES, b"{", 400, "invalid_request_error"),
    ("POST", MESSAGES, orjson.dumps(body(messages=[])), 400, "invalid_request_error"),
    ("POST", MESSAGES, orjson.dumps(body(tools=[{"name": "f", "input_schema": {"type": 3}}])), 400, "invalid_request_error"),
    ("POST", COUNT, b"{}", 400, "invalid_request_error"),
    ("GET", MESSAGES, None, 405, "invalid_request_error"),
    ("POST", f"{MESSAGES}/batches", b"{}", 404, "not_found_error"),
    ("GET", "/v1/models/nobody", None, 404, "not_found_error"),
]  # fmt: skip


def error_of(answer: Answer) -> Json:
    assert anthropic_problems(ANTHROPIC_ERROR, answer.json) == []
    assert answer.json["request_id"] == answer.headers["request-id"]
    return answer.error


@pytest.mark.parametrize(("method", "path", "raw", "status", "kind"), FAULTS)
def test_faults_of_the_client(
    server: Server, method: str, path: str, raw: bytes | None, status: int, kind: str
) -> None:
    answer = server.ask(method, path, raw, VERSION)
    assert (answer.status, error_of(answer)["type"]) == (status, kind)


@pytest.mark.parametrize("field", ["output_config", "output_format"])
def test_a_schema_that_is_none_is_named_in_the_clients_words(server: Server, field: str) -> None:
    wanted: Json = {"type": "json_schema", "schema": {"type": "object", "properties": {"a": {"type": 3}}}}
    given, path = ({"format": wanted}, "output_config.format") if field == "output_config" else (wanted, field)
    answer = ask(server, body(**{field: given}))
    message = error_of(answer)["message"]
    assert answer.status == 400 and message.startswith(f"Invalid schema for {path}.schema: ")
    assert "(at schema.properties.a.type)" in message and "response_format" not in message


@MODES
def test_a_model_may_say_nothing(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """Where there is nothing but words to say, it isn't asked again."""
    scripted.say(Reply(text=""))
    message = answered(server, body(), stream)
    assert (message["content"], message["stop_reason"]) == ([], "end_turn")


def test_a_body_that_is_too_large(strict_server: Server) -> None:
    """Anthropic's document has no type of its own for it, its prose and its clients do."""
    answer = ask(strict_server, body({"role": "user", "content": "x" * 30_000}))
    assert (answer.status, answer.error["type"]) == (413, "request_too_large")


UPSTREAM_FAULTS = [
    (Reply(status=500, raw=b"oops"), 500, "api_error"),
    (Reply(status=429, raw=b"{}", headers={"Retry-After": "7"}), 429, "rate_limit_error"),
    (Reply(status=401, raw=b'{"error": {"message": "wrong key"}}'), 401, "authentication_error"),
    (Reply(status=503, raw=b"busy"), 503, "overloaded_error"),
    (Reply(raw=b"<html>"), 502, "api_error"),
]


@MODES
@pytest.mark.parametrize(("reply", "status", "kind"), UPSTREAM_FAULTS)
def test_faults_of_the_model_server(
    server: Server, scripted: ScriptedUpstream, reply: Reply, status: int, kind: str, stream: bool
) -> None:
    scripted.say(reply)
    answer = ask(server, body(stream=stream))
    assert (answer.status, error_of(answer)["type"]) == (status, kind)
    if status == 429:
        assert answer.headers["retry-after"] == "7"


def test_a_stream_that_breaks_off_raises_in_the_client(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.say(Reply(text="Some words, and then nothing.", cut=2))
    client = anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0)
    heard: list[str] = []
    with (
        pytest.raises(anthropic.APIStatusError, match="cut in the middle") as raised,
        client.messages.stream(model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "hi"}]) as stream,
    ):
        heard += stream.text_stream
    assert anthropic_problems(ANTHROPIC_ERROR, raised.value.body) == []


def count(server: Server, **fields: Any) -> int:
    answer = ask(server, {"model": MODEL, "messages": [QUESTION], **fields}, path=COUNT)
    assert anthropic_problems(TOKEN_COUNT, answer.json) == []
    return answer.json["input_tokens"]


def test_tokens_are_counted_by_the_model_server(server: Server, scripted: ScriptedUpstream) -> None:
    """All that the model would be shown, stubs and all."""
    seen: list[Asked] = []

    def script(asked: Asked) -> Reply:
        seen.append(asked)
        return Reply(raw=b'{"count": 1234}')

    scripted.script = script
    assert count(server, tools=[WEATHER], system="Be kind.") == 1234
    [asked] = seen
    assert asked.path == "/tokenize"
    assert "def get_weather(" in asked.text and asked.text.startswith("Be kind.")


def test_without_a_tokenizer_tokens_are_estimated(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.script = lambda asked: Reply(status=404, raw=b"{}")
    few, more = count(server, model="untold"), count(server, model="untold", tools=[WEATHER])
    assert 0 < few < more


def test_models_are_listed_in_the_clients_own_protocol(server: Server) -> None:
    listed = server.ask("GET", "/v1/models", headers=VERSION).json
    assert anthropic_problems(ANTHROPIC_MODELS, listed) == []
    assert [model["id"] for model in listed["data"]] == [MODEL]
    assert server.ask("GET", f"/v1/models/{MODEL}", headers=VERSION).json == listed["data"][0]
    assert server.ask("GET", "/v1/models").json["object"] == "list"


def test_names_lead_to_the_models_that_are_meant(
    start_server: Any, model_server: ScriptedUpstream, scripted: ScriptedUpstream
) -> None:
    """Whatever the protocol, in a turn and passed through; the answer has the name that Anthropic's client asked for."""
    server = start_server("--base-url", model_server.url, "--no-check", "--model-map", f"claude-*={MODEL},gpt-*=other")
    scripted.say("a", "b", PARIS, PARIS)
    assert answered(server, body(model="claude-x"), stream=False)["model"] == "claude-x"
    assert server.chat(model="gpt-x").status == 200
    assert server.chat(model="gpt-y", tools=CHAT_TOOLS).status == 200
    assert server.chat(model="mine", tools=CHAT_TOOLS).status == 200
    assert [asked.body["model"] for asked in asked_of(scripted)] == [MODEL, "other", "other", "mine"]
    info = server.ask("GET", "/v1/models/claude-y", headers=VERSION).json
    assert (info["id"], info["display_name"]) == ("claude-y", MODEL)
    listed = server.ask("GET", "/v1/models").json["data"]
    assert server.ask("GET", "/v1/models/claude-y").json == listed[0] | {"id": "claude-y"}
    for headers in ({}, VERSION):
        unlisted = server.ask("GET", "/v1/models/gpt-x", headers=headers)
        assert (unlisted.status, unlisted.error["message"]) == (404, "The model server has no model 'other'.")


def test_counting_needs_no_place_among_the_requests_under_way(
    start_server: Any, model_server: ScriptedUpstream, scripted: ScriptedUpstream
) -> None:
    """Further requests are refused in Anthropic's words meanwhile."""
    server: Server = start_server("--base-url", model_server.url, "--no-check", "--max-requests", "1")
    hold = scripted.hold()
    scripted.say(Reply(text="Hello.", hold=hold), Reply(raw=b'{"count": 5}'))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, server, body())
        assert hold.reached.wait(30)
        refused = ask(server, body())
        assert (refused.status, error_of(refused)["type"]) == (429, "rate_limit_error")
        assert count(server) == 5
        hold.release()
        assert words(first.result().json) == "Hello."
