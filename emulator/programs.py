"""Programs in a server process: the kernels they run in, and the store they wait in for their results.

Rule: a store that fails costs a program, never an answer: the model is asked with the plain transcript instead.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from typing import cast

from platformdirs import user_data_path

from emulator.continuation import Resumption, trail_of
from emulator.errors import KernelUnavailable
from emulator.kept import KeptProgram
from emulator.logs import log_event
from emulator.protocols.request import TurnRequest
from emulator.records.interface import Store, StoreUnavailable
from emulator.records.opening import open_records
from emulator.runs import Outcome, ProgramRun, RunLimits
from emulator.settings import Settings
from kernels import dialect_of, make_pool
from kernels.pool import KernelPool

logger = logging.getLogger(__name__)

STORE = user_data_path("tool-use-emulator") / "programs.sqlite3"


def owner_of(authorization: str | None) -> str:
    """What tells callers apart without being their key; the scheme's case tells nothing (RFC 9110, 11.1)."""
    scheme, blank, key = (authorization or "").partition(" ")
    return hashlib.sha256(f"{scheme.lower()}{blank}{key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _gives_text(returns: object) -> bool:
    """The tool declares its results to be strings: what looks like JSON in them isn't."""
    return isinstance(returns, dict) and cast(dict[str, object], returns).get("type") == "string"


@dataclass(slots=True)
class Programs:
    """One a process.  Nothing is started or opened before it is needed, or ``start``ed."""

    settings: Settings
    limits: RunLimits = field(init=False)
    _pool: KernelPool | None = None
    _records: Store | None = None

    def __post_init__(self) -> None:
        settings = self.settings
        self.limits = RunLimits(
            settings.program_seconds,
            settings.program_memory,
            settings.program_recursion,
            settings.program_output,
            settings.program_calls,
        )

    @property
    def incremental(self) -> bool:
        """Kernels go on from an earlier step of a program."""
        return dialect_of(self.settings.kernel).incremental

    def start(self) -> None:
        """Warm the kernels up, in the background."""
        if self.settings.programs:
            self._kernels().start()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
        if self._records is not None:
            self._records.close()

    def run(self, program: ProgramRun) -> Outcome:
        """Raises KernelUnavailable."""
        return self._kernels().run(program)

    def keep(self, key: str, program: KeptProgram) -> None:
        try:
            self.store().put(key, program.to_bytes(), self.settings.store_seconds)
        except StoreUnavailable as error:
            log_event(logger, "program not kept", level=logging.WARNING, reason=error.message)

    def resumption(self, request: TurnRequest, owner: str, tools: str) -> Resumption | None:
        """The program whose calls' results stand last, if it is the caller's and for these tools."""
        texts = frozenset(tool.name for tool in request.tools.tools if _gives_text(tool.returns))
        trail = trail_of(request.messages, texts)
        if trail is None:
            return None
        try:
            stored = self.store().get(trail.key)
        except StoreUnavailable as error:
            log_event(logger, "program not found", level=logging.WARNING, reason=error.message)
            return None
        kept = KeptProgram.from_bytes(stored) if stored is not None else None
        if kept is None or (kept.owner, kept.tools) != (owner, tools):
            return None
        called = {record.name for record in (*trail.earlier, *trail.own)}
        schemas = {tool.name: tool.parameters for tool in request.tools.tools if tool.name in called}
        return Resumption(kept, trail, schemas)

    def _kernels(self) -> KernelPool:
        if self._pool is None:
            try:
                self._pool = make_pool(self.settings)
            except ImportError as error:
                raise KernelUnavailable(f"No kernel can be started: {error}.") from None
        return self._pool

    def store(self) -> Store:
        """The store of ``--store``, shared with whoever keeps something else in it."""
        if self._records is None:
            self._records = open_records(self.settings.store, STORE)
        return self._records
