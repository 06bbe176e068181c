"""How a program is put to a stock Python kernel (ipykernel), such as ``python3``: full CPython, not sandboxed.

Rule: what runs there is ``cpython_runner.py`` and the modules beside it.  Their text goes along with each program,
since a kernel may be new or restarted; it loads them once.  All travels in one user expression: as the request's
code it would pass through IPython's transformations, which take longer than the program.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path

from emulator.runs import MODEL_KEY, BadOutcome, Outcome, ProgramRun, encoded
from kernels.dialects import EXPRESSION, reported, silent_request
from kernels.interface import Content
from kernels.preamble import PREAMBLE

_SENT = ("cpython_values.py", "cpython_world.py", "cpython_runner.py")
_LOAD = (
    "(globals().get({name!r}) or globals().setdefault({name!r}, "
    "(lambda scope: [exec(source, scope) for source in {sources!r}] and scope['report'])({{'__name__': {name!r}}})))"
)


class CPythonPrograms:
    """The ``Dialect`` of stock Python kernels.  Each run is a process of its own there, which nothing survives."""

    incremental = False

    def __init__(self) -> None:
        sources = tuple(Path(__file__).with_name(name).read_text("utf-8") for name in _SENT)
        # Another version of the emulator may use the same kernel.
        name = f"_tool_program_{hashlib.sha256(''.join(sources).encode()).hexdigest()[:16]}"
        self._load = _LOAD.format(name=name, sources=sources)

    def content(self, run: ProgramRun) -> Content:
        """Raises ValueError for a run that goes on from a state, which isn't kept there."""
        if run.state is not None or run.keep_state:
            raise ValueError("a stock Python kernel keeps no state between runs")
        # In the form in which also Python 3.9 reads it.
        clock = datetime.fromisoformat(run.clock).isoformat(timespec="microseconds")
        asked = encoded(run.to_json() | {"clock": clock, "preamble": PREAMBLE, "model_key": MODEL_KEY})
        return silent_request("", {EXPRESSION: f"{self._load}({asked!r})"})

    def outcome(self, reply: Content) -> Outcome:
        """Raises BadOutcome."""
        try:
            return Outcome.from_json(json.loads(reported(reply, EXPRESSION)))
        except (ValueError, RecursionError) as error:
            raise BadOutcome(f"a kernel's report is no JSON: {error}") from None
