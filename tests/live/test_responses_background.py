"""Nobody waits for a response in the background: whatever becomes of it must be found later, from any worker, and who
doesn't want it any more must be able to end it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from http.client import HTTPResponse
from typing import Any

import pytest

from tests.live.conftest import StartServer
from tests.live.programs import fenced
from tests.live.responses import FLAT, OWNER, RESPONSES, calls_of, get, post, response_of, text_of
from tests.live.server import Server
from tests.live.upstream import MODEL, PATIENCE, Hold, Json, Reply, ScriptedUpstream
from tests.protocols.openai_events import events_of

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(start_server: StartServer, model_server: ScriptedUpstream) -> Server:
    """Several workers: requests reach any of them."""
    return start_server("--base-url", model_server.url, "--no-check", "--workers", "3", "--max-requests", "4")


def begun(server: Server, **body: Any) -> str:
    queued = response_of(post(server, background=True, **body))
    assert (queued["status"], queued["background"], queued["output"]) == ("queued", True, [])
    return queued["id"]


def until(server: Server, identifier: str, true: Callable[[Json], bool]) -> Json:
    end = time.monotonic() + PATIENCE
    while not true(found := response_of(get(server, identifier))):
        assert time.monotonic() < end, found
        time.sleep(0.01)
    return found


def is_over(response: Json) -> bool:
    return response["status"] not in ("queued", "in_progress")


def test_it_is_found_when_it_is_over(server: Server, scripted: ScriptedUpstream) -> None:
    hold = scripted.hold()
    scripted.say(Reply(text=f"Let me look.\n{fenced('get_user(user_id=3)')}", hold=hold))
    identifier = begun(server, tools=FLAT)
    assert hold.reached.wait(PATIENCE)
    until(server, identifier, lambda found: found["status"] == "in_progress")
    refused = post(server, previous_response_id=identifier)
    assert (refused.status, refused.error["param"]) == (400, "previous_response_id")
    hold.release()
    done = until(server, identifier, is_over)
    assert (done["status"], calls_of(done), text_of(done)) == (
        "completed",
        [("get_user", {"user_id": 3})],
        "Let me look.",
    )


def test_it_fails_as_it_would_have_for_a_client(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.say(Reply(status=500, raw=b'{"error": {"message": "out of memory"}}'))
    failed = until(server, begun(server), is_over)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")
    assert "out of memory" in failed["error"]["message"]


def test_what_is_wrong_with_the_request_is_said_at_once(server: Server) -> None:
    tool = {"type": "function", "name": "f", "parameters": {"type": 3}}
    answer = post(server, background=True, tools=[tool])
    assert (answer.status, answer.error["param"]) == (400, "tools[0].parameters")


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_it_can_be_ended_from_any_worker(server: Server, scripted: ScriptedUpstream, how: str) -> None:
    """And the model server is told: it works no further."""
    hold = scripted.hold()
    scripted.say(Reply(hold=hold))
    identifier = begun(server)
    assert hold.reached.wait(PATIENCE)
    path = f"{RESPONSES}/{identifier}"
    if how == "delete":
        assert server.ask("DELETE", path, None, OWNER).json["deleted"] is True
    else:
        for _ in range(2):
            assert response_of(server.ask("POST", f"{path}/cancel", b"", OWNER))["status"] == "cancelled"
    assert hold.left.wait(PATIENCE)
    if how == "delete":
        assert get(server, identifier).status == 404
    else:
        assert until(server, identifier, is_over)["status"] == "cancelled"


def test_what_is_over_stays_what_it_is(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.say("Hello.", "Now.")
    done = until(server, begun(server), is_over)
    assert response_of(server.ask("POST", f"{RESPONSES}/{done['id']}/cancel", b"", OWNER)) == done
    now = response_of(post(server))
    answer = server.ask("POST", f"{RESPONSES}/{now['id']}/cancel", b"", OWNER)
    assert answer.status == 400 and "Cannot cancel a synchronous response." in answer.error["message"]


def test_a_stream_in_the_background_is_a_stream(server: Server, scripted: ScriptedUpstream) -> None:
    scripted.say("Hello.")
    response = response_of(post(server, background=True, stream=True), stream=True)
    assert (response["background"], text_of(response)) == (True, "Hello.")
    assert get(server, response["id"]).json == response


@contextmanager
def listening(server: Server, scripted: ScriptedUpstream, hold: Hold) -> Generator[tuple[HTTPResponse, str]]:
    """A stream in the background whose model has said a word and waits at ``hold``, and the response's id."""
    scripted.say(Reply(text="Hello there, how are you?", hold=hold, hold_after=2))
    body = json.dumps({"model": MODEL, "input": "Go on.", "background": True, "stream": True}).encode()
    with closing(server.connect()) as connection:
        connection.request("POST", RESPONSES, body, OWNER | {"Content-Type": "application/json"})
        stream = connection.getresponse()
        while not (line := stream.readline()).startswith(b"data: "):
            assert line, "the stream has ended"
        yield stream, json.loads(line.removeprefix(b"data: "))["response"]["id"]


