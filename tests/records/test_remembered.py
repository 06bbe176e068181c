"""What one process found out the others needn't; and a store that fails must not make the finder forget it."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.records import remembered
from emulator.records.interface import Records, StoreUnavailable
from emulator.records.remembered import COPY_SECONDS, Remembered


class FakeRecords:
    """Records in a dict, with a switch, and a count of what was asked."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[bytes, float]] = {}
        self.broken = False
        self.gets = 0

    def put(self, key: str, value: bytes, seconds: float) -> None:
        self._check()
        self.values[key] = value, seconds

    def get(self, key: str) -> bytes | None:
        self._check()
        self.gets += 1
        return self.values[key][0] if key in self.values else None

    def delete(self, key: str) -> None:
        self._check()
        self.values.pop(key, None)

    def close(self) -> None: ...

    def _check(self) -> None:
        if self.broken:
            raise StoreUnavailable("The store is broken.")


@pytest.fixture
def records() -> FakeRecords:
    return FakeRecords()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is, to be changed."""
    now = [1000.0]
    monkeypatch.setattr(remembered.time, "monotonic", lambda: now[0])
    return now


def made(records: Records, kind: str = "kind", seconds: float = 3600.0) -> Remembered:
    return Remembered(lambda: records, kind, seconds)


@pytest.mark.parametrize("value", [{"grammar": "gbnf", "schema": True}, [], 0, False, "", {"ü": [None, 1.5]}])
def test_a_value_is_found_by_this_process_and_by_others(records: FakeRecords, value: Any) -> None:
    one = made(records)
    one.put("key", value)
    assert one.get("key") == value
    assert made(records).get("key") == value
    assert made(records).get("other") is None
    assert made(records, "another kind").get("key") is None


def test_it_is_kept_for_the_time_given(records: FakeRecords) -> None:
    made(records, seconds=77.0).put("key", 1)
    assert [seconds for _, seconds in records.values.values()] == [77.0]


def test_the_store_is_not_asked_each_time(records: FakeRecords, clock: list[float]) -> None:
    one = made(records)
    made(records).put("key", 1)
    assert [one.get("key") for _ in range(10)] == [1] * 10
    assert records.gets == 1
    made(records).put("key", 2)
    clock[0] += COPY_SECONDS
    assert [one.get("key") for _ in range(10)] == [2] * 10
    assert records.gets == 2


def test_a_copy_does_not_outlive_what_it_is_a_copy_of(records: FakeRecords, clock: list[float]) -> None:
    one = made(records, seconds=5.0)
    one.put("key", 1)
    clock[0] += 5.0
    records.values.clear()
    assert one.get("key") is None
    records.broken = True
    assert one.get("key") is None


def test_a_store_that_fails_costs_the_finder_nothing(records: FakeRecords, clock: list[float]) -> None:
    one = made(records)
    records.broken = True
    assert one.get("key") is None
    one.put("key", 1)
    assert one.get("key") == 1
    clock[0] += COPY_SECONDS
    assert one.get("key") == 1
