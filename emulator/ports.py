"""The words in which the turn speaks to the outside: the model server and its answer's parts, kernels and store."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.kept import KeptProgram
from emulator.lifetime import Lifetime
from emulator.runs import Outcome, ProgramRun


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """First part of every answer: the fields beside ``choices`` and ``usage`` (id, created, model, …).

    ``object`` isn't among them: it says which form the upstream chose, not which one the client asked for.
    """

    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallDelta:
    """A piece of a call that the upstream's own tool calling made; ``index`` counts the choice's calls."""

    index: int
    name: str = ""
    arguments: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """A piece of one choice, a chunk's delta or a whole plain message.

    ``reasoning`` is what came as ``reasoning_content`` or ``reasoning``; ``finish_reason`` is None
    until the choice's last piece, which may tell the ``stop`` sequence that ended it; ``calls`` come only where tools
    were sent to the upstream.  ``refusal`` are words of their own field, ``refusal_logprobs`` theirs; ``others`` all
    fields of the message that aren't read here, but empty ones.
    """

    choice: int
    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    logprobs: tuple[dict[str, Any], ...] = ()
    calls: tuple[CallDelta, ...] = ()
    stop: str | None = None
    refusal: str = ""
    refusal_logprobs: tuple[dict[str, Any], ...] = ()
    others: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AnswerUsage:
    """The upstream's own token counts, as it sent them."""

    usage: dict[str, Any] = field(default_factory=dict[str, Any])


AnswerPart = AnswerHead | AnswerDelta | AnswerUsage


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an upstream does for a model, as far as probing has shown.

    ``grammar``: the dialect in which it takes grammars, a value of ``tools.grammar.dialects.Dialect``; ``json_schema``:
    its answers keep to a ``response_format`` of that type; ``tools``: it calls tools by itself.
    """

    grammar: str | None = None
    json_schema: bool = False
    tools: bool = False
    settled: bool = field(default=True, compare=False)
    """No question was left without an answer: the finding can be relied on later."""


class Upstream(Protocol):
    """A model server that has never heard of tools."""

    def ask(
        self, body: Mapping[str, Any], *, authorization: str | None, lifetime: Lifetime
    ) -> Generator[AnswerPart, None, None]:
        """POST ``body`` to chat/completions, streamed where ``body["stream"]`` is true.

        Yields one AnswerHead, then deltas (each choice ends with one that has a finish_reason), and
        last an AnswerUsage where the upstream gave one.  Closing the iterator closes the connection.
        Raises UpstreamError; ClientGone and UpstreamTimeout where ``lifetime`` ended.
        """
        ...


class Kernels(Protocol):
    """Where programs run, and where they are kept between two rounds."""

    def run(self, program: ProgramRun) -> Outcome:
        """Raises KernelUnavailable where no kernel is to be had in time."""
        ...

    def keep(self, key: str, program: KeptProgram) -> None:
        """Keep it until its calls' results come; a store that fails costs the program, not the answer."""
        ...
