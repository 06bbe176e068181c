"""The tokens that are said to be saved must be near what a tokenizer counts, and cost nothing to say."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import bpe_openai
import pytest

from emulator.recent import content_key
from emulator.stats.savings import completion_saved, prompt_saved
from emulator.tools.jobs import StubFault, StubJob, do
from emulator.tools.naming import FUNCTION_WORDS, identifier
from emulator.tools.schema import SchemaLimits

SCHEMAS = Path(__file__).resolve().parents[2] / "benchmarks" / "schemas.jsonl.gz"
LIMITS = SchemaLimits(bytes=256 * 1024, depth=32, properties=1000, enum=1000)


def tokens(text: str) -> int:
    return len(bpe_openai.get_encoding("cl100k_base").encode(text))


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def test_the_estimate_for_prompts_is_near_the_count() -> None:
    estimated = counted = as_json = 0
    with gzip.open(SCHEMAS, "rt") as rows:
        for row in map(json.loads, list(rows)[2::5]):
            name, text, schema = row.get("name", "tool"), row.get("description", ""), row["schema"]
            stub = do(StubJob(name, identifier(name, FUNCTION_WORDS), text, schema, LIMITS))
            if isinstance(stub, StubFault):
                continue
            tool = {"type": "function", "function": {"name": name, "description": text, "parameters": schema}}
            size = content_key([[name, text, schema, None]])[1]
            estimated += prompt_saved(1, size, len(stub.source.encode()), 1)
            counted += tokens(compact(tool)) - tokens(stub.source)
            as_json += tokens(compact(tool))
    assert abs(estimated - counted) < 0.1 * as_json
    assert estimated > 0


@pytest.mark.parametrize(
    ("code", "calls"),
    [
        ('get_weather(city="Paris")', [("get_weather", {"city": "Paris"})]),
        (
            'for city in ["Paris", "Rome", "Oslo"]:\n    get_weather(city=city, unit="celsius")',
            [("get_weather", {"city": city, "unit": "celsius"}) for city in ("Paris", "Rome", "Oslo")],
        ),
        (
            'send(to=["a@example.org"], text="""Hello,\nworld""")',
            [("send", {"to": ["a@example.org"], "text": "Hello,\nworld"})],
        ),
    ],
)
def test_the_estimate_for_answers_is_near_the_count(code: str, calls: list[tuple[str, Any]]) -> None:
    size = sum(len(name) + len(compact(arguments)) for name, arguments in calls)
    estimated = completion_saved(len(calls), size, len(code))
    as_json = "\n".join(json.dumps({"name": name, "arguments": arguments}) for name, arguments in calls)
    assert abs(estimated - (tokens(as_json) - tokens(code))) <= 0.35 * tokens(as_json)


def test_repairs_cost_what_they_show_again_and_a_resumed_program_shows_nothing() -> None:
    once, twice, never = (prompt_saved(10, 4_000, 2_000, asked) for asked in (1, 2, 0))
    assert once - twice == pytest.approx(never - once, abs=1)
    assert twice < once < never


def test_what_came_to_no_call_saved_nothing() -> None:
    assert completion_saved(0, 0, 100) < 0
    assert completion_saved(0, 0, 0) == 0
