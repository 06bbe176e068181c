"""The model server's models as Anthropic's API lists them.

Source: Anthropic's API reference, GET /v1/models; the ``max_model_len`` is vLLM's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, cast

from emulator.protocols.fields import Json


def model_list(answer: Mapping[str, Any]) -> Json:
    """OpenAI's list of models as one page of Anthropic's."""
    models = [model_info(entry["id"], entry) for entry in entries(answer)]
    return {
        "data": models,
        "has_more": False,
        "first_id": models[0]["id"] if models else None,
        "last_id": models[-1]["id"] if models else None,
    }


def entries(answer: Mapping[str, Any]) -> list[Json]:
    """The models of OpenAI's list that have a name."""
    listed = answer.get("data")
    found = cast(list[Any], listed) if isinstance(listed, list) else []
    return [cast(Json, entry) for entry in found if isinstance(entry, dict) and isinstance(entry.get("id"), str)]  # pyright: ignore[reportUnknownMemberType]


def model_info(name: str, entry: Mapping[str, Any]) -> Json:
    """``entry``, OpenAI's object, under the ``name`` that the client has for it."""
    length = entry.get("max_model_len")
    return {
        "type": "model",
        "id": name,
        "display_name": str(entry["id"]),
        "created_at": _moment(entry.get("created")),
        "lifecycle": "active",
        "capabilities": None,
        "max_input_tokens": length if type(length) is int else None,
        "max_tokens": length if type(length) is int else None,
    }


def _moment(seconds: object) -> str:
    """RFC 3339; the epoch's beginning where nothing is known, as the reference has it."""
    try:
        moment = dt.datetime.fromtimestamp(seconds if type(seconds) is int else 0, dt.UTC)
    except (ValueError, OverflowError, OSError):
        moment = dt.datetime.fromtimestamp(0, dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
