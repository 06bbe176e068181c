"""What of an answer's shape real clients need, measured: answers of ours, broken in one point at a time, and who then
doesn't hear of the calls any more.  The table keeps true what the renderer's shapes are chosen for."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.live.delta_clients import CLIENTS, FUNCTION, Calls, Json
from tests.live.server import Server
from tests.live.upstream import ScriptedUpstream

pytestmark = [pytest.mark.live, pytest.mark.clients]

EXPECTED: Calls = [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})]
WRITTEN = 'Let me see.\n```python\nget_weather(city="Paris")\nget_weather(city="Rome")\n```'


class Replay(ThreadingHTTPServer):
    """Answers every request with ``stream`` or ``plain``, whatever it asks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stream = self.plain = b""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Replay  # pyright: ignore[reportIncompatibleVariableOverride] - it serves no other

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = self.server.stream if asked.get("stream") else self.server.plain
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if asked.get("stream") else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    server = Replay()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def chunks(server: Server, scripted: ScriptedUpstream) -> list[Json]:
    """The chunks of a streamed answer of ours with two parallel calls, as recorded right now."""
    scripted.say(WRITTEN)
    tools = [{"type": "function", "function": FUNCTION}]
    answer = server.chat(tools=tools, stream=True, stream_options={"include_usage": True})
    return answer.events[:-1]


@pytest.fixture
def whole(server: Server, scripted: ScriptedUpstream) -> Json:
    scripted.say(WRITTEN)
    return server.chat(tools=[{"type": "function", "function": FUNCTION}]).json


def framed(chunks: list[Json], *, done: bool = True) -> bytes:
    frames = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    return b"".join([*frames, *([b"data: [DONE]\n\n"] if done else [])])


def deltas(chunks: list[Json]) -> Iterator[Json]:
    for chunk in chunks:
        for choice in chunk["choices"]:
            yield choice["delta"]


def calls(chunks: list[Json]) -> list[Json]:
    return [call for delta in deltas(chunks) for call in delta.get("tool_calls", ())]


def no_role(chunks: list[Json]) -> list[Json]:
    for delta in deltas(chunks):
        delta.pop("role", None)
    return chunks


def no_index(chunks: list[Json]) -> list[Json]:
    for call in calls(chunks):
        del call["index"]
    return chunks


def index_0_for_all(chunks: list[Json]) -> list[Json]:
    for call in calls(chunks):
        call["index"] = 0
    return chunks


def name_repeated(chunks: list[Json]) -> list[Json]:
    for call in calls(chunks):
        call["function"]["name"] = FUNCTION["name"]
    return chunks


def id_repeated(chunks: list[Json]) -> list[Json]:
    ids = {call["index"]: call["id"] for call in calls(chunks) if "id" in call}
    for call in calls(chunks):
        call["id"] = ids[call["index"]]
    return chunks


def several_calls_in_a_chunk(chunks: list[Json]) -> list[Json]:
    """All of them, whole, in the first chunk that has any; the others have none."""
    merged: dict[int, Json] = {}
    for call in calls(chunks):
        known = merged.setdefault(call["index"], call | {"function": {"name": FUNCTION["name"], "arguments": ""}})
        known["function"]["arguments"] += call["function"]["arguments"]
    first, *others = [delta for delta in deltas(chunks) if "tool_calls" in delta]
    first["tool_calls"] = list(merged.values())
    return [chunk for chunk in chunks if not any(choice["delta"] in others for choice in chunk["choices"])]


def arguments_as_an_object(chunks: list[Json]) -> list[Json]:
    for call in calls(chunks):
        if call["function"]["arguments"]:
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return chunks


def usage_without_choices(chunks: list[Json]) -> list[Json]:
    for chunk in chunks:
        if not chunk["choices"]:
            del chunk["choices"]
    return chunks


def no_usage(chunks: list[Json]) -> list[Json]:
    return [chunk for chunk in chunks if chunk["choices"]]


def finish_reason_stop(chunks: list[Json]) -> list[Json]:
    for chunk in chunks:
        for choice in chunk["choices"]:
            choice["finish_reason"] = choice["finish_reason"] and "stop"
    return chunks


def no_finish_reason(chunks: list[Json]) -> list[Json]:
    for chunk in chunks:
        for choice in chunk["choices"]:
            choice["finish_reason"] = None
    return chunks


def unbroken(chunks: list[Json]) -> list[Json]:
    return chunks


ALL = set(CLIENTS)
STREAMED: Mapping[Callable[[list[Json]], list[Json]], set[str]] = {
    unbroken: set(),
    no_role: set(),
    no_index: ALL - {"pydantic_ai"},
    index_0_for_all: ALL,
    name_repeated: ALL - {"agents_sdk", "smolagents"},
    id_repeated: set(),
    several_calls_in_a_chunk: set(),
    arguments_as_an_object: ALL,
    usage_without_choices: {"openai", "autogen"},
    no_usage: set(),
    finish_reason_stop: set(),
    no_finish_reason: set(),
}
"""Each fault of a stream, and the clients that it breaks."""


def object_as_arguments(body: Json) -> None:
    for call in body["choices"][0]["message"]["tool_calls"]:
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])


def usage_left_out(body: Json) -> None:
    del body["usage"]


def stopped(body: Json) -> None:
    body["choices"][0]["finish_reason"] = "stop"


def role_left_out(body: Json) -> None:
    del body["choices"][0]["message"]["role"]


def type_left_out(body: Json) -> None:
    for call in body["choices"][0]["message"]["tool_calls"]:
        del call["type"]


def nothing(body: Json) -> None:
    pass


PLAIN: Mapping[Callable[[Json], None], set[str]] = {
    nothing: set(),
    object_as_arguments: ALL - {"smolagents", "autogen"},
    usage_left_out: {"smolagents"},
    stopped: set(),
    role_left_out: {"langchain", "pydantic_ai"},
    type_left_out: {"agents_sdk", "pydantic_ai"},
}
"""The same of plain answers."""


def broken(replay: Replay, *, streamed: bool) -> set[str]:
    """The clients that don't hear of just the calls that were made."""
    return {name for name, client in CLIENTS.items() if not _hears(client, replay.url, streamed=streamed)}


def _hears(client: Callable[..., Calls], url: str, *, streamed: bool) -> bool:
    try:
        heard = client(url, streamed=streamed)
    except Exception:  # noqa: BLE001 - whatever a client makes of it
        return False
    return sorted(map(repr, heard)) == sorted(map(repr, EXPECTED))


@pytest.mark.parametrize("fault", STREAMED, ids=lambda fault: fault.__name__)
def test_streams(fault: Callable[[list[Json]], list[Json]], chunks: list[Json], replay: Replay) -> None:
    replay.stream = framed(fault(deepcopy(chunks)))
    assert broken(replay, streamed=True) == STREAMED[fault]


def test_a_stream_without_done(chunks: list[Json], replay: Replay) -> None:
    """No client needs it where the connection ends; those that keep it open do."""
    replay.stream = framed(chunks, done=False)
    assert broken(replay, streamed=True) == set()


@pytest.mark.parametrize("fault", PLAIN, ids=lambda fault: fault.__name__)
def test_plain_answers(fault: Callable[[Json], None], whole: Json, replay: Replay) -> None:
    fault(whole)
    replay.plain = json.dumps(whole).encode()
    assert broken(replay, streamed=False) == PLAIN[fault]
