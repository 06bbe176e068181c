"""What is told of a request when it is over, and the counters that this is added to.

Pure.  A counter's name is what it counts, a tab, and the model; the sum over all models is the server's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.stats.histogram import bucket
from emulator.stats.savings import Saved

PASSED = "passthrough"
"""What answers a request without tools."""

OTHER = "other"
"""The model of all requests beyond the models that are told apart."""

_LONGEST = 200
_SEPARATOR = "\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """One request that is over.

    ``upstream`` says which model server, the same words after a restart.  ``strategy`` is the one that answered, or the
    last that tried; ``rungs_tried`` are those that asked the model, each once: all others among them were left because
    they failed.  ``succeeded`` is None where nobody can tell: the client left, or the model server failed.  ``ms`` is
    the whole request, ``own_ms`` what of it wasn't spent waiting for the model server; ``asked`` counts questions to
    that, ``usage`` is OpenAI's object.
    """

    upstream: str
    model: str
    strategy: str = PASSED
    rungs_tried: tuple[str, ...] = ()
    succeeded: bool | None
    repairs: int = 0
    calls: int = 0
    asked: int = 1
    ms: float
    own_ms: float
    stream: bool = False
    usage: Mapping[str, Any] = field(default_factory=dict[str, Any])
    saved: Saved = field(default_factory=Saved)

    @property
    def rungs_left(self) -> tuple[str, ...]:
        return tuple(rung for rung in self.rungs_tried if rung != self.strategy)


def model_name(text: str) -> str:
    """A model's name as counters have it: what clients send may be anything, of any length."""
    if len(text) <= _LONGEST and text.isprintable():
        return text or OTHER
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return "".join(letter if letter.isprintable() else "?" for letter in cut)


_ANSWERED = {True: "succeeded", False: "failed", None: "interrupted"}


def request_counts(facts: RequestFacts) -> dict[str, int]:
    """What one request adds, by what is counted."""
    left, succeeded = facts.rungs_left, facts.succeeded
    counts = {
        "requests": 1,
        _ANSWERED[succeeded]: 1,
        "calls": facts.calls,
        "asked": facts.asked,
        "repairs": facts.repairs,
        "repaired": int(facts.repairs > 0 and succeeded is True),
        "streamed": int(facts.stream),
        "with tools": int(facts.strategy != PASSED),
        "fell back": int(bool(left)),
        "prompt tokens": _count(facts.usage, "prompt_tokens"),
        "completion tokens": _count(facts.usage, "completion_tokens"),
        "prompt saved": facts.saved.prompt,
        "completion saved": facts.saved.completion,
    }
    if succeeded is not None:
        counts[f"ms {bucket(facts.ms)}"] = 1
        counts[f"own {bucket(facts.own_ms)}"] = 1
        counts[f"{'won' if succeeded else 'lost'} {facts.strategy}"] = 1
    for rung in left:
        counts[f"lost {rung}"] = 1
    return {what: count for what, count in counts.items() if count}


def outcome_counts(facts: RequestFacts) -> dict[str, int]:
    """What one request adds to the evidence of its strategies: "ok", "repaired" or "failed", a space, the strategy.

    An answer for which the model wasn't asked, as when a program went on, says nothing of the model; nor do words after
    another strategy has failed: there was a call in the model's mind, and this one didn't get it.
    """
    counts = {f"failed {rung}": 1 for rung in facts.rungs_left}
    words = facts.succeeded is True and not facts.calls
    if facts.strategy in facts.rungs_tried and facts.succeeded is not None and not (words and facts.rungs_left):
        kind = ("repaired" if facts.repairs else "ok") if facts.succeeded else "failed"
        counts[f"{kind} {facts.strategy}"] = 1
    return counts


def counter_name(what: str, *of: str) -> str:
    return _SEPARATOR.join((what, *of))


def counter_parts(name: str) -> tuple[str, ...]:
    return tuple(name.split(_SEPARATOR))


def _count(usage: Mapping[str, Any], key: str) -> int:
    # The upstream's words: any JSON at all, and what can't be a count of tokens would stay in the sum for good.
    value = usage.get(key)
    return value if isinstance(value, int) and 0 <= value < 1 << 31 else 0
