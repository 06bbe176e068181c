"""Programs through HTTP with real kernels: the model writes once, and the client sees nothing but rounds of calls."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.programs import (
    MODES,
    TOOLS,
    WORDED,
    StartServer,
    Talk,
    asked_of,
    named,
    program_servers,
    row_of,
    rows,
    writes,
)
from tests.live.server import Server, chat_body
from tests.live.upstream import PATIENCE, USAGE, Json, ScriptedUpstream

pytestmark = pytest.mark.live

NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
ROWS = {row["id"]: row for row in rows()}
CHAIN = """\
boss = get_user(user_id=get_user(user_id=9)["manager_id"])
send(to=boss["email"], body=str(boss["id"]))
"""
CHAINED: list[list[tuple[str, Json]]] = [
    [("get_user", {"user_id": 9})],
    [("get_user", {"user_id": 4})],
    [("send", {"to": "u4@x.org", "body": "4"})],
    [],
]


@pytest.fixture(scope="module")
def start(
    start_server: StartServer, model_server: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> StartServer:
    return program_servers(start_server, model_server, tmp_path_factory)


@pytest.fixture(scope="module")
def server(start: StartServer) -> Server:
    return start()


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_rows_are_what_cpython_makes_of_them(row: Json) -> None:
    """Expectations written by hand would hold the same mistakes as the code."""
    assert row_of(row["id"], row["code"], row["max_rounds"]) == row


@MODES
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_program_makes_the_calls_that_cpython_makes(
    server: Server, scripted: ScriptedUpstream, row: Json, stream: bool
) -> None:
    """In order, in as few rounds as its data need, with the model asked at most twice."""
    scripted.script = writes(row["code"])
    rounds = Talk(server, stream, body=chat_body(tools=row["tools"])).run()
    calls = [{"name": name, "arguments": arguments} for round in rounds for name, arguments in round.named]
    assert calls == row["calls"]
    assert len(rounds) - 1 <= row["max_rounds"]
    assert row["output"].strip() in rounds[-1].text
    assert [round.finish_reason for round in rounds] == ["tool_calls"] * (len(rounds) - 1) + ["stop"]
    assert len(asked_of(scripted)) <= 2
    ids = [id for round in rounds for id in round.ids]
    assert len(set(ids)) == len(ids)
    assert all(len(id) <= 40 for id in ids)


@MODES
def test_every_answer_tells_how_it_came_about(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """Rounds without the model cost no tokens, and operators see in which round what was spent."""
    scripted.script = writes(CHAIN)
    talk = Talk(server, stream, body=chat_body(tools=TOOLS, stream_options={"include_usage": True} if stream else None))
    rounds = talk.run()
    assert named(rounds) == CHAINED
    told = [round.told for round in rounds]
    assert [(said["strategy"], said["round"], said["upstream-calls"]) for said in told] == [
        ("code", "1", "1"),
        ("code", "2", "0"),
        ("code", "3", "0"),
        ("code", "4", "1"),
    ]
    assert all(0 <= float(said["ms"]) < PATIENCE * 1000 for said in told)
    usages = [round.answer.events[-2]["usage"] if stream else round.usage for round in rounds]
    assert usages == [USAGE, NOTHING, NOTHING, USAGE]
    if stream:
        assert [set(round.answer.headers) & {"x-emulator-ms", "x-emulator-round"} for round in rounds] == [
            {"x-emulator-round"}
        ] * 4
        assert all(round.answer.raw.endswith(b"\n\ndata: [DONE]\n\n") for round in rounds)


@MODES
def test_a_round_asked_again_is_the_same_round(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """Clients retry: the same calls with the same ids, whichever of the rounds it is, and in either mode."""
    scripted.script = writes(CHAIN)
    talk = Talk(server, stream)
    for expected in CHAINED[:3]:
        first = talk.ask()
        assert first.named == expected
        if expected != CHAINED[0]:
            again, other = talk.ask(), Talk(server, not stream, body=talk.body).ask()
            assert (again.named, again.ids) == (other.named, other.ids) == (first.named, first.ids)
        talk.give(first)
    assert len(asked_of(scripted)) == 1


def test_one_history_may_go_on_in_several_ways(server: Server, scripted: ScriptedUpstream) -> None:
    """Each branch has its own results, and none sees another's."""
    scripted.script = writes(CHAIN)
    talk = Talk(server)
    first = talk.ask()
    bodies: dict[int, Json] = {}
    for boss in (21, 22):
        branch = Talk(server, body=talk.body)
        branch.give(first, lambda name, arguments, boss=boss: json.dumps({"manager_id": boss}))
        assert branch.ask().named == [("get_user", {"user_id": boss})]
        bodies[boss] = branch.body
    for boss, body in bodies.items():
        branch = Talk(server, body=body)
        branch.give(branch.ask())
        assert branch.ask().named == [("send", {"to": f"u{boss}@x.org", "body": str(boss)})]
    assert len(asked_of(scripted)) == 1


