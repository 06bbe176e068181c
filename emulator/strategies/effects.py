"""What a strategy asks for while it answers: the effects that the turn performs for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.code.limits import CodeLimits
from emulator.code.readings import Manner
from emulator.code.vocabulary import Vocabulary
from emulator.continuation import CallIds
from emulator.errors import EmulatorError
from emulator.events import Event
from emulator.kept import KeptProgram
from emulator.ports import AnswerDelta, Capabilities
from emulator.prompt import Briefing, Transcript
from emulator.routing import Routing
from emulator.runs import Outcome, ProgramRun, RunLimits
from emulator.tools.answer_format import AnswerFormat


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the model with these messages; it is answered by ``READ``s.

    ``fields`` are further fields of the request, which not every upstream knows: where one refuses them, StrategyUnfit
    is raised in the strategy.  ``aside``: a question of the strategy's own, which none of the client's wishes are for;
    all choices that ask the same share its answer.  ``native``: the client's request as it came, tools and all.
    """

    messages: list[dict[str, Any]]
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    aside: bool = False
    native: bool = False


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


@dataclass(frozen=True, slots=True)
class Probe:
    """What constraints the upstream honours; answered by its Capabilities."""


PROBE = Probe()


@dataclass(frozen=True, slots=True)
class Tried:
    """A strategy begins."""

    strategy: str


@dataclass(frozen=True, slots=True)
class Left:
    """A strategy was given up for the next one."""

    strategy: str
    reason: str


@dataclass(frozen=True, slots=True)
class Repairing:
    """The model's answer can't be used; it is asked again."""


Note = Tried | Left | Repairing | Dropped
"""What nobody answers: for the headers, the log and the statistics."""

Effect = Ask | Read | Run | Keep | Probe | Note | Event

Sent = AnswerDelta | Outcome | Capabilities | None
"""What a strategy is sent for an effect."""


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


class Renderings(Protocol):
    """A request's tools in the forms that the strategies beside ``code`` show them in; each is made when asked for."""

    def constraint(self, capabilities: Capabilities) -> Mapping[str, Any] | None:
        """The fields that hold an answer in code to valid calls; None where the upstream honours none."""
        ...

    def decisions(self) -> Transcript:
        """The conversation for answers that are decisions in JSON."""
        ...

    def decision_fields(self, capabilities: Capabilities) -> Mapping[str, Any]:
        """The fields that hold an answer to a decision; empty where the upstream honours none."""
        ...

    def routing(self) -> Routing:
        """The questions whether the tools are needed, and which of them."""
        ...

    def names_fields(self, capabilities: Capabilities) -> Mapping[str, Any]:
        """The fields that hold an answer to some of the tools' names; empty where the upstream honours none."""
        ...

    def checked(self, name: str) -> Collection[str]:
        """The parameters of a tool, both by the client's names, whose values have to come from somewhere: they are
        required, and no list says what they may be."""
        ...

    def without(self, task: CodeTask) -> CodeTask:
        """``task`` with no tool, to be answered in words."""
        ...

    def demanded(self, task: CodeTask, names: Sequence[str]) -> CodeTask:
        """``task`` with these tools (Python names) only, one of which must be called."""
        ...


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
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What constrains the model's answer: fields of the questions that may end in calls."""
    renderings: Renderings | None = None
    format: AnswerFormat | None = None
    """What an answer in words must be."""
    may_be_empty: bool = False
    """An answer without a word is one, too."""

    @property
    def briefing(self) -> Briefing:
        return self.transcript.briefing

    def new_ids(self) -> CallIds:
        return CallIds(self.new_key())


def rewritten(
    strategy: Generator[Effect, Sent, None], rewrite: Callable[[Effect], Iterable[Effect]]
) -> Generator[Effect, Sent, None]:
    """``strategy`` with other effects in place of each of its own; the answer to the last of them goes back to it."""
    effect = next(strategy, None)
    while effect is not None:
        sent: Sent = None
        thrown: EmulatorError | None = None
        try:
            for instead in rewrite(effect):
                sent = yield instead
        except EmulatorError as error:
            thrown = error
        try:
            effect = strategy.throw(thrown) if thrown else strategy.send(sent)
        except StopIteration:
            return
