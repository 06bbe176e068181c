"""Our own OpenAPI document is true: schemathesis makes requests of it, right and wrong ones, and judges the answers by it.

What a schema can't say is how parts of a request belong together (a result and its call, a choice and its tool), nor
that 1.0 is no integer; requests that are wrong only in that are refused with one of the sentences in BEYOND_SCHEMAS.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks

from emulator.web.operations import operations
from tests.live.recorder import Received, Recorder, Told
from tests.live.server import Server
from tests.live.upstream import Json, Reply, models_body, plain_body, stream_frames
from tests.specs import CHAT, MESSAGE, MESSAGE_EVENT, RESPONSE, RESPONSE_EVENT, anthropic_problems, openai_problems

pytestmark = pytest.mark.live

BODIES = [(method, path) for (method, path), operation in operations().items() if operation.body is not None]
QUERIES = [("GET", "/v1/responses/{identifier}"), ("GET", "/v1/responses/{identifier}/input_items")]
OTHERS = [
    (method, path)
    for (method, path), operation in operations().items()
    if operation.body is None and (method == "POST" or not operation.raw)
]
NO_INTEGER = ("expected an integer, but got a number",)
BEYOND_SCHEMAS = (
    *NO_INTEGER,
    "must be followed by",
    "].tool_call_id'",
    "must be a response to a preceding message",
    "only messages with role 'assistant' make calls",
    "is only allowed when",
    "must be specified with 'tools'",
    "no such tool as",
    "must have a single result",
    "`tool_use` ids must be unique",
    "not found in 'tools'",
    "is already that of",
    "can't be given beside",
    "Background mode requires 'store'",
    "No tool output found",
    "No tool call found",
    "messages with role 'assistant' hold text only",
    "`tool_use` ids",
    "unexpected `tool_use_id`",
    "may only be specified while providing tools",
    "not found in provided tools",
    "Invalid grammar",
    "Previous response with id",
)
RELATED = ("tools", "tool_choice", "functions", "function_call", "previous_response_id", "background")
JUDGED_HERE = [getattr(checks, name) for name in ("positive_data_acceptance", "not_a_server_error")]
GIVEN_BACK = ("reasoning", "service_tier", "text", "tools", "tool_choice")
SCHEMAS = "#/components/schemas/"
few = settings(
    max_examples=12,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def answer(received: Received) -> Told:
    """A model server that takes everything and says little."""
    path = received.path.partition("?")[0]
    if path == "/v1/models":
        return Told(pieces=(models_body(),))
    if path.startswith("/v1/models/"):
        return Told(pieces=(b'{"id": "scripted", "object": "model"}',))
    if path != "/v1/chat/completions":
        return Told()
    body: Json = json.loads(received.raw)
    n: int = body.get("n") or 1
    if body.get("stream"):
        return Told(pieces=tuple(stream_frames(Reply(text="Hello."), n)), kind="text/event-stream")
    return Told(pieces=(plain_body(Reply(text="Hello."), n),))


@pytest.fixture(scope="module")
def server(start_server: Callable[..., Server]) -> Iterator[Server]:
    model = Recorder()
    model.answer = answer
    yield start_server("--base-url", f"{model.url}/v1", "--no-check", "--probe", "off")
    model.shutdown()
    model.server_close()


@pytest.fixture(scope="module")
def document(server: Server) -> Json:
    told = server.ask("GET", "/openapi.json")
    assert told.headers["content-type"] == "application/json"
    return told.json


@pytest.fixture(scope="module")
def api(server: Server, document: Json) -> Any:
    """As it is served.  Schemathesis's own loader gives up after 10 seconds, which a busy machine needs to make it."""
    loaded: Any = schemathesis.openapi.from_dict(document)
    loaded.config.update(base_url=server.url)
    return loaded


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_what_is_right_is_accepted(api: Any, document: Json, method: str, path: str) -> None:
    asked_with(api, document, method, path, BEYOND_SCHEMAS)


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_what_is_right_and_belongs_together_is_accepted(server: Server, document: Json, method: str, path: str) -> None:
    """Without the parts that refer to each other there is nothing left to refuse."""
    alone: Any = schemathesis.openapi.from_dict(without_relations(document))
    alone.config.update(base_url=server.url)
    asked_with(alone, document, method, path, NO_INTEGER)


