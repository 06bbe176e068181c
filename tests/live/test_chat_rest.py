"""The older and the rarer parts of Chat Completions, asked for by OpenAI's own client over HTTP: legacy functions over
several rounds, custom tools held to their grammars, and what a model server says beside words."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from openai import BadRequestError, OpenAI
from openai.types.chat import ChatCompletion

from tests.live.programs import asked_of
from tests.live.server import PARIS, TOOLS, Server
from tests.live.upstream import MODEL, USAGE, Json, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

USER = {"role": "user", "content": "Weather in Paris?"}
WEATHER = TOOLS[0]["function"]
DATE = {
    "type": "custom",
    "custom": {
        "name": "set-date",
        "description": "Sets the date.",
        "format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": r"\d{4}-\d\d-\d\d"}},
    },
}
SQL = {
    "type": "custom",
    "custom": {
        "name": "run-sql",
        "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": 'start: "SELECT " /[a-z]+/'}},
    },
}
TEXT = {"type": "custom", "custom": {"name": "note", "description": "Writes a note."}}


@pytest.fixture
def client(server: Server) -> OpenAI:
    return OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0)


def asked(client: OpenAI, *, streamed: bool, **body: Any) -> Json:
    """The only choice: its message and finish_reason, as the client has them at the end."""
    create: Any = client.chat.completions.create
    body = {"model": MODEL, "messages": [USER]} | body
    if not streamed:
        completion: ChatCompletion = create(**body)
        return cast(Json, completion.choices[0].to_dict())
    message: Json = {"content": "", "tool_calls": {}}
    choice: Json = {"message": message}
    for chunk in create(**body, stream=True):
        [part] = chunk.to_dict()["choices"]
        choice["finish_reason"] = part["finish_reason"]
        _add(message, part["delta"])
    message["tool_calls"] = [message["tool_calls"][index] for index in sorted(message["tool_calls"])]
    return choice


def _add(message: Json, delta: Json) -> None:
    """As clients do by hand."""
    calls: list[Json] = delta.pop("tool_calls", None) or []
    for call in calls:
        known: Json = message["tool_calls"].setdefault(call.pop("index"), {})
        for kind in ("custom", "function"):
            if part := call.pop(kind, None):
                _join(known.setdefault(kind, {}), part)
        known |= {key: value for key, value in call.items() if value is not None}
    if delta.get("function_call"):
        _join(message.setdefault("function_call", {}), delta.pop("function_call"))
    message["content"] += delta.pop("content", None) or ""
    message["refusal"] = (message.get("refusal") or "") + (delta.pop("refusal", None) or "") or None
    message |= delta


def _join(known: Json, more: Json) -> None:
    for key, text in more.items():
        known[key] = known.get(key, "") + text


streaming = pytest.mark.parametrize("streamed", [False, True])


@streaming
def test_a_function_is_called_over_several_rounds(client: OpenAI, scripted: ScriptedUpstream, streamed: bool) -> None:
    scripted.say(PARIS, PARIS, "Sunny, as before.")
    messages: list[Json] = [USER]
    for result in ("sunny", "still sunny"):
        choice = asked(client, streamed=streamed, messages=messages, functions=[WEATHER])
        assert choice["finish_reason"] == "function_call"
        called = choice["message"]["function_call"]
        assert (called["name"], json.loads(called["arguments"])) == ("get-weather", {"city": "Paris"})
        assert not choice["message"].get("tool_calls")
        messages += [
            {"role": "assistant", "content": None, "function_call": called},
            {"role": "function", "name": "get-weather", "content": result},
        ]
    choice = asked(client, streamed=streamed, messages=messages, functions=[WEATHER])
    assert (choice["finish_reason"], choice["message"]["content"]) == ("stop", "Sunny, as before.")
    last = [scripted.question() for _ in range(3)][-1].text
    assert last.index('get_weather(city="Paris")') < last.index("sunny") < last.index("still sunny")


@streaming
def test_at_most_one_function_is_called(client: OpenAI, scripted: ScriptedUpstream, streamed: bool) -> None:
    scripted.say('```python\nget_weather(city="Paris")\nget_weather(city="Rome")\n```')
    choice = asked(client, streamed=streamed, functions=[WEATHER], function_call={"name": "get-weather"})
    assert json.loads(choice["message"]["function_call"]["arguments"]) == {"city": "Paris"}
    assert choice["finish_reason"] == "function_call"


def test_function_call_none(client: OpenAI, scripted: ScriptedUpstream) -> None:
    scripted.say("No idea.")
    choice = asked(client, streamed=False, functions=[WEATHER], function_call="none")
    assert choice["message"]["content"] == "No idea."
    assert "get_weather" not in scripted.question().text


@streaming
def test_a_custom_tool_is_called_with_a_text(client: OpenAI, scripted: ScriptedUpstream, streamed: bool) -> None:
    scripted.say(
        '```python\nnote(input="""Say "hi"\\nto \N{EARTH GLOBE EUROPE-AFRICA}""")\nget_weather(city="Rome")\n```'
    )
    choice = asked(client, streamed=streamed, tools=[*TOOLS, TEXT])
    [note, weather] = choice["message"]["tool_calls"]
    assert note == {
        "id": note["id"],
        "type": "custom",
        "custom": {"name": "note", "input": 'Say "hi"\nto \N{EARTH GLOBE EUROPE-AFRICA}'},
    }
    assert (weather["type"], weather["function"]["name"]) == ("function", "get-weather")
    assert choice["finish_reason"] == "tool_calls"
    scripted.say("Done.")
    messages = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [note, weather]},
        {"role": "tool", "tool_call_id": weather["id"], "content": "rain"},
        {"role": "tool", "tool_call_id": note["id"], "content": "written"},
    ]
    again = asked(client, streamed=streamed, messages=messages, tools=[*TOOLS, TEXT])
    assert again["message"]["content"] == "Done."


@streaming
@pytest.mark.parametrize(
    ("tool", "wrong", "right", "name"),
    [
        (DATE, "2026-1-1", "2026-01-01", "set_date"),
        (SQL, "DROP users", "SELECT users", "run_sql"),
    ],
)
def test_an_input_that_misses_its_grammar_is_asked_for_again(
    client: OpenAI, scripted: ScriptedUpstream, streamed: bool, tool: Json, wrong: str, right: str, name: str
) -> None:
    scripted.say(f'```python\n{name}(input="{wrong}")\n```', f'```python\n{name}("{right}")\n```')
    choice = asked(
        client,
        streamed=streamed,
        tools=[tool],
        tool_choice={"type": "custom", "custom": {"name": tool["custom"]["name"]}},
    )
    [call] = choice["message"]["tool_calls"]
    assert call["custom"] == {"name": tool["custom"]["name"], "input": right}
    first, repair = scripted.question().text, scripted.question().text
    assert tool["custom"]["format"]["grammar"]["definition"] in first
    assert "must match its grammar" in repair


@pytest.mark.parametrize(("syntax", "definition"), [("lark", "start: nothing"), ("regex", "(?=a)"), ("regex", "(")])
def test_a_grammar_that_can_not_be_used_is_refused(client: OpenAI, syntax: str, definition: str) -> None:
    format = {"type": "grammar", "grammar": {"syntax": syntax, "definition": definition}}
    tool = {"type": "custom", "custom": {"name": "a", "format": format}}
    with pytest.raises(BadRequestError) as raised:
        asked(client, streamed=False, tools=[*TOOLS, tool])
    assert (raised.value.param, raised.value.code) == ("tools[2].custom.format.grammar.definition", "invalid_grammar")


def test_a_grammar_that_nothing_can_be_matched_against_costs_one_question(
    client: OpenAI, scripted: ScriptedUpstream
) -> None:
    grammar = {"syntax": "lark", "definition": 'start: s\ns: s s s | s s | "x" | '}
    tool = {"type": "custom", "custom": {"name": "a", "format": {"type": "grammar", "grammar": grammar}}}
    scripted.say(f'```python\na("{"x" * 500}")\n```')
    with pytest.raises(BadRequestError, match="takes too long to match") as raised:
        asked(client, streamed=False, tools=[tool])
    assert raised.value.code == "invalid_grammar"
    assert len(asked_of(scripted)) == 1


HEAD = {"id": "c1", "created": 1_700_000_000, "model": MODEL, "system_fingerprint": "fp_1", "service_tier": "flex"}
CITED = {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 2, "url": "u", "title": "t"}}
AUDIO = {"id": "audio_1", "data": "AAAA", "transcript": "Hi", "expires_at": 5}


def said(message: Json, *, streamed: bool) -> Reply:
    """A model server's answer with this message."""
    if not streamed:
        choice: Json = {
            "index": 0,
            "message": {"role": "assistant"} | message,
            "logprobs": None,
            "finish_reason": "stop",
        }
        return Reply(raw=json.dumps(HEAD | {"object": "chat.completion", "choices": [choice], "usage": USAGE}).encode())
    ends: list[tuple[Json, str | None]] = [({"role": "assistant", "content": ""}, None), (message, None), ({}, "stop")]
    frames = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "object": "chat.completion.chunk"}
        for delta, reason in ends
    ]
    text = "".join(f"data: {json.dumps(HEAD | frame)}\n\n" for frame in frames)
    return Reply(raw=f"{text}data: [DONE]\n\n".encode(), content_type="text/event-stream")


