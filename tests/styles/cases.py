"""Rows of BFCL as the styles need them: each call with the names that its stub gives it in Python.

A style writes what a competent model meant by exactly a row's calls, so a case has all there is to know of them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from emulator.tools.jobs import do
from emulator.tools.schema import SchemaLimits
from emulator.tools.toolset import ToolSet, ToolSets
from emulator.tools.toolstub import ToolStub, wire_arguments

Json = Any
ROWS = Path(__file__).parents[1] / "data" / "bfcl_rows.jsonl.gz"
_LIMITS = SchemaLimits(bytes=200_000, depth=32, properties=1000, enum=1000)


@dataclass(frozen=True, slots=True)
class Declared:
    """A tool as the row's client declares it."""

    name: str
    description: str | None
    parameters: Json
    returns: Json = None
    grammar: str | None = None
    place: str = "tools"


@dataclass(frozen=True, slots=True)
class Call:
    """One call that is meant.  ``arguments`` are the client's; ``keywords`` the same under their Python names."""

    name: str
    arguments: Mapping[str, Json]
    schema: Mapping[str, Json]
    stub: ToolStub

    @property
    def function(self) -> str:
        return self.stub.python_name

    @property
    def keywords(self) -> dict[str, Json]:
        python = {wire: name for name, wire in self.stub.parameters.items()}
        return {python[key]: value for key, value in self.arguments.items()}

    def schema_of(self, keyword: str) -> Mapping[str, Json]:
        """The schema of the parameter that is called ``keyword`` in Python."""
        return self.schema.get("properties", {}).get(self.stub.parameters[keyword], {})

    @property
    def ordered(self) -> tuple[list[Json], dict[str, Json]]:
        """As many values as can be given by position, and the keywords that are left."""
        left, positional = self.keywords, list[Json]()
        for parameter in self.stub.parameters:
            if parameter not in left:
                break
            positional.append(left.pop(parameter))
        return positional, left


@dataclass(frozen=True, slots=True)
class Case:
    """A row.  ``calls`` are its expected calls in order, none where none is right; ``tools`` are OpenAI's."""

    id: str
    category: str
    tools: list[Json]
    messages: list[Json]
    calls: tuple[Call, ...]
    toolset: ToolSet

    @property
    def only(self) -> Call | None:
        """The call, if there is just one."""
        return self.calls[0] if len(self.calls) == 1 else None

    @property
    def expected(self) -> list[Json]:
        return [{"name": call.name, "arguments": dict(call.arguments)} for call in self.calls]


Write = Callable[[Case, Random], str | None]
"""What a model says that means a case's calls; None where the style doesn't fit the case."""
WriteCall = Callable[[Call, Random], str | None]


@dataclass(frozen=True, slots=True)
class Style:
    """``name`` is ``group.style``; with ``called`` False no call may be read from what it writes."""

    name: str
    write: Write
    called: bool = True


def styles(group: str, table: Mapping[str, Write], *, called: bool = True) -> tuple[Style, ...]:
    """The styles of a table, in its order."""
    return tuple(Style(f"{group}.{name}", write, called) for name, write in table.items())


def read_rows(path: Path = ROWS) -> list[Json]:
    """The rows of a JSON Lines file, gzipped or not, that have a ground truth which fits their tools' schemas."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["expected"] is not None and row.get("conforms", True)]


def cases(rows: Iterable[Json]) -> Iterator[Case]:
    """Cases of the rows, in order."""
    toolsets = ToolSets(lambda jobs: [do(job) for job in jobs], _LIMITS, 1 << 28)
    for row in rows:
        functions = [tool["function"] for tool in row["tools"]]
        declared = [Declared(f["name"], f.get("description"), f.get("parameters")) for f in functions]
        toolset = toolsets.get(declared)
        schemas: dict[str, Json] = {tool.name: tool.parameters or {} for tool in declared}
        calls = tuple(
            Call(made["name"], made["arguments"], schemas[made["name"]], toolset.by_name[made["name"]].stub)
            for made in row["expected"]
        )
        for call in calls:
            assert wire_arguments(call.stub, call.keywords) == call.arguments, row["id"]
        yield Case(row["id"], row["category"], row["tools"], row["messages"], calls, toolset)
