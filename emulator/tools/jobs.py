"""What is done in another process than the one that serves: the making of one tool's stub, and the work with
grammars, which are as little to be trusted.

Rule: a job is data, and so is its result; whoever does it needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from emulator.tools.schema import SchemaError, SchemaLimits
from emulator.tools.toolstub import ToolStub


@dataclass(frozen=True, slots=True)
class StubJob:
    """A tool as its client declared it, the name it gets in Python, and names that its classes can't have.

    ``returns`` is the schema of its results, None where nothing is said of them.  ``grammar``, what its one text keeps
    to, and ``place``, where in the request schema or grammar stands, are for who has the tool made: no stub needs them.
    """

    name: str
    python_name: str
    description: str | None
    parameters: Any
    limits: SchemaLimits
    reserved: tuple[str, ...] = ()
    returns: Any = None
    grammar: str | None = None
    place: str = "tools"

    def to_json(self) -> list[Any]:
        limits = self.limits
        return [
            self.name,
            self.python_name,
            self.description,
            self.parameters,
            [limits.bytes, limits.depth, limits.properties, limits.enum],
            self.reserved,
            self.returns,
        ]

    @staticmethod
    def from_json(data: Sequence[Any]) -> StubJob:
        name, python_name, description, parameters, limits, reserved, returns = data
        return StubJob(name, python_name, description, parameters, SchemaLimits(*limits), tuple(reserved), returns)


@dataclass(frozen=True, slots=True)
class GrammarJob:
    """A text that is to match ``grammar`` as a whole; without one, whether the grammar can be compiled."""

    grammar: str
    text: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {"grammar": self.grammar, "text": self.text}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> GrammarJob:
        return GrammarJob(**data)


class GrammarTooSlow(Exception):
    """A grammar, and not the text held against it, takes more time or memory than there is."""


@dataclass(frozen=True, slots=True)
class StubFault:
    """Why there is no stub: a sentence, and the place in the schema, e.g. ``parameters.properties.a``."""

    message: str
    path: str = "parameters"


StubResult = ToolStub | StubFault
StubMaker = Callable[[Sequence[StubJob]], Sequence[StubResult]]
"""One result a job, in order."""


class Grammars(Protocol):
    """Who works with custom tools' grammars, in llguidance's dialect of Lark."""

    def fault(self, grammar: str) -> str | None:
        """Why it can't be used, None if it can.  See ``lark.fault``."""
        ...

    def mismatch(self, grammar: str, text: str) -> str | None:
        """What keeps the text from matching it, None if it matches.  Raises GrammarTooSlow.  See ``lark.mismatch``."""
        ...


_SHORT = 512
"""Bytes: a grammar that is of any use reads as many in milliseconds, whatever they are."""


def unmatched(text: str) -> str:
    """What to say of a text that can't be matched with the time and memory there is.  Raises GrammarTooSlow where it
    is too short to be the text's fault."""
    if len(text.encode("utf-8", "surrogatepass")) <= _SHORT:
        raise GrammarTooSlow
    return "is too long to be matched against its grammar in reasonable time; write less of it in one call"


def job_from_json(data: Any) -> StubJob | GrammarJob:
    return GrammarJob.from_json(cast("dict[str, Any]", data)) if isinstance(data, dict) else StubJob.from_json(data)


def done(job: StubJob | GrammarJob) -> dict[str, Any]:
    """What comes of the job, as it crosses processes."""
    if isinstance(job, StubJob):
        return result_to_json(do(job))
    from emulator.tools.lark import fault, mismatch

    try:
        return {"reason": fault(job.grammar) if job.text is None else mismatch(job.grammar, job.text)}
    except GrammarTooSlow:
        return {"slow": True}


def do(job: StubJob) -> StubResult:
    """The tool's stub, if its schema can also judge calls.  Slow at first: it imports the generator of models."""
    from emulator.tools.prove import effective_schema
    from emulator.tools.stubs import make_stub
    from emulator.tools.validator import compile_schema

    try:
        stub = make_stub(
            job.name,
            job.description,
            job.parameters,
            python_name=job.python_name,
            limits=job.limits,
            reserved=job.reserved,
            returns=job.returns,
        )
        compile_schema(effective_schema(job.parameters))
    except SchemaError as error:
        return StubFault(error.message, error.path)
    return stub


def result_to_json(result: StubResult) -> dict[str, Any]:
    if isinstance(result, StubFault):
        return {"fault": [result.message, result.path]}
    return {"stub": result.to_json()}


def result_from_json(data: Mapping[str, Any]) -> StubResult:
    if "fault" in data:
        return StubFault(*data["fault"])
    return ToolStub.from_json(data["stub"])
