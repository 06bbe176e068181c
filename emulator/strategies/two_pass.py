"""First the question whether a tool is needed, of each by itself, or among many which; then calls of those alone.

For models that call too often, or lose their way among tools: each question is one that they can answer.  How sure a
model is of "yes" tells more than its word does, so where the server gives logprobs, they count; and calls whose values
nobody has said are not made.  So the calls are held until all of them are there.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import regex

from emulator.code.grounding import Sayings, grounding
from emulator.errors import ToolCallRequired
from emulator.events import ArgumentsDelta, CallStarted, ReasoningDelta
from emulator.ports import Capabilities
from emulator.prompt import text_only
from emulator.strategies.code import answer
from emulator.strategies.effects import (
    PROBE,
    Ask,
    CodeTask,
    Dropped,
    Effect,
    Note,
    Probe,
    Read,
    Repairing,
    Run,
    Sent,
    rewritten,
)
from emulator.strategies.listening import Heard, listen

_LEAST_MARGIN = -0.35
"""Less likely than this, no call is tried.  All figures here were found with Qwen2.5-Coder-0.5B-Instruct on BFCL rows,
others than those of ``benchmarks/cases.jsonl``."""
_MOST_MARGIN = 0.6
"""However sure a model is, values that nobody has said speak against it."""
_ENOUGH = 0.35
"""What margin and grounding must come to together."""
_UNTOLD = 0.75
"""The grounding of calls that have no value to look at."""
_NEAR = 0.25
"""Tools whose margin is less than this below the best one's may be needed beside it."""
_MANY = 16
"""Of more tools than these not each is asked for: whether any is needed is one question, and their names another."""
_ONE_WORD: Mapping[str, Any] = {"max_tokens": 1, "logprobs": True, "top_logprobs": 20}
_NAMES_TOKENS = 200
_NO = regex.compile(r"\W*no\b", regex.IGNORECASE)
_NAME = regex.compile(r"[^\W\d][\w.-]*")


def two_pass(task: CodeTask) -> Generator[Effect, Sent, None]:
    """Raises ModelFault."""
    assert task.vocabulary is not None and task.renderings is not None
    capabilities = yield PROBE
    assert isinstance(capabilities, Capabilities)
    conversation = task.transcript.conversation
    if conversation and conversation[-1].calls:
        # Results have come: only the whole conversation tells whether they are enough.
        yield from answer(replace(task, fields=task.renderings.constraint(capabilities) or {}))
        return
    route = yield from _routed(task, capabilities)
    if route.margin is not None and route.margin < _LEAST_MARGIN:
        yield from answer(task.renderings.without(task))
        return
    try:
        held = yield from _calls(task, route.names, capabilities)
        used = {task.vocabulary.meant(name) for name, _ in held.calls.values()}
        if route.best is not None and len(used) == 1 and used != {route.best}:
            # Written, it chose another one than when it was asked of each: then each by itself is the surer question.
            held = yield from _calls(task, [route.best], capabilities)
    except ToolCallRequired:
        if task.briefing.required:
            raise
        yield Repairing()  # It said yes too easily, and its words were said to a question for calls.
        yield from answer(replace(task, repairs=0))
        return
    if route.margin is not None and min(route.margin, _MOST_MARGIN) + _grounding(task, held) <= _ENOUGH:
        yield Dropped("calls whose values nobody has said")
        yield from answer(task.renderings.without(task))
        return
    yield from held.effects


@dataclass(frozen=True, slots=True)
class _Route:
    """How sure the model is that a tool is needed, None where one is demanded anyway; the tools that may be; and the
    likeliest, if each was asked for."""

    margin: float | None
    names: list[str]
    best: str | None = None


def _calls(task: CodeTask, names: list[str], capabilities: Capabilities) -> Generator[Effect, Sent, _Held]:
    """Calls of these tools, held.  Raises ToolCallRequired where the model makes none."""
    assert task.renderings is not None
    demanded = task.renderings.demanded(task, names)
    assert demanded.renderings is not None
    held = _Held()
    fields = demanded.renderings.constraint(capabilities) or {}
    yield from rewritten(answer(replace(demanded, fields=fields)), held.rewrite)
    return held


