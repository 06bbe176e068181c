"""Anthropic's clients list models by its own types, whatever the model server tells of its models."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types import ModelInfo

from emulator.protocols.messages_models import model_info, model_list
from tests.specs import ANTHROPIC_MODELS, anthropic_problems

LISTED: dict[str, Any] = {
    "object": "list",
    "data": [
        {"id": "a", "object": "model", "created": 1_700_000_000, "owned_by": "x", "max_model_len": 4096},
        {"id": "b"},
        {"object": "model"},
        "c",
    ],
}


def test_the_list_is_one_page() -> None:
    page = model_list(LISTED)
    assert anthropic_problems(ANTHROPIC_MODELS, page) == []
    assert [model["id"] for model in page["data"]] == ["a", "b"]
    assert (page["has_more"], page["first_id"], page["last_id"]) == (False, "a", "b")
    first = page["data"][0]
    assert (first["created_at"], first["max_input_tokens"]) == ("2023-11-14T22:13:20Z", 4096)
    for model in page["data"]:
        assert not (ModelInfo.model_validate(model).model_extra)


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": []}, {"data": [1]}])
def test_no_models_are_an_empty_page(answer: dict[str, Any]) -> None:
    assert model_list(answer) == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.parametrize("created", [None, "yesterday", -(10**18), 10**18, True])
def test_what_is_no_moment_is_the_epochs_beginning(created: object) -> None:
    assert model_info("a", {"id": "a", "created": created})["created_at"] == "1970-01-01T00:00:00Z"


def test_a_model_under_another_name_says_what_it_is() -> None:
    info = model_info("claude-x", {"id": "qwen"})
    assert (info["id"], info["display_name"]) == ("claude-x", "qwen")
