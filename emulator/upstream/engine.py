"""The process that holds the model: ``python -m emulator.upstream.engine``, llama.cpp's server through xllamacpp.

Rule: it reads its one configuration line from stdin (arguments could be read by every user of the machine, and
the line has the key), answers with one JSON line on stdout, ``{"address": …}`` or ``{"error": …}``, and never
outlives the process that started it.  Everything else it says goes to stderr, the engine's log.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

_PARENT_POLL_SECONDS = 0.5
_PR_SET_PDEATHSIG = 1
_WARNINGS = 2


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What the engine is told.  ``context`` is in tokens, for each of the ``parallel`` requests; ``parent`` a pid."""

    model: str
    alias: str
    context: int
    parallel: int
    threads: int
    key: str
    parent: int

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


def main() -> NoReturn:
    config = EngineConfig(**json.loads(sys.stdin.readline()))
    _end_with_parent_while_loading(True)
    # Native code prints to file descriptor 1 as it likes: keep the real one for the answer.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        server = _serve(config)
    except (RuntimeError, ValueError, MemoryError) as error:
        print(json.dumps({"error": str(error)}), file=answer, flush=True)
        sys.stderr.flush()
        # Not the ordinary way out: threads of the native code that failed could hold it up for ever.
        os._exit(1)
    print(json.dumps({"address": server.listening_address}), file=answer, flush=True)
    _end_with_parent_while_loading(False)
    while os.getppid() == config.parent:
        time.sleep(_PARENT_POLL_SECONDS)
    # Not the ordinary way out: nobody is left for whom an answer under way should be finished.
    os._exit(0)


def _serve(config: EngineConfig) -> Any:
    xllamacpp = importlib.import_module("xllamacpp")  # no type stubs, and not installed everywhere
    params = xllamacpp.CommonParams()
    params.model.path = config.model
    params.model_alias = {config.alias}
    params.n_parallel = config.parallel
    params.n_ctx = config.context * config.parallel  # llama.cpp divides it by its slots
    params.cpuparams.n_threads = config.threads
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [config.key]
    params.use_jinja = True
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = _WARNINGS
    return xllamacpp.Server(params)


def _end_with_parent_while_loading(on: bool) -> None:
    """Let the system kill this process when the thread that started it ends (Linux only).

    Loading holds the interpreter's lock, so nothing here could watch the parent meanwhile.  Afterwards the
    starting thread may end while its process lives on, so the parent is watched by its pid instead.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL if on else 0)


if __name__ == "__main__":
    main()