def test_a_stream_in_the_background_is_found_while_it_lasts(server: Server, scripted: ScriptedUpstream) -> None:
    """And goes on without the client that has left."""
    hold = scripted.hold()
    with listening(server, scripted, hold) as (_, identifier):
        assert until(server, identifier, lambda found: found["status"] == "in_progress")["background"]
    hold.release()
    assert text_of(until(server, identifier, is_over)) == "Hello there, how are you?"


@contextmanager
def told_again(server: Server, identifier: str) -> Generator[HTTPResponse]:
    with closing(server.connect()) as connection:
        connection.request("GET", f"{RESPONSES}/{identifier}?stream=true", headers=OWNER)
        yield connection.getresponse()


def test_whoever_asks_for_it_later_hears_it_from_the_beginning(server: Server, scripted: ScriptedUpstream) -> None:
    """From another worker, and while it comes about: the beginning at once, the rest when it is there."""
    hold = scripted.hold()
    scripted.say(Reply(text="Hello there, how are you?", hold=hold))
    identifier = begun(server)
    with told_again(server, identifier) as stream:
        head = b"".join(stream.readline() for _ in range(8))
        assert [event["type"] for event in events_of(head)] == ["response.created", "response.in_progress"]
        hold.release()
        rest = events_of(stream.read())
    assert (rest[-1]["type"], text_of(rest[-1]["response"])) == ("response.completed", "Hello there, how are you?")
    assert [event["sequence_number"] for event in rest] == list(range(2, len(rest) + 2))


def test_whoever_listens_hears_that_it_was_deleted(server: Server, scripted: ScriptedUpstream) -> None:
    hold = scripted.hold()
    scripted.say(Reply(text="Hello there, how are you?", hold=hold))
    identifier = begun(server)
    with told_again(server, identifier) as stream:
        assert b"emulator status=" in stream.readline()
        assert server.ask("DELETE", f"{RESPONSES}/{identifier}", None, OWNER).status == 200
        rest = stream.read()
    [*_, error] = events_of(rest.lstrip(b"\n"))
    assert (error["type"], error["param"]) == ("error", "response_id")


def test_a_stream_in_the_background_can_be_cancelled(server: Server, scripted: ScriptedUpstream) -> None:
    hold = scripted.hold()
    with listening(server, scripted, hold) as (stream, identifier):
        cancelled = response_of(server.ask("POST", f"{RESPONSES}/{identifier}/cancel", b"", OWNER))
        assert cancelled["status"] == "cancelled"
        rest = stream.read()
    *_, error, end = events_of(rest.lstrip(b"\n"))
    assert (error["code"], error["message"]) == ("cancelled", "The response was cancelled.")
    assert (end["type"], end["response"]["status"], end["response"]["error"]) == ("response.failed", "cancelled", None)
    assert hold.left.wait(PATIENCE)
    assert get(server, identifier).json == cancelled


def test_no_place_is_lost(server: Server, scripted: ScriptedUpstream) -> None:
    """Each takes one of the places for requests under way, and gives it back."""
    for _ in range(12):
        scripted.say("Hello.")
        until(server, begun(server), is_over)
