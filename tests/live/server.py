"""The server as its users start it, and plain HTTP to ask it with, where a client library would hide what is tested."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.live.upstream import MODEL, PATIENCE, Json

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
CHAT = "/v1/chat/completions"

WEATHER: Json = {
    "type": "function",
    "function": {
        "name": "get-weather",
        "description": "Current weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Name of the city"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city"],
        },
    },
}
TIME: Json = {
    "type": "function",
    "function": {"name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}}},
}
TOOLS = [WEATHER, TIME]
PARIS = '```python\nget_weather(city="Paris")\n```'


@dataclass(frozen=True)
class Answer:
    """A response that has been read to its end; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> Json:
        return cast(Json, self.json["error"])

    @property
    def events(self) -> list[Any]:
        """The data of a stream's events; the last is "[DONE]" in a stream that is whole."""
        frames = [frame for frame in self.raw.decode().split("\n\n") if frame and not frame.startswith(":")]
        data = [frame.removeprefix("data: ") for frame in frames]
        return [item if item == "[DONE]" else json.loads(item) for item in data]


class Server:
    """A process of ``python app.py`` with a log folder of its own; ``url`` is without /v1.

    ``patience``: seconds that a client waits for the next byte of an answer.  ``python`` is the interpreter that has the
    server's packages: this one, unless the tests are run by that of a client.
    """

    patience = PATIENCE

    def __init__(self, folder: Path, *flags: str, python: str | Path = sys.executable) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("EMULATOR_")}
        self.log_dir = folder / "logs"
        self._errors = folder / "stderr"
        own = ("--store", f"sqlite:///{folder / 'programs.sqlite3'}")
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [str(python), str(ROOT / "app.py"), "--port", "0", "--log-dir", str(self.log_dir), *own, *flags],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=folder,
                env=ours,
                start_new_session=True,
            )
        self.url = self._serving()

    def _serving(self) -> str:
        assert self._process.stdout is not None
        said = ""
        while select.select([self._process.stdout], [], [], START_SECONDS)[0]:
            line = self._process.stdout.readline()
            said += line
            if not line:
                break
            if found := re.search(r"Serving (http\S+)/v1", line):
                return found[1]
        self.stop()
        raise AssertionError(f"The server does not serve: {said}{self._errors.read_text()}")

    def stop(self) -> None:
        """End it as its users do; what doesn't end is killed, with all that it started, and is a fault."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=2 * PATIENCE)  # more than --graceful-timeout
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate(timeout=PATIENCE)
            raise AssertionError(f"The server did not end when told to: {self.logged()[-4000:]}") from None

    def logged(self) -> str:
        """Everything it has written: its log and its stderr."""
        texts = [file.read_text("utf-8") for file in self.log_dir.iterdir() if file.is_file()]
        return "".join(texts) + self._errors.read_text()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=self.patience)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own; an iterable is sent chunked."""
        with closing(self.connect()) as connection:
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            return read(connection.getresponse())

    def chat(self, body: Json | bytes | None = None, /, **fields: Any) -> Answer:
        """POST to chat completions: ``body``, or a question with ``fields`` beside it."""
        if not isinstance(body, bytes):
            body = json.dumps(body if body is not None else chat_body(**fields)).encode()
        return self.ask("POST", CHAT, body)


def read(response: http.client.HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def chat_body(question: str = "What is the weather like?", **fields: Any) -> Json:
    return {"model": MODEL, "messages": [{"role": "user", "content": question}], **fields}


def calls_of(message: Json) -> list[tuple[str, Any]]:
    """Names and arguments of a plain answer's calls."""
    calls: list[Json] = message.get("tool_calls") or []
    return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]


@dataclass
class Folded:
    """What a client makes of a stream's chunks for one choice."""

    content: str = ""
    reasoning: str = ""
    finish_reason: str | None = None

    def __post_init__(self) -> None:
        self.calls: list[Json] = []

    def add(self, choice: Json) -> None:
        delta: Json = choice["delta"]
        self.content += delta.get("content") or ""
        self.reasoning += delta.get("reasoning_content") or ""
        self.finish_reason = choice["finish_reason"] or self.finish_reason
        for piece in cast("list[Json]", delta.get("tool_calls") or []):
            if "id" in piece:
                assert piece["index"] == len(self.calls)
                self.calls.append({"id": piece["id"], "name": piece["function"]["name"], "arguments": ""})
            self.calls[piece["index"]]["arguments"] += piece["function"].get("arguments", "")

    @property
    def named_calls(self) -> list[tuple[str, Any]]:
        return [(call["name"], json.loads(call["arguments"])) for call in self.calls]


def fold(answer: Answer) -> dict[int, Folded]:
    """A whole stream, by choice."""
    assert answer.events[-1] == "[DONE]", answer.raw[-500:]
    choices: dict[int, Folded] = {}
    for event in answer.events[:-1]:
        assert "error" not in event, event
        for choice in event["choices"]:
            choices.setdefault(choice["index"], Folded()).add(choice)
    return choices
