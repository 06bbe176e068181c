"""Calls that people have written down as right, and schemas that servers really list: no grammar may stand in their way."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.tools.grammar.reading import fenced, function, reader, stubs_of
from tests.tools.grammar.rendering import call_text

DATA = Path(__file__).parents[2] / "data"
SCHEMAS = [json.loads(line) for line in (DATA / "schemas.jsonl").read_text().splitlines()]


def rows() -> list[Any]:
    with gzip.open(DATA / "bfcl_rows.jsonl.gz", "rt") as lines:
        found = [row for row in map(json.loads, lines) if row["expected"]]
    return Random(4).sample(found, 60)


@pytest.mark.parametrize("row", rows(), ids=lambda row: str(row["id"]))
@pytest.mark.parametrize("programs", [False, True])
def test_the_calls_of_a_case_are_admitted(row: Any, programs: bool) -> None:
    stubs = stubs_of(row["tools"])
    by_name = {stub.name: stub for stub in stubs}
    read = reader(stubs, programs=programs)
    for classes in (False, True):
        lines = [call_text(by_name[call["name"]], call["arguments"], classes=classes) for call in row["expected"]]
        assert read.ends_after(fenced(*lines))
        assert not read.admits(fenced(*lines, "another()"))


@pytest.mark.parametrize("row", SCHEMAS, ids=lambda row: str(row["id"]))
def test_a_grammar_is_made_of_every_schema(row: Any) -> None:
    read = reader(stubs_of([function("f", row["schema"])]), programs=True)
    assert read.admits("Hello!")
    assert not read.admits(fenced("g()"))
