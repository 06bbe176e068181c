"""Tokens of tools as Python stubs beside the same tools as compact JSON.

    python benchmarks/tokens.py [FILE.jsonl]

A row of FILE is JSON with ``schema`` (a tool's parameters) and, where known, ``name``, ``description``, ``kind``
and ``id``.  Counted with OpenAI's cl100k_base encoding.  Rows that the server would refuse are listed and
count on neither side.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpe_openai

sys.path.insert(0, str(Path(__file__).parent.parent))

from emulator.tools.jobs import StubFault, StubJob, do
from emulator.tools.naming import FUNCTION_WORDS, identifier
from emulator.tools.schema import SchemaLimits

DEFAULT = Path(__file__).parent.parent / "tests" / "data" / "schemas.jsonl"
LIMITS = SchemaLimits(bytes=256 * 1024, depth=32, properties=1000, enum=1000)


@dataclass(slots=True)
class Count:
    """Tools and their tokens in both forms."""

    tools: int = 0
    stubs: int = 0
    json: int = 0

    def add(self, stubs: int, json: int) -> None:
        self.tools, self.stubs, self.json = self.tools + 1, self.stubs + stubs, self.json + json


def measure(rows: Iterable[dict[str, Any]]) -> tuple[dict[str, Count], list[str]]:
    """Counts by kind, "all" the last of them, and a line for each refused row."""
    encoding = bpe_openai.get_encoding("cl100k_base")
    counts: dict[str, Count] = defaultdict(Count)
    total = Count()
    refused: list[str] = []
    for row in rows:
        function = {"name": row.get("name") or "tool"}
        if row.get("description"):
            function["description"] = row["description"]
        function["parameters"] = row["schema"]
        python_name = identifier(function["name"], FUNCTION_WORDS)
        stub = do(StubJob(function["name"], python_name, row.get("description"), row["schema"], LIMITS))
        if isinstance(stub, StubFault):
            refused.append(f"{row.get('id', python_name)}: {stub.message} (at {stub.path})")
            continue
        compact = json.dumps({"type": "function", "function": function}, separators=(",", ":"), ensure_ascii=False)
        tokens = [len(encoding.encode_ordinary(text)) for text in (stub.source, compact)]
        for count in (counts[row.get("kind", "tool")], total):
            count.add(*tokens)
    return {**counts, "all": total}, refused


def main(arguments: list[str]) -> int:
    path = Path(arguments[0]) if arguments else DEFAULT
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    counts, refused = measure(rows)
    print(f"{'kind':<22}{'tools':>6}{'stubs':>9}{'JSON':>9}{'ratio':>8}")
    for kind, count in counts.items():
        ratio = f"{count.stubs / count.json:.3f}" if count.json else "-"
        print(f"{kind:<22}{count.tools:>6}{count.stubs:>9}{count.json:>9}{ratio:>8}")
    for line in refused:
        print(f"refused {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
