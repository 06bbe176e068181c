"""What a turn says, in order: the one path that plain and streamed answers share.

A streamed answer renders these as they come; a plain answer is a fold over them.  ``choice`` is the
index of the answer they belong to (``n > 1`` has several).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_FRAGMENT = 1024
"""Characters of arguments in one delta: a long text reaches the client in pieces it can show."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Prose for the user.  ``logprobs`` are the upstream's entries for the text so far unsent."""

    choice: int
    text: str
    logprobs: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A thought; never code, never executed."""

    choice: int
    text: str


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """Words by which the model declines, where the upstream tells them from others.  ``logprobs`` are its entries."""

    choice: int
    text: str
    logprobs: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class OtherFields:
    """What else the upstream's message has, such as ``annotations`` or ``audio``: fields of a delta or of a message,
    passed on as they are."""

    choice: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A proven call begins.  ``index`` counts the calls of the choice, ``name`` is the client's own."""

    choice: int
    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ArgumentsDelta:
    """A piece of the call's arguments, a JSON text."""

    choice: int
    index: int
    fragment: str


def argument_deltas(choice: int, index: int, arguments: str) -> Iterator[ArgumentsDelta]:
    """Whole arguments in the pieces that they are told in."""
    for at in range(0, len(arguments), _FRAGMENT):
        yield ArgumentsDelta(choice, index, arguments[at : at + _FRAGMENT])


@dataclass(frozen=True, slots=True)
class Finished:
    """The choice is complete.  ``reason`` is one of OpenAI's finish reasons; ``stop`` is the stop sequence that ended
    it, where the upstream tells."""

    choice: int
    reason: str
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Once, first: identity of the upstream's first answer (id, created, model, system_fingerprint, …)."""

    fields: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """Once, last: tokens summed over everything the upstream was asked for this request."""

    usage: dict[str, Any]


Event = (
    TextDelta
    | ReasoningDelta
    | RefusalDelta
    | OtherFields
    | CallStarted
    | ArgumentsDelta
    | Finished
    | Head
    | UsageTotal
)
