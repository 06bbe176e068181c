"""A client of the Responses API that runs its tools round by round, with its own history or the server's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.live.programs import MOST_ROUNDS, TOOLS, ToolError, Tools, world
from tests.live.server import Answer, Server
from tests.live.upstream import MODEL, Json
from tests.protocols.openai_events import event_problems, events_of, response_problems

RESPONSES = "/v1/responses"
OWNER = {"Authorization": "Bearer sk-client"}


def flat(tools: list[Json]) -> list[Json]:
    """Chat Completions' tools as this protocol has them."""
    return [{"type": "function", **tool["function"]} for tool in tools]


FLAT = flat(TOOLS)


def post(server: Server, headers: Mapping[str, str] = OWNER, path: str = RESPONSES, **body: Any) -> Answer:
    return server.ask("POST", path, json.dumps({"model": MODEL, "input": "Go on."} | body).encode(), headers)


def get(server: Server, path: str, headers: Mapping[str, str] = OWNER) -> Answer:
    return server.ask("GET", f"{RESPONSES}/{path}", None, headers)


def stream_of(answer: Answer) -> list[Json]:
    """The events of a whole stream; OpenAI has nothing against any of them."""
    assert answer.status == 200, answer.raw
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = events_of(answer.raw)
    assert [problem for event in events for problem in event_problems(event)] == []
    return events


def response_of(answer: Answer, *, stream: bool = False) -> Json:
    """The response, plain or at a stream's end."""
    assert answer.status == 200, answer.raw
    response: Json = stream_of(answer)[-1]["response"] if stream else answer.json
    assert response_problems(response) == []
    return response


def calls_of(response: Json) -> list[tuple[str, Any]]:
    return [
        (item["name"], json.loads(item["arguments"])) for item in response["output"] if item["type"] == "function_call"
    ]


def text_of(response: Json) -> str:
    return "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])


@dataclass
class Rounds:
    """A conversation about one program; ``resent``: the client keeps its history and the server nothing."""

    server: Server
    stream: bool = False
    resent: bool = False
    body: Json = field(default_factory=lambda: {"input": [{"role": "user", "content": "Go on."}], "tools": FLAT})

    def ask(self) -> Json:
        kept: Json = {"store": False} if self.resent else {}
        answer = post(self.server, **self.body, **kept, stream=self.stream)
        return response_of(answer, stream=self.stream)

    def give(self, response: Json, tools: Tools = world) -> None:
        """Send the results of a response's calls with the next question."""
        self.send(response, *(result_of(item, tools) for item in response["output"] if item["type"] == "function_call"))

    def send(self, response: Json, *results: Json) -> None:
        """Send items that follow a response with the next question."""
        if self.resent:
            self.body = self.body | {"input": [*self.body["input"], *response["output"], *results]}
        else:
            self.body = self.body | {"input": list(results), "previous_response_id": response["id"]}

    def run(self, tools: Tools = world) -> list[Json]:
        """All responses, the last with the answer."""
        responses = [self.ask()]
        while calls_of(responses[-1]):
            assert len(responses) < MOST_ROUNDS, "it never ends"
            self.give(responses[-1], tools)
            responses.append(self.ask())
        return responses


def result_of(call: Json, tools: Tools) -> Json:
    output: Json = {"type": "function_call_output", "call_id": call["call_id"]}
    try:
        return output | {"output": tools(call["name"], json.loads(call["arguments"]))}
    except ToolError as error:
        return output | {"output": str(error), "is_error": True}
