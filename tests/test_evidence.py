"""What is learnt must find the better strategy, and luck must not make two of them change places again and again."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.evidence import ENOUGH, MARGIN, WINDOW, Evidence, Faded, Outcomes, learn, order

PROFILE = ("guided", "code", "two_pass")


@dataclass
class Ladder:
    """Requests that climb: the rung in front first, the next where it fails, each with its chance of success."""

    chances: dict[str, float]
    seed: int
    evidence: Evidence = field(default_factory=Evidence)
    totals: dict[str, Outcomes] = field(default_factory=dict[str, Outcomes])

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def climb(self, requests: int, *, learning_every: int = 1) -> None:
        for number in range(requests):
            for rung in order(PROFILE, self.evidence):
                before = self.totals.get(rung, Outcomes())
                if self._random.random() < self.chances[rung]:
                    self.totals[rung] = replace(before, ok=before.ok + 1)
                    break
                self.totals[rung] = replace(before, failed=before.failed + 1)
            if number % learning_every == 0:
                self.evidence = learn(self.evidence, self.totals, PROFILE)


def told(*outcomes: tuple[str, int, int]) -> dict[str, Outcomes]:
    """Totals: a strategy's successes and failures."""
    return {name: Outcomes(ok=ok, failed=failed) for name, ok, failed in outcomes}


def test_without_evidence_the_order_is_the_profiles() -> None:
    assert order(PROFILE, None) == order(PROFILE, Evidence()) == PROFILE
    assert order(["code"], Evidence(first="guided")) == ("code",)


def test_what_came_to_the_front_leaves_the_others_as_they_were() -> None:
    assert order(PROFILE, Evidence(first="two_pass")) == ("two_pass", "guided", "code")


@pytest.mark.parametrize(
    ("totals", "first"),
    [
        (told(("guided", 0, ENOUGH), ("code", ENOUGH, 0)), "code"),
        (told(("guided", 0, ENOUGH - 1), ("code", ENOUGH, 0)), None),
        (told(("guided", 0, ENOUGH), ("code", ENOUGH - 1, 0)), None),
        (told(("guided", 60, 40), ("code", 65, 35)), None),
        (told(("guided", 60, 40), ("code", 75, 25)), "code"),
        (told(("guided", 50, 50), ("code", 70, 30), ("two_pass", 90, 10)), "two_pass"),
        (told(("guided", 50, 50), ("unknown", 100, 0)), None),
        ({"guided": Outcomes(ok=40, failed=60), "code": Outcomes(repaired=100)}, "code"),
        ({"guided": Outcomes(ok=60, failed=40), "code": Outcomes(repaired=100)}, None),
        ({}, None),
    ],
)
def test_only_enough_outcomes_that_are_better_by_the_margin_move_a_strategy(
    totals: dict[str, Outcomes], first: str | None
) -> None:
    assert learn(Evidence(), totals, PROFILE).first == first


def test_the_margin_holds_on_the_way_back_too() -> None:
    moved = learn(Evidence(), told(("guided", 10, 10), ("code", 20, 0)), PROFILE)
    assert moved.first == "code"
    # Since then: a little worse than the other was, for long.
    little = {**moved.counted, "code": Outcomes(ok=20 + 900, failed=900)}
    assert learn(moved, little, PROFILE).first == "code"
    much = {**moved.counted, "code": Outcomes(ok=20 + 700, failed=1100)}
    assert learn(moved, much, PROFILE).first == "guided"


def test_what_came_to_the_front_stays_for_twice_as_many_outcomes() -> None:
    moved = learn(Evidence(), told(("guided", 10, 10), ("code", 20, 0)), PROFILE)
    worse = {**moved.counted, "code": Outcomes(ok=20, failed=2 * ENOUGH - 1)}
    assert learn(moved, worse, PROFILE).first == "code"
    enough = {**moved.counted, "code": Outcomes(ok=20, failed=2 * ENOUGH)}
    assert learn(moved, enough, PROFILE).first == "guided"


