"""Anthropic's clients against a running server: the same answers, programs and thoughts in their protocol."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest

from tests.live.messages import QUESTION, WEATHER, answered, body, calls, words
from tests.live.programs import MODES, WORDED, ToolError, asked_of, fenced, reference, world, writes
from tests.live.programs import TOOLS as WORLD
from tests.live.server import PARIS, Server
from tests.live.upstream import MODEL, USAGE, Json, Reply, ScriptedUpstream, plain_body

pytestmark = pytest.mark.live

SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@MODES
def test_prose_thought_and_calls_in_one_answer(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    code = fenced('get_weather(city="Paris")\nget_weather(city="Rome", unit="celsius")')
    scripted.say(Reply(text=f"Let me look.\n{code}", reasoning="Which city?"))
    message = answered(server, body(tools=[WEATHER], system=[{"type": "text", "text": "Be kind."}]), stream)
    assert [block["type"] for block in message["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert message["content"][0]["thinking"] == "Which city?"
    assert words(message).strip() == "Let me look."
    assert calls(message) == [
        ("get-weather", {"city": "Paris"}),
        ("get-weather", {"city": "Rome", "unit": "celsius"}),
    ]
    assert (message["stop_reason"], message["model"]) == ("tool_use", MODEL)
    assert message["usage"]["input_tokens"] == USAGE["prompt_tokens"]
    assert message["usage"]["output_tokens"] == USAGE["completion_tokens"]
    sent = scripted.question().body
    assert sent["messages"][0]["content"].startswith("Be kind.")
    assert sent["max_tokens"] == 100


@MODES
def test_without_tools_the_words_are_the_models(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """Code in them is code for the reader; the history and a begun answer reach the model as they are."""
    scripted.say(Reply(text=f"Like this:\n{PARIS}", finish_reason="length"))
    history = [QUESTION, {"role": "assistant", "content": "Sunny."}, {"role": "user", "content": "Code?"}]
    message = answered(server, body(*history, {"role": "assistant", "content": "Of course."}), stream)
    assert (words(message), message["stop_reason"]) == (f"Like this:\n{PARIS}", "max_tokens")
    assert [said["role"] for said in scripted.question().body["messages"]] == ["user", "assistant"] * 2


@MODES
def test_thoughts_that_are_not_wanted_are_not_shown(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    scripted.say(Reply(text="<think>Hm.</think>Hello."))
    message = answered(server, body(thinking={"type": "disabled"}), stream)
    assert [(block["type"], block["text"]) for block in message["content"]] == [("text", "Hello.")]


@MODES
def test_what_was_thought_goes_back_to_the_model(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    scripted.say(Reply(text=PARIS, reasoning="Paris."), "Warm.")
    first = answered(server, body(tools=[WEATHER]), stream)
    [call] = [block for block in first["content"] if block["type"] == "tool_use"]
    given = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": [{"type": "text", "text": "20 degrees"}]},
        {"type": "text", "text": "Is that warm?"},
    ]
    turn = {"role": "assistant", "content": first["content"]}
    last = answered(server, body(QUESTION, turn, {"role": "user", "content": given}, tools=[WEATHER]), stream)
    assert (words(last), last["stop_reason"]) == ("Warm.", "end_turn")
    [_, question] = asked_of(scripted)
    assert [said["reasoning_content"] for said in question.body["messages"] if "reasoning_content" in said] == [
        "Paris."
    ]
    assert "20 degrees" in question.text
    assert question.text.endswith("Is that warm?")


def tools_of_the_world() -> list[Json]:
    functions = [tool["function"] for tool in WORLD]
    return [
        {"name": it["name"], "description": it["description"], "input_schema": it["parameters"]} for it in functions
    ]


def result_of(call: Json) -> Json:
    given: Json = {"type": "tool_result", "tool_use_id": call["id"]}
    try:
        return given | {"content": [{"type": "text", "text": world(call["name"], call["input"])}]}
    except ToolError as error:
        return given | {"content": str(error), "is_error": True}


def rounds(server: Server, stream: bool, **fields: Any) -> list[Json]:
    """All answers of a conversation whose client sends each round's results."""
    history = [QUESTION]
    messages: list[Json] = []
    while not messages or messages[-1]["stop_reason"] == "tool_use":
        assert len(messages) < 20, "it never ends"
        messages.append(answered(server, body(*history, tools=tools_of_the_world(), **fields), stream))
        found = [result_of(block) for block in messages[-1]["content"] if block["type"] == "tool_use"]
        history += [{"role": "assistant", "content": messages[-1]["content"]}, {"role": "user", "content": found}]
    return messages


