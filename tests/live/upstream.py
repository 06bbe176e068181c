"""A model server for tests that has never heard of tool calling, and says what the test scripted.

Rule: whatever is of tool calling in a request is refused with 400, as such servers do, so that nothing of it can
slip through unseen; a request that no test expected is an error, too.  Nothing here sleeps: a reply that waits does
so for the test's word or for its client to leave.
"""

from __future__ import annotations

import json
import queue
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

Json = dict[str, Any]

PATIENCE = 30.0
"""Seconds that nothing in these tests takes unless it is broken."""
MODEL = "scripted"
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
_TOOL_WORDS = ("tools", "tool_choice", "functions", "function_call", "parallel_tool_calls")
_HEAD = {"id": "chatcmpl-scripted", "created": 1_700_000_000, "system_fingerprint": "fp_scripted"}


class Hold:
    """A place in a reply where it waits: ``reached`` when it does, on with ``release()``.

    A client that leaves meanwhile sets ``left``.
    """

    def __init__(self) -> None:
        self.reached, self.left, self._released = threading.Event(), threading.Event(), threading.Event()

    def release(self) -> None:
        self._released.set()

    def wait(self, connection: Any) -> bool:
        """True to go on, False if the client left; it has sent its whole request, so a readable socket is an end."""
        self.reached.set()
        while not self._released.is_set():
            if select.select([connection], [], [], 0.02)[0]:
                self.left.set()
                return False
        return True


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer.  ``text`` may be one for each of ``n`` choices; it is streamed by ``chunk`` characters (0: whole).

    ``raw`` is sent as the body in place of an answer.  ``cut`` and ``hold_after`` count streamed chunks, the one with
    the role not among them; the reply breaks off, or waits at ``hold``, behind so many, plain ones at once.
    """

    text: str | tuple[str, ...] = "OK"
    reasoning: str = ""
    chunk: int = 7
    finish_reason: str = "stop"
    usage: Json | None = field(default_factory=lambda: dict(USAGE))
    model: str = MODEL
    status: int = 200
    raw: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: int | None = None
    hold: Hold | None = None
    hold_after: int = 0


@dataclass(frozen=True)
class Asked:
    """A request as it came; header names are lower case."""

    path: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Json:
        return cast(Json, json.loads(self.raw))

    @property
    def text(self) -> str:
        """What the messages say, one after the other."""
        return "\n\n".join(_text(message.get("content")) for message in self.body["messages"])


Script = Callable[[Asked], Reply]


class ScriptedUpstream(ThreadingHTTPServer):
    """Answers requests with ``say``'s replies in turn, then with those of ``script``.

    ``calls_tools``: it takes requests with tools, for once.
    """

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._lock = threading.Lock()
        self.reset()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def reset(self) -> None:
        """Forget the last test: its script, what was asked, and whoever still waits."""
        for hold in getattr(self, "_holds", ()):
            hold.release()
        self._replies: deque[Reply] = deque()
        self._holds: list[Hold] = []
        self.script: Script | None = None
        self.calls_tools = False
        self.asked: queue.Queue[Asked] = queue.Queue()

    def say(self, *replies: Reply | str) -> None:
        self._replies += [Reply(text=reply) if isinstance(reply, str) else reply for reply in replies]

    def hold(self) -> Hold:
        """A new place to wait, released at the test's end at the latest."""
        self._holds.append(Hold())
        return self._holds[-1]

    def question(self) -> Asked:
        """The oldest request to chat/completions, or another path, that the test hasn't seen yet."""
        return self.asked.get(timeout=PATIENCE)

    def reply(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.put(asked)
            if self._replies:
                return self._replies.popleft()
        if self.script is not None:
            return self.script(asked)
        return Reply(status=500, raw=b'{"error": {"message": "No test scripted this reply.", "type": "server_error"}}')

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients of these tests leave in the middle: nothing to be told."""


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in cast("list[Json]", content or []))


def refusal(body: Json) -> str | None:
    """Why a server without tool calling refuses the request, if it does."""
    for key in _TOOL_WORDS:
        if body.get(key) is not None:
            return f"'{key}' is not supported by this model"
    for index, message in enumerate(cast("list[Json]", body["messages"])):
        if message.get("role") not in ("system", "user", "assistant"):
            return f"messages[{index}].role {message.get('role')!r} is not supported by this model"
        if message.get("tool_calls") or message.get("function_call") or message.get("tool_call_id"):
            return f"messages[{index}] is of tool calling"
        if message.get("content") is None:
            return f"messages[{index}].content is null"
    return None


def models_body() -> bytes:
    listed = {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "tests"}]}
    return json.dumps(listed).encode()


def plain_body(reply: Reply, n: int = 1) -> bytes:
    """The whole answer of a plain request."""
    choices: list[Json] = []
    for index, text in enumerate(_texts(reply, n)):
        message = {"role": "assistant", "content": text}
        if reply.reasoning:
            message["reasoning_content"] = reply.reasoning
        choices.append({"index": index, "message": message, "logprobs": None, "finish_reason": reply.finish_reason})
    answer: Json = _head(reply) | {"object": "chat.completion", "choices": choices}
    if reply.usage is not None:
        answer["usage"] = reply.usage
    return json.dumps(answer).encode()


def stream_frames(reply: Reply, n: int = 1, *, include_usage: bool = False) -> Iterator[bytes]:
    """The events of a streamed answer: roles, then content of all choices in turn, then how they ended."""
    texts = _texts(reply, n)
    for index in range(len(texts)):
        yield _chunk(reply, index, {"role": "assistant", "content": ""})
    for piece in _pieces(reply.reasoning, reply.chunk):
        yield _chunk(reply, 0, {"reasoning_content": piece})
    pieces = [_pieces(text, reply.chunk) for text in texts]
    for position in range(max(map(len, pieces), default=0)):
        for index, of_choice in enumerate(pieces):
            if position < len(of_choice):
                yield _chunk(reply, index, {"content": of_choice[position]})
    for index in range(len(texts)):
        yield _chunk(reply, index, {}, reply.finish_reason)
    if include_usage and reply.usage is not None:
        yield _event(_head(reply) | {"object": "chat.completion.chunk", "choices": [], "usage": reply.usage})
    yield b"data: [DONE]\n\n"


def _texts(reply: Reply, n: int) -> tuple[str, ...]:
    return (reply.text,) * n if isinstance(reply.text, str) else reply.text


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)] if size else [text] if text else []


def _head(reply: Reply) -> Json:
    return _HEAD | {"model": reply.model}


def _chunk(reply: Reply, index: int, delta: Json, finish_reason: str | None = None) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _event(_head(reply) | {"object": "chat.completion.chunk", "choices": [choice]})


def _event(data: Json) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write a response head and chunk, flushed by hand
    disable_nagle_algorithm = True
    server: ScriptedUpstream  # pyright: ignore[reportIncompatibleVariableOverride] - it serves no other

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/v1/models":
            self._send(200, models_body())
        elif path == f"/v1/models/{MODEL}":
            self._send(200, json.dumps(json.loads(models_body())["data"][0]).encode())
        else:
            self._error(404, f"The model {path.rpartition('/')[2]!r} does not exist")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, raw)
        if not self.server.calls_tools and (why := refusal(asked.body)):
            self._error(400, why)
            return
        reply = self.server.reply(asked)
        if reply.raw is None and reply.status == 200 and asked.body.get("stream"):
            self._stream(reply, asked.body)
        else:
            self._plain(reply, asked.body)

    def _plain(self, reply: Reply, body: Json) -> None:
        if not self._may_go_on(reply, 0):
            return
        data = plain_body(reply, body.get("n") or 1) if reply.raw is None else reply.raw
        if reply.cut is not None:
            self._head(reply.status, reply.content_type, {"Content-Length": str(len(data) + 100)})
            self.wfile.write(data[: len(data) // 2])
            self._leave()
            return
        self._send(reply.status, data, reply.content_type, reply.headers)

    def _stream(self, reply: Reply, body: Json) -> None:
        if reply.hold_after == 0 and not self._may_go_on(reply, 0):
            return
        self._head(200, "text/event-stream", {"Transfer-Encoding": "chunked", **reply.headers})
        n = body.get("n") or 1
        options: Json = body.get("stream_options") or {}
        frames = stream_frames(reply, n, include_usage=bool(options.get("include_usage")))
        for sent, frame in enumerate(frames, 1 - n):
            if reply.cut is not None and sent > reply.cut:
                self._leave()
                return
            if sent > 0 and reply.hold_after == sent - 1 > 0 and not self._may_go_on(reply, sent - 1):
                return
            self.wfile.write(b"%x\r\n%b\r\n" % (len(frame), frame))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _may_go_on(self, reply: Reply, sent: int) -> bool:
        if reply.hold is None or sent != reply.hold_after or reply.hold.wait(self.connection):
            return True
        self.close_connection = True
        return False

    def _leave(self) -> None:
        """Close the connection as a server does that has died: without the end that it promised."""
        self.wfile.flush()
        self.close_connection = True

    def _error(self, status: int, message: str) -> None:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        self._send(status, json.dumps({"error": error}).encode())

    def _send(
        self, status: int, body: bytes, kind: str = "application/json", headers: Mapping[str, str] | None = None
    ) -> None:
        self._head(status, kind, {"Content-Length": str(len(body)), **(headers or {})})
        self.wfile.write(body)

    def _head(self, status: int, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
