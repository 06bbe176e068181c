"""Reads a rendered answer as the server would, in one process and without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emulator.code.vocabulary import Vocabulary
from emulator.events import ArgumentsDelta, CallStarted, TextDelta
from emulator.ports import AnswerDelta
from emulator.strategies.code import answer
from emulator.strategies.effects import Ask, CodeTask, Read, Run
from tests.code.running import interpreter
from tests.strategies.playing import task
from tests.styles.cases import Case


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of an answer: calls as the client gets them, and words.  ``asked``: how often the model was asked."""

    calls: list[Any]
    text: str
    asked: int


def _task(case: Case) -> CodeTask:
    tools = {tool.python_name: tool for tool in case.toolset.by_name.values()}
    models = {model: fields for tool in tools.values() for model, fields in tool.model_fields.items()}
    return replace(task(), vocabulary=Vocabulary(tools, models) if tools else None)


def hear(case: Case, pieces: Sequence[str]) -> Heard:
    """The answer whose text comes in these pieces; whatever the model is asked after it, it has nothing more to say."""
    deltas: Iterator[AnswerDelta] = iter(())
    answers = iter([[*(AnswerDelta(0, piece) for piece in pieces), AnswerDelta(0, "", "", "stop")]])
    asked, sent = 0, None
    calls: dict[int, list[str]] = {}
    words: list[str] = []
    strategy = answer(_task(case))
    try:
        while True:
            effect = strategy.send(sent)
            sent = None
            match effect:
                case Ask():
                    asked += 1
                    deltas = iter(next(answers, [AnswerDelta(0, "That is all.", "", "stop")]))
                case Read():
                    sent = next(deltas)
                case Run(program):
                    sent = interpreter().run(program)
                case CallStarted(_, index, _, name):
                    calls[index] = [name, ""]
                case ArgumentsDelta(_, index, fragment):
                    calls[index][1] += fragment
                case TextDelta(_, text):
                    words.append(text)
                case _:
                    pass
    except StopIteration:
        made = [{"name": name, "arguments": json.loads(arguments)} for name, arguments in calls.values()]
        return Heard(made, "".join(words), asked)
