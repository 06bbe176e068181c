"""What a strategy asks for while it answers: the effects that the turn performs for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.code.limits import CodeLimits
from emulator.code.readings import Manner
from emulator.code.vocabulary import Vocabulary
from emulator.continuation import CallIds
from emulator.events import Event
from emulator.kept import KeptProgram
from emulator.prompt import Briefing, Transcript
from emulator.runs import ProgramRun, RunLimits


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the model with these messages; it is answered by ``READ``s."""

    messages: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Read:
    """The next AnswerDelta, please."""


READ = Read()


@dataclass(frozen=True, slots=True)
class Run:
    """Run this; answered by its Outcome."""

    program: ProgramRun


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep the program until its calls' results come."""

    key: str
    program: KeptProgram


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that the model wrote after its calls had left could not be used; for whoever reads the log."""

    reason: str


Effect = Ask | Read | Run | Keep | Dropped | Event


@dataclass(frozen=True, slots=True)
class ProgramTerms:
    """On what terms programs run.  ``clock`` is now, for programs that begin now; ``final``: a finished program's
    output is worded by the ``model``, or is the answer (``output``).  ``owner`` and ``tools``: see KeptProgram."""

    clock: str
    timezone: str
    limits: RunLimits
    final: str
    owner: str
    tools: str


@dataclass(frozen=True, slots=True)
class CodeTask:
    """All that one choice's answer needs.  ``vocabulary`` is None where no call is wanted."""

    choice: int
    transcript: Transcript
    vocabulary: Vocabulary | None
    limits: CodeLimits
    new_key: Callable[[], str]
    """A key for the ids of an answer's calls: 24 hexadecimal digits that nobody can guess."""
    terms: ProgramTerms
    manner: Manner = field(default_factory=Manner)
    repairs: int = 2
    in_thought: bool = False
    stop_given: bool = False

    @property
    def briefing(self) -> Briefing:
        return self.transcript.briefing

    def new_ids(self) -> CallIds:
        return CallIds(self.new_key())