def test_it_goes_on_after_a_restart_and_on_another_replica(
    start: StartServer, scripted: ScriptedUpstream, tmp_path: Path
) -> None:
    """The store has the program and the client its progress; without the file the model is asked."""
    store = f"sqlite:///{tmp_path}/shared.db"
    one, other = start("--store", store), start("--store", store)
    scripted.script = writes(CHAIN)
    talk = Talk(one)
    for expected in CHAINED[:2]:
        round = talk.ask()
        assert round.named == expected
        talk.give(round)
        talk.server = other
    one.stop()
    talk.server = one = start("--store", store)
    assert named(talk.run()) == CHAINED[2:]
    assert len(asked_of(scripted)) == 2

    scripted.script = writes(CHAIN)
    talk.body = chat_body(tools=TOOLS)
    talk.give(talk.ask())
    for server in (one, other):
        server.stop()
    for file in tmp_path.glob("shared.db*"):
        file.unlink()
    talk.server = start("--store", store)
    assert talk.ask().text.startswith(WORDED)
    assert "get_user(user_id=9)" in asked_of(scripted)[-1].text


def edited_arguments(talk: Talk) -> None:
    messages = talk.body["messages"]
    messages[1]["tool_calls"][0]["function"]["arguments"] = '{"user_id": 8}'


def foreign_ids(talk: Talk) -> None:
    messages = talk.body["messages"]
    messages[1]["tool_calls"][0]["id"] = messages[2]["tool_call_id"] = "call_" + "0" * 25


def another_index(talk: Talk) -> None:
    messages = talk.body["messages"]
    messages[1]["tool_calls"][0]["id"] = messages[2]["tool_call_id"] = messages[2]["tool_call_id"][:-1] + "7"


def another_caller(talk: Talk) -> None:
    talk.headers = {"Authorization": "Bearer sk-somebody-else"}


def nobody(talk: Talk) -> None:
    talk.headers = {}


def changed_tools(talk: Talk) -> None:
    talk.body = talk.body | {"tools": TOOLS[:-1]}


def new_question(talk: Talk) -> None:
    talk.body["messages"].append({"role": "user", "content": "Never mind. How are you?"})


def another_name(talk: Talk) -> None:
    talk.body["messages"][1]["tool_calls"][0]["function"]["name"] = "get-price"


def call_twice(talk: Talk) -> None:
    messages = talk.body["messages"]
    messages += [dict(messages[1]), dict(messages[2])]


@pytest.mark.parametrize(
    "tamper",
    [
        edited_arguments,
        foreign_ids,
        another_index,
        another_caller,
        nobody,
        changed_tools,
        new_question,
        another_name,
        call_twice,
    ],
)
@MODES
def test_what_does_not_fit_goes_to_the_model(
    server: Server, scripted: ScriptedUpstream, tamper: Callable[[Talk], None], stream: bool
) -> None:
    """A history of another making is a transcript like any other: no error, and nobody's program goes on."""
    scripted.script = writes(CHAIN)
    talk = Talk(server, stream)
    talk.give(talk.ask())
    talk.body = json.loads(json.dumps(talk.body))
    tamper(talk)
    round = talk.ask()
    assert (round.named, round.told["upstream-calls"]) == ([], "1")
    assert round.text.startswith(WORDED)
    assert "boss" not in asked_of(scripted)[-1].text


def test_results_in_another_order_are_told_apart_by_their_ids(server: Server, scripted: ScriptedUpstream) -> None:
    """Clients run parallel calls at once and send what is ready first; calls that change places are no longer ours."""
    code = 'a = get_user(user_id=1)\nb = get_user(user_id=2)\nsend(to=a["email"], body=b["name"])'
    scripted.script = writes(code)
    talk = Talk(server)
    talk.give(talk.ask())
    [question, called, *results] = talk.body["messages"]
    swapped = Talk(server, body=talk.body | {"messages": [question, called, *reversed(results)]})
    assert swapped.ask().named == [("send", {"to": "u1@x.org", "body": "User 2"})]
    reordered = called | {"tool_calls": called["tool_calls"][::-1]}
    round = Talk(server, body=talk.body | {"messages": [question, reordered, *results]}).ask()
    assert round.text.startswith(WORDED)


def test_a_missing_result_is_an_error_as_ever(server: Server, scripted: ScriptedUpstream) -> None:
    """OpenAI's API refuses such a history, and a program must not guess."""
    scripted.script = writes(CHAIN)
    talk = Talk(server)
    talk.give(talk.ask())
    talk.body["messages"].pop()
    answer = talk.answer()
    assert (answer.status, answer.error["param"]) == (400, "messages")


def test_a_store_out_of_reach_costs_the_program_and_no_answer(start: StartServer, scripted: ScriptedUpstream) -> None:
    """Calls leave as ever; with their results the model is asked."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = start("--store", f"redis://127.0.0.1:{free.getsockname()[1]}")
        scripted.script = writes(CHAIN)
        first, second = Talk(dead).run()
    assert first.named == CHAINED[0]
    assert second.text.startswith(WORDED)
    assert "program not kept" in dead.logged()
