"""Words cut at places that depend on nothing but themselves, so that a stream's frames are the same however its
upstream cuts them.

Rule: a segment is a word with the white space before it, of at most ``_LONGEST`` characters; in scripts that don't
part words by spaces, a character.  The end of a word shows with what follows it, at the latest with the run's end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emulator.errors import EmulatorError
from emulator.events import Event, OtherFields, ReasoningDelta, RefusalDelta, TextDelta

_LONGEST = 32
_UNSPACED = r"\u0e00-\u109f\u1780-\u17ff\u2e80-\U0010ffff"
"""Thai, Lao, Tibetan, Burmese; Khmer; Chinese, Japanese, Korean and whatever lies behind them."""
_SEGMENT = re.compile(
    rf"\s{{0,{_LONGEST}}}(?:[^\s{_UNSPACED}]{{1,{_LONGEST}}}|(?P<single>(?!\s)[{_UNSPACED}]))|\s{{1,{_LONGEST}}}"
)
_Words = TextDelta | ReasoningDelta | RefusalDelta


def segmented(events: Iterable[Event], *, tokens: bool = True) -> Iterator[Event]:
    """The same events with other borders between the pieces of text.

    With ``tokens``, a piece that has logprobs stays as it is: its borders are the model's.
    """
    runs: dict[int, _Run] = {}
    try:
        for event in events:
            if isinstance(event, _Words):
                run = runs.get(event.choice) or runs.setdefault(event.choice, _Run(event.choice, tokens))
                yield from run.add(event)
            else:
                if not isinstance(event, OtherFields):  # which stands beside the words and doesn't part them
                    yield from _rests(runs)
                yield event
    except EmulatorError:
        yield from _rests(runs)
        raise
    yield from _rests(runs)


@dataclass(slots=True)
class _Run:
    """Text, thought or refusal of a choice without anything between its pieces."""

    choice: int
    tokens: bool
    kind: type[_Words] = TextDelta
    held: str = ""

    def add(self, event: _Words) -> Iterator[Event]:
        if type(event) is not self.kind:
            yield from self.rest()
            self.kind = type(event)
        if self.tokens and not isinstance(event, ReasoningDelta) and event.logprobs:
            yield from self.rest()
            yield event
            return
        self.held += event.text
        yield from self._whole_ones()

    def rest(self) -> Iterator[Event]:
        if self.held:
            text, self.held = self.held, ""
            yield self.kind(self.choice, text)

    def _whole_ones(self) -> Iterator[Event]:
        at = 0
        for found in _SEGMENT.finditer(self.held):
            if found.end() == len(self.held) and not _is_over(found):
                break
            at = found.end()
            yield self.kind(self.choice, found[0])
        self.held = self.held[at:]


def _is_over(segment: re.Match[str]) -> bool:
    """Nothing that follows can belong to it."""
    return segment["single"] is not None or len(segment[0].lstrip()) == _LONGEST


def _rests(runs: dict[int, _Run]) -> Iterator[Event]:
    for run in runs.values():
        yield from run.rest()
