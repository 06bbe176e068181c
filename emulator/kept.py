"""What is stored of a program that waits for results: its text and what makes a run of it the same each time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from emulator import __version__


@dataclass(frozen=True, slots=True)
class KeptProgram:
    """What is stored of an answer whose program goes on when its calls' results are there.

    ``scheduled`` is what a kernel is given for ``text``.  ``owner`` and ``tools`` tell whose it is and for which tools
    it was written.  The first ``attempted`` calls were made by attempts before this text; ``carries``: so were all
    calls of the turns before it.  Those it may repeat, in any order, and has their results at once.  ``corrections``
    is how often it was written anew after an exception.
    """

    text: str
    scheduled: str
    clock: str
    seed: str
    owner: str
    tools: str
    attempted: int = 0
    carries: bool = False
    corrections: int = 0

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self) | {"version": __version__}).encode()

    @staticmethod
    def from_bytes(stored: bytes) -> KeptProgram | None:
        """None for what another version of this server wrote."""
        try:
            fields = json.loads(stored)
            return KeptProgram(**fields) if fields.pop("version") == __version__ else None
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
