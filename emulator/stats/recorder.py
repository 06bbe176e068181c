"""Statistics of a server process: told of each request, brought to the store and learnt from in the background.

Rule: a request leaves its facts in a queue and reads an order that is there; whatever asks the store happens in a
thread of its own, or where somebody asks for the statistics.  A store that fails costs statistics, never an answer.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from emulator.evidence import Evidence, Outcomes, learn, order
from emulator.logs import log_event
from emulator.recent import Recent
from emulator.records.interface import Store, StoreUnavailable
from emulator.stats.facts import (
    OTHER,
    RequestFacts,
    counter_name,
    counter_parts,
    model_name,
    outcome_counts,
    request_counts,
)
from emulator.stats.summary import has_since, models_in, since_name, summary

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
LEARN_EVERY = 3
"""Flushes from one look at the evidence to the next."""

MODELS = 64
"""Models told apart: clients choose the names, and every one costs the store some dozens of rows for good."""

QUEUED = 100_000
EVIDENCE_SECONDS = 90 * 86_400.0
"""How long an order that evidence made outlives the last request to its model."""

_BREATH = 32
_REQUESTS, _OUTCOMES = "requests", "outcomes"
_Key = tuple[str, str, tuple[str, ...]]


class Stats:
    """One a process; its thread (a greenlet under gevent) starts with the first request, or ``start``."""

    def __init__(self, store: Callable[[], Store], *, seconds: float = FLUSH_SECONDS) -> None:
        """``store`` gives the store, opened when it is first needed; ``seconds`` from one flush to the next."""
        self._store, self._seconds, self._begun = store, seconds, time.time()
        self._facts: deque[RequestFacts] = deque(maxlen=QUEUED)
        self._pending: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._models: set[str] = set()
        self._since_known = False
        self._orders = Recent[_Key, tuple[str, ...]](MODELS)
        self._asked: dict[_Key, None] = {}
        self._started = self._failing = False
        self._starting, self._flushing = threading.Lock(), threading.Lock()
        self._closed = threading.Event()

    def record(self, facts: RequestFacts) -> None:
        """Count a request that is over."""
        self._facts.append(facts)
        if not self._started:
            self.start()

    def order(self, upstream: str, model: str, profile_order: Sequence[str]) -> tuple[str, ...]:
        """The strategies in the order in which to try them, as far as evidence is known: see emulator.evidence.

        ``profile_order`` isn't empty, and is the model's, not what one request leaves of it: each has an evidence of
        its own.  ``upstream`` and ``model`` are those that ``RequestFacts`` are recorded with.
        """
        key = model_name(upstream), model_name(model), tuple(profile_order)
        if len(self._asked) < MODELS:
            self._asked[key] = None
        if not self._started:
            self.start()
        return self._orders.get(key) or key[2]

    def summary(self) -> dict[str, Any]:
        """What GET /stats answers: all processes' requests, this one's up to now.  Raises StoreUnavailable."""
        self.flush()
        return summary(self._store().counted(_REQUESTS))

    def start(self) -> None:
        """Begin to flush and to learn in the background."""
        with self._starting:
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="statistics", daemon=True).start()
                # Whatever server runs the app: not all tell it that the process ends.
                atexit.register(self.close)

    def close(self) -> None:
        """Bring what is counted to the store, and end the background."""
        atexit.unregister(self.close)
        self._closed.set()
        with suppress(StoreUnavailable):
            self.flush()

    def flush(self) -> None:
        """Bring what is counted to the store.  Raises StoreUnavailable; then it is tried again with the next flush."""
        with self._flushing:
            self._fold()
            for group, counts in self._pending.items():
                if counts:
                    self._store().add(group, counts)
                    counts.clear()

    def learn(self) -> None:
        """Bring the orders asked for since the last time up to date.  Raises StoreUnavailable."""
        asked, self._asked = self._asked, {}
        if not asked:
            return
        store = self._store()
        totals = _totals(store.counted(_OUTCOMES))
        for key in asked:
            upstream, model, profile_order = key
            name = "evidence:" + counter_name(upstream, model, ",".join(profile_order))
            stored = store.get(name)
            known = (Evidence.from_json(orjson.loads(stored)) if stored is not None else None) or Evidence()
            learnt = learn(known, totals.get((upstream, model), {}), profile_order)
            if learnt != known:
                store.put(name, orjson.dumps(learnt.to_json()), EVIDENCE_SECONDS)
            if learnt.first != known.first:
                log_event(logger, "strategy put first", model=model, strategy=learnt.first, before=known.first)
            self._orders.put(key, order(profile_order, learnt))

    def _run(self) -> None:
        turn = 0
        while not self._closed.wait(self._seconds):
            try:
                self.flush()
                if turn % LEARN_EVERY == 0:
                    self.learn()
                turn += 1
                self._failing = False
            except StoreUnavailable as error:
                self._failed(error.message)
            except Exception as error:  # noqa: BLE001 - what goes wrong once must not end the counting
                self._failed(type(error).__name__)

    def _failed(self, reason: str) -> None:
        """Said once, until it works again."""
        if not self._failing:
            log_event(logger, "statistics not kept", level=logging.WARNING, reason=reason)
        self._failing = True

    def _fold(self) -> None:
        """Turn the facts that have come into counts."""
        facts: list[RequestFacts] = []
        with suppress(IndexError):
            while True:
                facts.append(self._facts.popleft())
        names = {model_name(each.model) for each in facts}
        waiting = facts or any(self._pending.values())
        if waiting and not (self._since_known and (names <= self._models or len(self._models) >= MODELS)):
            self._admit(names)
        for number, each in enumerate(facts, 1):
            self._add(each)
            if number % _BREATH == 0:
                time.sleep(0)  # Requests are waiting for this thread.

    def _add(self, facts: RequestFacts) -> None:
        name = model_name(facts.model)
        model = name if name in self._models else OTHER
        requests, outcomes = self._pending[_REQUESTS], self._pending[_OUTCOMES]
        for what, count in request_counts(facts).items():
            counter = counter_name(what, model)
            requests[counter] = requests.get(counter, 0) + count
        if model != OTHER:
            for what, count in outcome_counts(facts).items():
                outcomes[counter_name(what, model_name(facts.upstream), model)] += count

    def _admit(self, names: set[str]) -> None:
        """Let new models be told apart while there is room, beside those that other processes have let in."""
        with suppress(StoreUnavailable):
            counted = self._store().counted(_REQUESTS)
            self._models |= models_in(counted) - {OTHER}
            if not has_since(counted) and not self._since_known:
                self._pending[_REQUESTS][since_name(self._begun)] = 1
            self._since_known = True
        for name in sorted(names - self._models):
            if len(self._models) < MODELS:
                self._models.add(name)


def _totals(counted: Mapping[str, int]) -> dict[tuple[str, str], dict[str, Outcomes]]:
    """Outcomes of each strategy, by upstream and model."""
    kinds: defaultdict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for name, count in counted.items():
        what, upstream, model = counter_parts(name)
        kind, _, strategy = what.partition(" ")
        kinds[upstream, model, strategy][kind] = count
    totals: defaultdict[tuple[str, str], dict[str, Outcomes]] = defaultdict(dict)
    for (upstream, model, strategy), counts in kinds.items():
        totals[upstream, model][strategy] = Outcomes(
            counts.get("ok", 0), counts.get("repaired", 0), counts.get("failed", 0)
        )
    return totals
