"""An answer of the model heard to its end, for strategies that can use it only whole."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from emulator.code.reader import AnswerReader
from emulator.code.readings import Mused, Said
from emulator.events import ReasoningDelta
from emulator.ports import AnswerDelta
from emulator.strategies.effects import READ, CodeTask, Effect, Sent


@dataclass(slots=True)
class Heard:
    """``raw`` is the text as it came, ``words`` what of it isn't thought, ``refusal`` what the upstream told apart from
    it; ``logprobs`` as OpenAI has them, if they were asked for."""

    raw: str = ""
    words: str = ""
    refusal: str = ""
    reason: str = "stop"
    logprobs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def listen(task: CodeTask, heard: Heard, *, aloud: bool) -> Generator[Effect, Sent, None]:
    """Fills ``heard``.  ``aloud``: the client hears the thoughts as they come."""
    reader = AnswerReader(None, task.limits, in_thought=task.in_thought)
    raw: list[str] = []
    words: list[str] = []
    ended = False
    while not ended:
        delta = yield READ
        assert isinstance(delta, AnswerDelta)
        raw.append(delta.text)
        heard.logprobs += delta.logprobs
        heard.refusal += delta.refusal
        thoughts = [delta.reasoning] if delta.reasoning else []
        if thoughts:
            reader.thinks_apart()
        readings = reader.feed(delta.text) if delta.text else []
        if delta.finish_reason is not None:
            ended, heard.reason = True, delta.finish_reason
            readings += reader.finish(delta.finish_reason, stop_given=task.stop_given)
        thoughts += [reading.text for reading in readings if isinstance(reading, Mused)]
        words += [reading.text for reading in readings if isinstance(reading, Said)]
        if aloud:
            for thought in thoughts:
                yield ReasoningDelta(task.choice, thought)
    heard.raw, heard.words = "".join(raw), "".join(words)
