"""How much is measured: all of it, or little enough to see within a minute whether everything works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """``rounds`` are batches of 25 requests a side; seconds where the name says no other.

    ``program_rounds`` are batches of 8 programs a side, ``pools`` how often a pool of kernels is started.
    ``readings`` are how often each answer is read, of which the fastest counts.
    ``programs`` go straight through a pool while its memory is watched, ``programs_asked`` over HTTP.
    """

    rounds: int
    crowd_rounds: int
    crowd_seconds: float
    clients: int
    streams: int
    sentences: int
    interval_ms: int
    ramp: float
    newcomers: int
    program_rounds: int
    pools: int
    execution_seconds: float
    readings: int
    programs: int
    programs_asked: int


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
    program_rounds=40,
    pools=5,
    execution_seconds=8.0,
    readings=7,
    programs=20_000,
    programs_asked=2_000,
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
    program_rounds=4,
    pools=1,
    execution_seconds=1.0,
    readings=3,
    programs=2_000,
    programs_asked=200,
)