PROGRAMS = [
    'u = get_user(user_id=3)\nm = get_user(user_id=u["manager_id"])\nsend(to=m["email"], body=u["name"])\nprint("sent")',
    'for name in list_files(folder="all"):\n    text = read_file(path=name)\n    print(name, len(str(text)))',
    "try:\n    get_user(user_id=99)\nexcept ToolError as error:\n    print('no:', error)",
]


@MODES
@pytest.mark.parametrize("code", PROGRAMS, ids=["chained", "a loop", "an error that is caught"])
def test_a_program_over_several_rounds(server: Server, scripted: ScriptedUpstream, code: str, stream: bool) -> None:
    """The model is asked for it once, and to word what it printed."""
    scripted.script = writes(code)
    expected = reference(code)
    messages = rounds(server, stream)
    assert [call for message in messages for call in calls(message)] == expected.calls
    assert words(messages[-1]).startswith(WORDED)
    assert expected.output.strip() in words(messages[-1])
    assert len(asked_of(scripted)) == 2


@MODES
def test_one_call_at_a_time_where_the_client_wants_it(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    scripted.script = writes("for user in [1, 2, 3]:\n    get_user(user_id=user)")
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert [len(calls(message)) for message in rounds(server, stream, tool_choice=choice)] == [1, 1, 1, 0]


@MODES
def test_a_call_that_is_demanded(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """The model's first answer has none."""
    scripted.say("It is sunny.", PARIS)
    message = answered(server, body(tools=[WEATHER], tool_choice={"type": "tool", "name": "get-weather"}), stream)
    assert calls(message) == [("get-weather", {"city": "Paris"})]


@MODES
def test_words_in_a_format(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    scripted.say("a is 1", '{"a": 1}')
    format = {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert json.loads(words(answered(server, body(tools=[WEATHER], output_config=format), stream))) == {"a": 1}


def test_a_stop_sequence_is_told_where_the_model_server_tells_it(server: Server, scripted: ScriptedUpstream) -> None:
    raw = json.loads(plain_body(Reply(text="One, ")))
    raw["choices"][0]["stop_reason"] = "two"
    scripted.say(Reply(raw=json.dumps(raw).encode()))
    message = answered(server, body(stop_sequences=["two", "three"]), stream=False)
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "two")
    assert scripted.question().body["stop"] == ["two", "three"]


def test_an_image_reaches_the_model(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.say("A cat.")
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    answered(server, body({"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}), stream=False)
    [sent] = scripted.question().body["messages"]
    assert sent["content"][1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@MODES
def test_the_sdks_tool_runner(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """It asks for a thread that the server keeps, and sends whole histories when it is told that there is none."""
    asked: list[str] = []

    @anthropic.beta_tool(name="get-weather")
    def weather(city: str) -> str:
        """Current weather in a city."""
        asked.append(city)
        return json.dumps({"city": city, "degrees": 20})

    scripted.say('```python\nget_weather(city="Paris")\nget_weather(city="Rome")\n```', "20 degrees in both.")
    client: Any = anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0)
    options: Json = {"model": MODEL, "max_tokens": 100, "messages": [QUESTION], "tools": [weather]}
    if stream:
        last = [events.get_final_message() for events in client.beta.messages.tool_runner(stream=True, **options)][-1]
    else:
        last = client.beta.messages.tool_runner(**options).until_done()
    assert words(last.to_dict()) == "20 degrees in both."
    assert asked == ["Paris", "Rome"]
    assert '"city": "Rome"' in asked_of(scripted)[-1].text


def test_a_tool_that_comes_on_the_way_and_one_that_goes(server: Server, scripted: ScriptedUpstream) -> None:
    @anthropic.beta_tool
    def early() -> str:
        """The first tool."""
        return "one"

    @anthropic.beta_tool
    def unused() -> str:
        """Another."""
        return "none"

    @anthropic.beta_tool
    def late() -> str:
        """The second tool."""
        return "two"

    scripted.say("```python\nearly()\n```", "```python\nlate()\n```", "Done.")
    client: Any = anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0)
    runner = client.beta.messages.tool_runner(model=MODEL, max_tokens=100, messages=[QUESTION], tools=[early, unused])
    next(runner)
    runner.add_tools(late)
    runner.remove_tools(unused)
    assert words(runner.until_done().to_dict()) == "Done."
    first, second, _ = asked_of(scripted)
    assert "def unused(" in first.text and "def late(" not in first.text
    assert "def unused(" not in second.text and "def late(" in second.text
