"""Words that several protocols' wire forms share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

Passed = Annotated[Any, Field(description="Not looked into here.")]
ToolName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
LongToolName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
Count = Annotated[int, Field(ge=0, le=2**64 - 1)]
"""Larger integers are rounded when they are read, and refused."""
Positive = Annotated[int, Field(ge=1, le=2**64 - 1)]
Unserved = Annotated[None, Field(description="Not served here.")]
Empty = Annotated[
    Any, WithJsonSchema({"enum": [None, False, 0, "", [], {}], "description": "Not served here if there is any."})
]
JsonSchema = Annotated[dict[str, Any], Field(description="A JSON Schema, the judge of every call.")]
JsonText = Annotated[str, Field(description="JSON")]


def other_than(*names: str) -> WithJsonSchema:
    """Of a string: none of these."""
    return WithJsonSchema({"type": "string", "not": {"enum": list(names)}})
