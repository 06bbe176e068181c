"""A small world of tools, and a client that sends their results round by round until the answer is final.

What CPython makes of a program in the same world is what the server has to make of it: ``python -m
tests.live.programs`` writes ``tests/data/programs.jsonl`` that way, from the rows' own code.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.live.server import CHAT, ROOT, Answer, Server, chat_body, fold
from tests.live.upstream import Asked, Json, Reply, Script, ScriptedUpstream

MODES = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
ROWS = ROOT / "tests" / "data" / "programs.jsonl"
MOST_ROUNDS = 64
WORDED = "In words: "


class ToolError(Exception):
    """A tool of the world has failed; the message is its result."""


def tool(name: str, description: str, fields: Mapping[str, Any], *optional: str, **more: Any) -> Json:
    """``fields`` are types by name; ``more`` stands beside the parameters."""
    properties = {key: {"type": kind} if isinstance(kind, str) else kind for key, kind in fields.items()}
    required = [key for key in fields if key not in optional]
    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters, **more},
    }


TOOLS = [
    tool("get_user", "A user: {id, name, email, manager_id}.", {"user_id": "integer"}),
    tool("get-price", "Last price of a share: {symbol, price}.", {"symbol": "string"}),
    tool("send", "Sends a message: {sent}.", {"to": "string", "body": "string", "urgent": "boolean"}, "urgent"),
    tool("read_file", "Text of a file.", {"path": "string"}),
    tool("list_files", "Names of a folder's files.", {"folder": "string"}),
    tool("poll", "State of a job: {state, progress}.", {"job": "string", "turn": "integer"}),
]
SCHEMAS: dict[str, Json] = {item["function"]["name"]: item["function"]["parameters"] for item in TOOLS}
_FILES = {
    "data.json": '{"a":  [1, 2.50], "b": null}',
    "quoted.txt": 'She said "no" {braces}\n```python\nsend(to="x", body="y")\n```\n\\ end',
    "empty.txt": "",
    "ünï.txt": "naïve 日本 🎉 \u202e",
}


def world(name: str, arguments: Json) -> str:
    """The text that a tool gives back: the same for the same arguments.  Raises ToolError."""
    match name:
        case "get_user":
            user = arguments["user_id"]
            if user > 90:
                raise ToolError(f"no user {user}")
            record = {"id": user, "name": f"User {user}", "email": f"u{user}@x.org", "manager_id": user // 2 or None}
            return json.dumps(record)
        case "get-price":
            return json.dumps({"symbol": arguments["symbol"], "price": len(arguments["symbol"]) * 12.5})
        case "send":
            return '{"sent": true}'
        case "read_file":
            if arguments["path"] not in _FILES:
                raise ToolError(f"no file {arguments['path']}")
            return _FILES[arguments["path"]]
        case "list_files":
            return json.dumps(sorted(_FILES) if arguments["folder"] == "all" else [])
        case "poll":
            state = "done" if arguments["turn"] >= 2 else "running"
            return json.dumps({"state": state, "progress": arguments["turn"] * 50})
        case _:
            raise AssertionError(f"{name} is no tool")


Tools = Callable[[str, Json], str]
StartServer = Callable[..., Server]


def program_servers(start: StartServer, upstream: ScriptedUpstream, folders: pytest.TempPathFactory) -> StartServer:
    """Starts servers with the flags given and, unless these name another, a store of their own."""

    def started(*flags: str) -> Server:
        store = f"sqlite:///{folders.mktemp('store')}/p.db"
        return start("--base-url", upstream.url, "--no-check", "--store", store, *flags)

    return started


@dataclass(frozen=True)
class Round:
    """One answer.  ``message`` is what a client sends back; ``usage`` is None on a stream that wasn't asked for it."""

    answer: Answer
    message: Json
    finish_reason: str | None
    usage: Json | None = None

    @property
    def calls(self) -> list[Json]:
        return cast("list[Json]", self.message.get("tool_calls") or [])

    @property
    def named(self) -> list[tuple[str, Json]]:
        """Names and arguments; JSON in the strictest sense."""
        functions = [call["function"] for call in self.calls]
        return [(function["name"], strict_json(function["arguments"])) for function in functions]

    @property
    def ids(self) -> list[str]:
        return [call["id"] for call in self.calls]

    @property
    def text(self) -> str:
        return self.message.get("content") or ""

    @property
    def told(self) -> dict[str, str]:
        """What the headers say of the answer, on a stream with the comment before its end."""
        prefix = "x-emulator-"
        said = {
            name.removeprefix(prefix): text for name, text in self.answer.headers.items() if name.startswith(prefix)
        }
        frames = self.answer.raw.decode().split("\n\n")
        if frames[-1] == "" and frames[-3:-2] and frames[-3].startswith(": emulator "):
            said |= dict(word.split("=") for word in frames[-3].removeprefix(": emulator ").split())
        return said


def named(rounds: Iterable[Round]) -> list[list[tuple[str, Json]]]:
    return [round.named for round in rounds]


def strict_json(text: str) -> Any:
    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


