"""What a probe gets wrong is believed for a day: a grammar that is ignored, or one that is never used.

The servers here answer to a request's fields as the real ones do, with nothing of a model behind them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from emulator.errors import ClientGone, UpstreamTimeout, UpstreamUnreachable
from emulator.lifetime import Lifetime
from emulator.ports import AnswerPart, Capabilities
from emulator.upstream.probes import MOST_TOKENS, SECONDS, probe
from tests.upstream.wire import Peer, Serve, Server, client_of, http

Body = dict[str, Any]
Answer = str | tuple[int, str] | Mapping[str, Any]
"""A message's text, an error's status and message, or a whole message."""

FREE = "Hello! How can I help you today?"
JSON = '"vxqz"'


def first_word(grammar: str) -> str:
    found = re.search(r'"(\w+)"', grammar)
    assert found is not None
    return found[1]


def schema_of(body: Body) -> bool:
    return body.get("response_format", {}).get("type") == "json_schema"


def llama_cpp(body: Body) -> Answer:
    kind = body.get("response_format", {}).get("type", "text")
    if kind not in ("text", "json_object", "json_schema"):
        return 400, f'response_format type must be one of "text" or "json_object", but got: {kind}'
    if schema_of(body):
        return JSON
    return first_word(body["grammar"]) if "grammar" in body else FREE


def vllm(body: Body) -> Answer:
    if schema_of(body):
        return JSON
    return first_word(body["structured_outputs"]["grammar"]) if "structured_outputs" in body else FREE


def sglang(body: Body) -> Answer:
    if schema_of(body):
        return JSON
    return first_word(body["ebnf"]) if "ebnf" in body else FREE


def fireworks(body: Body) -> Answer:
    unknown = body.keys() & {"grammar", "structured_outputs", "ebnf"}
    if unknown:
        return 400, f"Extra inputs are not permitted, field: '{min(unknown)}'"
    if schema_of(body):
        return JSON
    form = body.get("response_format", {})
    return first_word(form["grammar"]) if form.get("type") == "grammar" else FREE


def ollama(body: Body) -> Answer:
    return JSON if schema_of(body) else FREE


def objects(body: Body) -> Answer:
    """Takes schemas of objects only, and spends its tokens on space."""
    if not schema_of(body):
        return FREE
    if body["response_format"]["json_schema"]["schema"].get("type") != "object":
        return 400, "Invalid schema for response_format 'probe': schema must be of type object"
    return '{\n    "zq'


def strict(body: Body) -> Answer:
    known = {"model", "messages", "max_tokens", "temperature", "stream"}
    return (400, "Unrecognized request argument supplied") if body.keys() - known else FREE


def free(body: Body) -> Answer:
    return FREE


def thinking(body: Body) -> Answer:
    return {"content": None, "reasoning_content": "zqxv? The user wants"}


def talkative(body: Body) -> Answer:
    """Says the words, and more: not held to anything."""
    return "zqxv qzvk xqjv jxzq"


def calling(body: Body) -> Answer:
    if "tools" not in body:
        return FREE
    name = body["tools"][0]["function"]["name"]
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}
    return {"content": None, "tool_calls": [call]}


KNOWN: dict[str, tuple[Callable[[Body], Answer], Capabilities, int]] = {
    "llama.cpp": (llama_cpp, Capabilities("llama.cpp", json_schema=True), 2),
    "vLLM": (vllm, Capabilities("vllm", json_schema=True), 2),
    "SGLang": (sglang, Capabilities("sglang", json_schema=True), 2),
    "Fireworks": (fireworks, Capabilities("fireworks", json_schema=True), 6),
    "Ollama": (ollama, Capabilities(None, json_schema=True), 3),
    "one with objects only": (objects, Capabilities(None, json_schema=True), 4),
    "one that refuses all": (strict, Capabilities(), 7),
    "one that ignores all": (free, Capabilities(), 3),
    "one that thinks": (thinking, Capabilities(), 3),
    "one that talks": (talkative, Capabilities(), 3),
}


@dataclass
class Asked:
    bodies: list[Body] = field(default_factory=list[Body])


def serving(serve: Serve, answer: Callable[[Body], Answer], asked: Asked) -> Server:
    def script(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            body = orjson.loads(request[1])
            asked.bodies.append(body)
            said = answer(body)
            if isinstance(said, tuple):
                peer.send(http({"error": {"message": said[1], "type": "invalid_request_error"}}, f"{said[0]} Refused"))
                continue
            message = {"content": said} if isinstance(said, str) else said
            peer.send(http({"id": "c", "choices": [{"message": message, "finish_reason": "length"}]}))

    return serve(script)


def probed(server: Server, **options: Any) -> Capabilities:
    client = client_of(server)
    try:
        return probe(client, "m", authorization=None, lifetime=Lifetime(20), **options)
    finally:
        client.close()


@pytest.mark.parametrize(("answer", "capabilities", "questions"), KNOWN.values(), ids=KNOWN)
def test_each_server_is_known_by_what_it_does(
    serve: Serve, answer: Callable[[Body], Answer], capabilities: Capabilities, questions: int
) -> None:
    asked = Asked()
    assert probed(serving(serve, answer, asked)) == capabilities
    assert len(asked.bodies) == questions
    assert all(body["max_tokens"] <= MOST_TOKENS and body["temperature"] == 0 for body in asked.bodies)
    assert not any("tools" in body for body in asked.bodies)


@pytest.mark.parametrize("hint", ["https://api.fireworks.ai/inference/v1", "owned_by: fireworks"])
def test_a_hint_spares_questions(serve: Serve, hint: str) -> None:
    asked = Asked()
    assert probed(serving(serve, fireworks, asked), hint=hint) == Capabilities("fireworks", json_schema=True)
    assert len(asked.bodies) == 2


def test_a_wrong_hint_costs_a_question_only(serve: Serve) -> None:
    asked = Asked()
    assert probed(serving(serve, vllm, asked), hint="llamacpp").grammar == "vllm"
    assert len(asked.bodies) == 3


@pytest.mark.parametrize(("answer", "calls"), [(calling, True), (free, False), (strict, False)])
def test_calls_are_asked_for_only_on_demand(serve: Serve, answer: Callable[[Body], Answer], calls: bool) -> None:
    assert probed(serving(serve, answer, Asked()), tools=True).tools is calls
    assert probed(serving(serve, answer, Asked())).tools is False


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_server_that_cannot_be_asked_now_is_asked_once(serve: Serve, status: int) -> None:
    asked = Asked()
    assert probed(serving(serve, lambda body: (status, "Not now."), asked)) == Capabilities()
    assert len(asked.bodies) == 1


def test_what_was_found_before_a_failure_counts(serve: Serve) -> None:
    def dying(body: Body) -> Answer:
        return (503, "Overloaded.") if schema_of(body) else llama_cpp(body)

    assert probed(serving(serve, dying, Asked())) == Capabilities("llama.cpp")


def test_an_error_of_its_own_is_no_support(serve: Serve) -> None:
    """Some servers fail over a schema that they can't read, instead of refusing it."""

    def failing(body: Body) -> Answer:
        return (500, "Internal error") if schema_of(body) else vllm(body)

    assert probed(serving(serve, failing, Asked())) == Capabilities("vllm")


