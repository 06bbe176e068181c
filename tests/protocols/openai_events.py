"""OpenAI's own words on the events of a Responses stream: its SDK's types and its OpenAPI document."""

from __future__ import annotations

from typing import Any, get_args

import orjson
import pydantic
from openai.types.responses import Response, ResponseStreamEvent

from tests.specs import RESPONSE, RESPONSE_EVENT, openai_problems

Json = dict[str, Any]

_MEMBERS = get_args(get_args(ResponseStreamEvent)[0])
_CLASSES: dict[str, type[pydantic.BaseModel]] = {
    kind: member
    for member in _MEMBERS
    if "type" in member.model_fields
    for kind in get_args(member.model_fields["type"].annotation)
}


def events_of(frames: bytes) -> list[Json]:
    """The events of a stream, each named as its data says; comments are left out."""
    events: list[Json] = []
    for frame in frames.decode().removesuffix("\n\n").split("\n\n"):
        if not frame.startswith(":"):
            name, data = frame.split("\n")
            event = orjson.loads(data.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            events.append(event)
    return events


def event_problems(event: Json) -> list[str]:
    """What OpenAI would say against it; it has to fit the SDK's type as it is, without anything being converted but
    whole numbers to others."""
    _CLASSES[event["type"]].model_validate_json(orjson.dumps(event), strict=True)
    return openai_problems(RESPONSE_EVENT, event)


def response_problems(response: Json) -> list[str]:
    Response.model_validate_json(orjson.dumps(response), strict=True)
    return openai_problems(RESPONSE, response)
