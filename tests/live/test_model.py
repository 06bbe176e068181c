"""The real small model, which was never taught to call tools, calls them: the one proof that no script can give.

Structure is asserted always, exact calls where the model is sure of them; temperature is 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import jsonschema_rs
import pytest

from emulator.settings import Settings
from emulator.upstream.local import LocalModel
from tests.live.conftest import StartServer
from tests.live.server import Server, calls_of, chat_body, fold
from tests.live.upstream import Json

pytestmark = [pytest.mark.live, pytest.mark.model]

PATIENCE = 300.0
SURE = {"temperature": 0, "seed": 1, "max_tokens": 200}


def tool(name: str, description: str, required: list[str], **properties: Json) -> Json:
    schema: Json = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
START: Json = {
    "type": "object",
    "properties": {
        "date": {"type": "string", "description": "YYYY-MM-DD"},
        "hour": {"type": "integer", "minimum": 0, "maximum": 23},
    },
    "required": ["date", "hour"],
}
UNIT: Json = {"type": "string", "enum": ["celsius", "fahrenheit"]}
CITY: Json = {"type": "string", "description": "Name of the city"}
WEATHER = tool("get_weather", "Current weather in a city.", ["city"], city=CITY, unit=UNIT)
EMAIL = tool("send-email", "Sends an email.", ["to", "subject", "body"], to=TEXT, subject=TEXT, body=TEXT)
EVENT = tool("create_event", "Creates a calendar event.", ["title", "start"], title=TEXT, start=START)
BMI = tool("calculate_bmi", "Body mass index.", ["weight_kg", "height_m"], weight_kg=NUMBER, height_m=NUMBER)


@dataclass(frozen=True)
class Case:
    """``names`` are the functions that must be called, in order; ``arguments`` are theirs where they are sure."""

    question: str
    tools: list[Json]
    names: list[str]
    arguments: list[Json] | None = None
    fields: Json = field(default_factory=dict[str, Any])


CASES = {
    "a nested object": Case(
        "Put a meeting called Budget into my calendar for 2026-03-05 at 14 o'clock.",
        [WEATHER, EVENT],
        ["create_event"],
        [{"title": "Budget", "start": {"date": "2026-03-05", "hour": 14}}],
    ),
    "numbers": Case(
        "Calculate the body mass index of someone who weighs 72.5 kg and is 1.80 m tall.",
        [WEATHER, BMI, EMAIL],
        ["calculate_bmi"],
        [{"weight_kg": 72.5, "height_m": 1.8}],
    ),
    "parallel calls": Case(
        "What's the weather like in Tokyo and in Lima?", [WEATHER, EMAIL], ["get_weather", "get_weather"]
    ),
    "one call at a time": Case(
        "What's the weather like in Tokyo and in Lima?",
        [WEATHER, EMAIL],
        ["get_weather"],
        fields={"parallel_tool_calls": False},
    ),
    "a function named, nothing asked": Case(
        "I am in Berlin.",
        [WEATHER, EMAIL],
        ["get_weather"],
        fields={"tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
    ),
    "a name that is no identifier": Case(
        "Write an email to ada@example.com with the subject Lunch and the text: See you at noon.",
        [WEATHER, EMAIL],
        ["send-email"],
    ),
    "no call allowed": Case("Hello! Who are you?", [WEATHER], [], fields={"tool_choice": "none"}),
}


@pytest.fixture(scope="module")
def model_on_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalModel]:
    """In the user's own cache: half a gigabyte is fetched once a machine, not once a run."""
    with LocalModel.start(replace(Settings(), log_dir=tmp_path_factory.mktemp("engine"))) as model:
        yield model


@pytest.fixture(scope="module")
def real_server(start_server: StartServer, model_on_this_machine: LocalModel) -> Server:
    model = model_on_this_machine
    server = start_server("--base-url", model.base_url, "--api-key", model.api_key, "--model", model.name)
    server.patience = PATIENCE
    return server


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_question_is_answered_with_the_calls(real_server: Server, case: Case, stream: bool) -> None:
    """Every call is one of the client's functions, and its arguments are what the client's own schema admits."""
    body = chat_body(case.question, tools=case.tools, stream=stream, **SURE, **case.fields)
    answer = real_server.chat(body)
    assert answer.status == 200, answer.raw
    if stream:
        [folded] = fold(answer).values()
        calls, content, reason = folded.named_calls, folded.content, folded.finish_reason
    else:
        [choice] = answer.json["choices"]
        calls, content, reason = calls_of(choice["message"]), choice["message"]["content"], choice["finish_reason"]
        assert answer.json["usage"]["total_tokens"] > 0
    assert [name for name, _ in calls] == case.names
    schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in case.tools}
    for name, arguments in calls:
        jsonschema_rs.validate(schemas[name], arguments)
    if case.arguments is not None:
        assert [arguments for _, arguments in calls] == case.arguments
    assert reason == ("tool_calls" if calls else "stop")
    assert calls or content.strip()


def test_both_cities_are_asked_for(real_server: Server) -> None:
    """Parallel calls are what code does better than JSON; the model may or may not add the country."""
    case = CASES["parallel calls"]
    answer = real_server.chat(chat_body(case.question, tools=case.tools, **SURE))
    tokyo, lima = (arguments["city"] for _, arguments in calls_of(answer.json["choices"][0]["message"]))
    assert tokyo.startswith("Tokyo")
    assert lima.startswith("Lima")


def test_the_answer_is_made_of_the_results(real_server: Server) -> None:
    """The second half of the loop: a result shown as data is understood, and the call isn't made again."""
    call = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    history = [
        {"role": "user", "content": "What is the weather in Oslo?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"temperature_celsius": -7, "sky": "snow"}'},
    ]
    answer = real_server.chat({"model": "any", "messages": history, "tools": [WEATHER], **SURE})
    [choice] = answer.json["choices"]
    assert not choice["message"].get("tool_calls")
    assert "-7" in choice["message"]["content"]
