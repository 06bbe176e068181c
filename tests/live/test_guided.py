"""The real llama.cpp server reads the grammars: one that it can't parse it may ignore, and then nothing holds the model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, Capabilities
from emulator.settings import Settings
from emulator.tools.grammar.answers import Demands, answer_grammar
from emulator.tools.grammar.decisions import decision_schema
from emulator.tools.grammar.dialects import grammar_fields, schema_fields
from emulator.tools.grammar.gbnf import gbnf
from emulator.tools.toolstub import ToolStub
from emulator.upstream.client import UpstreamClient
from emulator.upstream.local import LocalModel
from emulator.upstream.probes import probe
from tests.tools.grammar.reading import Reader, function, stubs_of

pytestmark = [pytest.mark.live, pytest.mark.model]

PATIENCE = 300.0
SCHEMAS = [json.loads(line) for line in (Path(__file__).parents[1] / "data" / "schemas.jsonl").read_text().splitlines()]
WEATHER = function(
    "get_weather",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "minimum": 1, "maximum": 7},
            "unit": {"enum": ["kelvin", "rankine"]},
        },
        "required": ["city", "days", "unit"],
    },
    "Weather forecast.",
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalModel]:
    """In the user's own cache: half a gigabyte is fetched once a machine, not once a run."""
    settings = replace(Settings(), log_dir=tmp_path_factory.mktemp("engine"), local_context=4096, local_parallel=1)
    with LocalModel.start(settings) as model:
        yield model


@pytest.fixture(scope="module")
def client(model: LocalModel) -> Iterator[UpstreamClient]:
    at = Settings(base_url=model.base_url, api_key=model.api_key, model=model.name)
    client = UpstreamClient(replace(at, first_token_timeout=PATIENCE, silence_timeout=PATIENCE))
    yield client
    client.close()


def told(client: UpstreamClient, text: str, tokens: int, fields: dict[str, Any]) -> tuple[str, str | None]:
    """What the model says, and why it stopped."""
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": tokens, "temperature": 0, **fields}
    parts = list(client.ask(body, authorization=None, lifetime=Lifetime(PATIENCE)))
    deltas = [part for part in parts if isinstance(part, AnswerDelta)]
    return "".join(delta.text for delta in deltas), next((d.finish_reason for d in deltas if d.finish_reason), None)


def guided(stubs: list[ToolStub], **demands: Any) -> tuple[str, dict[str, Any]]:
    text = gbnf(answer_grammar(stubs, Demands(**demands)))
    return text, grammar_fields("llama.cpp", text)


def test_the_probe_knows_it(client: UpstreamClient) -> None:
    found = probe(client, "any", authorization=None, lifetime=Lifetime(PATIENCE))
    assert found == Capabilities("llama.cpp", json_schema=True)


@pytest.mark.parametrize("row", SCHEMAS[::4], ids=lambda row: str(row["id"]))
def test_it_reads_the_grammar_of_a_real_schema(client: UpstreamClient, row: Any) -> None:
    """To a greeting the model answers with one; code comes of the grammar alone."""
    _, fields = guided(stubs_of([function("f", row["schema"])]), required=True, programs=True)
    text, _ = told(client, "Hello!", 4, fields)
    assert text.startswith("```python"[: len(text)])
    assert len(text) > len("```")


@pytest.mark.parametrize("programs", [False, True])
def test_a_guided_answer_is_a_valid_call(client: UpstreamClient, programs: bool) -> None:
    """Neither the unit nor the count of days is one that a model would choose by itself."""
    stubs = stubs_of([WEATHER])
    grammar, fields = guided(stubs, required=True, single=True, programs=programs)
    question = (
        f"{stubs[0].source}\n\nCall it in Python: how will the weather be in Oslo in the next 30 days, in celsius?"
    )
    text, reason = told(client, question, 60, fields)
    assert reason == "stop"
    assert Reader(grammar).admits(text)
    assert 'city="Oslo' in text


def test_words_stay_free(client: UpstreamClient) -> None:
    grammar, fields = guided(stubs_of([WEATHER]))
    text, reason = told(client, "Say hello in one short sentence.", 40, fields)
    assert reason == "stop"
    assert "```" not in text
    assert Reader(grammar).admits(text)


def test_a_decision_is_one(client: UpstreamClient) -> None:
    tool = WEATHER["function"]
    schema = decision_schema([(tool["name"], tool["parameters"])], required=True, single=True)
    text, reason = told(client, "The weather in Oslo on the next day?", 80, schema_fields("decision", schema))
    assert reason == "stop"
    [call] = json.loads(text)["calls"]
    assert call["name"] == "get_weather"
    assert call["arguments"]["unit"] in ("kelvin", "rankine")
