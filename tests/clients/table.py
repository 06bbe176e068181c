"""The compatibility table of docs/clients.md, made from what the tests of this folder have found.

    python -m pytest tests/clients --compatibility FILE.json     # beside others' findings in the file, if there are any
    python -m tests.clients.table docs/clients.md FILE.json

A test says what it shows by two marks, which any module, class, test or parameter may carry:

    pytest.mark.client("LangChain", "Chat Completions", package="langchain-openai")   # or version="7.57.0"
    pytest.mark.feature("parallel")              # one of FEATURES; mode="plain" | "streamed" | "both"

Without ``mode``, a test with a parameter ``stream`` or ``streamed`` has the mode that it says, any other is plain.  Of
a suite that is inherited, the class says it by names: ``features = {"test_tool_calling": ("call", "both")}``.  A test
without a feature counts for nothing in the table.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

FEATURES = {
    "call": "a call, its result, an answer in words",
    "rounds": "several rounds of calls, hand-offs between agents",
    "parallel": "several calls in one answer",
    "nested": "arguments that are models with lists and models in them",
    "choice": "calls that are demanded, named, forbidden, or to come one at a time",
    "output": "structured output: by tool, by JSON Schema, or in JSON mode",
    "tool errors": "a tool fails, and the model is told so",
    "unicode": "other scripts, emoji, quotation marks, code in arguments and results",
    "programs": "calls made by code that computes with their results",
    "conversation": "several requests in one conversation",
    "thoughts": "thoughts apart from words",
    "usage": "tokens counted",
    "faults": "refused requests and failures arrive as the client's own exceptions",
}
MODES = {"plain": {"plain"}, "streamed": {"streamed"}, "both": {"plain", "streamed"}}
BEGIN, END = "<!-- clients:begin -->", "<!-- clients:end -->"
PROPERTY = "compatibility"
DOCUMENT = Path(__file__).parents[2] / "docs" / "clients.md"


@dataclass(frozen=True)
class Check:
    """What one test shows."""

    client: str
    api: str
    version: str
    feature: str
    mode: str
    passed: bool = True

    @property
    def row(self) -> tuple[str, str, str]:
        return self.client, self.api, self.version


def check_of(item: pytest.Item) -> Check | None:
    """What the test will show if it passes; None if it is of no feature."""
    client, feature = item.get_closest_marker("client"), item.get_closest_marker("feature")
    name, mode = (feature.args[0], feature.kwargs.get("mode")) if feature else _inherited(item)
    if name is None:
        return None
    if client is None or name not in FEATURES:
        raise pytest.UsageError(f"{item.nodeid}: a feature of no client, or one unknown to the table: {name!r}")
    mode = mode or ("streamed" if _streams(item) else "plain")
    return Check(client.args[0], client.args[1], _version(client), name, mode)


def _inherited(item: pytest.Item) -> tuple[str | None, str | None]:
    features = getattr(getattr(item, "cls", None), "features", {})
    return features.get(getattr(item, "originalname", None), (None, None))


def _streams(item: pytest.Item) -> bool:
    params: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return bool(params.get("stream", params.get("streamed", False)))


def _version(client: pytest.Mark) -> str:
    return client.kwargs.get("version") or importlib.metadata.version(client.kwargs["package"])


def table(checks: Iterable[Check]) -> str:
    """The table and its legend, in Markdown; a row for each client and the API that it speaks."""
    found: dict[tuple[str, str, str], dict[str, list[Check]]] = {}
    for check in checks:
        found.setdefault(check.row, {}).setdefault(check.feature, []).append(check)
    lines = [
        f"| Client | API | Version | {' | '.join(FEATURES)} |",
        f"| --- | --- | --- | {' | '.join(':-:' for _ in FEATURES)} |",
    ]
    for row in sorted(found, key=lambda row: tuple(part.lower() for part in row)):
        cells = [_cell(found[row].get(feature, [])) for feature in FEATURES]
        lines.append(f"| {' | '.join([*row, *cells])} |")
    legend = [f"- **{name}**: {meaning}" for name, meaning in FEATURES.items()]
    return "\n".join([*lines, "", *legend])


def _cell(checks: Sequence[Check]) -> str:
    if not all(check.passed for check in checks):
        return "✗"
    modes = {mode for check in checks for mode in MODES[check.mode]}
    return "✓" if len(modes) == 2 else "".join(modes)


def rows(document: str) -> dict[tuple[str, str], str]:
    """The lines of the table that a document or ``table`` has, by client and API."""
    lines = [line for line in document.splitlines() if line.startswith("| ") and line.count("|") == len(FEATURES) + 4]
    cells = {line: [cell.strip() for cell in line.split("|")] for line in lines[2:]}
    return {(shown[1], shown[2]): line for line, shown in cells.items()}


def shown_and_found(request: pytest.FixtureRequest, folder: Path) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """The rows of docs/clients.md for the clients of a folder's tests, and those that they should be.

    Skips where not all of the folder's tests run, or where they run for a new table.
    """
    items, config = request.session.items, request.config
    if config.getoption("--compatibility", None) or config.getoption("keyword"):
        pytest.skip("The table is being made anew, or some tests don't run.")
    if not {item.path for item in items}.issuperset(folder.glob("test_*.py")):
        pytest.skip("Some of the clients' tests don't run.")
    found = rows(table([check for item in items if (check := check_of(item))]))
    shown = rows(DOCUMENT.read_text("utf-8"))
    return {row: shown.get(row) for row in found}, found


def with_table(document: str, checks: Iterable[Check]) -> str:
    """``document`` with what stands between its two markers replaced by the table."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The document lacks the markers {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{table(checks)}\n{END}{after}"


def read_checks(file: Path) -> list[Check]:
    return [Check(**check) for check in json.loads(file.read_text("utf-8"))] if file.exists() else []


def add_checks(file: Path, checks: Sequence[Check]) -> None:
    """Put findings into the file, in place of former ones about the same clients."""
    found = {(check.client, check.api) for check in checks}
    kept = [check for check in read_checks(file) if (check.client, check.api) not in found]
    file.write_text(json.dumps([asdict(check) for check in [*kept, *checks]], indent=1), "utf-8")


def main() -> None:
    """Write the table into a document."""
    parser = argparse.ArgumentParser(description="Write the compatibility table into a document.")
    parser.add_argument("document", type=Path)
    parser.add_argument("findings", type=Path)
    given = parser.parse_args()
    text = with_table(given.document.read_text("utf-8"), read_checks(given.findings))
    given.document.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
