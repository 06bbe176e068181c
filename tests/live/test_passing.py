"""What isn't of tool calling passes through, byte for byte: the server may stand before a model server for good."""

from __future__ import annotations

import json

import pytest

from tests.live.conftest import KEY
from tests.live.server import CHAT, PARIS, TOOLS, Server, chat_body
from tests.live.upstream import MODEL, Reply, ScriptedUpstream, models_body, plain_body, stream_frames

pytestmark = pytest.mark.live

CLIENT_KEY = "sk-the-client-s-own-key"
ODD_BODY = b"""{ "stream": %s, "messages":[ {"content":"h\\u00e9llo \xf0\x9f\x99\x82","role":"user"} ],
  "temperature":0.10, "max_tokens":12345678901234567890, "model":"scripted", "x_own":[1.0,1e5] }"""


def test_a_plain_request_and_its_answer_are_the_same_bytes(server: Server, scripted: ScriptedUpstream) -> None:
    """Spaces, the order of keys, escapes and the form of numbers: nothing is read and written anew."""
    raw = ODD_BODY % b"false"
    scripted.say("The answer.")
    answer = server.chat(raw)
    asked = scripted.question()
    assert asked.raw == raw
    assert asked.headers["content-type"] == "application/json"
    assert answer.raw == plain_body(Reply(text="The answer."))
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("text", ["The answer.", PARIS])
def test_a_stream_is_the_same_bytes(server: Server, scripted: ScriptedUpstream, text: str) -> None:
    """Code in it is text where no tools are: a user may well ask for a program."""
    raw = ODD_BODY % b"true"
    scripted.say(Reply(text=text, chunk=1))
    answer = server.chat(raw)
    assert scripted.question().raw == raw
    assert answer.raw == b"".join(stream_frames(Reply(text=text, chunk=1)))
    assert answer.headers["content-type"] == "text/event-stream"


def test_null_words_of_tool_calling_never_reach_the_model_server(server: Server, scripted: ScriptedUpstream) -> None:
    """Some clients always send them; tool_choice none without tools is no error either."""
    scripted.say("The answer.", "The answer.")
    assert server.chat(tools=None, tool_choice=None, parallel_tool_calls=None).status == 200
    answer = server.chat(tool_choice="none", parallel_tool_calls=True)
    assert answer.json["choices"][0]["message"]["content"] == "The answer."
    scripted.question()
    assert set(scripted.question().body) == {"model", "messages"}


def test_past_calls_are_shown_also_without_tools(server: Server, scripted: ScriptedUpstream) -> None:
    """The last turn of an agent often has no tools any more, but its history has."""
    scripted.say("It is noon.")
    call = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    history = [
        {"role": "user", "content": "What time is it?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "12:00"},
    ]
    answer = server.chat({"model": MODEL, "messages": history})
    assert answer.json["choices"][0]["message"]["content"] == "It is noon."
    asked = scripted.question()
    assert "now()" in asked.text
    assert "12:00" in asked.text


@pytest.mark.parametrize("path", ["/chat/completions", CHAT, f"{CHAT}/"])
def test_both_paths_lead_there(server: Server, scripted: ScriptedUpstream, path: str) -> None:
    """Clients add /v1 to a base URL or don't."""
    scripted.say(PARIS)
    answer = server.ask("POST", path, json.dumps(chat_body(tools=TOOLS)).encode())
    assert answer.json["choices"][0]["finish_reason"] == "tool_calls"
    assert scripted.question().path == "/v1/chat/completions"


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_models_are_the_model_server_s(server: Server, prefix: str) -> None:
    """The list, one of them, and one that isn't there."""
    listed = server.ask("GET", f"{prefix}/models")
    assert listed.raw == models_body()
    one = server.ask("GET", f"{prefix}/models/{MODEL}")
    assert one.json == listed.json["data"][0]
    missing = server.ask("GET", f"{prefix}/models/no/such%20model")
    assert missing.status == 404
    assert "such" in missing.error["message"]


def test_health_tells_version_and_upstream(server: Server, scripted: ScriptedUpstream) -> None:
    """What a load balancer and its operator look at."""
    answer = server.ask("GET", "/health")
    assert answer.status == 200
    assert answer.json["status"] == "ok"
    assert answer.json["version"]
    assert answer.json["upstream"]["url"] == scripted.url


@pytest.mark.parametrize("tools", [None, TOOLS])
def test_the_client_s_own_key_goes_to_the_model_server(
    server: Server, scripted: ScriptedUpstream, tools: object
) -> None:
    """Where the server has none: every user is known there by their own."""
    scripted.say(PARIS)
    body = json.dumps(chat_body(tools=tools)).encode()
    assert server.ask("POST", CHAT, body, {"Authorization": f"Bearer {CLIENT_KEY}"}).status == 200
    assert scripted.question().headers["authorization"] == f"Bearer {CLIENT_KEY}"


@pytest.mark.parametrize("tools", [None, TOOLS])
def test_the_server_s_own_key_and_model_win(strict_server: Server, scripted: ScriptedUpstream, tools: object) -> None:
    """Its clients need no key of the model server's, and theirs is none of its business."""
    scripted.say(PARIS)
    body = json.dumps(chat_body(tools=tools)).encode()
    assert strict_server.ask("POST", CHAT, body, {"Authorization": f"Bearer {CLIENT_KEY}"}).status == 200
    asked = scripted.question()
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert CLIENT_KEY not in str(asked.headers)
    assert asked.body["model"] == "own-model"


def test_no_secret_is_ever_logged_or_told(strict_server: Server, scripted: ScriptedUpstream) -> None:
    """Neither key may end in a file or in another client's answer, though a failing model server repeats them."""
    echoed = json.dumps({"error": {"message": f"Incorrect API key: {KEY}, {CLIENT_KEY}", "code": "invalid_api_key"}})
    refusal = Reply(status=401, raw=echoed.encode())
    scripted.say(refusal, refusal, Reply(raw=f"<b>{KEY}</b>".encode(), content_type="text/html"))
    headers = {"Authorization": f"Bearer {CLIENT_KEY}"}
    said = b""
    for fields in ({"tools": TOOLS}, {}, {"tools": TOOLS}):
        answer = strict_server.ask(
            "POST", CHAT, json.dumps(chat_body("A private question.", **fields)).encode(), headers
        )
        assert answer.status in (401, 502)
        said += answer.raw
    logged = strict_server.logged()
    assert '"status":401' in logged
    for secret in (KEY, CLIENT_KEY):
        assert secret not in logged
    assert KEY.encode() not in said
    assert "A private question." not in logged
