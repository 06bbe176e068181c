"""Counters → what GET /stats answers.  Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from emulator.stats.facts import counter_name, counter_parts
from emulator.stats.histogram import percentile

Json = dict[str, Any]

SINCE = "since"
_PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def since_name(seconds: float) -> str:
    """The counter that says when counting began: the moment is its name, for sums can't hold it."""
    return counter_name(SINCE, str(int(seconds)))


def has_since(counted: Mapping[str, int]) -> bool:
    return any(counter_parts(name)[0] == SINCE for name in counted)


def models_in(counted: Mapping[str, int]) -> set[str]:
    return set(_by_model(counted))


def summary(counted: Mapping[str, int]) -> Json:
    """``statistics``, of all requests and by model, and ``success_rates`` by strategy."""
    models = _by_model(counted)
    total = Counter[str]()
    for counts in models.values():
        total.update(counts)
    by_model = {name: _told(counts) | {"success_rates": _rates(counts)} for name, counts in sorted(models.items())}
    statistics = {"since": _since(counted)} | _told(total) | {"models": by_model}
    return {"statistics": statistics, "success_rates": _rates(total)}


def _by_model(counted: Mapping[str, int]) -> dict[str, Counter[str]]:
    models: dict[str, Counter[str]] = defaultdict(Counter)
    for name, value in counted.items():
        what, *model = counter_parts(name)
        if what != SINCE and len(model) == 1:
            models[model[0]][what] += value
    return dict(models)


def _since(counted: Mapping[str, int]) -> str | None:
    # Processes that began at once have each left one.
    begun = [int(moment) for what, moment in map(_pair, counted) if what == SINCE and moment.isdecimal()]
    return dt.datetime.fromtimestamp(min(begun), dt.UTC).isoformat() if begun else None


def _pair(name: str) -> tuple[str, str]:
    what, *rest = counter_parts(name)
    return what, "".join(rest)


def _told(counts: Counter[str]) -> Json:
    with_tools = counts["with tools"]
    return {
        "total_requests": counts["requests"],
        "tool_requests": with_tools,
        "streamed_requests": counts["streamed"],
        "succeeded": counts["succeeded"],
        "failed": counts["failed"],
        "interrupted": counts["interrupted"],
        **{f"{strategy}_success": count for strategy, count in _strategies(counts, "won").items()},
        "fallback_requests": counts["fell back"],
        "fallback_rate": round(counts["fell back"] / with_tools, 4) if with_tools else 0.0,
        "repairs": counts["repairs"],
        "repaired_requests": counts["repaired"],
        "tool_calls": counts["calls"],
        "upstream_requests": counts["asked"],
        "latency_ms": _latencies(counts, "ms"),
        "own_latency_ms": _latencies(counts, "own"),
        "tokens": {"prompt": counts["prompt tokens"], "completion": counts["completion tokens"]},
        "tokens_saved_against_json": {
            "prompt": counts["prompt saved"],
            "completion": counts["completion saved"],
            "total": counts["prompt saved"] + counts["completion saved"],
        },
    }


def _strategies(counts: Counter[str], outcome: str) -> dict[str, int]:
    prefix = f"{outcome} "
    return {what.removeprefix(prefix): count for what, count in sorted(counts.items()) if what.startswith(prefix)}


def _rates(counts: Counter[str]) -> dict[str, float]:
    """How much of what a strategy tried succeeded."""
    won, lost = _strategies(counts, "won"), _strategies(counts, "lost")
    tried = {name: won.get(name, 0) + lost.get(name, 0) for name in sorted({*won, *lost})}
    return {name: round(won.get(name, 0) / count, 4) for name, count in tried.items() if count}


def _latencies(counts: Counter[str], which: str) -> dict[str, float | None]:
    buckets = {int(number): count for number, count in _strategies(counts, which).items()}
    values = {name: percentile(buckets, share) for name, share in _PERCENTILES.items()}
    return {name: None if value is None else float(f"{value:.4g}") for name, value in values.items()}
