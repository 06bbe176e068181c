"""Chat Completions: the request, the answer and the chunk.

Source: OpenAI's API reference, POST /v1/chat/completions.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from emulator.protocols.wire.shared import JsonSchema, JsonText, Passed, ToolName, other_than


class TextPart(TypedDict):
    type: Literal["text"]
    text: str


class OtherPart(TypedDict):
    """An image, a file, sound: for models that take them."""

    type: Annotated[str, other_than("text")]


Content = str | list[TextPart | OtherPart]


class SaidMessage(TypedDict):
    role: Literal["system", "developer", "user"]
    content: Content


class CalledFunction(TypedDict):
    name: str
    arguments: NotRequired[JsonText | None]


class CalledCustom(TypedDict):
    name: str
    input: str


class PastFunctionCall(TypedDict):
    id: str
    type: Literal["function"]
    function: CalledFunction


class PastCustomCall(TypedDict):
    id: str
    type: Literal["custom"]
    custom: CalledCustom


class AssistantMessage(TypedDict):
    """Each of its calls has to be answered by one of the messages right behind it."""

    role: Literal["assistant"]
    content: NotRequired[Content | None]
    tool_calls: NotRequired[list[PastFunctionCall | PastCustomCall] | None]
    function_call: NotRequired[CalledFunction | None]
    reasoning_content: NotRequired[Passed]


class ToolMessage(TypedDict):
    """The result of a call of the assistant message before it."""

    role: Literal["tool"]
    tool_call_id: str
    content: NotRequired[Content | None]
    is_error: NotRequired[Annotated[Passed, Field(description="true: the call failed.")]]


class FunctionMessage(TypedDict):
    """The result of a legacy function call."""

    role: Literal["function"]
    name: NotRequired[Passed]
    content: NotRequired[Content | None]


ChatMessage = SaidMessage | AssistantMessage | ToolMessage | FunctionMessage


class Function(TypedDict):
    name: ToolName
    description: NotRequired[str | None]
    parameters: NotRequired[JsonSchema | None]
    strict: NotRequired[bool | None]
    output_schema: NotRequired[Annotated[Passed, Field(description="The JSON Schema of what the function returns.")]]


class FunctionTool(TypedDict):
    type: Literal["function"]
    function: Function


class GrammarDefinition(TypedDict):
    syntax: Literal["lark", "regex"]
    definition: str


class TextFormat(TypedDict):
    type: Literal["text"]


class GrammarFormat(TypedDict):
    type: Literal["grammar"]
    grammar: GrammarDefinition


class Custom(TypedDict):
    name: ToolName
    description: NotRequired[str | None]
    format: NotRequired[TextFormat | GrammarFormat | None]


class CustomTool(TypedDict):
    """A tool whose input is a string."""

    type: Literal["custom"]
    custom: Custom


class Named(TypedDict):
    name: str


class ChosenFunction(TypedDict):
    type: Literal["function"]
    function: Named


class ChosenCustom(TypedDict):
    type: Literal["custom"]
    custom: Named


class Allowed(TypedDict):
    mode: Literal["auto", "required"]
    tools: Annotated[list[ChosenFunction | ChosenCustom], Field(min_length=1)]


class AllowedTools(TypedDict):
    type: Literal["allowed_tools"]
    allowed_tools: Allowed


class StreamOptions(TypedDict):
    include_usage: NotRequired[bool | None]


class JsonSchemaFormat(TypedDict):
    name: NotRequired[str | None]
    schema: NotRequired[JsonSchema | None]
    strict: NotRequired[Passed]


class JsonSchemaAnswer(TypedDict):
    type: Literal["json_schema"]
    json_schema: JsonSchemaFormat


class OtherAnswer(TypedDict):
    type: NotRequired[Annotated[str, other_than("json_schema")]]


class ChatBody(TypedDict):
    """Whatever else is in it (`temperature`, `max_tokens`, `seed`, …) reaches the model server as it came."""

    model: NotRequired[Annotated[Passed, Field(description="The model's name, which settings may replace.")]]
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    tools: NotRequired[Annotated[list[FunctionTool | CustomTool], Field(min_length=1, max_length=1024)] | None]
    tool_choice: NotRequired[
        Annotated[
            Literal["none", "auto", "required"] | ChosenFunction | ChosenCustom | AllowedTools | None,
            Field(description="Names tools that `tools` has; without tools only `none`."),
        ]
    ]
    parallel_tool_calls: NotRequired[bool | None]
    functions: NotRequired[Annotated[list[Function], Field(min_length=1, max_length=1024)] | None]
    function_call: NotRequired[Literal["none", "auto"] | Named | None]
    stream: NotRequired[bool | None]
    stream_options: NotRequired[StreamOptions | None]
    n: NotRequired[Annotated[int, Field(ge=1, le=128)] | None]
    response_format: NotRequired[JsonSchemaAnswer | OtherAnswer | None]


class Usage(TypedDict):
    """The model server's own counts, of all that it was asked for this answer."""

    prompt_tokens: NotRequired[int]
    completion_tokens: NotRequired[int]
    total_tokens: NotRequired[int]


class FunctionCall(TypedDict):
    name: str
    arguments: JsonText


class ToolCall(TypedDict):
    id: str
    type: Literal["function"]
    function: FunctionCall


class CustomToolCall(TypedDict):
    id: str
    type: Literal["custom"]
    custom: CalledCustom


class AnswerMessage(TypedDict):
    role: Literal["assistant"]
    content: NotRequired[str | None]
    refusal: NotRequired[str | None]
    reasoning_content: NotRequired[str | None]
    tool_calls: NotRequired[list[ToolCall | CustomToolCall] | None]
    function_call: NotRequired[FunctionCall | None]


class Choice(TypedDict):
    index: int
    message: AnswerMessage
    logprobs: NotRequired[dict[str, Any] | None]
    finish_reason: str


class ChatCompletion(TypedDict):
    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: NotRequired[Usage | None]


class FunctionDelta(TypedDict):
    name: NotRequired[Annotated[str, Field(description="Only in a call's first piece.")]]
    arguments: NotRequired[str]


class CustomDelta(TypedDict):
    name: NotRequired[str]
    input: NotRequired[str]


class ToolCallDelta(TypedDict):
    """One call's, and one a chunk; `id`, `type` and the name come once."""

    index: int
    id: NotRequired[str]
    type: NotRequired[Literal["function", "custom"]]
    function: NotRequired[FunctionDelta]
    custom: NotRequired[CustomDelta]


class Delta(TypedDict):
    role: NotRequired[Literal["assistant"]]
    content: NotRequired[str | None]
    refusal: NotRequired[str | None]
    reasoning_content: NotRequired[str | None]
    tool_calls: NotRequired[list[ToolCallDelta]]
    function_call: NotRequired[FunctionDelta]


class ChunkChoice(TypedDict):
    index: int
    delta: Delta
    logprobs: NotRequired[dict[str, Any] | None]
    finish_reason: str | None


class ChatCompletionChunk(TypedDict):
    """`choices` is empty in the last one, which has the usage, if that was asked for.  Behind it comes `[DONE]`."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: NotRequired[Usage | None]
