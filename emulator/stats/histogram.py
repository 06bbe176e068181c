"""Latencies as counters that add up: buckets whose bounds grow by a constant ratio.

Rule: a percentile read off them is within 5 % of the one that all values, sorted, would give.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

RATIO = 1.1
_STEP = math.log(RATIO)
_LEAST, _MOST = 0.01, 1e9
"""Milliseconds beyond which nothing is told apart: ten microseconds, and eleven days."""


def bucket(ms: float) -> int:
    """The bucket of ``ms`` milliseconds; its middle is RATIO ** bucket."""
    return round(math.log(min(max(ms, _LEAST), _MOST)) / _STEP)


def percentile(buckets: Mapping[int, int], share: float) -> float | None:
    """The least value, in milliseconds, that ``share`` (0 to 1) of all values don't exceed; None where there are none.

    ``buckets`` has how many values are in which.  By nearest rank: it is the middle of some value's own bucket.
    """
    total = sum(buckets.values())
    rank = max(1, math.ceil(share * total))
    for number in sorted(buckets):
        rank -= buckets[number]
        if rank <= 0:
            return RATIO**number
    return None
