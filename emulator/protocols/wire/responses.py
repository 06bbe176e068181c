"""The Responses API: the request, the response object, its events and what is kept.

Source: OpenAI's API reference, POST /v1/responses.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from emulator.protocols.wire.shared import Count, JsonSchema, JsonText, LongToolName, Passed, Positive, Unserved


class InputText(TypedDict):
    type: Literal["input_text", "output_text"]
    text: str


class InputRefusal(TypedDict):
    type: Literal["refusal"]
    refusal: str


class InputImage(TypedDict):
    type: Literal["input_image"]
    image_url: Annotated[str, Field(description="May be a data URL.")]
    detail: NotRequired[str | None]
    file_id: NotRequired[Annotated[None, Field(description="No uploads are kept here.")]]


class InputFile(TypedDict):
    type: Literal["input_file"]
    file_data: Annotated[str, Field(description="A data URL.")]
    filename: NotRequired[str | None]
    file_id: NotRequired[Annotated[None, Field(description="No uploads are kept here.")]]
    file_url: NotRequired[Annotated[None, Field(description="Files are not fetched here.")]]


class MessageItem(TypedDict):
    type: NotRequired[Literal["message"] | None]
    role: Literal["user", "system", "developer"]
    content: str | list[InputText | InputRefusal | InputImage | InputFile]


class SaidItem(TypedDict):
    type: NotRequired[Literal["message"] | None]
    role: Literal["assistant"]
    content: str | list[InputText | InputRefusal]


class FunctionCallItem(TypedDict):
    """An output with its `call_id` has to follow."""

    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: NotRequired[JsonText | None]
    namespace: NotRequired[str | None]


class FunctionOutputItem(TypedDict):
    type: Literal["function_call_output", "custom_tool_call_output"]
    call_id: str
    output: str | list[InputText | InputImage | InputFile]


class CustomCallItem(TypedDict):
    type: Literal["custom_tool_call"]
    call_id: str
    name: str
    input: str
    namespace: NotRequired[str | None]


SearchExecution = Annotated[str | None, Field(description="`server` where OpenAI did the search: then it is left out.")]


class ToolSearchCallItem(TypedDict):
    type: Literal["tool_search_call"]
    arguments: dict[str, Any]
    call_id: NotRequired[Annotated[str | None, Field(description="An output with it has to follow.")]]
    execution: NotRequired[SearchExecution]


class ToolSearchOutputItem(TypedDict):
    """Its tools may be called from then on."""

    type: Literal["tool_search_output"]
    tools: list[ResponsesFunction | ResponsesCustom | Namespace]
    call_id: NotRequired[str | None]
    execution: NotRequired[SearchExecution]


class ReasoningItem(TypedDict):
    type: Literal["reasoning"]
    summary: NotRequired[list[Any] | None]
    content: NotRequired[list[Any] | None]
    encrypted_content: NotRequired[Passed]


class ItemReference(TypedDict):
    type: Literal["item_reference"]
    id: str


Item = (
    MessageItem
    | SaidItem
    | FunctionCallItem
    | FunctionOutputItem
    | CustomCallItem
    | ToolSearchCallItem
    | ToolSearchOutputItem
    | ReasoningItem
    | ItemReference
)


class ResponsesFunction(TypedDict):
    type: Literal["function"]
    name: LongToolName
    description: NotRequired[str | None]
    parameters: NotRequired[JsonSchema | None]
    strict: NotRequired[bool | None]


class CustomText(TypedDict):
    type: Literal["text"]


class CustomGrammar(TypedDict):
    type: Literal["grammar"]
    syntax: Literal["lark", "regex"]
    definition: str


class ResponsesCustom(TypedDict):
    """A tool whose input is a string."""

    type: Literal["custom"]
    name: LongToolName
    description: NotRequired[str | None]
    format: NotRequired[CustomText | CustomGrammar | None]


class Namespace(TypedDict):
    type: Literal["namespace"]
    name: LongToolName
    description: NotRequired[str | None]
    tools: list[ResponsesFunction | ResponsesCustom]


class ToolSearch(TypedDict):
    """A search for more tools that the client does; OpenAI's own is not served."""

    type: Literal["tool_search"]
    execution: Literal["client"]
    description: NotRequired[str | None]
    parameters: NotRequired[JsonSchema | None]


