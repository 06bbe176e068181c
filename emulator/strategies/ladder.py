"""Strategies in the order in which a request may try them.

Rule: a strategy is left only while nothing of it has become a call, and never silently: ``Left`` says which and why.
What is the request's own fault, or the upstream's, ends the request whatever strategy it met.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from emulator.errors import ModelFault, StrategyUnfit
from emulator.events import CallStarted, Finished, TextDelta
from emulator.strategies.effects import CodeTask, Dropped, Effect, Left, Sent, Tried, rewritten


@dataclass(frozen=True, slots=True)
class Rung:
    """A strategy and its name."""

    strategy: str
    begin: Callable[[CodeTask], Generator[Effect, Sent, None]]


def climb(task: CodeTask, rungs: Sequence[Rung]) -> Generator[Effect, Sent, None]:
    """The answer of the first rung that has one.

    Where a model has failed with one, the next is itself a repair, and gets none of its own.  Raises the first fault of
    the model's, which came of the likeliest strategy and of all the repairs, or else why the last wasn't to be had.
    """
    fault: ModelFault | None = None
    said = False
    for place, rung in enumerate(rungs, 1):
        yield Tried(rung.strategy)
        speech = _Speech(said, apart=said)
        try:
            yield from rewritten(rung.begin(replace(task, repairs=0) if fault else task), speech.rewrite)
        except (ModelFault, StrategyUnfit) as error:
            if speech.called:  # A question after calls that have left, and stand.
                yield Dropped(error.message)
                yield Finished(task.choice, "tool_calls")
                return
            fault = fault or (error if isinstance(error, ModelFault) else None)
            if place == len(rungs):
                raise fault or StrategyUnfit(
                    f"The strategy '{rung.strategy}' can't be used: {error.message}."
                ) from None
            said = speech.said
            yield Left(rung.strategy, error.message)
        else:
            return


@dataclass(slots=True)
class _Speech:
    """``said``: words have reached the client, of this rung or of an earlier one, from which they keep ``apart``;
    ``called``: a call has."""

    said: bool
    apart: bool
    called: bool = False

    def rewrite(self, effect: Effect) -> Iterator[Effect]:
        if isinstance(effect, TextDelta):
            if self.apart:
                yield TextDelta(effect.choice, "\n\n")
            self.apart, self.said = False, True
        self.called = self.called or isinstance(effect, CallStarted)
        yield effect
