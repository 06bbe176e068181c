"""Tokens of tools as Python stubs beside the same tools as compact JSON.

    python -m benchmarks.tokens [FILE.jsonl[.gz]]

Without FILE: 300 real schemas (tools of public MCP servers, function parameters and documents of JSONSchemaBench; each
row names its source and license).  A row is JSON with ``schema`` (a tool's parameters) and, where known, ``name``,
``description``, ``kind``, ``id`` and, of kind "mcp_tool", ``source``, the server that offers it.  The first table
counts each tool by itself; the second all tools of a source as one set, in which what they share is said once.  Counted
with OpenAI's cl100k_base encoding.  Rows that the server would refuse are listed and count on neither side.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpe_openai

from emulator.tools.jobs import StubFault, StubJob, StubResult, do
from emulator.tools.naming import FUNCTION_WORDS, identifier
from emulator.tools.schema import SchemaLimits
from emulator.tools.toolset import ToolSets

DEFAULT = Path(__file__).parent / "schemas.jsonl.gz"
LIMITS = SchemaLimits(bytes=256 * 1024, depth=32, properties=1000, enum=1000)


@dataclass(slots=True)
class Count:
    """Tools and their tokens in both forms."""

    tools: int = 0
    stubs: int = 0
    json: int = 0

    def add(self, tools: int, stubs: int, json: int) -> None:
        self.tools, self.stubs, self.json = self.tools + tools, self.stubs + stubs, self.json + json


def measure(rows: Iterable[dict[str, Any]]) -> tuple[dict[str, Count], list[str]]:
    """Counts by kind, "all" the last of them, and a line for each refused row."""
    counts: dict[str, Count] = defaultdict(Count)
    total = Count()
    refused: list[str] = []
    for row in rows:
        function = _function(row)
        stub = _stub(row)
        if isinstance(stub, StubFault):
            refused.append(f"{row.get('id', function['name'])}: {stub.message} (at {stub.path})")
            continue
        for count in (counts[row.get("kind", "tool")], total):
            count.add(1, _tokens(stub.source), _tokens(_json({"type": "function", "function": function})))
    return {**counts, "all": total}, refused


def measure_sets(rows: Iterable[dict[str, Any]]) -> dict[str, Count]:
    """Counts by source, "all" the last of them: its tools together, without those that are refused."""
    sources: dict[str, list[Declared]] = defaultdict(list)
    for row in rows:
        if row.get("kind") == "mcp_tool" and not isinstance(_stub(row), StubFault):
            sources[row["source"]].append(Declared(**_function(row)))
    counts: dict[str, Count] = {}
    total = Count()
    for source, tools in sources.items():
        made = ToolSets(lambda jobs: [do(job) for job in jobs], LIMITS, len(tools)).get(tools)
        compact = _json([{"type": "function", "function": tool.function()} for tool in tools])
        counts[source] = Count(len(tools), _tokens(made.stubs(list(made.by_name))), _tokens(compact))
        total.add(len(tools), counts[source].stubs, counts[source].json)
    return {**counts, "all": total}


@dataclass(frozen=True, slots=True)
class Declared:
    """A tool as a client declares it."""

    name: str
    parameters: Any
    description: str | None = None
    returns: Any = None
    grammar: str | None = None
    place: str = "tools"

    def function(self) -> dict[str, Any]:
        described = {"description": self.description} if self.description else {}
        return {"name": self.name, **described, "parameters": self.parameters}


def _function(row: dict[str, Any]) -> dict[str, Any]:
    return Declared(row.get("name") or "tool", row["schema"], row.get("description")).function()


def _stub(row: dict[str, Any]) -> StubResult:
    name = row.get("name") or "tool"
    return do(StubJob(name, identifier(name, FUNCTION_WORDS), row.get("description"), row["schema"], LIMITS))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _tokens(text: str) -> int:
    return len(bpe_openai.get_encoding("cl100k_base").encode_ordinary(text))


def read(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def main(arguments: list[str]) -> int:
    rows = read(Path(arguments[0]) if arguments else DEFAULT)
    counts, refused = measure(rows)
    _print("kind", counts)
    print("\nas tool sets, by source server")
    _print("source", measure_sets(rows))
    for line in refused:
        print(f"refused {line}")
    return 0


def _print(title: str, counts: dict[str, Count]) -> None:
    width = max(22, *(len(name) + 2 for name in counts))
    print(f"{title:<{width}}{'tools':>6}{'stubs':>9}{'JSON':>9}{'ratio':>8}")
    for name, count in counts.items():
        ratio = f"{count.stubs / count.json:.3f}" if count.json else "-"
        print(f"{name:<{width}}{count.tools:>6}{count.stubs:>9}{count.json:>9}{ratio:>8}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
