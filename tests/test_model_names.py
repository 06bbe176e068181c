"""A client's name for a model must lead to the one that is meant, and a map that can't be read must be refused."""

from __future__ import annotations

import pytest

from emulator.model_names import mapped, read_model_map
from emulator.settings import Settings, SettingsError

MAP = "claude-*=qwen2.5-coder, gpt-4*=big/model:8b ,gpt-?=small,exact=other"


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("claude-sonnet-4-5", "qwen2.5-coder"),
        ("claude-", "qwen2.5-coder"),
        ("Claude-x", "Claude-x"),
        ("gpt-4o", "big/model:8b"),
        ("gpt-4", "big/model:8b"),
        ("gpt-5", "small"),
        ("gpt-55", "gpt-55"),
        ("exact", "other"),
        ("", ""),
    ],
)
def test_the_first_pattern_that_fits_counts(name: str, model: str) -> None:
    assert mapped(name, read_model_map(MAP)) == model


def test_a_name_is_looked_up_once() -> None:
    assert mapped("a", read_model_map("a=b,b=c")) == "b"


def test_no_map_changes_nothing() -> None:
    assert mapped("claude-x", read_model_map("")) == "claude-x"
    assert Settings().model_map == ""


@pytest.mark.parametrize("text", ["claude", "=x", "claude-*=", "a=b,c", " = "])
def test_what_is_no_map_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="which is no PATTERN=MODEL; an example is"):
        read_model_map(text)
    with pytest.raises(SettingsError, match=r"--model-map: .*\."):
        Settings.load(["--model-map", text], {}, None)
