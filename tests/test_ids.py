"""Two calls with one id would get each other's results."""

from __future__ import annotations

from emulator.ids import Ids


def test_ids_are_unique_and_short_enough() -> None:
    source = Ids()
    made = {source.new("call_") for _ in range(2000)}
    assert len(made) == 2000
    assert all(i.startswith("call_") and len(i) == 29 for i in made)


def test_no_two_sources_make_the_same() -> None:
    assert not {Ids().new("") for _ in range(100)} & {Ids().new("") for _ in range(100)}
