"""The measurements, each a function from the running servers to figures."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from statistics import median, quantiles

from benchmarks.load import StreamsRead, read_streams, requests_per_second
from benchmarks.program_measures import executions, memory, pool, programs
from benchmarks.reading import reading
from benchmarks.report import Figure
from benchmarks.servers import Servers
from benchmarks.size import Size
from benchmarks.turns import Side, in_turns, warm
from benchmarks.workload import Asking, call_talk, many_tools, three_tools

_PROSE_START = "bench-prose-2-1"


def call(servers: Servers, size: Size) -> list[Figure]:
    asking = Asking("bench-call", three_tools())
    for server in servers.compared:
        warm(Side(server.name, server, asking))
    sides = [Side(server.name, server, asking) for server in (servers.direct, *servers.compared)]
    took = in_turns(sides, size.rounds)
    bare, emulator = took["bare"] - took["mock"], took["emulator"] - took["mock"]
    parts = {"emulator added p50 ms": emulator, "bare added p50 ms": bare, "mock alone p50 ms": took["mock"]}
    return [Figure("call", "added by one literal call among 3 tools, one client", emulator / bare, parts, 1.5)]


def throughput(servers: Servers, size: Size) -> list[Figure]:
    asking = Asking("bench-call", three_tools())
    asked = (*servers.compared, servers.threads)
    rates: dict[str, list[float]] = {server.name: [] for server in asked}
    for server in asked:
        warm(Side(server.name, server, asking))
    for turn in range(size.crowd_rounds):
        for server in asked if turn % 2 else reversed(asked):
            rate = requests_per_second(
                server, call_talk(asking), clients=size.clients, seconds=size.crowd_seconds, first=turn * 1_000_000
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
    took = in_turns(sides, max(size.rounds // 2, 1))
    parts = {
        "emulator p50 ms": took["emulator"],
        "bare p50 ms": took["bare"],
        "mock alone p50 ms": took["mock"],
        "ratio of what is added": (took["emulator"] - took["mock"]) / (took["bare"] - took["mock"]),
    }
    return [Figure("first-byte", "first byte of streamed prose, 3 tools", took["emulator"] / took["bare"], parts, 2.0)]


def tools(servers: Servers, size: Size) -> list[Figure]:
    few, many = Asking("bench-call", three_tools()), Asking("bench-call", many_tools(300, seed=300))
    first = warm(Side("emulator", servers.emulator, many))
    warm(Side("emulator", servers.emulator, few))
    warm(Side("bare", servers.bare, many))
    sides = [
        Side(f"{server.name} {count}", server, asking)
        for count, asking in ((3, few), (300, many))
        for server in (servers.direct, *servers.compared)
    ]
    took = in_turns(sides, max(size.rounds // 4, 1))
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
        warm(Side(server.name, server, warm_up))
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
    "programs": programs,
    "pool": pool,
    "executions": executions,
    "reading": reading,
    "memory": memory,
    "tokens": tokens,
}
"""By the names that ``--only`` takes, in the order in which they run."""
