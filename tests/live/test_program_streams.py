"""Programs while they are written: calls leave early, however the text is cut, and killed kernels lose nothing."""

from __future__ import annotations

import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.live.programs import (
    MODES,
    TOOLS,
    StartServer,
    Talk,
    asked_of,
    descendants,
    fenced,
    named,
    program_servers,
    rows,
    writes,
)
from tests.live.server import CHAT, Server, chat_body
from tests.live.upstream import PATIENCE, Json, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

ROWS = {row["id"]: row for row in rows()}
CLIENTS, TALKS = 4, 12
CHAIN = 'u = get_user(user_id={n})\nboss = get_user(user_id=u["manager_id"])\nsend(to=boss["email"], body=u["name"])'


@pytest.fixture(scope="module")
def server(
    start_server: StartServer, model_server: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Server:
    return program_servers(start_server, model_server, tmp_path_factory)("--kernels", "2")


def test_a_loop_calls_before_the_model_has_ended(server: Server, scripted: ScriptedUpstream) -> None:
    """Clients can start on the first calls while the rest is written; here the model waits for the client."""
    loop = 'for name in ["A", "B"]:\n    get_price(symbol=name * 2)\n'
    begun = f"```python\n{loop}x = 1\n"
    hold = scripted.hold()
    scripted.say(Reply(text=f"{begun}send(to='a', body='b')\n```", chunk=1, hold=hold, hold_after=len(begun)))
    with closing(server.connect()) as connection:
        body = json.dumps(chat_body(tools=TOOLS, stream=True)).encode()
        connection.request("POST", CHAT, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert hold.reached.wait(PATIENCE)
        started: list[str] = []
        while len(started) < 2:
            line = response.readline()
            assert line, "the stream has ended"
            started += _names(line)
        hold.release()
        for line in response:
            started += _names(line)
    assert started == ["get-price", "get-price", "send"]


def _names(line: bytes) -> list[str]:
    """Of the calls that begin in a line of the stream."""
    if not line.startswith(b"data: {"):
        return []
    choices: list[Json] = json.loads(line[6:])["choices"]
    return [piece["function"]["name"] for choice in choices for piece in _pieces(choice) if "id" in piece]


def _pieces(choice: Json) -> list[Json]:
    """Of calls, in one chunk."""
    return choice["delta"].get("tool_calls") or []


@pytest.mark.parametrize("row", [row for row in ROWS.values() if len(row["calls"]) < 50], ids=lambda row: row["id"])
def test_frames_do_not_depend_on_how_the_text_is_cut(server: Server, scripted: ScriptedUpstream, row: Json) -> None:
    """One character at a time, or all at once: statement by statement or as a whole, the same comes of it."""
    frames: list[list[list[Json]]] = []
    for chunk in (1, 0):
        scripted.script = writes(row["code"], "Done.", chunk=chunk)
        rounds = Talk(server, stream=True, body=chat_body(tools=row["tools"])).run()
        frames.append([_deltas(round.answer.events) for round in rounds[:-1]])
    assert frames[0] == frames[1]


def _deltas(events: list[Any]) -> list[Json]:
    """The choices of a stream's chunks without the calls' ids, which nobody can guess."""
    choices: list[Json] = [choice for event in events[:-1] for choice in event["choices"]]
    for piece in (piece for choice in choices for piece in _pieces(choice)):
        piece.pop("id", None)
    return choices


@dataclass
class Killer:
    """Kills one kernel after every so many conversations of all clients, and never the same one twice."""

    pid: int
    every: int = 8
    killed: set[int] = field(default_factory=set[int])
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def another(self) -> None:
        with self._lock:
            self._count += 1
            if self._count % self.every:
                return
            kernels = [pid for pid, command in descendants(self.pid).items() if "kernels.kernel" in command]
            for pid in [pid for pid in kernels if pid not in self.killed][:1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed.add(pid)


def test_kernels_killed_under_load_lose_nothing(server: Server, scripted: ScriptedUpstream) -> None:
    """Out of memory, or an operator's hand: whatever a kernel was doing is done by another."""
    scripted.script = lambda asked: (
        Reply(text="Done.")
        if '"sent": true' in asked.body["messages"][-1]["content"]
        else Reply(text=fenced(CHAIN.format(n=asked.text.rpartition("number ")[2].partition(".")[0])))
    )
    killer = Killer(server._process.pid)  # pyright: ignore[reportPrivateUsage] - its processes are what is tested

    def client(start: int) -> None:
        for n in range(start, start + TALKS):
            killer.another()
            rounds = Talk(server, stream=bool(n % 2), body=chat_body(f"I want number {n}.", tools=TOOLS)).run()
            assert named(rounds) == [
                [("get_user", {"user_id": n})],
                [("get_user", {"user_id": n // 2})],
                [("send", {"to": f"u{n // 2}@x.org", "body": f"User {n}"})],
                [],
            ]

    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(client, 2 + number * TALKS) for number in range(CLIENTS)]:
            done.result(PATIENCE)
    assert len(killer.killed) >= 3


@MODES
def test_a_stream_of_many_clients_mixes_nothing_up(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """More programs at once than there are kernels: each client gets its own calls and its own output."""
    scripted.script = lambda asked: Reply(
        text=fenced(
            f"n = {asked.text.rpartition('number ')[2].partition('.')[0]}\nu = get_user(user_id=n)\nprint('is', u['id'])"
        )
    )

    def client(n: int) -> None:
        headers = {"Authorization": f"Bearer sk-{n}", "X-Emulator-Final": "output"}
        rounds = Talk(server, stream, headers, chat_body(f"I want number {n}.", tools=TOOLS)).run()
        assert (named(rounds), rounds[-1].text) == ([[("get_user", {"user_id": n})], []], f"is {n}\n")

    with ThreadPoolExecutor(12) as pool:
        for done in [pool.submit(client, n) for n in range(1, 49)]:
            done.result(PATIENCE)
    assert len(asked_of(scripted)) == 48
