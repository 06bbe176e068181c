"""Programs that no test can run here, by the requests that their sources make: their loops end as those of others do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.clients.recorded import CLIENTS, Client, Json, Read
from tests.live.server import Answer, Server

pytestmark = pytest.mark.clients
both_modes = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])

PATCH = '*** Begin Patch\n*** Update File: src/größe.py\n@@\n-x = 1\n+x = "zwei"\n*** End Patch\n'
TICKETS: Json = {
    "type": "namespace",
    "name": "mcp__tickets__",
    "description": "Tools of the tickets server.",
    "tools": [
        {
            "type": "function",
            "name": "find_ticket",
            "description": "Finds a ticket.",
            "strict": False,
            "defer_loading": True,
            "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
        }
    ],
}
LOOPS: Mapping[str, tuple[str, str, str, list[list[tuple[str, Any]]]]] = {
    "open_webui": (
        "chat",
        "Oslo is north.",
        "Boots, and a warm coat.",
        [
            [
                ("get_current_weather", {"city": "Oslo"}),
                ("search_web", {"query": "packing for snow ❄️", "count": 3}),
            ],
            [("get_current_weather", {"city": "Røros", "unit": "celsius"})],
        ],
    ),
    "librechat": (
        "agent",
        "",
        "Booked.",
        [
            [
                ("find_hotel_mcp_travel", {"city": "Oslo", "filters": {"stars": 4, "tags": ["quiet", "sauna"]}}),
                ("execute_code", {"lang": "py", "code": "print('é\\n' * 2)"}),
            ],
            [("find_hotel_mcp_travel", {"city": "Bergen"})],
        ],
    ),
    "codex": (
        "turn",
        "Look first.",
        "Fixed.",
        [
            [
                ("exec_command", {"cmd": "rg -n 'x = 1' src", "yield_time_ms": 1000}),
                (
                    "update_plan",
                    {"plan": [{"step": "look", "status": "in_progress"}, {"step": "patch", "status": "pending"}]},
                ),
            ],
            [("apply_patch", PATCH)],
            [("mcp__tickets__find_ticket", {"number": 7})],
        ],
    ),
    "claude_code": (
        "turn",
        "",  # it asks for thoughts that nobody sees
        "Fixed.",
        [
            [
                ("Bash", {"command": "rg -n 'x = 1' src", "description": "Search"}),
                ("TodoWrite", {"todos": [{"content": "look", "status": "in_progress", "activeForm": "Looking"}]}),
            ],
            [("Edit", {"file_path": "/repo/größe.py", "old_string": "x = 1\n", "new_string": 'x = "zwei"\n'})],
            [("mcp__tickets__find_ticket", {"number": 7})],
        ],
    ),
}
ENDS = {
    "open_webui": ("tool_calls", "stop"),
    "librechat": ("tool_calls", "stop"),
    "codex": ("completed", "completed"),
    "claude_code": ("tool_use", "end_turn"),
}
TOKENS = {"Chat Completions": "completion_tokens", "Responses": "output_tokens", "Messages": "output_tokens"}


def marked(name: str, **more: Any) -> Any:
    recorded = CLIENTS[name].recorded
    mark = pytest.mark.client(recorded["client"], recorded["api"], version=recorded["version"])
    return pytest.param(name, marks=mark, id=name, **more)


each_client = pytest.mark.parametrize("name", [marked(name) for name in CLIENTS])


def ask(server: Server, client: Client, body: Json, path: str = "") -> Answer:
    raw = json.dumps(body).encode()
    return server.ask("POST", path or client.recorded["path"], raw, client.recorded["headers"])


def read_answer(server: Server, client: Client, body: Json) -> tuple[Read, Answer]:
    answer = ask(server, client, body)
    assert answer.status == 200, answer.raw
    return client.read(answer, bool(body.get("stream"))), answer


@each_client
@both_modes
@pytest.mark.feature("rounds")
def test_a_loop_of_several_rounds(server: Server, name: str, stream: bool) -> None:
    client = CLIENTS[name]
    request, thoughts, words, rounds = LOOPS[name]
    body = client.body(request, stream=stream)
    for number, wanted in enumerate(rounds):
        read, _ = read_answer(server, client, body)
        assert read.calls == wanted
        assert read.ended == ENDS[name][0]
        assert read.thoughts == ("" if number else thoughts)
        assert bool(read.text) == (number == 0)
        body = client.follow(body, read, [f"result {index}" for index in range(len(wanted))])
    read, _ = read_answer(server, client, body)
    assert (read.text, read.calls, read.ended) == (words, [], ENDS[name][1])


def first_answer(server: Server, name: str, stream: bool) -> Read:
    return read_answer(server, CLIENTS[name], CLIENTS[name].body(LOOPS[name][0], stream=stream))[0]


@each_client
@both_modes
@pytest.mark.feature("parallel")
def test_several_calls_in_one_answer(server: Server, name: str, stream: bool) -> None:
    read = first_answer(server, name, stream)
    assert read.calls == LOOPS[name][3][0]
    assert len(read.calls) == 2


@pytest.mark.parametrize("name", [marked(name) for name in CLIENTS if LOOPS[name][1]])
@both_modes
@pytest.mark.feature("thoughts")
def test_thoughts_are_apart_from_words(server: Server, name: str, stream: bool) -> None:
    read = first_answer(server, name, stream)
    assert read.thoughts == LOOPS[name][1]
    assert LOOPS[name][1] not in read.text


@each_client
@both_modes
@pytest.mark.feature("usage")
def test_tokens_are_counted(server: Server, name: str, stream: bool) -> None:
    """Of an answer with calls, where some servers leave them out."""
    assert first_answer(server, name, stream).usage[TOKENS[CLIENTS[name].recorded["api"]]] > 0


PROGRAMS = {
    "open_webui": [["Rome"], ["Oslo"], ["Oslo"]],
    "librechat": [["Oslo"], ["Oslo", "Bergen"]],
    "codex": [["a"], ["b"], ["cat b"]],
    "claude_code": [["a"], ["b"], ["y", "/repo/b"]],
}
RESULTS = {"Rome": "sun", "Oslo": "snow", "Bergen": "full", "a": "small", "b": "big"}


@each_client
@both_modes
@pytest.mark.feature("programs")
def test_a_program_goes_on_where_the_results_are(server: Server, name: str, stream: bool) -> None:
    """Each of them spells and decorates the calls that it sends again in its own way."""
    client = CLIENTS[name]
    body = client.body("program", stream=stream)
    for number, wanted in enumerate(PROGRAMS[name]):
        read, answer = read_answer(server, client, body)
        values = [list(arguments.values())[-1] for _, arguments in read.calls]
        assert values == wanted
        if not stream:
            assert answer.headers["x-emulator-upstream-calls"] == ("0" if number else "1")
        body = client.follow(body, read, [RESULTS.get(value, f"text of {value}") for value in values])
    read, _ = read_answer(server, client, body)
    assert read.calls == []
    assert read.text


REMINDER = "<system-reminder>\n@say Noted.\n</system-reminder>"


@pytest.mark.parametrize(
    ("words", "told", "in_all"), [(REMINDER, True, 3), (REMINDER, False, 1), ("@say Noted.", True, 1)]
)
@both_modes
def test_words_behind_the_results_are_for_the_model(
    server: Server, stream: bool, words: str, told: bool, in_all: int
) -> None:
    """Claude Code puts reminders there, again and again, and what its user types meanwhile: only a reminder that was
    told before lets a program go on."""
    client = CLIENTS["claude_code"]
    body = client.body("program", stream=stream)
    if told:
        body["messages"][0]["content"].insert(0, {"type": "text", "text": words})
    rounds = 0
    read, _ = read_answer(server, client, body)
    while read.calls:
        rounds += 1
        assert rounds <= in_all, "it never ends"
        results = [RESULTS.get(list(arguments.values())[-1], "text") for _, arguments in read.calls]
        body = client.follow(body, read, results)
        body["messages"][-1]["content"].append({"type": "text", "text": words})
        read, _ = read_answer(server, client, body)
    assert rounds == in_all
    assert read.text == "Noted."


BESIDE: list[tuple[str, str, Callable[[Read], object], object]] = [
    ("open_webui", "picture", lambda read: read.text, "A cat."),
    ("open_webui", "title", lambda read: json.loads(read.text), {"title": "❄️ Packing for Oslo"}),
    ("librechat", "title", lambda read: read.calls, [("extract", {"language": "English", "title": "Room in Oslo"})]),
    ("claude_code", "title", lambda read: json.loads(read.text), {"title": "Fix the size"}),
    ("claude_code", "quota", lambda read: read.ended, "max_tokens"),
]


@pytest.mark.parametrize(
    ("name", "request_name", "seen", "wanted"),
    [pytest.param(*row, id=f"{row[0]}-{row[1]}", marks=marked(row[0]).marks) for row in BESIDE],
)
@both_modes
@pytest.mark.feature("call")
def test_what_they_ask_beside(
    server: Server, name: str, request_name: str, stream: bool, seen: Callable[[Read], object], wanted: object
) -> None:
    """Titles, quotas and pictures, most without tools."""
    client = CLIENTS[name]
    read, _ = read_answer(server, client, client.body(request_name, stream=stream))
    assert seen(read) == wanted


def test_claude_code_counts_tokens_first(server: Server) -> None:
    client = CLIENTS["claude_code"]
    answer = ask(server, client, client.body("count"), "/v1/messages/count_tokens?beta=true")
    assert answer.status == 200
    assert answer.json["input_tokens"] > 100


@pytest.mark.client("Codex CLI", "Responses", version=CLIENTS["codex"].recorded["version"])
@both_modes
@pytest.mark.feature("call")
def test_codex_finds_tools_of_its_servers(server: Server, stream: bool) -> None:
    """For models that it knows, it declares a search in their place; what that found it sends as an item."""
    client = CLIENTS["codex"]
    body = client.body("search", stream=stream)
    read, _ = read_answer(server, client, body)
    assert read.calls == [("tool_search", {"query": "tickets", "limit": 3})]
    found = {"type": "tool_search_output", "call_id": read.items[-1]["call_id"], "status": "completed"}
    found |= {"execution": "client", "tools": [TICKETS]}
    body |= {"input": [*body["input"], *read.items, found]}
    read, _ = read_answer(server, client, body)
    assert read.calls == [("mcp__tickets__find_ticket", {"number": 7})]
    read, _ = read_answer(server, client, client.follow(body, read, ["open"]))
    assert (read.text, read.ended) == ("It is open.", "completed")


@pytest.mark.client("Codex CLI", "Responses", version=CLIENTS["codex"].recorded["version"])
@both_modes
@pytest.mark.feature("faults")
def test_codex_is_told_that_the_search_is_not_served(server: Server, stream: bool) -> None:
    """It sends it unless its configuration says ``web_search = "disabled"``, so the error has to name it."""
    client = CLIENTS["codex"]
    answer = ask(server, client, client.body("web search", stream=stream))
    assert answer.status == 400
    assert "web_search" in answer.error["message"]
    assert answer.error["param"] == "tools[9].type"
