"""Anthropic's Messages API: the request, the message, its events, counts and models.

Source: Anthropic's API reference, POST /v1/messages.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from emulator.protocols.messages_client_tools import CLIENT_TOOLS
from emulator.protocols.wire.shared import Empty, JsonSchema, LongToolName, Passed, Positive, Unserved

_WITH_SCREEN = [name for name in CLIENT_TOOLS if name.startswith("computer_")]
_WITHOUT_SCREEN = [name for name in CLIENT_TOOLS if name not in _WITH_SCREEN]


class TextBlock(TypedDict):
    type: Literal["text"]
    text: str


class Base64Source(TypedDict):
    type: Literal["base64"]
    media_type: str
    data: str


class UrlSource(TypedDict):
    type: Literal["url"]
    url: str


class ImageBlock(TypedDict):
    type: Literal["image"]
    source: Base64Source | UrlSource


class ToolUseBlock(TypedDict):
    """A result with its id has to follow in the next message."""

    type: Literal["tool_use"]
    id: str
    name: str
    input: dict[str, Any]


class ToolResultBlock(TypedDict):
    type: Literal["tool_result"]
    tool_use_id: str
    content: NotRequired[str | list[TextBlock | ImageBlock] | None]
    is_error: NotRequired[bool | None]


class ThinkingBlock(TypedDict):
    type: Literal["thinking"]
    thinking: NotRequired[str | None]
    signature: NotRequired[Passed]


class UserTurn(TypedDict):
    role: Literal["user"]
    content: str | list[TextBlock | ImageBlock | ToolResultBlock]


class AssistantTurn(TypedDict):
    role: Literal["assistant"]
    content: str | list[TextBlock | ToolUseBlock | ThinkingBlock]


class AnthropicTool(TypedDict):
    type: NotRequired[Literal["custom"] | None]
    name: LongToolName
    description: NotRequired[str | None]
    input_schema: JsonSchema
    strict: NotRequired[bool | None]


class ClientTool(TypedDict):
    """A tool that Anthropic describes and the client runs."""

    type: Annotated[str, WithJsonSchema({"type": "string", "enum": _WITHOUT_SCREEN})]
    name: LongToolName
    max_characters: NotRequired[int | None]


class ComputerTool(TypedDict):
    """Another of those, for a screen of this size."""

    type: Annotated[str, WithJsonSchema({"type": "string", "enum": _WITH_SCREEN})]
    name: LongToolName
    display_width_px: int
    display_height_px: int


class AutoChoice(TypedDict):
    type: Literal["auto", "any", "none"]
    disable_parallel_tool_use: NotRequired[bool | None]


class ToolChoice(TypedDict):
    type: Literal["tool"]
    name: str
    disable_parallel_tool_use: NotRequired[bool | None]


class Thinking(TypedDict):
    type: Literal["enabled", "adaptive", "between_tools", "disabled"]
    display: NotRequired[Passed]


class Metadata(TypedDict):
    user_id: NotRequired[str | None]


class JsonFormat(TypedDict):
    type: Literal["json_schema"]
    schema: JsonSchema


class OutputConfig(TypedDict):
    effort: NotRequired[Literal["low", "medium", "high", "xhigh", "max"] | None]
    format: NotRequired[JsonFormat | None]


class CountedBody(TypedDict):
    """Whatever else is in it concerns Anthropic's own servers and changes nothing here."""

    model: str
    messages: Annotated[list[UserTurn | AssistantTurn], Field(min_length=1)]
    system: NotRequired[str | list[TextBlock] | None]
    tools: NotRequired[Annotated[list[AnthropicTool | ClientTool | ComputerTool], Field(max_length=1024)] | None]
    tool_choice: NotRequired[AutoChoice | ToolChoice | None]
    thinking: NotRequired[Thinking | None]
    thread: NotRequired[Unserved]
    container: NotRequired[Empty]
    mcp_servers: NotRequired[Empty]
    compaction: NotRequired[Empty]
    output_config: NotRequired[OutputConfig | None]


class MessagesBody(CountedBody):
    max_tokens: Positive
    stream: NotRequired[bool | None]
    stop_sequences: NotRequired[list[Annotated[str, Field(min_length=1)]] | None]
    temperature: NotRequired[float | None]
    top_p: NotRequired[float | None]
    top_k: NotRequired[Annotated[int, Field(ge=-(2**63), le=2**64 - 1)] | None]
    metadata: NotRequired[Metadata | None]


class TextContent(TextBlock):
    citations: None


class ThinkingContent(TypedDict):
    type: Literal["thinking"]
    thinking: str
    signature: str


class MessageUsage(TypedDict):
    """What came from a cache is not among `input_tokens`."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int | None
    cache_read_input_tokens: int | None


class MessageObject(TypedDict):
    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[TextContent | ThinkingContent | ToolUseBlock]
    stop_reason: Literal["end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal"]
    stop_sequence: str | None
    usage: MessageUsage


class MessageEvent(TypedDict):
    """`message_start`, `ping`, blocks that start, grow and stop, `message_delta`, `message_stop`; or `error`."""

    type: Literal[
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "error",
    ]


class TokenCount(TypedDict):
    input_tokens: int