@dataclass
class Talk:
    """A conversation about one program; ``body`` is what is sent next."""

    server: Server
    stream: bool = False
    headers: Mapping[str, str] = field(default_factory=lambda: {"Authorization": "Bearer sk-client"})
    body: Json = field(default_factory=lambda: chat_body(tools=TOOLS))

    def ask(self) -> Round:
        answer = self.answer()
        assert answer.status == 200, (answer.status, answer.raw[:1000])
        return round_of(answer, stream=self.stream)

    def answer(self) -> Answer:
        body = self.body | ({"stream": True} if self.stream else {})
        return self.server.ask("POST", CHAT, json.dumps(body).encode(), self.headers)

    def give(self, round: Round, tools: Tools = world) -> None:
        """Send the results of a round's calls with the next question."""
        results = [result_of(call, tools) for call in round.calls]
        self.body = self.body | {"messages": [*self.body["messages"], round.message, *results]}

    def run(self, tools: Tools = world) -> list[Round]:
        """All rounds, the last with the answer."""
        rounds = [self.ask()]
        while rounds[-1].calls:
            assert len(rounds) < MOST_ROUNDS, "it never ends"
            self.give(rounds[-1], tools)
            rounds.append(self.ask())
        return rounds


def round_of(answer: Answer, *, stream: bool) -> Round:
    if not stream:
        [choice] = answer.json["choices"]
        message = {key: choice["message"].get(key) for key in ("role", "content", "tool_calls")}
        kept = {key: value for key, value in message.items() if value is not None}
        return Round(answer, {"content": None} | kept, choice["finish_reason"], answer.json["usage"])
    [choice] = fold(answer).values()
    message: Json = {"role": "assistant", "content": choice.content or None}
    if choice.calls:
        functions = [{"name": call["name"], "arguments": call["arguments"]} for call in choice.calls]
        message["tool_calls"] = [
            {"id": call["id"], "type": "function", "function": function}
            for call, function in zip(choice.calls, functions, strict=True)
        ]
    return Round(answer, message, choice.finish_reason)


def result_of(call: Json, tools: Tools = world) -> Json:
    """The tool message that answers a call."""
    message: Json = {"role": "tool", "tool_call_id": call["id"]}
    try:
        text = tools(call["function"]["name"], json.loads(call["function"]["arguments"]))
    except ToolError as error:
        return message | {"content": str(error), "is_error": True}
    return message | {"content": text}


def fenced(code: str) -> str:
    return f"```python\n{code}\n```"


def writes(code: str, *later: str, chunk: int = 7) -> Script:
    """A model that writes this program first, then says what is ``later``, and at last words what it was shown."""
    answers = [fenced(code), *later]

    def script(asked: Asked) -> Reply:
        text = answers.pop(0) if answers else WORDED + asked.body["messages"][-1]["content"]
        return Reply(text=text, chunk=chunk)

    return script


def asked_of(scripted: ScriptedUpstream) -> list[Asked]:
    """The questions that the model was asked since they were last looked at."""
    return [scripted.asked.get_nowait() for _ in range(scripted.asked.qsize())]


@dataclass(frozen=True)
class Reference:
    """What CPython makes of a program; ``results`` are the texts that its calls gave."""

    calls: list[tuple[str, Json]]
    results: list[str]
    output: str


def reference(code: str) -> Reference:
    """``code``, run by CPython in this process with the world's tools: for programs of our own only."""
    calls: list[tuple[str, Json]] = []
    results: list[str] = []

    def value_of(name: str, arguments: Json) -> Any:
        calls.append((name, arguments))
        try:
            text = world(name, arguments)
        except ToolError as error:
            results.append(str(error))
            raise
        results.append(text)
        try:
            return json.loads(text)
        except ValueError:
            return text

    def function(name: str, fields: Iterable[str]) -> Callable[..., Any]:
        order = list(fields)

        def called(*positional: Any, **named: Any) -> Any:
            return value_of(name, dict(zip(order, positional, strict=False)) | named)

        async def awaited(*positional: Any, **named: Any) -> Any:
            return called(*positional, **named)

        return awaited if "await " in code else called

    names: Json = {name.replace("-", "_"): function(name, schema["properties"]) for name, schema in SCHEMAS.items()}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "<program>", "exec"), names | {"ToolError": ToolError, "asyncio": asyncio})
    return Reference(calls, results, printed.getvalue())


def rows() -> list[Json]:
    return [json.loads(line) for line in ROWS.read_text("utf-8").splitlines()]


def row_of(identifier: str, code: str, max_rounds: int) -> Json:
    """A row of the file, its calls, results and output as CPython has them."""
    made = reference(code)
    return {
        "id": identifier,
        "tools": [item for item in TOOLS if f"{item['function']['name'].replace('-', '_')}(" in code],
        "code": code,
        "calls": [{"name": name, "arguments": arguments} for name, arguments in made.calls],
        "results": made.results,
        "max_rounds": max_rounds,
        "output": made.output,
    }


def rewrite() -> None:
    """Bring the file up to date with its own programs and the world."""
    made = [row_of(row["id"], row["code"], row["max_rounds"]) for row in rows()]
    ROWS.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made), "utf-8")


def descendants(pid: int) -> dict[int, str]:
    """The processes below ``pid``, each with its command line."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if entry.name.isdecimal() and _parent(entry) == pid:
                child = int(entry.name)
                found |= {child: (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()} | descendants(child)
    return found


def _parent(entry: Path) -> int:
    return int((entry / "stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    rewrite()
