"""The making of one tool's stub as a job, which is done in another process than the one that serves.

Rule: a job is data, and so is its result; whoever does it needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.tools.schema import SchemaError, SchemaLimits
from emulator.tools.toolstub import ToolStub


@dataclass(frozen=True, slots=True)
class StubJob:
    """A tool as its client declared it, the name it gets in Python, and names that its classes can't have.

    ``returns`` is the schema of its results, None where nothing is said of them.
    """

    name: str
    python_name: str
    description: str | None
    parameters: Any
    limits: SchemaLimits
    reserved: tuple[str, ...] = ()
    returns: Any = None

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
class StubFault:
    """Why there is no stub: a sentence, and the place in the schema, e.g. ``parameters.properties.a``."""

    message: str
    path: str = "parameters"


StubResult = ToolStub | StubFault
StubMaker = Callable[[Sequence[StubJob]], Sequence[StubResult]]
"""One result a job, in order."""


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
