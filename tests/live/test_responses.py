"""The Responses API as its clients find it: the same calls as elsewhere, in its own events; what it keeps for them; and
programs that go on over several responses, whoever keeps the history."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.live.conftest import StartServer
from tests.live.programs import MODES, WORDED, asked_of, fenced, writes
from tests.live.responses import FLAT, OWNER, RESPONSES, Rounds, calls_of, get, post, response_of, stream_of, text_of
from tests.live.server import PARIS, TOOLS, Server
from tests.live.upstream import MODEL, Json, Reply, ScriptedUpstream
from tests.specs import OPENAI_ERROR, openai_problems

pytestmark = pytest.mark.live

WEATHER, TIME = [{"type": "function", **tool["function"]} for tool in TOOLS]
CITY: list[tuple[str, Any]] = [("get-weather", {"city": "Paris"})]


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="sk-client", max_retries=0) as made:
        yield made


@MODES
def test_words(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    scripted.say("Hello there.")
    response = response_of(post(server, input="hi", instructions="Be brief.", stream=stream), stream=stream)
    assert (text_of(response), response["status"], response["usage"]["total_tokens"]) == (
        "Hello there.",
        "completed",
        15,
    )
    assert scripted.question().body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]


@MODES
def test_thought_words_and_a_call(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    scripted.say(Reply(text=f"Let me look.\n{PARIS}", reasoning="Which city? Paris."))
    response = response_of(post(server, tools=[WEATHER, TIME], stream=stream), stream=stream)
    assert [item["type"] for item in response["output"]] == ["reasoning", "message", "function_call"]
    assert (calls_of(response), text_of(response)) == (CITY, "Let me look.")


@MODES
def test_headers_and_comment_say_what_was_done(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    scripted.say(PARIS)
    answer = post(server, tools=[WEATHER], stream=stream)
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["x-emulator-strategy"] == "code"
    assert (b": emulator strategy=code" in answer.raw) == stream


def test_frames_are_the_same_however_the_upstream_cuts_its_answer(server: Server, scripted: ScriptedUpstream) -> None:
    seen: set[str] = set()
    for chunk in (1, 7, 0):
        scripted.say(Reply(text=f"Let me look.\n{PARIS}\nWell.", reasoning="Which city? Paris.", chunk=chunk))
        answer = post(server, tools=[WEATHER], stream=True)
        stream_of(answer)
        frames = re.sub(r"[0-9a-f]{24}", "KEY", answer.raw.decode())
        seen.add(re.sub(r'"created_at":\d+|: emulator .*', "", frames))
    assert len(seen) == 1


def test_custom_tools_and_namespaces(server: Server, scripted: ScriptedUpstream) -> None:
    patch = {"type": "custom", "name": "patch", "description": "Applies a patch."}
    crm = {"type": "namespace", "name": "crm", "description": "Customers.", "tools": [WEATHER]}
    scripted.say(fenced('patch(input="a\\nb")\ncrm__get_weather(city="Paris")'))
    response = response_of(post(server, tools=[patch, crm]))
    custom, inside = response["output"]
    assert (custom["type"], custom["name"], custom["input"]) == ("custom_tool_call", "patch", "a\nb")
    assert (inside["name"], inside["namespace"]) == ("get-weather", "crm")
    outputs = [
        {"type": "function_call_output", "call_id": inside["call_id"], "output": "sunny"},
        {"type": "custom_tool_call_output", "call_id": custom["call_id"], "output": "done"},
    ]
    asked_of(scripted)
    scripted.say("Fine.")
    last = response_of(post(server, tools=[patch, crm], input=outputs, previous_response_id=response["id"]))
    assert text_of(last) == "Fine."
    shown = scripted.question().text
    assert shown.index('patch(input="a\\nb")') < shown.index("done") < shown.index("sunny")


SEARCH: Json = {
    "type": "tool_search",
    "execution": "client",
    "description": "Finds tools.",
    "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
}


@MODES
@pytest.mark.parametrize("resent", [False, True], ids=["kept", "resent"])
def test_a_client_finds_its_tools_itself(
    server: Server, scripted: ScriptedUpstream, stream: bool, resent: bool
) -> None:
    """What its search brought can be called from then on."""
    crm = {"type": "namespace", "name": "crm", "description": "Customers.", "tools": [WEATHER]}
    scripted.say(fenced('tool_search(query="sky")'))
    rounds = Rounds(server, stream, resent, {"input": [{"role": "user", "content": "Sky?"}], "tools": [SEARCH]})
    first = rounds.ask()
    [search] = first["output"]
    assert (search["type"], search["execution"], search["arguments"]) == (
        "tool_search_call",
        "client",
        {"query": "sky"},
    )
    assert "crm__get_weather" not in scripted.question().text
    found = {"type": "tool_search_output", "call_id": search["call_id"], "execution": "client", "tools": [crm]}
    rounds.send(first, found)
    scripted.say(fenced('crm__get_weather(city="Paris")'))
    second = rounds.ask()
    [call] = second["output"]
    assert (call["namespace"], call["name"], json.loads(call["arguments"])) == ("crm", *CITY[0])
    shown = scripted.question().text
    assert shown.index("def crm__get_weather") < shown.index("can be called from now on: crm__get-weather.")
    rounds.send(second, {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"})
    scripted.say("Blue.")
    assert text_of(rounds.ask()) == "Blue."


PROGRAM = """\
u = get_user(user_id=3)
boss = get_user(user_id=u["manager_id"])
for person in [u, boss]:
    send(to=person["email"], body=f"Hi {person['name']}")
