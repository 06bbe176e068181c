"""Many clients at once in one process: none is lost, and none gets what is another's."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.live.server import TOOLS, Server, calls_of, chat_body, fold
from tests.live.upstream import PATIENCE, Asked, Hold, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

CLIENTS = 50


def test_fifty_streams_at_once(server: Server, scripted: ScriptedUpstream) -> None:
    """All are under way before the first one may go on, so that they truly run beside one another."""
    holds: list[Hold] = [scripted.hold() for _ in range(CLIENTS)]

    def script(asked: Asked) -> Reply:
        [number] = re.findall(r"client (\d+)", asked.text)
        code = f'For {number}.\n```python\nget_weather(city="{number}")\nnow()\n```'
        return Reply(text=code, chunk=3, hold=holds[int(number)], hold_after=4)

    scripted.script = script

    def ask(number: int) -> Any:
        return fold(server.chat(chat_body(f"I am client {number}", tools=TOOLS, stream=True)))[0]

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [pool.submit(ask, number) for number in range(CLIENTS)]
        for hold in holds:
            assert hold.reached.wait(PATIENCE)
        for hold in holds:
            hold.release()
        for number, answer in enumerate(answers):
            got = answer.result(PATIENCE)
            assert got.content == f"For {number}."
            assert got.named_calls == [("get-weather", {"city": str(number)}), ("now", {})]
            assert got.finish_reason == "tool_calls"


def test_unknown_tools_of_many_clients_at_once(server: Server, scripted: ScriptedUpstream) -> None:
    """Stubs are made by one process for all: each client gets its own, also where two bring the same at once."""
    together = Barrier(12)

    def script(asked: Asked) -> Reply:
        [(name, model)] = re.findall(r"def (tool_\d)\(\*, place: (\w+)\)", asked.text)
        [number] = re.findall(r"client (\d+)", asked.text)
        return Reply(text=f'{name}(place={model}(city="{number}"))')

    scripted.script = script

    def ask(number: int) -> list[tuple[str, Any]]:
        place = {"type": "object", "properties": {"city": {"type": "string"}}}
        schema = {"type": "object", "properties": {"place": place}, "required": ["place"]}
        tool = {"type": "function", "function": {"name": f"tool-{number % 6}", "parameters": schema}}
        together.wait(PATIENCE)
        answer = server.chat(chat_body(f"I am client {number}", tools=[tool]))
        return calls_of(answer.json["choices"][0]["message"])

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(12)))
    assert answers == [[(f"tool-{number % 6}", {"place": {"city": str(number)}})] for number in range(12)]