@given(st.lists(st.tuples(st.sampled_from(PROFILE), st.booleans()), max_size=600), st.integers(1, 50))
def test_changes_are_few_whatever_comes(outcomes: list[tuple[str, bool]], batch: int) -> None:
    """Also where somebody makes requests fail in order to shake the ladder."""
    evidence, totals, fronts = Evidence(), dict[str, Outcomes](), [PROFILE[0]]
    for number, (name, good) in enumerate(outcomes, 1):
        before = totals.get(name, Outcomes())
        totals[name] = Outcomes(before.ok + good, 0, before.failed + (not good))
        if number % batch == 0:
            evidence = learn(evidence, totals, PROFILE)
            front = order(PROFILE, evidence)[0]
            fronts += [front] if front != fronts[-1] else []
    changes = len(fronts) - 1
    assert changes == evidence.changes
    assert changes <= math.log2(len(outcomes) / ENOUGH + 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("chances", [(0.7, 0.7, 0.7), (0.5, 0.55, 0.5), (0.9, 0.85, 0.2), (0.02, 0.02, 0.02)], ids=str)
def test_luck_does_not_make_equals_change_places(chances: tuple[float, ...], seed: int) -> None:
    ladder = Ladder(dict(zip(PROFILE, chances, strict=True)), seed)
    ladder.climb(5_000)
    assert ladder.evidence.changes <= 3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("learning_every", [1, 40])
def test_the_better_strategy_comes_to_the_front_and_stays(seed: int, learning_every: int) -> None:
    ladder = Ladder({"guided": 0.4, "code": 0.85, "two_pass": 0.5}, seed)
    ladder.climb(1_000, learning_every=learning_every)
    assert ladder.evidence.first == "code"
    changes = ladder.evidence.changes
    ladder.climb(4_000, learning_every=learning_every)
    assert (ladder.evidence.first, ladder.evidence.changes) == ("code", changes)


@pytest.mark.parametrize("seed", range(4))
def test_a_model_that_was_exchanged_under_its_name_is_learnt_anew(seed: int) -> None:
    ladder = Ladder({"guided": 0.4, "code": 0.9, "two_pass": 0.4}, seed)
    ladder.climb(3_000)
    assert ladder.evidence.first == "code"
    ladder.chances = {"guided": 0.95, "code": 0.1, "two_pass": 0.4}
    ladder.climb(3_000)
    assert ladder.evidence.first == "guided"


counts = st.integers(0, 300)
totals_of = st.dictionaries(st.sampled_from([*PROFILE, "unknown"]), st.builds(Outcomes, counts, counts, counts))


def plus(left: dict[str, Outcomes], right: dict[str, Outcomes]) -> dict[str, Outcomes]:
    both = {name: (left.get(name, Outcomes()), right.get(name, Outcomes())) for name in {*left, *right}}
    return {name: Outcomes(a.ok + b.ok, a.repaired + b.repaired, a.failed + b.failed) for name, (a, b) in both.items()}


@given(st.lists(totals_of, max_size=6))
def test_rates_are_rates_and_nothing_is_counted_twice(steps: Sequence[dict[str, Outcomes]]) -> None:
    evidence, totals = Evidence(), dict[str, Outcomes]()
    for step in steps:
        totals = plus(totals, step)
        evidence = learn(evidence, totals, PROFILE)
        # Another process that has seen the same, and a look when there is nothing new.
        assert learn(evidence, totals, PROFILE) == evidence
    assert evidence.counted == totals
    for faded in evidence.faded.values():
        assert 0 <= faded.successes <= faded.weight + 1e-9
        assert faded.weight <= WINDOW


@given(totals_of, totals_of)
def test_two_processes_that_learn_at_once_agree_in_the_end(
    first: dict[str, Outcomes], more: dict[str, Outcomes]
) -> None:
    """One saw fewer outcomes and stored last: what it missed comes with the next look, once."""
    late = learn(Evidence(), first, PROFILE)
    caught_up = learn(late, plus(first, more), PROFILE)
    assert caught_up.counted == plus(first, more)


@given(st.integers(0, 400), st.integers(0, 400))
def test_fading_in_one_step_is_fading_one_by_one_of_what_is_spread_evenly(ok: int, count: int) -> None:
    one_by_one = Faded(ok / 4, 100.0)
    whole = one_by_one.add(Outcomes(ok=count, failed=count))
    for _ in range(count):
        one_by_one = one_by_one.add(Outcomes(ok=1)).add(Outcomes(failed=1))
    assert whole.weight == pytest.approx(one_by_one.weight)
    assert whole.rate == pytest.approx(one_by_one.rate, abs=MARGIN / 10)


def test_a_counting_that_began_anew_takes_nothing_away() -> None:
    before = learn(Evidence(), told(("guided", 50, 50), ("code", 30, 0)), PROFILE)
    after = learn(before, told(("guided", 1, 0)), PROFILE)
    assert after.faded == before.faded and after.first == before.first
    assert learn(after, told(("guided", 2, 0)), PROFILE).faded["guided"].rate > after.faded["guided"].rate


@given(st.lists(totals_of, max_size=3))
def test_evidence_comes_back_from_json_as_it_was(steps: Sequence[dict[str, Outcomes]]) -> None:
    evidence, totals = Evidence(), dict[str, Outcomes]()
    for step in steps:
        totals = plus(totals, step)
        evidence = learn(evidence, totals, PROFILE)
    assert Evidence.from_json(json.loads(json.dumps(evidence.to_json()))) == evidence


@pytest.mark.parametrize(
    "stored",
    [None, 3, "x", [], {}, {"counted": {}}, {"counted": {"code": {"good": 1}}, "faded": {}}, {"new": 1}],
    ids=str,
)
def test_what_another_version_stored_is_no_evidence(stored: object) -> None:
    assert Evidence.from_json(stored) is None