def asked_with(api: Any, document: Json, method: str, path: str, excuses: tuple[str, ...]) -> None:
    @few
    @given(case=api[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE))
    def asked(case: Any) -> None:
        response = case.call()
        case.validate_response(response, excluded_checks=JUDGED_HERE)
        match response.status_code:
            case 200:
                judge(response, path, document)
            case 502:
                # "Hello." isn't what every request asks for.
                assert '"code":"upstream' not in response.text
            case 404:
                assert excuses is BEYOND_SCHEMAS
            case _:
                assert any(sentence in response.text for sentence in excuses), response.text

    asked()


def without_relations(document: Json) -> Json:
    """The document without tools, calls, results, and ids of what was stored."""
    changed = copy.deepcopy(document)
    schemas: Json = changed["components"]["schemas"]
    for name in ("ChatBody", "ResponsesBody", "MessagesBody", "CountedBody"):
        body: Json = schemas[name]
        body["properties"] = {key: value for key, value in body["properties"].items() if key not in RELATED}
        body["additionalProperties"] = False
    schemas["ChatBody"]["properties"]["messages"]["items"] = {"$ref": f"{SCHEMAS}SaidMessage"}
    words = {"type": "string", "minLength": 1}
    item = {"$ref": f"{SCHEMAS}MessageItem"}
    schemas["ResponsesBody"]["properties"]["input"] = {
        "anyOf": [words, {"type": "array", "minItems": 1, "items": item}]
    }
    for name in ("UserTurn", "AssistantTurn"):
        schemas[name]["properties"]["content"] = words
    return changed


@pytest.mark.parametrize(("method", "path"), BODIES + QUERIES)
def test_what_is_wrong_is_refused(api: Any, method: str, path: str) -> None:
    @few
    @given(case=api[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def asked(case: Any) -> None:
        response = case.call()
        case.validate_response(response)
        assert 400 <= response.status_code < 500

    asked()


@pytest.mark.parametrize(("method", "path"), OTHERS)
def test_what_has_no_body_of_ours(api: Any, method: str, path: str) -> None:
    @settings(few, max_examples=8)
    @given(case=api[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE))
    def asked(case: Any) -> None:
        case.call_and_validate()

    asked()


def judge(response: Any, path: str, document: Json) -> None:
    """Beside what schemathesis looks at: a stream's events by our document, and all that we say by the vendors'."""
    if "x-emulator-strategy" not in response.headers:
        return
    if not response.headers["content-type"][0].startswith("text/event-stream"):
        assert problems(path, response.json(), event=False) == []
        return
    described = document["paths"][path]["post"]["responses"]["200"]["content"]["text/event-stream"]["schema"]
    [*_, data] = [
        each["contentSchema"] for each in variants(described["properties"]["data"]) if "contentSchema" in each
    ]
    validator = jsonschema_rs.Draft202012Validator(data | {"components": document["components"]})
    for event in events_of(response.text):
        assert not list(validator.iter_errors(event)), event
        assert problems(path, event, event=True) == [], event


def variants(schema: Json) -> list[Json]:
    return [schema, *schema.get("anyOf", [])]


def events_of(text: str) -> list[Json]:
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(each) for each in data if each != "[DONE]"]


def problems(path: str, value: Json, *, event: bool) -> list[str]:
    match path:
        case "/v1/chat/completions" if not event:
            return openai_problems(CHAT, value)
        case "/v1/responses":
            found = openai_problems(RESPONSE_EVENT if event else RESPONSE, value)
            # What the request said is given back, also words that OpenAI doesn't know.
            return [problem for problem in found if not problem.removeprefix("response/").startswith(GIVEN_BACK)]
        case "/v1/messages" if value["type"] not in ("ping", "error"):
            return anthropic_problems(MESSAGE_EVENT if event else MESSAGE, value)
        case _:
            return []
