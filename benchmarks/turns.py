"""Who is compared, and asking them in turns.

What is compared is asked in small batches, so that whatever else the machine does hits all sides alike; a side's time
is the median of its batches' medians.
"""

from __future__ import annotations

import random
import socket
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from benchmarks.servers import Server
from benchmarks.wire import BrokenAnswer, Timed, ask, connect
from benchmarks.workload import Asking, Talk, check_call

_BATCH = 25
_ROUNDS_A_CONNECTION = 8
_WARMING = 16


class Compared(Protocol):
    """One of those compared: who is asked what."""

    @property
    def server(self) -> Server: ...

    def times(self, sock: socket.socket, number: int) -> Mapping[str, float]:
        """Asks once and checks the answer; the seconds of each thing that is timed, by its name among all sides'."""
        ...


@dataclass(frozen=True, slots=True)
class Side:
    """A single request.  ``prose``: two streamed sentences are expected, timed to the first byte; else a call."""

    name: str
    server: Server
    asking: Asking
    prose: bool = False

    def times(self, sock: socket.socket, number: int) -> Mapping[str, float]:
        answer = ask(sock, self.asking.request(number))
        if not self.prose:
            check_call(answer.status, answer.body, number, translated=self.server.translates)
            return {self.name: answer.seconds}
        if answer.status != 200 or b"Sentence" not in answer.body or not answer.body.endswith(b"[DONE]\n\n"):
            raise BrokenAnswer(f"status {answer.status}, expected two sentences, got {answer.body[-300:]!r}")
        return {self.name: answer.first_byte}


@dataclass(frozen=True, slots=True)
class Talking:
    """A talk of as many requests as there are ``kinds``, each timed under the side's name and its kind."""

    name: str
    server: Server
    talk: Callable[[int, bool], Talk]
    kinds: Sequence[str]

    def times(self, sock: socket.socket, number: int) -> Mapping[str, float]:
        talk = self.talk(number, self.server.translates)
        took: dict[str, float] = {}
        answer: Timed | None = None
        for kind in self.kinds:
            answer = ask(sock, next(talk) if answer is None else talk.send((answer.status, answer.body)))
            took[f"{self.name} {kind}"] = answer.seconds
        assert answer is not None
        try:
            talk.send((answer.status, answer.body))
        except StopIteration:
            return took
        raise BrokenAnswer(f"the talk goes on behind {self.kinds[-1]}")


def in_turns(sides: Sequence[Compared], rounds: int, *, batch: int = _BATCH) -> dict[str, float]:
    """The median, in milliseconds, of each thing that the sides time."""
    rng = random.Random(0)
    medians: dict[str, list[float]] = defaultdict(list)
    number = 0
    with ExitStack() as connections:
        socks: list[socket.socket] = []
        for turn in range(rounds):
            if turn % _ROUNDS_A_CONNECTION == 0:  # A new connection may come to another worker.
                connections.close()
                socks = [connections.enter_context(connect(side.server.port)) for side in sides]
                for side, sock in zip(sides, socks, strict=True):
                    side.times(sock, 0)
            for at in rng.sample(range(len(sides)), len(sides)):
                taken = [sides[at].times(socks[at], number + count) for count in range(batch)]
                for name in taken[0]:
                    medians[name].append(median(times[name] for times in taken))
                number += batch
    return {name: median(values) * 1000 for name, values in medians.items()}


def warm(side: Compared) -> float:
    """Ask over so many connections that every worker has seen it; the first answer's seconds."""
    with ExitStack() as stack:
        socks = [stack.enter_context(connect(side.server.port)) for _ in range(_WARMING)]
        first, *_ = [sum(side.times(sock, 0).values()) for sock in socks]
    return first
