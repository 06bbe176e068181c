"""What a program on a stock Python kernel sees of the world: the same in each run, as far as that goes.

Rule: as ``cpython_runner.py``, with which it is sent and whose names it shares there: the standard library of Python
3.9 or newer, and nothing else.  Called in the process forked for the program, so what it changes ends with that.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import random
import time
from typing import Any


def stop_clock(clock: str, timezone: str) -> None:
    """It stays at ``clock``, local time being that of ``timezone``; an unknown zone counts as UTC, as C has it.

    The monotonic clocks go on.
    """
    os.environ["TZ"] = timezone
    time.tzset()
    stamp = dt.datetime.fromisoformat(clock).timestamp()
    _stop_time(stamp)
    _stop_dates(stamp)


def seed_chance(seed: str) -> None:
    """``random``, and what asks the system for randomness, such as ``uuid`` and ``secrets``."""
    random.seed(seed)
    system: Any = random
    os.urandom = system._urandom = random.Random(f"system {seed}").randbytes  # noqa: S311


def _stop_time(stamp: float) -> None:
    asctime, strftime, wait = time.asctime, time.strftime, asyncio.sleep

    def at_stamp(real: Any) -> Any:
        def stopped(seconds: float | None = None) -> Any:
            return real(stamp if seconds is None else seconds)

        return stopped

    def pause(seconds: float) -> None:
        """Where the clock stands still it takes no time."""

    async def let_others(delay: float, result: Any = None) -> Any:
        return await wait(min(delay, 0), result)

    def shown_at(when: Any = None) -> str:
        return asctime(when or time.localtime())

    def written_at(form: str, when: Any = None) -> str:
        return strftime(form, when or time.localtime())

    module: Any = time
    module.time = lambda: stamp
    module.time_ns = lambda: round(stamp * 1_000_000) * 1000
    module.sleep = pause
    for name in ("localtime", "gmtime", "ctime"):
        setattr(module, name, at_stamp(getattr(time, name)))
    module.asctime = shown_at
    module.strftime = written_at
    asyncio.sleep = let_others


def _stop_dates(stamp: float) -> None:
    """``datetime`` and ``date`` are replaced by classes that make objects of the real ones and pass for them."""
    module: Any = dt
    real_datetime, real_date = module.datetime, module.date
    stands_for: dict[Any, Any] = {}

    class Passing(type):
        def __instancecheck__(cls, value: Any) -> bool:
            real = stands_for.get(cls)
            return type.__instancecheck__(cls, value) if real is None else isinstance(value, real)

        def __subclasscheck__(cls, kind: Any) -> bool:
            real = stands_for.get(cls)
            return type.__subclasscheck__(cls, kind) if real is None else issubclass(kind, real)

    def new(cls: Any, *values: Any, **named: Any) -> Any:
        if cls in stands_for:
            return stands_for[cls](*values, **named)
        # A class that the program derived.
        return (real_datetime if issubclass(cls, real_datetime) else real_date).__new__(cls, *values, **named)

    def today(cls: Any) -> Any:
        return cls.fromtimestamp(stamp)

    def now(cls: Any, tz: Any = None) -> Any:
        return cls.fromtimestamp(stamp, tz)

    def utcnow(cls: Any) -> Any:
        return cls.fromtimestamp(stamp, dt.timezone.utc).replace(tzinfo=None)  # noqa: UP017 - Python 3.9

    common: dict[str, Any] = {"__new__": new, "__module__": "datetime", "today": classmethod(today)}
    module.date = Passing("date", (real_date,), common)
    module.datetime = Passing(
        "datetime", (real_datetime,), {**common, "now": classmethod(now), "utcnow": classmethod(utcnow)}
    )
    stands_for.update({module.date: real_date, module.datetime: real_datetime})