@streaming
def test_a_refusal_reaches_the_client_as_one(client: OpenAI, scripted: ScriptedUpstream, streamed: bool) -> None:
    scripted.say(said({"content": None, "refusal": "I won't."}, streamed=streamed))
    choice = asked(client, streamed=streamed, tools=TOOLS, tool_choice="required")
    assert choice["message"]["refusal"] == "I won't."
    assert not choice["message"]["content"]
    assert choice["finish_reason"] == "stop"


@streaming
def test_annotations_and_audio_reach_the_client(client: OpenAI, scripted: ScriptedUpstream, streamed: bool) -> None:
    scripted.say(said({"content": "Hi", "annotations": [CITED], "audio": AUDIO}, streamed=streamed))
    message = asked(client, streamed=streamed, tools=TOOLS)["message"]
    assert (message["content"], message["annotations"], message["audio"]) == ("Hi", [CITED], AUDIO)


@streaming
def test_who_answered_and_how_is_told_in_every_body(server: Server, scripted: ScriptedUpstream, streamed: bool) -> None:
    scripted.say(said({"content": PARIS}, streamed=streamed))
    body = {"model": MODEL, "messages": [USER], "tools": TOOLS, "stream": streamed}
    answer = server.chat(json.dumps(body).encode())
    bodies: list[Json] = answer.events[:-1] if streamed else [answer.json]
    for each in bodies:
        assert {key: each[key] for key in HEAD} == HEAD
    if not streamed:
        [choice] = bodies[0]["choices"]
        assert (choice["message"]["refusal"], choice["message"]["annotations"]) == (None, [])


