"""The measurements, each a function from the running servers to figures.

What is compared is asked in turns, in small batches, so that whatever else the machine does hits all sides alike; a
side's time is the median of its batches' medians.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles

from benchmarks.load import StreamsRead, read_streams, requests_per_second
from benchmarks.report import Figure
from benchmarks.servers import Server, Servers
from benchmarks.wire import BrokenAnswer, Timed, ask, connect
from benchmarks.workload import Asking, check_call, many_tools, three_tools

_BATCH = 25
_ROUNDS_A_CONNECTION = 8
_WARMING = 16
_PROSE_START = "bench-prose-2-1"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.  ``rounds`` are batches of 25 requests a side; seconds where the name says no other."""

    rounds: int
    crowd_rounds: int
    crowd_seconds: float
    clients: int
    streams: int
    sentences: int
    interval_ms: int
    ramp: float
    newcomers: int


FULL = Size(
    rounds=120,
    crowd_rounds=8,
    crowd_seconds=1.2,
    clients=32,
    streams=300,
    sentences=16,
    interval_ms=500,
    ramp=2.0,
    newcomers=3,
)
QUICK = Size(
    rounds=8,
    crowd_rounds=2,
    crowd_seconds=0.5,
    clients=32,
    streams=100,
    sentences=4,
    interval_ms=500,
    ramp=0.7,
    newcomers=1,
)


@dataclass(frozen=True, slots=True)
class Side:
    """One of those compared: who is asked what."""

    name: str
    server: Server
    asking: Asking
    prose: bool = False

    def ask(self, sock: socket.socket, number: int) -> Timed:
        """One answer, checked."""
        answer = ask(sock, self.asking.request(number))
        if not self.prose:
            check_call(answer.status, answer.body, number, translated=self.server.translates)
        elif answer.status != 200 or b"Sentence 1 was" not in answer.body or not answer.body.endswith(b"[DONE]\n\n"):
            raise BrokenAnswer(f"status {answer.status}, expected two sentences, got {answer.body[-300:]!r}")
        return answer


def in_turns(sides: Sequence[Side], rounds: int, timed: Callable[[Timed], float]) -> dict[str, float]:
    """Each side's median, in milliseconds, of what ``timed`` picks (seconds)."""
    rng = random.Random(0)
    medians: dict[str, list[float]] = {side.name: [] for side in sides}
    number = 0
    with ExitStack() as connections:
        socks: dict[str, socket.socket] = {}
        for turn in range(rounds):
            if turn % _ROUNDS_A_CONNECTION == 0:  # A new connection may come to another worker.
                connections.close()
                socks = {side.name: connections.enter_context(connect(side.server.port)) for side in sides}
                for side in sides:
                    side.ask(socks[side.name], 0)
            for side in rng.sample(sides, len(sides)):
                sock = socks[side.name]
                medians[side.name].append(median(timed(side.ask(sock, number + at)) for at in range(_BATCH)))
                number += _BATCH
    return {name: median(values) * 1000 for name, values in medians.items()}


def warm(server: Server, asking: Asking) -> float:
    """Ask over so many connections that every worker has seen it; the first answer's seconds."""
    side = Side("", server, asking)
    with ExitStack() as stack:
        socks = [stack.enter_context(connect(server.port)) for _ in range(_WARMING)]
        first, *_ = [side.ask(sock, 0).seconds for sock in socks]
    return first


def call(servers: Servers, size: Size) -> list[Figure]:
    asking = Asking("bench-call", three_tools())
    for server in servers.compared:
        warm(server, asking)
    sides = [Side(server.name, server, asking) for server in (servers.direct, *servers.compared)]
    took = in_turns(sides, size.rounds, lambda answer: answer.seconds)
    bare, emulator = took["bare"] - took["mock"], took["emulator"] - took["mock"]
    parts = {"emulator added p50 ms": emulator, "bare added p50 ms": bare, "mock alone p50 ms": took["mock"]}
    return [Figure("call", "added by one literal call among 3 tools, one client", emulator / bare, parts, 1.5)]


def throughput(servers: Servers, size: Size) -> list[Figure]:
    asking = Asking("bench-call", three_tools())
    asked = (*servers.compared, servers.threads)
    rates: dict[str, list[float]] = {server.name: [] for server in asked}
    for server in asked:
        warm(server, asking)
    for turn in range(size.crowd_rounds):
        for server in asked if turn % 2 else reversed(asked):
            rate = requests_per_second(
                server, asking, clients=size.clients, seconds=size.crowd_seconds, first=turn * 1_000_000
            )
            rates[server.name].append(rate)
    reached = {name: median(values) for name, values in rates.items()}
    parts = {f"{name} requests/s": rate for name, rate in reached.items()}
    parts["ratio to the bare app with threads"] = reached["emulator"] / reached[servers.threads.name]
    what = f"requests/s of one literal call among 3 tools, {size.clients} clients"
    return [Figure("throughput", what, reached["emulator"] / reached["bare"], parts, 0.7, ">=")]


