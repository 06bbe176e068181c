"""Nobody waits for the answer of a client that has left: the model server is freed within two seconds.

A model that writes on for nobody takes the place of those who wait.
"""

from __future__ import annotations

import http.client
import json
from contextlib import closing

import pytest

from tests.live.server import CHAT, PARIS, TOOLS, Server, chat_body, fold
from tests.live.upstream import PATIENCE, Json, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

FREED_SECONDS = 2
WAYS = [
    pytest.param({"tools": TOOLS}, id="plain"),
    pytest.param({"tools": TOOLS, "stream": True}, id="stream"),
    pytest.param({}, id="plain, passed through"),
    pytest.param({"stream": True}, id="stream, passed through"),
]
STREAMED_WAYS = [WAYS[1], WAYS[3]]


def begin(server: Server, fields: Json) -> http.client.HTTPConnection:
    """A connection with a request sent and nothing read."""
    connection = server.connect()
    connection.request("POST", CHAT, json.dumps(chat_body(**fields)), {"Content-Type": "application/json"})
    return connection


@pytest.mark.parametrize("fields", WAYS)
def test_a_client_that_leaves_before_the_first_word(server: Server, scripted: ScriptedUpstream, fields: Json) -> None:
    """While the model server is silent nothing is written to the client, so nothing fails there."""
    hold = scripted.hold()
    scripted.say(Reply(hold=hold))
    with closing(begin(server, fields)):
        assert hold.reached.wait(PATIENCE)
    assert hold.left.wait(FREED_SECONDS)


@pytest.mark.parametrize("fields", STREAMED_WAYS)
def test_a_client_that_leaves_in_the_middle_of_a_stream(
    server: Server, scripted: ScriptedUpstream, fields: Json
) -> None:
    """It has read some of it, and the model server has paused."""
    hold = scripted.hold()
    scripted.say(Reply(text="The weather is fine today.", hold=hold, hold_after=2))
    with closing(begin(server, fields)) as connection:
        response = connection.getresponse()
        assert response.status == 200
        assert response.readline().startswith(b"data: ")
        assert hold.reached.wait(PATIENCE)
    assert hold.left.wait(FREED_SECONDS)


def test_a_client_that_leaves_during_a_repair(server: Server, scripted: ScriptedUpstream) -> None:
    """The second question is as much in vain as the first."""
    hold = scripted.hold()
    scripted.say("get_weather(town='Paris')", Reply(hold=hold))
    with closing(begin(server, {"tools": TOOLS})):
        assert hold.reached.wait(PATIENCE)
    assert hold.left.wait(FREED_SECONDS)


def test_others_go_on_when_one_leaves(server: Server, scripted: ScriptedUpstream) -> None:
    """Only the connection of the one that left is cut."""
    stays, leaves = scripted.hold(), scripted.hold()
    scripted.say(Reply(text=PARIS, hold=stays))
    with closing(begin(server, {"tools": TOOLS})) as staying:
        assert stays.reached.wait(PATIENCE)
        scripted.say(Reply(hold=leaves))
        with closing(begin(server, {"tools": TOOLS})):
            assert leaves.reached.wait(PATIENCE)
        assert leaves.left.wait(FREED_SECONDS)
        stays.release()
        answer = json.load(staying.getresponse())
    assert answer["choices"][0]["finish_reason"] == "tool_calls"


def test_the_connection_serves_the_next_request(server: Server, scripted: ScriptedUpstream) -> None:
    """Watching a client for its leaving must not eat bytes of its next request, nor take keep-alive for an end."""
    scripted.say(PARIS, Reply(text=PARIS, chunk=1), PARIS)
    with closing(server.connect()) as connection:
        for stream in (False, True, False):
            connection.request("POST", CHAT, json.dumps(chat_body(tools=TOOLS, stream=stream)))
            assert b"get-weather" in connection.getresponse().read()


def test_an_event_leaves_as_soon_as_it_can(server: Server, scripted: ScriptedUpstream) -> None:
    """Words and a finished statement reach the client while the model is still writing the rest."""
    hold = scripted.hold()
    text = 'I will look.\n```python\nget_weather(city="Paris")\nnow('
    scripted.say(Reply(text=f"{text})\n```", chunk=len(text), hold=hold, hold_after=1))
    with closing(begin(server, {"tools": TOOLS, "stream": True})) as connection:
        response = connection.getresponse()
        read = b""
        while b"Paris" not in read:
            line = response.readline()
            assert line, read
            read += line
        words = [json.loads(line[6:])["choices"][0]["delta"].get("content") for line in read.splitlines() if line]
        assert "".join(filter(None, words)) == "I will look."
        assert hold.reached.wait(PATIENCE)
        hold.release()
        rest = response.read()
    assert b'"now"' in rest
    assert b'"now"' not in read


def test_the_server_is_well_after_many_have_left(server: Server, scripted: ScriptedUpstream) -> None:
    """Nothing of those that left stays behind: the next one is served."""
    holds = [scripted.hold() for _ in range(20)]
    scripted.say(*[Reply(hold=hold) for hold in holds])
    left = [begin(server, {"tools": TOOLS, "stream": True}) for _ in holds]
    for hold in holds:
        assert hold.reached.wait(PATIENCE)
    for connection in left:
        connection.close()
    for hold in holds:
        assert hold.left.wait(FREED_SECONDS)
    scripted.say(PARIS)
    assert fold(server.chat(tools=TOOLS, stream=True))[0].named_calls == [("get-weather", {"city": "Paris"})]