print(boss["name"])
"""
PROGRAM_CALLS: list[list[tuple[str, Any]]] = [
    [("get_user", {"user_id": 3})],
    [("get_user", {"user_id": 1}), ("send", {"to": "u3@x.org", "body": "Hi User 3"})],
    [("send", {"to": "u1@x.org", "body": "Hi User 1"})],
    [],
]


@MODES
@pytest.mark.parametrize("resent", [False, True], ids=["kept", "resent"])
def test_a_program_goes_on_over_its_rounds(
    server: Server, scripted: ScriptedUpstream, stream: bool, resent: bool
) -> None:
    """The model is asked for the program and for its output's words, and not in between."""
    scripted.script = writes(PROGRAM)
    responses = Rounds(server, stream, resent).run()
    assert [calls_of(response) for response in responses] == PROGRAM_CALLS
    assert text_of(responses[-1]).startswith(WORDED) and "User 1" in text_of(responses[-1])
    assert len(asked_of(scripted)) == 2


@MODES
def test_a_program_hears_of_errors(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    code = 'try:\n    get_user(user_id=99)\nexcept ToolError as e:\n    send(to="a@x.org", body=str(e))\nprint("over")'
    scripted.script = writes(code)
    responses = Rounds(server, stream).run()
    assert calls_of(responses[1]) == [("send", {"to": "a@x.org", "body": "no user 99"})]


def test_thoughts_go_back_to_the_model(server: Server, scripted: ScriptedUpstream) -> None:
    """Kept, or sealed and sent back by a client that keeps its own history."""
    for resent, include in ((False, []), (True, ["reasoning.encrypted_content"])):
        scripted.script = lambda asked: (
            Reply(text="Sunny.") if "sky" in asked.text else Reply(text=PARIS, reasoning="Hm.")
        )
        body: Json = {"input": [{"role": "user", "content": "Weather?"}], "tools": [WEATHER], "include": include}
        rounds = Rounds(server, resent=resent, body=body)
        first = rounds.ask()
        if resent:
            del first["output"][0]["content"]
        rounds.give(first, lambda name, arguments: "sky: blue")
        assert text_of(rounds.ask()) == "Sunny."
        assert [m.get("reasoning_content") for m in asked_of(scripted)[-1].body["messages"]][-2:] == ["Hm.", None]


def test_the_conversation_is_kept_but_not_its_instructions(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.script = lambda asked: Reply(text="Yes.")
    first = response_of(post(server, input="One?", instructions="Speak Latin."))
    second = response_of(post(server, input="Two?", previous_response_id=first["id"]))
    response_of(post(server, input="Three?", previous_response_id=second["id"], instructions="Speak Greek."))
    assert [(m["role"], m["content"]) for m in asked_of(scripted)[-1].body["messages"]] == [
        ("system", "Speak Greek."),
        ("user", "One?"),
        ("assistant", "Yes."),
        ("user", "Two?"),
        ("assistant", "Yes."),
        ("user", "Three?"),
    ]


def test_items_may_be_named_instead_of_sent(server: Server, scripted: ScriptedUpstream) -> None:
    """As the AI SDK does with what it knows to be kept."""
    scripted.script = writes("u = get_user(user_id=3)\nprint(u['name'])")
    first = response_of(post(server, tools=FLAT))
    [call] = first["output"]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"name": "Ann"}'}
    given: list[Json] = [{"role": "user", "content": "Go on."}, {"type": "item_reference", "id": call["id"]}, output]
    assert "Ann" in text_of(response_of(post(server, tools=FLAT, input=given)))
    answer = post(server, {"Authorization": "Bearer sk-another"}, tools=FLAT, input=given)
    assert (answer.status, answer.error["param"]) == (404, "input")


def test_what_is_kept_can_be_asked_for_and_deleted(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.say("Hello.", "Again.")
    first = response_of(post(server, input="hi"))
    second = response_of(post(server, input="more", previous_response_id=first["id"], stream=True), stream=True)
    assert get(server, first["id"]).json == first
    assert get(server, second["id"]).json == second
    assert get(server, second["id"]).headers["x-request-id"].startswith("req_")
    page = get(server, f"{second['id']}/input_items").json
    assert [item["content"][0]["text"] for item in page["data"]] == ["more"]
    deleted = server.ask("DELETE", f"{RESPONSES}/{first['id']}", None, OWNER)
    assert deleted.json == {"id": first["id"], "object": "response", "deleted": True}
    assert get(server, first["id"]).status == 404
    again = post(server, input="x", previous_response_id=second["id"])
    assert (again.status, again.error["code"]) == (400, "previous_response_not_found")


def test_what_is_kept_is_told_again(server: Server, scripted: ScriptedUpstream) -> None:
    """Event for event, and from any of them on, as a client asks for it whose connection broke."""
    scripted.say(Reply(text=f"Let me look.\n{fenced('get_user(user_id=3)')}", reasoning="Who is 3?"))
    told = stream_of(post(server, stream=True, tools=FLAT))
    identifier = told[-1]["response"]["id"]
    answer = get(server, f"{identifier}?stream=true")
    assert stream_of(answer) == told
    assert answer.headers["x-request-id"]
    assert stream_of(get(server, f"{identifier}?stream=true&starting_after={len(told) - 4}")) == told[-3:]
    [end] = stream_of(get(server, f"{identifier}?stream=true&starting_after=100000"))
    assert end == told[-1] | {"sequence_number": 100001}
    assert get(server, f"{identifier}?stream=false").json == told[-1]["response"]


def test_nobody_else_finds_it(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.say("Hello.")
    kept = response_of(post(server))["id"]
    stranger = {"Authorization": "Bearer sk-another"}
    for method, path in [
        ("GET", kept),
        ("GET", f"{kept}?stream=true"),
        ("GET", f"{kept}/input_items"),
        ("DELETE", kept),
        ("POST", f"{kept}/cancel"),
    ]:
        assert server.ask(method, f"{RESPONSES}/{path}", None, stranger).status == 404
    assert post(server, stranger, previous_response_id=kept).error["code"] == "previous_response_not_found"
    assert get(server, kept).status == 200


def test_what_is_not_to_be_stored_is_not(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.say("Hello.")
    response = response_of(post(server, store=False))
    assert response["store"] is False
    assert get(server, response["id"]).status == 404


def test_a_server_may_keep_nothing(start_server: StartServer, scripted: ScriptedUpstream) -> None:
    server = start_server("--base-url", scripted.url, "--no-check", "--response-seconds", "0")
    scripted.say("Hello.")
    response = response_of(post(server, store=True))
    assert (text_of(response), response["store"]) == ("Hello.", False)
    assert get(server, response["id"]).status == 404
    assert post(server, background=True).error["param"] == "background"


ERRORS: list[tuple[str, str, Json | None, int, str | None]] = [
    ("GET", "resp_nobody", None, 404, "response_id"),
    ("DELETE", "resp_nobody", None, 404, "response_id"),
    ("POST", "resp_nobody/cancel", None, 404, "response_id"),
    ("GET", "resp_nobody/input_items", None, 404, "response_id"),
    ("GET", "resp_nobody?stream=true", None, 404, "response_id"),
    ("GET", "resp_nobody?stream=1", None, 400, "stream"),
    ("GET", "resp_nobody?stream=true&starting_after=last", None, 400, "starting_after"),
    ("GET", f"resp_nobody?stream=true&starting_after={10**24}", None, 400, "starting_after"),
    ("POST", "", {"input": "hi", "tools": [{"type": "web_search"}]}, 400, "tools[0].type"),
    ("POST", "", {"input": "hi", "previous_response_id": "resp_nobody"}, 400, "previous_response_id"),
    ("POST", "", {"input": [{"type": "item_reference", "id": "msg_1"}]}, 404, "input"),
    ("POST", "", {"input": "hi", "tools": [WEATHER | {"parameters": {"type": 3}}]}, 400, "tools[0].parameters"),
    (
        "POST",
        "",
        {"input": "hi", "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": 3}}}},
        400,
        "text.format.schema",
    ),
    ("POST", "input_tokens", {}, 400, "input"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "param"), ERRORS, ids=str)
def test_errors_are_openais(server: Server, method: str, path: str, body: Json | None, status: int, param: str) -> None:
    raw = None if body is None else json.dumps({"model": MODEL} | body).encode()
    answer = server.ask(method, f"{RESPONSES}/{path}".rstrip("/"), raw, OWNER)
    assert (answer.status, answer.error["param"]) == (status, param)
    assert openai_problems(OPENAI_ERROR, answer.json) == []


def test_an_answer_that_breaks_off_has_failed(server: Server, scripted: ScriptedUpstream) -> None:
    """The stream says so in its own words, and so does what is kept of it."""
    scripted.say(Reply(text="Hello there, how are you?", cut=2))
    events = stream_of(post(server, stream=True))
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    failed = events[-1]["response"]
    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")
    assert events[-2]["code"] == "upstream_invalid_response"
    assert get(server, failed["id"]).json == failed


def test_a_plain_answer_that_breaks_off_has_a_status(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.say(Reply(text="Hello.", cut=0))
    answer = post(server)
    assert (answer.status, answer.error["code"]) == (502, "upstream_invalid_response")


@MODES
def test_a_model_may_say_nothing(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """Where there is nothing but words to say, it isn't asked again."""
    scripted.say(Reply(text=""))
    response = response_of(post(server, stream=stream), stream=stream)
    assert (response["status"], response["output"]) == ("completed", [])


@MODES
def test_a_limit_makes_it_incomplete(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    scripted.say(Reply(text="Hello the", finish_reason="length"))
    response = response_of(post(server, max_output_tokens=16, stream=stream), stream=stream)
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert scripted.question().body["max_tokens"] == 16


@MODES
def test_a_format_is_kept_to(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    scripted.say('Sure:\n```json\n{"n": "x"}\n```', '{"n": 3}')
    wanted = {"format": {"type": "json_schema", "name": "number", "schema": schema, "strict": True}}
    assert text_of(response_of(post(server, text=wanted, stream=stream), stream=stream)) == '{"n": 3}'


def test_tokens_are_counted_without_an_answer(server: Server, scripted: ScriptedUpstream) -> None:
    answer = post(server, path=f"{RESPONSES}/input_tokens", input="hi", tools=[WEATHER])
    assert answer.json["object"] == "response.input_tokens" and answer.json["input_tokens"] > 20
    assert {asked.path for asked in asked_of(scripted)} <= {"/tokenize"}


def test_a_store_that_is_gone_costs_the_keeping_only(start_server: StartServer, scripted: ScriptedUpstream) -> None:
    flags = ("--base-url", scripted.url, "--no-check", "--store", "redis://127.0.0.1:1")
    server = start_server(*flags)
    scripted.script = lambda asked: Reply(text="Hello.")
    response = response_of(post(server))
    assert text_of(response) == "Hello."
    assert "response not kept" in server.logged()
    for answer in (
        get(server, response["id"]),
        post(server, previous_response_id="resp_1"),
        post(server, background=True),
    ):
        assert (answer.status, answer.error["code"]) == (503, "store_unavailable")


class Total(BaseModel):
    n: int


def test_the_sdks_helpers(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    scripted.say("Hello.", '{"n": 3}', PARIS, "Sunny.")
    assert client.responses.create(model=MODEL, input="hi").output_text == "Hello."
    assert client.responses.parse(model=MODEL, input="hi", text_format=Total).output_parsed == Total(n=3)
    tools: Any = [WEATHER]
    with client.responses.stream(model=MODEL, input="hi", tools=tools) as stream:
        first = stream.until_done().get_final_response()
    [call] = first.output
    assert call.type == "function_call"
    output: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
    last = client.responses.create(model=MODEL, input=output, previous_response_id=first.id, tools=tools)
    assert last.output_text == "Sunny."
    assert client.responses.retrieve(last.id).output_text == "Sunny."
    assert [item.type for item in client.responses.input_items.list(last.id)] == ["function_call_output"]
    client.responses.delete(last.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(last.id)


def test_the_sdk_parses_answers_with_words_before_a_call(client: openai.OpenAI, scripted: ScriptedUpstream) -> None:
    """It raises on words that are no JSON, unless they are said to be commentary."""
    tools: Any = [WEATHER]
    for _ in range(2):
        scripted.say(f"Let me look.\n{PARIS}")
    plain = client.responses.parse(model=MODEL, input="hi", tools=tools, text_format=Total)
    with client.responses.stream(model=MODEL, input="hi", tools=tools, text_format=Total) as stream:
        streamed = stream.get_final_response()
    for response in (plain, streamed):
        assert response.output_parsed is None
        assert [item.type for item in response.output] == ["message", "function_call"]