def test_other_parameters_are_the_model_servers(client: OpenAI, scripted: ScriptedUpstream) -> None:
    others: Json = {
        "seed": 7,
        "logprobs": True,
        "top_logprobs": 2,
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "wav"},
        "prediction": {"type": "content", "content": "x"},
        "service_tier": "flex",
        "reasoning_effort": "low",
        "verbosity": "low",
        "metadata": {"a": "b"},
        "n": 2,
    }
    scripted.say(PARIS)
    client.chat.completions.create(model=MODEL, messages=cast(Any, [USER]), tools=cast(Any, TOOLS), **others)
    sent = scripted.question().body
    assert {key: sent[key] for key in others} == others


def test_a_server_that_calls_tools_is_asked_for_functions(client: OpenAI, scripted: ScriptedUpstream) -> None:
    scripted.calls_tools = True
    call = {"id": "u1", "type": "function", "function": {"name": "run-sql", "arguments": '{"input": "SELECT users"}'}}
    scripted.say(said({"content": None, "tool_calls": [call]}, streamed=False))
    choice = asked(client, streamed=False, tools=[SQL], extra_headers={"X-Emulator-Strategy": "native"})
    [made] = choice["message"]["tool_calls"]
    assert made["custom"] == {"name": "run-sql", "input": "SELECT users"}
    [tool] = scripted.question().body["tools"]
    assert tool["type"] == "function"
    assert tool["function"]["parameters"]["required"] == ["input"]
