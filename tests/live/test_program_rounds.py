"""What a program's rounds are when the client, a tool's mark, an error or a setting has a say in them."""

from __future__ import annotations

import pytest

from tests.live.programs import (
    MODES,
    TOOLS,
    WORDED,
    StartServer,
    Talk,
    asked_of,
    fenced,
    named,
    program_servers,
    tool,
    world,
    writes,
)
from tests.live.server import Server, chat_body
from tests.live.upstream import Json, Reply, ScriptedUpstream

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def start(
    start_server: StartServer, model_server: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> StartServer:
    return program_servers(start_server, model_server, tmp_path_factory)


@pytest.fixture(scope="module")
def server(start: StartServer) -> Server:
    return start()


@MODES
def test_one_call_at_a_time_where_the_client_wants_it(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """parallel_tool_calls: false; the rest follow by replay."""
    scripted.script = writes("for user in [1, 2, 3]:\n    get_user(user_id=user)")
    rounds = Talk(server, stream, body=chat_body(tools=TOOLS, parallel_tool_calls=False)).run()
    assert named(rounds) == [[("get_user", {"user_id": user})] for user in (1, 2, 3)] + [[]]
    assert len(asked_of(scripted)) == 2


ORDERED = """\
get_user(user_id=1)
get_user(user_id=2)
for name in ["a", "b"]:
    send(to=name, body="x")
get_user(user_id=3)
print("end")
"""
ORDERED_CALLS: list[list[tuple[str, Json]]] = [
    [("get_user", {"user_id": 1}), ("get_user", {"user_id": 2})],
    [("send", {"to": "a", "body": "x"})],
    [("send", {"to": "b", "body": "x"})],
    [("get_user", {"user_id": 3})],
    [],
]


@pytest.mark.parametrize("where", ["annotations", "--serial-tools"])
def test_tools_whose_order_matters_are_called_alone(
    start: StartServer, server: Server, scripted: ScriptedUpstream, where: str
) -> None:
    """A client that runs parallel calls at once would send them in any order."""
    tools = TOOLS
    if where == "annotations":
        fields = {"to": "string", "body": "string"}
        tools = [TOOLS[0], tool("send", "Sends.", fields, annotations={"readOnlyHint": False})]
    else:
        server = start("--serial-tools", "nothing_*,se*")
    scripted.script = writes(ORDERED)
    assert named(Talk(server, body=chat_body(tools=tools)).run()) == ORDERED_CALLS


@MODES
def test_an_error_of_a_tool_that_nobody_catches_goes_to_the_model(
    server: Server, scripted: ScriptedUpstream, stream: bool
) -> None:
    """With the line, the results so far and the chance to write it anew: what was called isn't called again."""
    broken = 'a = get_user(user_id=1)\nb = get_user(user_id=99)\nsend(to=a["email"], body=b["name"])'
    scripted.script = writes(broken, fenced(broken.replace("99", "2")))
    rounds = Talk(server, stream).run()
    assert named(rounds) == [
        [("get_user", {"user_id": 1}), ("get_user", {"user_id": 99})],
        [("get_user", {"user_id": 2})],
        [("send", {"to": "u1@x.org", "body": "User 2"})],
        [],
    ]
    shown = asked_of(scripted)[1].text
    assert "ToolError: no user 99" in shown
    assert "b = get_user(user_id=99)" in shown
    assert "User 1" in shown


def test_an_exception_comes_with_its_traceback_and_is_corrected(server: Server, scripted: ScriptedUpstream) -> None:
    """The line is the model's own, not that of what was run for it."""
    code = 'def name_of(user):\n    return user["nam"]\n\nu = get_user(user_id=3)\nsend(to=u["email"], body=name_of(u))'
    scripted.script = writes(code, fenced(code.replace('"nam"', '"name"')))
    rounds = Talk(server).run()
    assert named(rounds) == [
        [("get_user", {"user_id": 3})],
        [("send", {"to": "u3@x.org", "body": "User 3"})],
        [],
    ]
    shown = asked_of(scripted)[1].text
    assert 'line 4: send(to=u["email"], body=name_of(u))' in shown
    assert 'line 2: return user["nam"]' in shown
    assert "KeyError" in shown


@MODES
def test_corrections_have_an_end(server: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    """A model that repeats its mistake is asked a bounded number of times."""
    stubborn = fenced('u = get_user(user_id=3)\nprint(u["nam"])')
    scripted.script = lambda asked: Reply(text=stubborn)
    talk = Talk(server, stream)
    talk.give(talk.ask())
    answer = talk.answer()
    assert answer.status in (200, 502)
    assert 2 <= len(asked_of(scripted)) <= 12


def test_json_text_goes_back_as_it_came(server: Server, scripted: ScriptedUpstream) -> None:
    """A value to the program, and where a schema wants a string the very text: spaces, order, 2.50 and all."""
    code = 't = read_file(path="data.json")\nprint(t["a"][0])\nsend(to="a@x.org", body=t)'
    scripted.script = writes(code)
    rounds = Talk(server).run()
    assert rounds[1].named == [("send", {"to": "a@x.org", "body": world("read_file", {"path": "data.json"})})]
    assert "Output of the code:\n```result\n1\n```" in rounds[-1].text


@MODES
def test_the_output_may_be_the_answer(start: StartServer, scripted: ScriptedUpstream, stream: bool) -> None:
    """By setting or by header, each of which spares the last question; what isn't a choice is refused."""
    server = start("--final", "output")
    code = 'u = get_user(user_id=3)\nprint(u["name"])\nprint("~" * 3)'
    for headers, text in [({}, "User 3\n~~~\n"), ({"X-Emulator-Final": "model"}, WORDED)]:
        scripted.script = writes(code)
        [_, last] = Talk(server, stream, headers).run()
        assert last.text.startswith(text)
        assert len(asked_of(scripted)) == (2 if headers else 1)
    answer = Talk(server, stream, {"X-Emulator-Final": "else"}).answer()
    assert (answer.status, answer.error["code"]) == (400, "invalid_value")


def test_by_header_alone(server: Server, scripted: ScriptedUpstream) -> None:
    """The setting's default is the model's words."""
    scripted.script = writes("u = get_user(user_id=3)\nprint(u['name'])")
    assert Talk(server, headers={"X-Emulator-Final": "output"}).run()[-1].text == "User 3\n"
    assert len(asked_of(scripted)) == 1


def test_results_that_nobody_read_are_shown_to_the_model(server: Server, scripted: ScriptedUpstream) -> None:
    """A program that only calls leaves it to the model to read: calls as code and every result."""
    scripted.script = writes('get_user(user_id=3)\nu = get_user(user_id=4)\nprint("looked up", u["id"])')
    Talk(server).run()
    shown = asked_of(scripted)[-1].text
    assert '"User 3"' in shown and '"User 4"' in shown


def test_without_programs_only_literal_calls_are_made(start: StartServer, scripted: ScriptedUpstream) -> None:
    """The setting for those who want no code run: the model is told, and no kernel is started."""
    server = start("--no-programs")
    scripted.script = writes(ORDERED, fenced("get_user(user_id=1)"))
    rounds = Talk(server).run()
    assert named(rounds) == [ORDERED_CALLS[0], []]
    assert "kernel started" not in server.logged()


def test_clock_and_chance_stand_still(server: Server, scripted: ScriptedUpstream) -> None:
    """A program that asks for them in each replay gets the same again, or its calls would differ."""
    code = (
        "import random\nfrom datetime import datetime\n"
        "n = random.randint(1, 80)\nnow = datetime.now().isoformat()\n"
        "u = get_user(user_id=n)\n"
        'send(to=u["email"], body=now)\nsend(to=str(random.random()), body=u["name"])\nprint(now)'
    )
    scripted.script = writes(code)
    rounds = Talk(server).run()
    assert [len(round.calls) for round in rounds] == [1, 2, 0]
    assert rounds[1].named[0][1]["body"] in rounds[2].text
    assert len(asked_of(scripted)) == 2
