"""Whoever writes calls as competent models do must be understood, and whoever doesn't call must not be: the bar of it all."""

from __future__ import annotations

import itertools
import json
import random
from functools import cache
from typing import Any

import pytest

from emulator.code.limits import CodeLimits
from emulator.code.reader import AnswerReader
from emulator.code.readings import Called, Problem
from emulator.code.vocabulary import Vocabulary
from emulator.tools.naming import FUNCTION_WORDS, identifiers
from emulator.tools.schema import SchemaLimits
from emulator.tools.stubs import make_stub
from emulator.tools.toolset import Tool
from tests.code.decoys import DECOYS, MEANT, MEANT_TWICE
from tests.code.forms import PARIS, ROME, TOOLS, Calls, fenced
from tests.code.forms_around import NEVER as NEVER_AROUND
from tests.code.forms_around import ONE, TWO
from tests.code.forms_values import VALUES
from tests.code.running import run_step

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")

FORMS: dict[str, tuple[str, Calls]] = {
    **{f"one: {name}": (text, PARIS) for name, text in {**ONE, **MEANT}.items()},
    **{f"two: {name}": (text, [*PARIS, *ROME]) for name, text in {**TWO, **MEANT_TWICE}.items()},
    **{f"value: {name}": (fenced(code), calls) for name, (code, calls) in VALUES.items()},
}
NEVER = {**NEVER_AROUND, **DECOYS}


@cache
def vocabulary() -> Vocabulary:
    limits = SchemaLimits(bytes=100_000, depth=16, properties=100, enum=100)
    tools = {
        python: Tool(make_stub(name, None, schema, python_name=python, limits=limits), schema)
        for (name, schema), python in zip(TOOLS.items(), identifiers(list(TOOLS), FUNCTION_WORDS), strict=True)
    }
    return Vocabulary(tools, {name: fields for tool in tools.values() for name, fields in tool.model_fields.items()})


def calls(text: str, cuts: list[int]) -> tuple[Calls, Problem | None]:
    """What ``text`` calls, read in the pieces between ``cuts`` and run where it has to be."""
    reader = AnswerReader(vocabulary(), CodeLimits())
    readings: list[Any] = []

    def run_due() -> None:
        while reader.is_due:
            step = reader.due()
            readings.extend(reader.taken() if step is None else reader.ran(run_step(step, vocabulary().names)))

    for begin, end in itertools.pairwise([0, *cuts, len(text)]):
        readings += reader.feed(text[begin:end])
        run_due()
    readings += reader.finish("stop")
    run_due()
    made = [(reading.name, json.loads(reading.arguments)) for reading in readings if isinstance(reading, Called)]
    return made, reader.problem


@pytest.mark.parametrize("name", FORMS)
def test_what_is_meant_is_called(name: str) -> None:
    text, expected = FORMS[name]
    made, problem = calls(text, [])
    assert made == expected
    assert problem is None or name == "value: unknown beside real"


@pytest.mark.parametrize("name", NEVER)
def test_what_is_not_meant_is_not_called(name: str) -> None:
    assert calls(NEVER[name], [])[0] == []


@pytest.mark.parametrize("name", [*FORMS, *NEVER])
def test_chunks_change_nothing(name: str) -> None:
    """Character by character, and in chunks of any length."""
    text = NEVER[name] if name in NEVER else FORMS[name][0]
    whole = calls(text, [])
    dice = random.Random(name)
    assert calls(text, list(range(1, len(text)))) == whole
    for _ in range(3):
        assert calls(text, sorted(dice.sample(range(len(text)), min(len(text), 5)))) == whole


def test_what_the_limit_cut_is_not_mended() -> None:
    """A bracket that is open because the answer was cut off isn't one that the model forgot."""
    for text in ('get_weather(location="Paris"', '```python\nget_weather(location="Paris"'):
        reader = AnswerReader(vocabulary(), CodeLimits())
        readings = reader.feed(text) + reader.finish("length")
        assert not [reading for reading in readings if isinstance(reading, Called)]
        reader = AnswerReader(vocabulary(), CodeLimits())
        readings = reader.feed(text) + reader.finish("stop", stop_given=True)
        assert not [reading for reading in readings if isinstance(reading, Called)]


@pytest.mark.parametrize(
    "code",
    [
        'get_weather(location="Paris',
        'get_weather(location="Paris",',
        "get_weather(location=",
        'get_weather(location="Paris" + )',
        'get_weather(location="Paris", city "Rome")',
        "get_weather(location: str, unit: str)",
        "get_weather location Paris",
    ],
)
def test_what_nobody_can_mend_is_asked_for(code: str) -> None:
    """With the place of the fault, for the model to see."""
    made, problem = calls(fenced(code), [])
    assert made == []
    assert problem is None or "line 1" in problem.error or "not defined" in problem.error
