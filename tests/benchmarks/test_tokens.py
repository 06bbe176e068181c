"""The figures in the README and the acceptance come from here: both forms must be counted for the same tools."""

from __future__ import annotations

from typing import Any

from benchmarks.tokens import measure, measure_sets

DOC = "Project ID or URL-encoded path of the project"
GOOD: dict[str, Any] = {"type": "object", "properties": {"project": {"type": "string", "description": DOC}}}


def row(name: str, **other: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "kind": "mcp_tool", "source": "one", "schema": GOOD, **other}


def test_a_refused_tool_counts_on_neither_side() -> None:
    fine = [row("a"), row("b", kind="document")]
    counts, refused = measure([*fine, row("c", schema={"type": "string"})])
    assert (counts, []) == measure(fine)
    assert counts.keys() == {"mcp_tool", "document", "all"}
    assert counts["all"].tools == 2
    assert len(refused) == 1
    assert refused[0].startswith("c: ")


def test_a_set_is_a_sources_tools_and_shares_what_they_share() -> None:
    rows = [row("a"), row("b"), row("c"), row("d", source="two"), row("e", kind="document")]
    counts = measure_sets([*rows, row("f", schema={"type": "string"})])
    assert {source: count.tools for source, count in counts.items()} == {"one": 3, "two": 1, "all": 4}
    assert counts["one"].stubs < 3 * counts["two"].stubs
    assert counts["all"].json == counts["one"].json + counts["two"].json