class Chosen(TypedDict):
    type: Literal["function", "custom"]
    name: str


class AllowedChoice(TypedDict):
    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Annotated[list[Chosen], Field(min_length=1)]


class TextAnswer(TypedDict):
    type: Literal["text", "json_object"]


class SchemaAnswer(TypedDict):
    type: Literal["json_schema"]
    name: str
    schema: JsonSchema
    description: NotRequired[str | None]
    strict: NotRequired[bool | None]


class TextOptions(TypedDict):
    format: NotRequired[TextAnswer | SchemaAnswer | None]
    verbosity: NotRequired[Literal["low", "medium", "high"] | None]


class ReasoningOptions(TypedDict):
    effort: NotRequired[str | None]
    summary: NotRequired[Literal["auto", "concise", "detailed"] | None]


class ResponsesBody(TypedDict):
    """Whatever else is in it reaches the model server as it came.  `input` may be left out behind a
    `previous_response_id`."""

    model: NotRequired[Annotated[str | None, Field(description="The model's name, which settings may replace.")]]
    input: Annotated[str, Field(min_length=1)] | Annotated[list[Item], Field(min_length=1)]
    instructions: NotRequired[str | None]
    previous_response_id: NotRequired[str | None]
    conversation: NotRequired[Unserved]
    prompt: NotRequired[Unserved]
    tools: NotRequired[list[ResponsesFunction | ResponsesCustom | Namespace | ToolSearch] | None]
    tool_choice: NotRequired[Literal["none", "auto", "required"] | Chosen | AllowedChoice | None]
    parallel_tool_calls: NotRequired[bool | None]
    stream: NotRequired[bool | None]
    stream_options: NotRequired[dict[str, Any] | None]
    store: NotRequired[bool | None]
    background: NotRequired[Annotated[bool | None, Field(description="Needs `store`.")]]
    text: NotRequired[TextOptions | None]
    reasoning: NotRequired[ReasoningOptions | None]
    include: NotRequired[list[Literal["reasoning.encrypted_content", "message.output_text.logprobs"]] | None]
    metadata: NotRequired[Annotated[dict[str, Annotated[str, Field(max_length=512)]], Field(max_length=16)] | None]
    max_output_tokens: NotRequired[Positive | None]
    max_tool_calls: NotRequired[Count | None]
    temperature: NotRequired[Annotated[float, Field(ge=0, le=2)] | None]
    top_p: NotRequired[Annotated[float, Field(ge=0, le=1)] | None]
    top_logprobs: NotRequired[Annotated[int, Field(ge=0, le=20)] | None]
    truncation: NotRequired[Literal["auto", "disabled"] | None]
    service_tier: NotRequired[Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"] | None]
    user: NotRequired[str | None]
    safety_identifier: NotRequired[Annotated[str, Field(max_length=64)] | None]
    prompt_cache_key: NotRequired[str | None]
    prompt_cache_retention: NotRequired[Literal["in_memory", "24h"] | None]


class OutputItem(TypedDict):
    """With the fields that OpenAI documents."""

    id: str
    type: Literal["message", "reasoning", "function_call", "custom_tool_call", "tool_search_call"]
    status: Literal["in_progress", "completed", "incomplete"]


class ResponseFault(TypedDict):
    code: str
    message: str


class ResponseObject(TypedDict):
    """Beside these it has the request's own parameters, as OpenAI gives them back."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]
    error: ResponseFault | None
    incomplete_details: dict[str, str] | None
    model: str
    output: list[OutputItem]
    tools: list[dict[str, Any]]
    usage: NotRequired[dict[str, Any] | None]


class ResponseEvent(TypedDict):
    """From `response.created` to `response.completed`, `response.incomplete` or `response.failed`."""

    type: str
    sequence_number: int


class ResponseDeleted(TypedDict):
    id: str
    object: Literal["response"]
    deleted: Literal[True]


class ItemList(TypedDict):
    object: Literal["list"]
    data: list[dict[str, Any]]
    first_id: str
    last_id: str
    has_more: bool


class InputTokens(TypedDict):
    object: Literal["response.input_tokens"]
    input_tokens: int
