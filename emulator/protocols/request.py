"""One request for an assistant turn, whichever protocol it came in, and what an upstream is sent of it.

Rule: an adapter turns its wire format into this and events back into its wire format; nothing behind it knows which
protocol a client speaks.  The upstream's is always Chat Completions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emulator.protocols.conversation import DeclaredTools, FunctionTool, Message, ResponseFormat, Result, ToolChoice
from emulator.protocols.fields import Json

TOOL_PARAMETERS = frozenset(["tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"])
"""Request parameters that no upstream gets to see."""
_ASIDE = ("model", "stream", "stream_options", "user")


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """``body`` has the parameters in Chat Completions' words: for that protocol the request as sent, for another one
    what its adapter made of it, without messages and tools.  ``tools`` are all that the client declares, ``choice``
    what it allows."""

    body: Json
    messages: tuple[Message, ...]
    tools: DeclaredTools
    choice: ToolChoice
    parallel: bool = True
    stream: bool = False
    n: int = 1
    stop_given: bool = False
    format: ResponseFormat | None = None
    """What the answer's words are to be; None for text."""

    @property
    def words_only(self) -> bool:
        """Nothing is to be called or to keep to a format, and nothing has been called: whatever the model says, and be
        it nothing, is the answer."""
        called = any(message.calls or message.results for message in self.messages)
        return not self.tools.tools and self.format is None and not called

    def native_body(self) -> Json:
        """The whole request with its tools, for an upstream that calls them by itself."""
        return chat_form(self)


def upstream_body(request: TurnRequest, messages: list[Json], *, n: int) -> Json:
    """The request without what is of tool calling, with the messages that the model is to see.

    A format of the answer's words would also hold the code to it: the messages ask for it instead.
    """
    body = {key: value for key, value in request.body.items() if key not in TOOL_PARAMETERS}
    if request.format is not None:
        body.pop("response_format", None)
    body["messages"] = messages
    if "n" in body:
        body["n"] = n
    return body


def aside_body(request: TurnRequest, messages: list[Json]) -> Json:
    """A question beside the request: to the same model, in the same manner, and without the client's other wishes."""
    kept = {key: request.body[key] for key in _ASIDE if key in request.body}
    return kept | {"messages": messages, "temperature": 0}


def chat_form(request: TurnRequest) -> Json:
    """The request as Chat Completions has it, made anew from what it means."""
    body = upstream_body(request, [sent for message in request.messages for sent in _sent(message)], n=request.n)
    if request.format is not None:
        body["response_format"] = _format(request.format)
    if not request.tools.tools:
        return body
    body["tools"] = [{"type": "function", "function": _function(tool)} for tool in request.tools.tools]
    body["tool_choice"] = _choice(request.choice, request.tools.names)
    return body if request.parallel else body | {"parallel_tool_calls": False}


def _sent(message: Message) -> Sequence[Json]:
    """A message, and behind it the results of its calls; see OpenAI's API reference, messages of the role ``tool``."""
    said: Json = message.fields | {"role": message.role, "content": message.content}
    if not message.calls:
        return (said,)
    said["tool_calls"] = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in message.calls
    ]
    return (said, *map(_told, message.results), *_beside(message.results))


def _told(result: Result) -> Json:
    """A result as text, the one thing that a tool's message may hold; a failure in words, since no field tells it."""
    content = result.content
    if not isinstance(content, str):
        content = "\n".join(part["text"] for part in content if part.get("type") == "text")
    if result.error and not content.lower().startswith("error"):
        content = f"Error: {content}"
    return {"role": "tool", "tool_call_id": result.id, "content": content}


def _beside(results: Sequence[Result]) -> Sequence[Json]:
    """The pictures and files in results, as the user's: to a tool's message they would be refused."""
    parts: list[Json] = []
    for result in results:
        others = [part for part in result.content if isinstance(part, dict) and part.get("type") != "text"]
        if others:
            parts += [{"type": "text", "text": f"From the result of the call {result.id}:"}, *others]
    return ({"role": "user", "content": parts},) if parts else ()


def _function(tool: FunctionTool) -> Json:
    declared = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": tool.strict,
    }
    return {key: value for key, value in declared.items() if value is not None}


def _choice(choice: ToolChoice, declared: tuple[str, ...]) -> Any:
    if choice.mode == "none":
        return "none"
    allowed = [{"type": "function", "function": {"name": name}} for name in choice.names]
    if choice.named:
        return allowed[0]
    if choice.names == declared:
        return choice.mode
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": allowed}}


def _format(wanted: ResponseFormat) -> Json:
    if wanted.schema is None:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": wanted.name or "answer", "schema": wanted.schema}}
