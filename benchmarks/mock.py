"""An instant model server: answers at once what the name of the model says.

``bench-call`` writes one literal call, ``bench-calls`` four and ``bench-program`` a program, all for the city that the
request names last (its suffix is left out).  ``bench-prose-N-MS`` writes N sentences, MS milliseconds apart, each with
the time at which it was sent.  Plain or streamed, as asked.  Bodies are searched, not parsed, so that the upstream's
own work hides nothing of what is measured.

    python -m benchmarks.mock      prints its port, serves until stopped
"""

from __future__ import annotations

import asyncio
import re
import time

import orjson

from benchmarks.programs import literal_code, program_code
from benchmarks.wire import HOST
from benchmarks.workload import CITY_DIGITS, call_code, sentence

_MODEL = re.compile(rb'"model"\s*:\s*"bench-(?:(calls?|program)|prose-(\d+)-(\d+))"')
_WRITTEN = {b"call": call_code, b"calls": literal_code, b"program": program_code}
_STREAM = re.compile(rb'"stream"\s*:\s*true')
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CITY = len("city-") + CITY_DIGITS
_HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
_IDENTITY = {"id": "chatcmpl-bench", "created": 1, "model": "bench"}


def _whole(text: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = orjson.dumps(_IDENTITY | {"object": "chat.completion", "choices": [choice], "usage": _USAGE})
    return _HEAD % (b"200 OK", len(body)) + body


def _frame(data: bytes) -> bytes:
    return b"%x\r\ndata: %s\n\n\r\n" % (len(data) + 8, data)


def _chunk(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return _frame(orjson.dumps(_IDENTITY | {"object": "chat.completion.chunk", "choices": [choice]}))


_FIRST = _chunk({"role": "assistant", "content": ""})
_LAST = _chunk({}, "stop") + _frame(b"[DONE]") + b"0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client's; requests on it are answered one after the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        found = _LENGTH.search(self._buffer, 0, end)
        whole = end + (int(found[1]) if found else 0)
        if len(self._buffer) >= whole:
            request, self._buffer = self._buffer[:whole], self._buffer[whole:]
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        if request.startswith(b"GET"):
            body = b'{"object":"list","data":[{"id":"bench-call","object":"model","created":1,"owned_by":"bench"}]}'
            self._transport.write(_HEAD % (b"200 OK", len(body)) + body)
            return
        model = _MODEL.search(request)
        if model is None:
            body = b'{"error":{"message":"unknown model","type":"invalid_request_error","param":null,"code":null}}'
            self._transport.write(_HEAD % (b"404 Not Found", len(body)) + body)
            return
        streams = _STREAM.search(request) is not None
        if model[1]:
            at = request.rindex(b"city-")
            text = _WRITTEN[model[1]](request[at : at + _CITY].decode("ascii"))
            if streams:
                self._transport.write(_STREAM_HEAD + _FIRST + _chunk({"content": text}) + _LAST)
            else:
                self._transport.write(_whole(text))
        elif streams:
            self._transport.write(_STREAM_HEAD + _FIRST)
            self._prose(0, int(model[2]), int(model[3]) / 1000, self._loop.time())
        else:
            self._transport.write(_whole("".join(sentence(i, time.monotonic_ns()) for i in range(int(model[2])))))

    def _prose(self, number: int, count: int, interval: float, begun: float) -> None:
        if number == count:
            self._transport.write(_LAST)
            return
        self._transport.write(_chunk({"content": sentence(number, time.monotonic_ns())}))
        following = number + 1
        # Counted from the beginning, so that a late chunk doesn't make all that follow late.
        self._timer = self._loop.call_at(begun + following * interval, self._prose, following, count, interval, begun)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(loop), HOST, 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
