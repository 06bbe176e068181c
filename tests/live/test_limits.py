"""--max-requests holds over all workers, under load, and gives places back whatever becomes of a request."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import openai
import pytest

from tests.live.server import CHAT, PARIS, TOOLS, Answer, Server, chat_body
from tests.live.upstream import PATIENCE, Hold, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

LIMIT = 3
StartServer = Callable[..., Server]


@pytest.fixture(scope="module")
def limited(start_server: StartServer, model_server: ScriptedUpstream) -> Server:
    own = ("--base-url", model_server.url, "--no-check", "--workers", "2", "--strategy", "code")
    return start_server(*own, "--max-requests", str(LIMIT))


def ask(server: Server, *, stream: bool = False, tools: bool = True) -> Answer:
    body = chat_body(stream=stream)
    return server.chat(body | {"tools": TOOLS} if tools else body)


def test_so_many_are_answered_at_a_time_by_all_workers_and_others_are_told_to_come_again(
    limited: Server, scripted: ScriptedUpstream
) -> None:
    """Plain and streamed, with and without tools; the answered ones are all under way while the others come."""
    for _ in range(3):
        holds = [scripted.hold() for _ in range(LIMIT)]
        scripted.say(*(Reply(text=PARIS, hold=hold) for hold in holds))
        kinds = [(False, True), (True, True), (True, False)]
        with ThreadPoolExecutor(LIMIT + 20) as pool:
            answered = [pool.submit(ask, limited, stream=stream, tools=tools) for stream, tools in kinds]
            for hold in holds:
                assert hold.reached.wait(PATIENCE)
            asking = [pool.submit(ask, limited, stream=n % 2 == 0, tools=n % 3 == 0) for n in range(20)]
            refused = [each.result(PATIENCE) for each in asking]
            assert {answer.status for answer in refused} == {429}
            assert {answer.headers["retry-after"] for answer in refused} == {"1"}
            assert {answer.error["code"] for answer in refused} == {"rate_limit_exceeded"}
            # What asks no model isn't limited.
            assert limited.ask("GET", "/stats").status == limited.ask("GET", "/health").status == 200
            for hold in holds:
                hold.release()
            assert [each.result(PATIENCE).status for each in answered] == [200] * LIMIT


def test_whatever_becomes_of_a_request_its_place_is_free_again(limited: Server, scripted: ScriptedUpstream) -> None:
    faults = [
        Reply(status=500, raw=b"{}"),
        Reply(raw=b"not JSON"),
        Reply(text=PARIS, cut=1),
        Reply(text=""),
    ]
    for stream in (False, True):
        for fault in faults:
            for _ in range(LIMIT):
                scripted.say(fault)
                ask(limited, stream=stream)
                scripted.reset()
    assert limited.chat(b"{").status == 400
    holds: list[Hold] = [scripted.hold() for _ in range(LIMIT)]
    scripted.say(*(Reply(text=PARIS, hold=hold) for hold in holds))
    for hold in holds:  # Clients that leave while the model thinks.
        with closing(limited.connect()) as connection:
            send(connection)
            assert hold.reached.wait(PATIENCE)
    for hold in holds:
        assert hold.left.wait(PATIENCE)
    with ThreadPoolExecutor(LIMIT) as pool:
        holds = [scripted.hold() for _ in range(LIMIT)]
        scripted.say(*(Reply(text=PARIS, hold=hold) for hold in holds))
        answers = [pool.submit(ask, limited) for _ in range(LIMIT)]
        for hold in holds:
            assert hold.reached.wait(PATIENCE)
            hold.release()
        assert [answer.result(PATIENCE).status for answer in answers] == [200] * LIMIT


def test_the_sdk_knows_it_for_a_limit_and_a_place_is_soon_there(limited: Server, scripted: ScriptedUpstream) -> None:
    holds = [scripted.hold() for _ in range(LIMIT)]
    scripted.say(*(Reply(text=PARIS, hold=hold) for hold in holds), "Hello.")
    with ThreadPoolExecutor(LIMIT) as pool:
        answered = [pool.submit(ask, limited) for _ in range(LIMIT)]
        for hold in holds:
            assert hold.reached.wait(PATIENCE)
        with client_of(limited, retries=0) as client, pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hello?"}])
        for hold in holds:
            hold.release()
        assert [each.result(PATIENCE).status for each in answered] == [200] * LIMIT
        with client_of(limited, retries=3) as client:
            said = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hello?"}])
        assert said.choices[0].message.content == "Hello."


def client_of(server: Server, *, retries: int) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=retries)


def send(connection: http.client.HTTPConnection) -> None:
    body = json.dumps(chat_body(tools=TOOLS)).encode()
    connection.request("POST", CHAT, body, {"Content-Type": "application/json"})