@dataclass(slots=True)
class _Held:
    """What waits until it is known whether it is meant."""

    effects: list[Effect] = field(default_factory=list[Effect])
    calls: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])

    def rewrite(self, effect: Effect) -> Sequence[Effect]:
        """Questions and runs pass."""
        if isinstance(effect, Ask | Read | Run | Probe | Note | ReasoningDelta):
            return [effect]
        self.effects.append(effect)
        if isinstance(effect, CallStarted):
            self.calls[effect.index] = effect.name, ""
        elif isinstance(effect, ArgumentsDelta):
            name, arguments = self.calls[effect.index]
            self.calls[effect.index] = name, arguments + effect.fragment
        return []


def _grounding(task: CodeTask, held: _Held) -> float:
    """From -0.5, where nobody has said a value of the calls, to 0.5."""
    assert task.renderings is not None
    conversation = task.transcript.conversation
    texts = [text for message in conversation if (text := text_only(message.content))]
    texts += [text for message in conversation for result in message.results if (text := text_only(result.content))]
    share = grounding(list(held.calls.values()), task.renderings.checked, Sayings.of(texts))
    return (_UNTOLD if share is None else share) - 0.5


def _routed(task: CodeTask, capabilities: Capabilities) -> Generator[Effect, Sent, _Route]:
    """The first pass."""
    assert task.vocabulary is not None
    required, names = task.briefing.required, list(task.vocabulary.names)
    if len(names) > _MANY:
        margin = None if required else (yield from _margin(task))
        if margin is None or margin >= _LEAST_MARGIN:
            names = (yield from _chosen(task, capabilities)) or names
        return _Route(margin, names)
    if required and len(names) == 1:
        return _Route(None, names)
    margins: dict[str, float] = {}
    for name in names:
        margins[name] = yield from _margin(task, name)
    best = max(margins, key=margins.__getitem__)
    near = [name for name in names if margins[name] >= margins[best] - _NEAR]
    return _Route(None if required else margins[best], near, best)


def _margin(task: CodeTask, name: str | None = None) -> Generator[Effect, Sent, float]:
    """How sure the model is that a tool, or the one of that name, is the right thing; above 0 it says yes."""
    assert task.renderings is not None
    yield Ask(task.renderings.routing().whether(name), _ONE_WORD, aside=True)
    heard = Heard()
    yield from listen(task, heard, aloud=False)
    margin = yes_margin(heard.logprobs)
    if margin is None:
        return -_MOST_MARGIN if _NO.match(heard.words) else _MOST_MARGIN
    return margin


def yes_margin(logprobs: Sequence[Mapping[str, Any]]) -> float | None:
    """How much likelier the first word is yes than no, in natural logarithms; None where neither is likely.

    ``logprobs`` are entries of OpenAI's ``logprobs.content``.
    """
    sums = {"yes": 0.0, "no": 0.0}
    least = 0.0
    for option in _options(logprobs):
        logprob, word = option.get("logprob"), str(option.get("token", "")).strip().lower()
        if not isinstance(logprob, int | float) or not math.isfinite(logprob):
            continue
        least = min(least, logprob)
        if word in sums:
            sums[word] += math.exp(min(logprob, 0.0))
    if not any(sums.values()):
        return None
    # A word that isn't among the likeliest is less likely than the last of them.
    yes, no = (total or math.exp(max(least, -50.0)) for total in sums.values())
    return math.log(yes) - math.log(no)


def _options(logprobs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What the first token might have been."""
    given: Any = logprobs[0].get("top_logprobs") if logprobs else None
    options = cast(list[Any], given) if isinstance(given, list) else []
    return [cast(Mapping[str, Any], option) for option in options if isinstance(option, dict)]


def _chosen(task: CodeTask, capabilities: Capabilities) -> Generator[Effect, Sent, list[str]]:
    """The tools that the model names, each once."""
    assert task.vocabulary is not None and task.renderings is not None
    fields = {"max_tokens": _NAMES_TOKENS, **task.renderings.names_fields(capabilities)}
    yield Ask(task.renderings.routing().which(), fields, aside=True)
    heard = Heard()
    yield from listen(task, heard, aloud=False)
    found = (task.vocabulary.meant(name.group()) for name in _NAME.finditer(heard.words[:4096]))
    return list(dict.fromkeys(name for name in found if name is not None))
