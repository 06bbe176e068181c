"""Names are how a call finds its way back to the client: one that isn't Python, or two that fall together, lose the call."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.tools.naming import FUNCTION_WORDS, STUB_WORDS, class_name, identifier, identifiers, singular

HOSTILE = st.text(alphabet=st.characters(), max_size=120)  # with lone surrogates and control characters


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("city", "city"),
        ("get-weather", "get_weather"),
        ("a.b", "a_b"),
        ("Notion-Version", "Notion_Version"),
        ("from", "from_"),
        ("None", "None_"),
        ("match", "match"),
        ("1st", "_1st"),
        ("日付", "日付"),
        ("ﬁle", "file"),
        ("__class__", "class__"),
        ("_id", "_id"),
        ("", "_"),
        ("\ud800", "_"),
        ("a\nb", "a_b"),
        ("²", "_2"),
    ],
)
def test_the_nearest_identifier(name: str, expected: str) -> None:
    assert identifier(name) == expected


def test_reserved_words_get_an_underscore_and_taken_names_a_number() -> None:
    assert identifier("list", STUB_WORDS) == "list_"
    assert identifier("open", FUNCTION_WORDS) == "open_"
    assert identifier("a", taken=["a", "a_2"]) == "a_3"


def test_a_name_that_can_stay_stays_whatever_its_neighbours_are_called() -> None:
    assert identifiers(["get-weather", "get_weather"]) == ("get_weather_2", "get_weather")
    assert identifiers(["from", "from_", "list", "list_"]) == ("from_2", "from_", "list_2", "list_")


@given(st.lists(HOSTILE, max_size=8, unique=True))
def test_identifiers_are_usable_and_different(names: list[str]) -> None:
    found = identifiers(names)
    assert len(set(found)) == len(names)
    for name in found:
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert name not in STUB_WORDS
        assert not name.startswith("__")
        compile(f"def f(*, {name}): pass", "", "exec")


@pytest.mark.parametrize(
    ("parts", "taken", "expected"),
    [
        (["get_weather", "filters"], [], "GetWeatherFilters"),
        (["search", "HTTPHeaders"], [], "SearchHTTPHeaders"),
        (["value", "error"], [], "ValueErrorModel"),
        (["a", "b"], ["AB"], "AB2"),
        (["1", "-"], [], "Model1"),
        (["", "\ud800"], [], "Model"),
        (["tool", "https___io_k8s_api_core_v1_ComponentCondition"], [], "ToolComponentCondition"),
    ],
)
def test_class_names(parts: list[str], taken: list[str], expected: str) -> None:
    assert class_name(parts, taken) == expected


@given(st.lists(HOSTILE, min_size=1, max_size=3))
def test_class_names_are_identifiers_and_no_builtins(parts: list[str]) -> None:
    found = class_name(parts, ())
    assert found.isidentifier()
    assert not keyword.iskeyword(found)
    assert found not in FUNCTION_WORDS


@pytest.mark.parametrize(
    ("name", "expected"),
    [("songs", "song"), ("entries", "entry"), ("address", "address"), ("status", "status"), ("ids", "ids")],
)
def test_singular(name: str, expected: str) -> None:
    assert singular(name) == expected