@dataclass
class Ending:
    """An upstream in the middle of whose answer something ends."""

    end: Callable[[Lifetime], None]
    seconds: list[float] = field(default_factory=list[float])

    def ask(
        self, body: Mapping[str, Any], *, authorization: str | None, lifetime: Lifetime
    ) -> Generator[AnswerPart, None, None]:
        self.seconds.append(lifetime.seconds)
        self.end(lifetime)
        lifetime.check()
        yield from ()


def test_a_probe_has_a_time_of_its_own() -> None:
    upstream = Ending(lambda own: own.end(UpstreamTimeout("The probe's time is over.")))
    assert probe(upstream, "m", authorization=None, lifetime=Lifetime(600)) == Capabilities()
    assert upstream.seconds == [SECONDS]


def test_what_ends_the_request_ends_the_probe() -> None:
    lifetime = Lifetime(600)
    upstream = Ending(lambda own: lifetime.end(ClientGone("The client closed the connection.")))
    with pytest.raises(ClientGone):
        probe(upstream, "m", authorization=None, lifetime=lifetime)
    assert len(upstream.seconds) == 1


def test_a_server_that_is_not_there_can_do_nothing() -> None:
    def unreachable(own: Lifetime) -> None:
        raise UpstreamUnreachable("No connection.")

    assert probe(Ending(unreachable), "m", authorization=None, lifetime=Lifetime(600)) == Capabilities()
