"""Which strategy comes first for a model, learnt from what became of requests.

Rule: order by evidence, with hysteresis.  A strategy moves to the front only when it succeeds more often, by MARGIN,
than the one in front, over at least ENOUGH outcomes of each; it loses the place in the same way only.  Whatever has
come to the front stays there for twice as many outcomes as the one before it, up to ENOUGH << DOUBLINGS, so that luck
can't make two of them change places again and again: k changes need at least ENOUGH * (2 ** k - 1) outcomes.

A lower rung is asked where the first failed, which are the harder requests, so its rate is, if anything, too low.
Old outcomes fade: an outcome counts half after as many newer ones of its strategy as WINDOW * ln 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

ENOUGH = 20
MARGIN = 0.1
WINDOW = 200
DOUBLINGS = 6
REPAIRED = 0.5
"""What a success that needed repairs counts: the answer was right, and cost the model twice."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How often a strategy did what, in all: succeeded at once, after repairs, failed."""

    ok: int = 0
    repaired: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.ok + self.repaired + self.failed

    def since(self, earlier: Outcomes) -> Outcomes | None:
        """What came since ``earlier``; None where the counting has begun anew."""
        new = Outcomes(self.ok - earlier.ok, self.repaired - earlier.repaired, self.failed - earlier.failed)
        return new if min(new.ok, new.repaired, new.failed) >= 0 else None


@dataclass(frozen=True, slots=True)
class Faded:
    """A strategy's outcomes, of which older ones count less: their weight, and how much of it are successes."""

    successes: float = 0.0
    weight: float = 0.0

    @property
    def rate(self) -> float:
        return self.successes / self.weight if self.weight else 0.0

    def add(self, new: Outcomes) -> Faded:
        """The weights are those that the new outcomes have if successes and failures among them are spread evenly."""
        if not new.total:
            return self
        keep = (1 - 1 / WINDOW) ** new.total
        gained = WINDOW * (1 - keep)
        share = (new.ok + REPAIRED * new.repaired) / new.total
        return Faded(self.successes * keep + gained * share, self.weight * keep + gained)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a model's strategies on one upstream, and the order that came of it.

    ``counted`` are the totals that ``faded`` has taken in.  ``first`` was put in front by evidence; None is the
    profile's own order.  ``changes`` is how often the front changed, ``held`` how many outcomes whatever stands there
    has had since.
    """

    counted: Mapping[str, Outcomes] = field(default_factory=dict[str, Outcomes])
    faded: Mapping[str, Faded] = field(default_factory=dict[str, Faded])
    first: str | None = None
    changes: int = 0
    held: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(stored: Any) -> Evidence | None:
        """None for what another version of this server stored."""
        try:
            fields = cast(dict[str, Any], dict(stored))
            counted = {str(name): Outcomes(**counts) for name, counts in fields.pop("counted").items()}
            faded = {str(name): Faded(**weights) for name, weights in fields.pop("faded").items()}
            return Evidence(counted, faded, **fields)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None


def order(profile_order: Sequence[str], evidence: Evidence | None) -> tuple[str, ...]:
    """The strategies in the order in which to try them: the profile's, but in front what evidence put there."""
    first = evidence.first if evidence is not None else None
    if first is None or first not in profile_order:
        return tuple(profile_order)
    return (first, *(name for name in profile_order if name != first))


def learn(evidence: Evidence, totals: Mapping[str, Outcomes], profile_order: Sequence[str]) -> Evidence:
    """``evidence`` with all that ``totals`` has beyond it, and the order reconsidered; a profile names some strategy.

    Whoever learns from the same evidence and the same totals comes to the same, so processes that share a store may
    all do it: none counts an outcome twice, and the last to store wins.
    """
    faded, held = dict(evidence.faded), evidence.held
    front = order(profile_order, evidence)[0]
    for name, total in totals.items():
        new = total.since(evidence.counted.get(name, Outcomes()))
        if new is not None:
            faded[name] = faded.get(name, Faded()).add(new)
            held += new.total if name == front else 0
    learnt = replace(evidence, counted=dict(evidence.counted) | dict(totals), faded=faded, held=held)
    return _reordered(learnt, front, profile_order)


def _reordered(evidence: Evidence, front: str, profile_order: Sequence[str]) -> Evidence:
    if evidence.held < ENOUGH << min(evidence.changes, DOUBLINGS):
        return evidence
    known = [name for name in profile_order if evidence.counted.get(name, Outcomes()).total >= ENOUGH]
    best = max(known, key=lambda name: evidence.faded[name].rate, default=front)
    if best == front or evidence.faded[best].rate < evidence.faded[front].rate + MARGIN:
        return evidence
    return replace(evidence, first=best, changes=evidence.changes + 1, held=0)
