"""The measurements of programs: over HTTP beside the bare app, and straight through a pool of kernels.

The bare app and the mock upstream answer the same bytes as the emulator.  The emulator asks the upstream in a program's
first request only; so for the other two, the mock's time stands for HTTP itself.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from statistics import mean, median
from typing import Any

import orjson

from benchmarks.load import requests_per_second
from benchmarks.memory import growth, resident
from benchmarks.programs import KINDS, literal_talk, program_talk
from benchmarks.report import Figure
from benchmarks.servers import ROOT, Servers
from benchmarks.size import Size
from benchmarks.turns import Talking, in_turns, warm
from benchmarks.wire import BrokenAnswer, connect

_ADDED_MS = 5.0
_BATCH = 8
_CLIENTS = 8
_PATIENCE_SECONDS = 1200.0
_CROWD_NUMBER = 40_000_000


def programs(servers: Servers, size: Size) -> list[Figure]:
    asked = (servers.direct, *servers.compared)
    talks = [Talking(server.name, server, program_talk, KINDS) for server in asked]
    literal = [Talking(server.name, server, literal_talk, ("literal",)) for server in asked]
    sides = [*talks, *literal]
    for side in sides:
        warm(side)
    took = in_turns(sides, size.program_rounds, batch=_BATCH)
    added = {kind: took[f"emulator {kind}"] - took[f"mock {kind}"] for kind in (*KINDS, "literal")}
    bare = {kind: took[f"bare {kind}"] - took[f"mock {kind}"] for kind in (*KINDS, "literal")}
    parts = {f"{kind} ms": added[kind] for kind in KINDS}
    parts |= {"four literal calls ms": added["literal"], "bare app ms": mean(bare[kind] for kind in KINDS)}
    what = "added to a request of a program with 4 calls, p50, mean of its 3 requests"
    figures = [Figure("program", what, mean(added[kind] for kind in KINDS), parts, _ADDED_MS, unit="ms")]
    for kind in KINDS:
        parts = {"bare added p50 ms": bare[kind]}
        parts |= {f"{server.name} p50 ms": took[f"{server.name} {kind}"] for server in asked}
        what = f"added to the program's {kind} request, p50"
        figures.append(Figure(f"program-{kind}", what, added[kind], parts, _ADDED_MS, unit="ms"))
    return figures


def pool(_servers: Servers, size: Size) -> list[Figure]:
    seconds = [float(_pooled("ready")["seconds"]) for _ in range(size.pools)]
    parts = {"fastest s": min(seconds), "slowest s": max(seconds), "pools": len(seconds)}
    what = "until a pool of 2 kernels is ready, imports included, median"
    return [Figure("pool", what, median(seconds), parts, 2.0, unit="s")]


def executions(servers: Servers, size: Size) -> list[Figure]:
    told = _pooled("executions", _CLIENTS, size.execution_seconds)
    warm(Talking("emulator", servers.emulator, program_talk, KINDS))
    rate = requests_per_second(
        servers.emulator, program_talk, clients=_CLIENTS, seconds=size.execution_seconds, first=_CROWD_NUMBER
    )
    parts = {"one client's run p50 ms": float(told["alone ms"]), "requests of programs/s over HTTP": rate}
    what = f"runs/s of a program with 4 calls, 2 kernels, {_CLIENTS} clients"
    return [Figure("executions", what, float(told["per second"]), parts, 200.0, ">=", unit="/s")]


def memory(servers: Servers, size: Size) -> list[Figure]:
    told = _pooled("memory", _CLIENTS, size.programs)
    warm(Talking("emulator", servers.emulator, program_talk, KINDS))
    warming, first = size.programs_asked // 10, 2 * _CROWD_NUMBER
    _ask_programs(servers, range(first, first + warming))
    before = resident(servers.emulator.pid)
    _ask_programs(servers, range(first + warming, first + size.programs_asked))
    return [
        _grown("memory-pool", f"{size.programs} programs through a pool", told["before"], told["after"]),
        _grown("memory-http", f"{size.programs_asked} programs over HTTP", before, resident(servers.emulator.pid)),
    ]


def _grown(name: str, what: str, before: dict[str, float], after: dict[str, float]) -> Figure:
    parts = {f"{part} {when} MB": told[part] for part in after for when, told in (("before", before), ("after", after))}
    return Figure(name, f"growth of the part that grew most, {what}", growth(before, after), parts, 5.0, unit="%")


def _ask_programs(servers: Servers, numbers: range) -> None:
    """One after the other, in turns over so many connections that all workers get some."""
    side = Talking("emulator", servers.emulator, program_talk, KINDS)
    with ExitStack() as stack:
        socks = [stack.enter_context(connect(side.server.port)) for _ in range(_CLIENTS)]
        for number in numbers:
            side.times(socks[number % _CLIENTS], number)


def _pooled(*arguments: object) -> dict[str, Any]:
    """What ``benchmarks.pooled`` says.  Raises BrokenAnswer where it fails."""
    command = [sys.executable, "-m", "benchmarks.pooled", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    if done.returncode:
        raise BrokenAnswer(f"{' '.join(command[2:])}: {done.stderr[-2000:]}")
    return orjson.loads(done.stdout)
