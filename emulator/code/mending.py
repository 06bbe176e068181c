"""Statements that aren't Python → the one reading of them that holds.

Rule: a mended statement counts only if no other candidate holds as well, and a candidate holds only if every call in it
is proven before any leaves.  So the model is asked wherever there is a doubt.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from emulator.code.check import CodeError, Dependent, NeedsRun, parse
from emulator.code.judge import Judge
from emulator.code.limits import CodeLimits
from emulator.code.literal import LiteralReader
from emulator.code.mend import candidates
from emulator.code.values import ParsedCall

_MOST = 64
"""Statements of an answer that are mended."""


@dataclass(frozen=True, slots=True)
class Mended:
    source: str
    nodes: list[ast.stmt]


@dataclass(slots=True)
class Mending:
    """Mends an answer's statements; ``runs`` tells whether what can't be read off is run."""

    judge: Judge
    limits: CodeLimits
    runs: bool
    _left: int = _MOST

    def mended(self, source: str, literal: LiteralReader, *, ends: bool) -> Mended | None:
        """``literal`` is where the program stands; ``ends``: the statement is the last thing that the model wrote."""
        if self._left <= 0:
            return None
        self._left -= 1
        found: dict[str, Mended] = {}
        for candidate in candidates(source, ends=ends):
            try:
                nodes = parse(candidate, self.limits)
                held = self._holds(nodes, literal)
            except CodeError:
                continue
            if held:
                found.setdefault(ast.dump(ast.Module(nodes, [])), Mended(candidate, nodes))
        return next(iter(found.values())) if len(found) == 1 else None

    def _holds(self, nodes: list[ast.stmt], literal: LiteralReader) -> bool:
        """Raises CodeError for what can't be used."""

        def prove(call: ParsedCall) -> None:
            self.judge.call(call)

        try:
            literal.trial(prove).run(nodes)
        except Dependent:
            return True
        except NeedsRun:
            return self.runs and self.judge.vocabulary.used(nodes)
        return True
