"""The tools of a request, ready to be shown and judged; known sets are found again by their content.

Rule: making a stub costs milliseconds and is another process's work (``StubMaker``); compiling a validator costs
enough that three hundred at once would hold up the serving loop, so each is compiled at its tool's first call.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, cast

from emulator.errors import InvalidRequest
from emulator.recent import Recent, content_key
from emulator.tools.grammar.answers import Demands, answer_grammar
from emulator.tools.grammar.decisions import decision_schema
from emulator.tools.grammar.gbnf import gbnf
from emulator.tools.jobs import Grammars, GrammarTooSlow, StubFault, StubJob, StubMaker, StubResult
from emulator.tools.naming import FUNCTION_WORDS, identifier, identifiers
from emulator.tools.plain import arguments_json
from emulator.tools.prove import Proven, Prover
from emulator.tools.schema import SchemaLimits
from emulator.tools.together import clashing_classes, written_together
from emulator.tools.toolstub import ModelNames, ToolStub, wire_arguments

_MOST_FORMS = 100_000
"""Characters of the forms of all tools in a grammar, whose text is some times as long and takes a second to make."""

_GRAMMARS = 4
"""A tool set's grammars that are kept: of each there is one for each manner of answering that was asked for lately."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Arguments that hold, as the JSON text that the client gets, or the sentences that say why they don't."""

    arguments: str | None
    errors: tuple[str, ...] = ()


class Declared(Protocol):
    """A tool as its client declares it, whatever the protocol.

    ``parameters`` and ``returns`` are the JSON Schemas of its arguments and of its results, or None.  ``grammar``: its
    arguments are one text, ``input``, that keeps to it.  ``place`` is where in the request schema or grammar stands.
    """

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def parameters(self) -> Any: ...
    @property
    def returns(self) -> Any: ...
    @property
    def grammar(self) -> str | None: ...
    @property
    def place(self) -> str: ...


class Tool:
    """A tool with its stub; ``parameters`` are their Python names in the order of the signature."""

    __slots__ = ("_choices", "_mismatch", "_prover", "_schema", "name", "parameters", "python_name", "stub")

    def __init__(self, stub: ToolStub, schema: Any, mismatch: Callable[[str], str | None] | None = None) -> None:
        """``mismatch`` says what is wrong with the text ``input``, beyond what the schema has to say."""
        self.name, self.python_name, self.stub = stub.name, stub.python_name, stub
        self.parameters = tuple(stub.parameters)
        self._schema = schema
        self._mismatch = mismatch
        self._prover: Prover | None = None
        self._choices: frozenset[str] | None = None

    @property
    def model_fields(self) -> dict[str, tuple[str, ...]]:
        """Each model of the stub with its fields' Python names, in order."""
        return {name: tuple(model.fields) for name, model in self.stub.models.items()}

    @property
    def declared(self) -> Any:
        """The schema of its parameters, as the client wrote it."""
        return self._schema

    @property
    def choices(self) -> frozenset[str]:
        """All texts of the schema's enums and constants, wherever in it they stand."""
        if self._choices is None:
            self._choices = frozenset(_choices(self._schema))
        return self._choices

    def prove(self, arguments: Mapping[str, Any]) -> Proof:
        """Judge ``arguments``, named as in the stub, by the client's own schema and grammar.

        Raises InvalidRequest where the grammar is one by which nothing can be judged.
        """
        if self._prover is None:
            names = {wire: python for python, wire in self.stub.parameters.items()}
            self._prover = Prover(self._schema, function=self.python_name, names=names)
        outcome = self._prover.prove(wire_arguments(self.stub, arguments))
        if not isinstance(outcome, Proven):
            return Proof(None, outcome.errors)
        if (reason := self._missed(outcome.arguments)) is not None:
            return Proof(None, (f"{self.python_name}: input {reason}",))
        return Proof(arguments_json(outcome.arguments))

    def _missed(self, arguments: Mapping[str, Any]) -> str | None:
        if self._mismatch is None:
            return None
        try:
            return self._mismatch(str(arguments["input"]))
        except GrammarTooSlow:
            # Whatever the model wrote in its place, it would be no better off.
            message = f"Invalid grammar for custom tool '{self.name}': it takes too long to match a text against it."
            raise InvalidRequest(message, param="tools", code="invalid_grammar") from None

    def python_arguments(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of an earlier call, named as in the stub, also inside its models: the inverse renaming."""
        return wire_arguments(_inverted(self.stub), arguments)


def _choices(schema: Any) -> Iterator[str]:
    left: list[Any] = [schema]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            keywords = cast(dict[str, Any], node)
            given = keywords.get("enum")
            options = [*cast(list[Any], given)] if isinstance(given, list) else []
            yield from (option for option in [*options, keywords.get("const")] if isinstance(option, str))
            left += keywords.values()
        elif isinstance(node, list):
            left += cast(list[Any], node)


def _inverted(stub: ToolStub) -> ToolStub:
    """A stub that renames from the client's names to Python's."""
    models = {name: _inverted_names(model) for name, model in stub.models.items()}
    top = _inverted_names(ModelNames(stub.parameters, stub.renames))
    return ToolStub(stub.name, stub.python_name, "", top.fields, models=models, renames=top.nested)


def _inverted_names(names: ModelNames) -> ModelNames:
    fields = {wire: python for python, wire in names.fields.items()}
    return ModelNames(fields, {names.fields[python]: shape for python, shape in names.nested.items()})


class ToolSet:
    """Tools by the client's names.  ``key`` is the content's; equal sets have equal keys."""

    __slots__ = ("_decisions", "_grammars", "by_name", "key")

    def __init__(self, key: bytes, tools: Sequence[Tool]) -> None:
        self.key = key
        self.by_name = {tool.name: tool for tool in tools}
        self._grammars = Recent[Hashable, str](_GRAMMARS)
        self._decisions = Recent[Hashable, dict[str, Any]](_GRAMMARS)

    def stubs(self, names: Sequence[str]) -> str:
        """The stubs of these tools, as the model is shown them."""
        return written_together([self.by_name[name].stub for name in names])

    def grammar(self, names: Sequence[str], demands: Demands) -> str | None:
        """Answers in code with calls of these tools, as GBNF; see grammar.answers.  None where that is too large."""
        key = (tuple(names), demands)
        known = self._grammars.get(key)
        if known is not None:
            return known
        stubs = [self.by_name[name].stub for name in names]
        if sum(len(str(stub.forms)) for stub in stubs) > _MOST_FORMS:
            return None
        return self._grammars.put(key, gbnf(answer_grammar(stubs, demands)))

    def decisions(self, names: Sequence[str], *, required: bool = False, single: bool = False) -> dict[str, Any]:
        """The JSON Schema of a decision among these tools, in the client's names; see grammar.decisions."""
        key = (tuple(names), required, single)
        known = self._decisions.get(key)
        if known is not None:
            return known
        tools = [(name, self.by_name[name].declared) for name in names]
        return self._decisions.put(key, decision_schema(tools, required=required, single=single))

    def python_names(self, name: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """A past call in the stubs' terms; a tool that isn't there any more keeps its name as far as Python allows."""
        tool = self.by_name.get(name)
        if tool is None:
            return identifier(name), arguments
        return tool.python_name, tool.python_arguments(arguments)


class ToolSets:
    """Tool sets by content.  ``capacity`` is how many bytes of tools, as JSON, are kept ready; ``grammars`` are needed
    for tools that have one only."""

    def __init__(
        self, make: StubMaker, limits: SchemaLimits, capacity: int, *, grammars: Grammars | None = None
    ) -> None:
        self._make = make
        self._grammars = grammars
        self._limits = limits
        self._tools = Recent[bytes, Tool](capacity)
        self._sets = Recent[bytes, ToolSet](capacity)

    def get(self, tools: Sequence[Declared], content: tuple[bytes, int] | None = None) -> ToolSet:
        """``content`` is the tools' content_key, for whoever has it already.

        Raises InvalidRequest, with the tool's place, for a schema or grammar that can't be used.
        """
        key, size = content or content_key([[t.name, t.description, t.parameters, t.returns, t.grammar] for t in tools])
        if (known := self._sets.get(key)) is not None:
            return known
        jobs = [
            StubJob(
                tool.name,
                python_name,
                tool.description,
                tool.parameters,
                self._limits,
                returns=tool.returns,
                grammar=tool.grammar,
                place=tool.place,
            )
            for tool, python_name in zip(tools, identifiers([t.name for t in tools], FUNCTION_WORDS), strict=True)
        ]
        return self._sets.put(key, ToolSet(key, self._unambiguous(dict(enumerate(jobs)))), size)

    def _unambiguous(self, jobs: dict[int, StubJob]) -> list[Tool]:
        """The tools, which agree on what each class is called: by a short name, or a longer one where two clash."""
        ready = self._ready(jobs)
        if clashes := clashing_classes([ready[index].stub for index in jobs]):
            ready |= self._renamed(jobs, clashes)
        # Longer names clash only where somebody means them to: then one tool at a time avoids all others' names.
        while clashes := clashing_classes([ready[index].stub for index in jobs]):
            index = min(clashes)
            others = [tool for place, tool in ready.items() if place != index]
            avoided = {tool.python_name for tool in others}.union(*(tool.stub.classes for tool in others))
            ready |= self._renamed(jobs, {index: avoided})
        return [ready[index] for index in jobs]

    def _renamed(self, jobs: dict[int, StubJob], avoided: Mapping[int, set[str]]) -> dict[int, Tool]:
        return self._ready({i: replace(jobs[i], reserved=tuple(sorted(names))) for i, names in avoided.items()})

    def _ready(self, jobs: Mapping[int, StubJob]) -> dict[int, Tool]:
        """A tool for each job; the jobs are known by their tool's index in the request."""
        keys = {index: _content(job) for index, job in jobs.items()}
        found = {index: tool for index, (key, _) in keys.items() if (tool := self._tools.get(key)) is not None}
        missing = [index for index in jobs if index not in found]
        for index, stub in self._made({index: jobs[index] for index in missing}).items():
            if isinstance(stub, StubFault):
                raise _invalid(jobs[index], stub)
            key, size = keys[index]
            found[index] = self._tools.put(key, self._tool(stub, jobs[index]), size)
        return found

    def _tool(self, stub: ToolStub, job: StubJob) -> Tool:
        """Raises InvalidRequest where the grammar can't be used."""
        if job.grammar is None:
            return Tool(stub, job.parameters)
        assert self._grammars is not None, "whoever has tools with grammars says who works with them"
        if (reason := self._grammars.fault(job.grammar)) is not None:
            message = f"Invalid grammar for custom tool '{job.name}': {reason}."
            raise InvalidRequest(message, param=job.place, code="invalid_grammar")
        return Tool(stub, job.parameters, partial(self._grammars.mismatch, job.grammar))

    def _made(self, jobs: Mapping[int, StubJob]) -> dict[int, StubResult]:
        """What comes of each job.  What a result's schema may have done to its maker is no fault of the tool's."""
        if not jobs:
            return {}
        made = dict(zip(jobs, self._make(list(jobs.values())), strict=True))
        failed = {i: replace(jobs[i], returns=None) for i, stub in made.items() if isinstance(stub, StubFault)}
        return made | self._made({i: job for i, job in failed.items() if jobs[i].returns is not None})


def _content(job: StubJob) -> tuple[bytes, int]:
    return content_key(
        [job.name, job.python_name, job.description, job.parameters, job.reserved, job.returns, job.grammar]
    )


def _invalid(job: StubJob, fault: StubFault) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid schema for function '{job.name}': {fault.message} (at {fault.path}).",
        param=job.place,
        code="invalid_function_parameters",
    )
