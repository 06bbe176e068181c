"""Many clients at once in one thread: a closed loop of short talks, and long streams read as they come.

Both check every answer; the first wrong one raises BrokenAnswer.
"""

from __future__ import annotations

import itertools
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks.servers import Server
from benchmarks.wire import BrokenAnswer, Response, Timed, ask, connect, receive
from benchmarks.workload import PROSE_SENTENCE, Asking, Talk, check_call

STALLED_SECONDS = 30.0
"""Without a single byte from any connection for this long, the server is taken for dead."""


@dataclass(slots=True)
class _Client:
    """One connection of a crowd, its talk and the request under way."""

    sock: socket.socket
    talk: Talk
    response: Response = field(default_factory=Response)

    def answered(self, following: Callable[[], Talk]) -> None:
        """Sends what comes after the whole response: the talk's next request, or the first of the ``following``."""
        response, self.response = self.response, Response()
        try:
            request = self.talk.send((response.status, bytes(response.body)))
        except StopIteration:
            self.talk = following()
            request = next(self.talk)
        self.sock.send(request)


def requests_per_second(
    server: Server, talk: Callable[[int, bool], Talk], *, clients: int, seconds: float, first: int
) -> float:
    """Each of ``clients`` connections asks again as soon as it is answered; answers within ``seconds`` count.

    ``first`` is the number of the first talk; the next ones count on from it.
    """
    numbers, answers = itertools.count(first), 0

    def following() -> Talk:
        return talk(next(numbers), server.translates)

    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(clients):
            sock = stack.enter_context(connect(server.port))
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ, _Client(sock, following()))
        begun = time.perf_counter()
        for key in selector.get_map().values():
            key.data.sock.send(next(key.data.talk))
        while (now := time.perf_counter()) - begun < seconds:
            for client in _ready(selector):
                if (data := receive(client.sock)) is None:
                    continue
                client.response.feed(data)
                if client.response.done:
                    answers += 1
                    client.answered(following)
    return answers / (now - begun)


def _ready(selector: selectors.BaseSelector) -> list[Any]:
    ready = [key.data for key, _ in selector.select(STALLED_SECONDS)]
    if not ready:
        raise BrokenAnswer(f"no connection was answered for {STALLED_SECONDS:g} s")
    return ready


@dataclass(slots=True)
class StreamsRead:
    """What came of many streams: how many broke or lacked something, and each chunk's lateness in milliseconds.

    Lateness is the time from the upstream's sending of a chunk until its last character was here.
    """

    lost: int = 0
    faults: list[str] = field(default_factory=list[str])
    late_ms: list[float] = field(default_factory=list[float])
    others: list[float] = field(default_factory=list[float])
    """Seconds that each request of the other client took, see ``read_streams``."""


@dataclass(slots=True)
class _Stream:
    """One stream under way: its sentences must come whole and in order, and its end as the protocol has it."""

    sock: socket.socket
    response: Response = field(default_factory=Response)
    line: bytes = b""
    text: str = ""
    sentences: int = 0
    finish_reason: str | None = None
    ended: bool = False

    def take(self, data: bytes, late_ms: list[float]) -> None:
        now = time.monotonic_ns()
        *lines, self.line = (self.line + self.response.feed(data)).split(b"\n")
        for line in lines:
            if line.startswith(b"data: [DONE]"):
                self.ended = True
            elif line.startswith(b"data: "):
                for choice in orjson.loads(line[6:]).get("choices") or ():
                    self.text += choice["delta"].get("content") or ""
                    self.finish_reason = choice["finish_reason"] or self.finish_reason
        end = 0
        for found in PROSE_SENTENCE.finditer(self.text):
            if int(found[1]) != self.sentences:
                raise BrokenAnswer(f"sentence {found[1]} came in place of {self.sentences}")
            self.sentences += 1
            late_ms.append((now - int(found[2])) / 1e6)
            end = found.end()
        self.text = self.text[end:]

    def whole(self, sentences: int) -> bool:
        right = self.response.status == 200 and self.ended and self.finish_reason == "stop"
        return right and self.sentences == sentences and not self.text.strip()


def read_streams(
    server: Server,
    asking: Asking,
    *,
    streams: int,
    sentences: int,
    ramp: float,
    others: Sequence[Callable[[], bytes]] = (),
) -> StreamsRead:
    """Open ``streams`` one after the other within ``ramp`` seconds and read all to their end.

    Once all are open, another client sends ``others``, made when their turn comes, one after the other.
    """
    read = StreamsRead()
    opened, begun = 0, time.monotonic()
    other = threading.Thread(target=_ask_others, args=(server, others, ramp, read), daemon=True)
    other.start()
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        while opened < streams or selector.get_map():
            opening = opened < streams
            due = begun + ramp * opened / streams - time.monotonic() if opening else STALLED_SECONDS
            if due <= 0:
                sock = stack.enter_context(connect(server.port))
                sock.send(asking.request(opened))
                sock.setblocking(False)
                selector.register(sock, selectors.EVENT_READ, _Stream(sock))
                opened += 1
                due = 0.0
            ready = selector.select(due)
            if not ready and not opening:
                raise BrokenAnswer(f"no stream said anything for {STALLED_SECONDS:g} s")
            for key, _ in ready:
                if _finished(key.data, sentences, read):
                    selector.unregister(key.data.sock)
    other.join()
    return read


def _finished(stream: _Stream, sentences: int, read: StreamsRead) -> bool:
    """Read what is there of ``stream``; whether it is over, one way or the other."""
    try:
        if (data := receive(stream.sock)) is None:
            return False
        stream.take(data, read.late_ms)
        if not stream.response.done:
            return False
        if not stream.whole(sentences):
            raise BrokenAnswer(
                f"status {stream.response.status}, {stream.sentences} of {sentences} sentences, "
                f"finish_reason {stream.finish_reason}, [DONE] {stream.ended}"
            )
    except (BrokenAnswer, OSError, ValueError) as error:
        read.lost += 1
        read.faults.append(str(error))
    return True


def _ask_others(server: Server, others: Sequence[Callable[[], bytes]], ramp: float, read: StreamsRead) -> None:
    time.sleep(ramp if others else 0)
    for number, make in enumerate(others):
        try:
            with connect(server.port) as sock:
                answer: Timed = ask(sock, make())
            check_call(answer.status, answer.body, number, translated=server.translates)
            read.others.append(answer.seconds)
        except (BrokenAnswer, OSError) as error:
            read.lost += 1
            read.faults.append(f"the other client: {error}")
