"""GET /stats adds up over workers, servers and restarts; a store that is down costs it, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.server import PARIS, TOOLS, Server, chat_body
from tests.live.upstream import MODEL, PATIENCE, Json, Reply, ScriptedUpstream
from tests.records.servers import RedisServer

pytestmark = pytest.mark.live

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path, model_server: ScriptedUpstream) -> Iterator[Serve]:
    """``serve()`` starts a server of two workers in this test's folder, so with the same store each time."""
    servers: list[Server] = []

    def start(*flags: str) -> Server:
        own = ("--base-url", model_server.url, "--no-check", "--workers", "2", "--strategy", "code")
        servers.append(Server(tmp_path, *own, *flags))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def redis() -> Generator[RedisServer]:
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def stats(server: Server) -> Json:
    answer = server.ask("GET", "/stats")
    assert answer.status == 200, answer.raw
    return answer.json


def counted(server: Server, requests: int) -> Json:
    """The statistics with so many requests: those of another worker are a moment late."""
    end = time.monotonic() + PATIENCE
    while (told := stats(server))["statistics"]["total_requests"] < requests:
        assert time.monotonic() < end, told
        time.sleep(0.02)
    assert told["statistics"]["total_requests"] == requests
    return told


def ask(server: Server, scripted: ScriptedUpstream, *replies: Reply | str, **fields: Any) -> int:
    scripted.say(*replies)
    return server.chat(chat_body(**fields)).status


def test_before_the_first_request_there_is_an_answer(serve: Serve) -> None:
    server = serve()
    answer = server.ask("GET", "/stats")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["statistics"]["total_requests"] == 0 and answer.json["success_rates"] == {}
    head = server.ask("HEAD", "/stats")
    assert (head.status, head.raw) == (200, b"")
    assert server.ask("GET", "/v1/stats").json == answer.json
    assert server.ask("POST", "/stats").status == 405


def test_what_was_answered_adds_up_over_workers_and_restarts(serve: Serve, scripted: ScriptedUpstream) -> None:
    server = serve()
    for _ in range(4):
        assert ask(server, scripted, PARIS, tools=TOOLS) == 200
        assert ask(server, scripted, PARIS, tools=TOOLS, stream=True, stream_options={"include_usage": True}) == 200
    assert ask(server, scripted, "Hello.") == 200
    assert ask(server, scripted, tools="none") == 400  # Not a chat: the model was never meant.
    told = counted(server, 9)
    statistics = told["statistics"]
    assert told["success_rates"] == {"code": 1.0, "passthrough": 1.0}
    assert statistics["code_success"] == 8 and statistics["passthrough_success"] == 1
    assert (statistics["tool_requests"], statistics["streamed_requests"], statistics["tool_calls"]) == (8, 4, 8)
    assert statistics["tokens"] == {"prompt": 80, "completion": 40}
    assert statistics["fallback_rate"] == 0 and statistics["repairs"] == 0
    assert 0 < statistics["own_latency_ms"]["p50"] <= statistics["latency_ms"]["p99"]
    assert list(statistics["models"]) == [MODEL]
    # What came right before the end is counted too.
    assert ask(server, scripted, PARIS, tools=TOOLS) == 200
    server.stop()
    again = serve()
    assert stats(again)["statistics"]["since"] == statistics["since"]
    assert ask(again, scripted, PARIS, tools=TOOLS) == 200
    counted(again, 11)


def test_failures_are_counted_by_whose_they_are(serve: Serve, scripted: ScriptedUpstream) -> None:
    server = serve("--repairs", "1")
    wrong = '```python\nget_weather(town="Paris")\n```'
    assert ask(server, scripted, wrong, PARIS, tools=TOOLS) == 200
    assert ask(server, scripted, wrong, wrong, tools=TOOLS, tool_choice="required") == 502
    assert ask(server, scripted, Reply(raw=b"no answer"), tools=TOOLS) == 502
    assert ask(server, scripted, Reply(status=404, raw=b'{"error": {"message": "no"}}')) == 404
    told = counted(server, 4)
    statistics = told["statistics"]
    assert (statistics["succeeded"], statistics["failed"], statistics["interrupted"]) == (1, 1, 2)
    assert told["success_rates"] == {"code": 0.5}
    assert statistics["repaired_requests"] == 1 and statistics["repairs"] >= 2


def test_servers_that_share_a_store_add_up(serve: Serve, scripted: ScriptedUpstream, redis: RedisServer) -> None:
    one, two = serve("--store", redis.url), serve("--store", redis.url)
    for server in (one, two, one):
        assert ask(server, scripted, PARIS, tools=TOOLS) == 200
    assert counted(one, 3)["statistics"]["since"] == counted(two, 3)["statistics"]["since"]
    # What came right before a server's end is brought to the store by its workers.
    assert ask(one, scripted, PARIS, tools=TOOLS) == 200
    one.stop()
    counted(two, 4)


def test_a_store_that_is_down_costs_statistics_and_no_answer(
    serve: Serve, scripted: ScriptedUpstream, redis: RedisServer
) -> None:
    server = serve("--store", redis.url, "--no-programs")
    assert ask(server, scripted, PARIS, tools=TOOLS) == 200
    counted(server, 1)
    redis.kill()
    for stream in (False, True):
        assert ask(server, scripted, PARIS, tools=TOOLS, stream=stream) == 200
    down = server.ask("GET", "/stats")
    assert (down.status, down.error["code"]) == (503, "store_unavailable")
    assert "redis" not in down.error["message"]
    redis.start()  # Empty, as a Redis that keeps nothing on disk is; what was counted meanwhile comes.
    counted(server, 2)
