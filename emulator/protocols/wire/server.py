"""What the server tells of itself and of its model server."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict


class Index(TypedDict):
    name: str
    version: str
    paths: list[str]


class HealthOfUpstream(TypedDict):
    url: str
    status: Literal["ok", "unreachable", "timeout", "refused_key", "wrong_path", "not_json", "refused"]
    detail: str


class Health(TypedDict):
    status: Literal["ok", "upstream_unavailable"]
    version: str
    upstream: HealthOfUpstream


class Statistics(TypedDict):
    """Sums over all processes that share the store; docs/statistics has what they mean."""

    statistics: dict[str, Any]
    success_rates: dict[str, float]


class Model(TypedDict):
    id: str
    object: NotRequired[str]


class ModelList(TypedDict):
    """As the model server lists them; with an `anthropic-version` header in Anthropic's form."""

    data: list[Model]
