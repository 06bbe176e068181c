"""Caches hold what clients send: they must find it again, and never fill the memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emulator.recent import Recent, content_key


def test_what_was_used_last_is_kept() -> None:
    recent = Recent[str, int](2)
    for name in "ab":
        recent.put(name, ord(name))
    assert recent.get("a") == ord("a")
    recent.put("c", 1)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (ord("a"), None, 1)


def test_what_is_too_heavy_is_not_kept() -> None:
    recent = Recent[str, int](10)
    assert recent.put("a", 1, 11) == 1
    assert recent.get("a") is None


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 12)), max_size=30))
def test_the_weight_is_bounded(puts: list[tuple[str, int]]) -> None:
    recent = Recent[str, int](10)
    weights: dict[str, int] = {}
    for key, weight in puts:
        recent.put(key, weight, weight)
        weights[key] = weight
        kept = [value for name in weights if (value := recent.get(name)) is not None]
        assert sum(kept) <= 10


def test_keys_are_of_the_content() -> None:
    assert content_key({"a": [1]}) == content_key({"a": [1]})
    assert content_key({"a": 1, "b": 2})[0] != content_key({"b": 2, "a": 1})[0], "the order of parameters is part of it"
    assert content_key({"a": 2**70})[0] != content_key({"a": 2**70 + 1})[0]
    assert content_key("\ud800")[1] > 0