def prose(servers: Servers, size: Size) -> list[Figure]:
    asking = Asking(_PROSE_START, three_tools(), stream=True)
    sides = [Side(server.name, server, asking, prose=True) for server in (servers.direct, *servers.compared)]
    took = in_turns(sides, max(size.rounds // 2, 1), lambda answer: answer.first_byte)
    parts = {
        "emulator p50 ms": took["emulator"],
        "bare p50 ms": took["bare"],
        "mock alone p50 ms": took["mock"],
        "ratio of what is added": (took["emulator"] - took["mock"]) / (took["bare"] - took["mock"]),
    }
    return [Figure("first-byte", "first byte of streamed prose, 3 tools", took["emulator"] / took["bare"], parts, 2.0)]


def tools(servers: Servers, size: Size) -> list[Figure]:
    few, many = Asking("bench-call", three_tools()), Asking("bench-call", many_tools(300, seed=300))
    first = warm(servers.emulator, many)
    warm(servers.emulator, few)
    warm(servers.bare, many)
    sides = [
        Side(f"{server.name} {count}", server, asking)
        for count, asking in ((3, few), (300, many))
        for server in (servers.direct, *servers.compared)
    ]
    took = in_turns(sides, max(size.rounds // 4, 1), lambda answer: answer.seconds)
    added = {count: took[f"emulator {count}"] - took[f"mock {count}"] for count in (3, 300)}
    parts = {
        "300 tools added p50 ms": added[300],
        "3 tools added p50 ms": added[3],
        "300 tools seen the first time ms": first * 1000,
        "bare app, the same ratio": (took["bare 300"] - took["mock 300"]) / (took["bare 3"] - took["mock 3"]),
    }
    return [Figure("tools-300", "added by 300 tools, stubs cached, to 3 tools", added[300] / added[3], parts, 3.0)]


def streams(servers: Servers, size: Size) -> list[Figure]:
    asking = Asking(f"bench-prose-{size.sentences}-{size.interval_ms}", three_tools(), stream=True)
    warm_up = Asking("bench-call", three_tools())
    for server in servers.compared:
        warm(server, warm_up)
    read = partial(read_streams, asking=asking, streams=size.streams, sentences=size.sentences, ramp=size.ramp)
    bare, alone = read(servers.bare), read(servers.emulator)
    unseen = [_unseen(number) for number in range(size.newcomers)]
    joined = read(servers.emulator, others=[partial(request.request, at) for at, request in enumerate(unseen)])
    harness = {f"bare {name}": value for name, value in _lateness(bare).items()}
    what = f"latest chunk of {size.streams} streams, a chunk every {size.interval_ms} ms each"
    while_new = " while 300 tools never seen come"
    lost = {"bare": bare.lost, "emulator": alone.lost, "while new tools come": joined.lost}
    for fault in (bare.faults + alone.faults + joined.faults)[:5]:
        print(f"lost: {fault}")
    return [
        Figure("streams", what, max(alone.late_ms), _lateness(alone) | harness, 100.0, unit="ms"),
        Figure(
            "streams-new",
            what + while_new,
            max(joined.late_ms),
            _lateness(joined) | {"300 new tools took at most ms": max(joined.others, default=0.0) * 1000},
            100.0,
            unit="ms",
        ),
        Figure(
            "streams-lost",
            f"of {3 * size.streams} streams and others",
            sum(lost.values()),
            dict(lost),
            0.0,
            unit="lost",
        ),
    ]


def _unseen(number: int) -> Asking:
    return Asking("bench-call", many_tools(300, seed=random.SystemRandom().getrandbits(40) + number))


def _lateness(read: StreamsRead) -> dict[str, float]:
    cut = quantiles(read.late_ms, n=100)
    return {"p50 ms": cut[49], "p99 ms": cut[98], "max ms": max(read.late_ms), "chunks": len(read.late_ms)}


def ready(servers: Servers, _size: Size) -> list[Figure]:
    parts = {"bare s": servers.bare.ready_seconds}
    return [Figure("ready", "from start to the first healthy answer", servers.emulator.ready_seconds, parts, unit="s")]


def tokens(_servers: Servers, _size: Size) -> list[Figure]:

    from benchmarks.tokens import DEFAULT, measure, read

    counts, refused = measure(read(DEFAULT))
    total = counts["all"]
    parts = {"stubs": total.stubs, "json": total.json, "tools": total.tools, "refused": len(refused)}
    return [
        Figure("tokens", "tokens of stubs to those of the tools as compact JSON", total.stubs / total.json, parts, 0.6)
    ]


MEASURES: dict[str, Callable[[Servers, Size], list[Figure]]] = {
    "ready": ready,
    "call": call,
    "throughput": throughput,
    "prose": prose,
    "tools": tools,
    "streams": streams,
    "tokens": tokens,
}
"""By the names that ``--only`` takes, in the order in which they run."""
