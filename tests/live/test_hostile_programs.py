"""Whatever a model writes, it gets nothing, it ends within the limits, and whoever comes next notices nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.kernels.samples import until
from tests.live.hostile import LEAK, PROGRAMS, Hostile
from tests.live.programs import (
    TOOLS,
    StartServer,
    Talk,
    asked_of,
    descendants,
    fenced,
    program_servers,
    round_of,
    tool,
    writes,
)
from tests.live.server import Answer, Server, chat_body
from tests.live.upstream import Asked, Reply, ScriptedUpstream

pytestmark = pytest.mark.live

KERNELS = 2
CALLS = 24
"""The most calls of one program on this server; each may be a round of its own."""
INSISTENCE = 2
"""How often the model says the same again."""
KEY = "sk-canary-of-the-server-3f1c"
IN_FILE = "canary-in-a-file-9a72"
IN_ENVIRONMENT = "canary-in-the-environment-51be"
SECRETS = (KEY, IN_FILE, IN_ENVIRONMENT, "root:x:0:0", "LD_LIBRARY_PATH=", "PATH=/")
_OPTIONS = {"type": "object", "properties": {"level": {"type": "integer"}}, "additionalProperties": False}
HOSTILE_TOOLS = [*TOOLS, tool("keep", "Keeps a value.", {"value": {}, "options": _OPTIONS}, "options")]
SCHEMAS: dict[str, Any] = {item["function"]["name"]: item["function"]["parameters"] for item in HOSTILE_TOOLS}
HONEST = f"""\
try:
    print({LEAK})
except NameError:
    print("clean")
u = get_user(user_id=7)
send(to=u["email"], body=u["name"])
"""


@pytest.fixture(scope="module")
def canary_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("secrets") / "canary.txt"
    path.write_text(IN_FILE)
    return path


@pytest.fixture(scope="module")
def server(
    start_server: StartServer, model_server: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One for all of them, with a secret in its environment and little patience."""
    limits = ["--program-seconds", "0.2", "--program-calls", str(CALLS), "--program-output", "20000", "--repairs", "1"]
    start = program_servers(start_server, model_server, tmp_path_factory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARY", IN_ENVIRONMENT)
        yield start("--api-key", KEY, "--kernels", str(KERNELS), *limits)


@pytest.fixture(scope="module")
def workers(server: Server) -> set[int]:
    """The server's processes before any program was run."""
    assert server.ask("GET", "/health").status == 200
    return workers_of(server)


def processes_of(server: Server, command: str) -> set[int]:
    found = descendants(server._process.pid)  # pyright: ignore[reportPrivateUsage] - its processes are what is tested
    return {pid for pid, line in found.items() if command in line}


def workers_of(server: Server) -> set[int]:
    """The workers of gunicorn, with the processes that they have of their own for stubs."""
    return processes_of(server, "app.py")


def kernels_of(server: Server) -> set[int]:
    return processes_of(server, "kernels.kernel")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("hostile", PROGRAMS.values(), ids=PROGRAMS)
def test_it_gets_nothing_and_leaves_nothing(
    server: Server,
    workers: set[int],
    scripted: ScriptedUpstream,
    canary_file: Path,
    hostile: Hostile,
    stream: bool,
) -> None:
    """The model insists on its program for a while; the client obeys every call."""
    code = hostile.code.replace("CANARY_FILE", str(canary_file))
    scripted.say(*[Reply(text=fenced(code), chunk=4096)] * INSISTENCE)
    scripted.script = lambda asked: Reply(text="I give up.")
    talk = Talk(server, stream, body=chat_body(tools=HOSTILE_TOOLS))
    for number in itertools.count():
        answer = talk.answer()
        assert_nothing_leaked(answer, asked_of(scripted))
        if answer.status != 200 or is_error(answer, stream=stream):
            assert_documented(answer, stream=stream)
            break
        round = round_of(answer, stream=stream)
        for name, arguments in round.named:
            assert jsonschema_rs.is_valid(SCHEMAS[name], arguments), (name, arguments)
        if not round.calls:
            assert round.text
            break
        assert number <= INSISTENCE * (CALLS + 1), "it never ends"
        talk.give(round, lambda name, arguments: hostile.result)
    assert_next_is_served(server, scripted)


def assert_nothing_leaked(answer: Answer, questions: list[Asked]) -> None:
    """Neither the client nor the model has seen a secret."""
    for seen in [answer.raw, *(question.raw for question in questions)]:
        text = seen.decode()
        assert not [secret for secret in SECRETS if secret in text]


def is_error(answer: Answer, *, stream: bool) -> bool:
    return stream and any("error" in event for event in answer.events[:-1])


def assert_documented(answer: Answer, *, stream: bool) -> None:
    """An error in OpenAI's form that says what the model did wrong; none of ours."""
    if stream and answer.status == 200:
        [error] = [event["error"] for event in answer.events[:-1] if "error" in event]
    else:
        assert answer.status == 502, answer
        error = answer.error
    assert error["type"] == "model_error", error


def assert_next_is_served(server: Server, scripted: ScriptedUpstream) -> None:
    """An honest program, and no name that the last one left."""
    scripted.reset()
    scripted.script = writes(HONEST)
    rounds = Talk(server).run()
    assert [round.named for round in rounds] == [
        [("get_user", {"user_id": 7})],
        [("send", {"to": "u7@x.org", "body": "User 7"})],
        [],
    ]
    assert "clean" in rounds[-1].text
    asked_of(scripted)


def test_the_server_is_what_it_was(server: Server, workers: set[int], scripted: ScriptedUpstream) -> None:
    """Stands last: no worker has died, all kernels are there, and as many programs run at once as ever."""
    assert workers_of(server) == workers
    assert "kernel broke" not in server.logged(), "a program took its kernel along, and whoever waited had to wait"
    until(lambda: len(kernels_of(server)) == KERNELS)
    scripted.script = lambda asked: Reply(text=fenced("u = get_user(user_id=5)\nprint(u['name'])"))

    def client(_: int) -> str:
        return Talk(server, headers={"X-Emulator-Final": "output"}).run()[-1].text

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(client, range(40))) == ["User 5\n"] * 40
    assert len(kernels_of(server)) == KERNELS
    assert not Path("/tmp", LEAK).exists()
