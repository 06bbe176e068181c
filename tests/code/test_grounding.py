"""Values that nobody has said tell a call that was made up; values that were said in other words must not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.code.grounding import Sayings, grounding

SAID = Sayings.of(
    [
        "Book a table for 4 in Paris on 2024-05-01; I lost 5 dollars, 20 % of it.",
        "北京天气怎么样",
        "Reservations",
        "California, US",
    ]
)


@pytest.mark.parametrize(
    ("value", "share"),
    [
        ("Paris", 1.0),
        ("PARIS, France", 0.5),
        ("reserved", 1.0),  # a form of "Reservations"
        ("2024-05-01", 1.0),
        (4, 1.0),
        (4.0, 1.0),
        (-5, 1.0),
        (0.2, 1.0),
        (1000, 0.0),
        ("AAPL", 0.0),
        ("CA", 1.0),
        ("USD", 1.0),
        ("NV", 0.0),
        ("北京", 1.0),
        ("上海", 0.0),
        (True, None),
        (None, None),
        ("…", None),
    ],
)
def test_share(value: Any, share: float | None) -> None:
    assert SAID.share(value) == share


def test_only_what_has_to_come_from_somewhere_counts() -> None:
    calls = [("f", json.dumps({"city": "Paris", "unit": "celsius", "note": {"text": ["AAPL", True]}}))]
    assert grounding(calls, lambda _: ["city"], SAID) == 1.0
    assert grounding(calls, lambda _: ["city", "note"], SAID) == 0.5
    assert grounding(calls, lambda _: [], SAID) is None
    assert grounding([], lambda _: ["city"], SAID) is None
