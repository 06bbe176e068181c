"""Error bodies."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict


class ErrorFields(TypedDict):
    message: str
    type: Annotated[str, Field(description="What kind of error it is, e.g. invalid_request_error or upstream_error.")]
    param: Annotated[str | None, Field(description="The path of the part of the request that is wrong.")]
    code: Annotated[str | None, Field(description="A word for programs, e.g. missing_required_parameter.")]


class OpenAIError(TypedDict):
    """An error as OpenAI's API has it."""

    error: ErrorFields


class ForeignErrorFields(TypedDict):
    message: str
    type: NotRequired[str | None]
    param: NotRequired[Any]
    code: NotRequired[Any]


class ForeignError(TypedDict):
    """An error of the model server's that has OpenAI's form already, passed on as it came."""

    error: ForeignErrorFields


class AnthropicErrorFields(TypedDict):
    type: Literal[
        "invalid_request_error",
        "authentication_error",
        "billing_error",
        "permission_error",
        "not_found_error",
        "request_too_large",
        "rate_limit_error",
        "timeout_error",
        "api_error",
        "overloaded_error",
    ]
    message: Annotated[str, Field(description="Names the path of the part of the request that is wrong.")]
    details: NotRequired[dict[str, Any]]


class AnthropicError(TypedDict):
    """An error as Anthropic's API has it; of a stream the data of its `error` event."""

    type: Literal["error"]
    error: AnthropicErrorFields
    request_id: str
