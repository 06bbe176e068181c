"""``python -m emulator.generator.worker``: makes stubs, or judges texts by grammars, for the server that holds the
other end of its stdin.

Rule: hostile schemas and grammars are worked with here, so here is little to win: no environment, no files to write,
bounded memory, a bounded time for each job, and the end as soon as the server has gone.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

from emulator.generator.frames import encoded, receive, send
from emulator.tools.jobs import StubFault, StubJob, do, done, job_from_json, result_to_json

MEMORY_BYTES = 2 * 1024**3
NICENESS = 10

_WARM = {
    "type": "object",
    "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}},
}


def main(kind: str, seconds: float, cpu_seconds: float) -> None:
    """Answers jobs until the server has gone; one may take ``seconds``, and ``cpu_seconds`` on the processor."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection = socket.socket(fileno=0)
    _WARM_UPS[kind]()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # nothing is ever written
    send(connection, b"ready")
    while (text := receive(connection)) is not None:
        # The signals' default action ends the process: also in the middle of C code, also without a server.
        signal.setitimer(signal.ITIMER_REAL, seconds)
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        _answer(connection, text)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)


def _answer(connection: socket.socket, text: bytes) -> None:
    try:
        result = done(job_from_json(json.loads(text)))
    except MemoryError:
        send(connection, encoded(result_to_json(StubFault("takes too much memory to work with"))))
        raise SystemExit(1) from None
    except Exception as error:  # noqa: BLE001 - whatever the generator of models raises, this tool can't be used
        result = result_to_json(StubFault(f"can't be turned into Python ({type(error).__name__})"))
    send(connection, encoded(result))


def _load_stubs() -> None:
    """Loads all that a job may need, so that the first one takes no longer than others."""
    from emulator.tools.schema import SchemaLimits

    do(StubJob("warm", "warm", None, _WARM, SchemaLimits(1024, 8, 8, 8)))


def _load_grammars() -> None:
    """As ``_load_stubs``."""
    from emulator.tools.lark import fault

    fault('start: "warm"')


_WARM_UPS: dict[str, Callable[[], None]] = {"stubs": _load_stubs, "grammars": _load_grammars}


if __name__ == "__main__":
    with suppress(OSError):
        main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
