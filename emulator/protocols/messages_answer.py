"""Events → Anthropic's Messages API: the events of a stream, or their fold into one message.

Content is a list of blocks, one open at a time: a thought, words, or a call.  A plain answer is folded from the very
events that a stream consists of.
Source: Anthropic's API reference, "Streaming messages" and the message object.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from emulator.errors import EmulatorError
from emulator.events import (
    ArgumentsDelta,
    CallStarted,
    Event,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    UsageTotal,
)
from emulator.protocols.answer import comment_frame, sse, usage_detail
from emulator.protocols.fields import Json
from emulator.protocols.messages_errors import error_body

Thoughts = Literal["shown", "omitted", "hidden"]
"""Of thoughts the client gets all, an empty block with its signature, or nothing."""

_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


@dataclass(slots=True)
class MessagesAnswer:
    """Implements AnswerForm.  ``model`` is the name that the client asked for; ``stops`` are its stop sequences."""

    model: str
    request_id: str
    thoughts: Thoughts = "shown"
    stops: tuple[str, ...] = ()
    _blocks: int = 0
    _open: str = ""
    _refused: bool = False
    _signature: Any = field(default_factory=hashlib.sha256)
    _ended: Finished = field(default_factory=lambda: Finished(0, "stop"))
    _usage: Json = field(default_factory=dict[str, Any])

    @property
    def tokens(self) -> bool:
        return False

    def frames(self, events: Iterable[Event], comment: Callable[[], str]) -> Iterator[bytes]:
        for told in self._told(events):
            if told["type"] == "message_stop":
                yield comment_frame(comment())
            yield sse(orjson.dumps(told), told["type"])

    def failure(self, error: EmulatorError) -> bytes:
        return sse(orjson.dumps(error_body(error, self.request_id)), "error")

    def whole(self, events: Iterable[Event]) -> Json:
        message: Json = {}
        for told in self._told(events):
            match told["type"]:
                case "message_start":
                    message = told["message"]
                case "content_block_start":
                    message["content"].append(told["content_block"])
                case "content_block_delta":
                    _add(message["content"][-1], told["delta"])
                case "content_block_stop":
                    _close(message["content"][-1])
                case "message_delta":
                    message |= told["delta"]
                    message["usage"] |= told["usage"]
                case _:
                    continue
        return message

    def _told(self, events: Iterable[Event]) -> Iterator[Json]:
        begun = False
        for event in events:
            if not begun:
                begun = True
                yield {"type": "message_start", "message": self._begun()}
                yield {"type": "ping"}
            yield from self._of(event)
        yield from self._stop()
        yield {"type": "message_delta", "delta": self._end(), "usage": _counts(self._usage)}
        yield {"type": "message_stop"}

    def _of(self, event: Event) -> Iterator[Json]:
        match event:
            case TextDelta(_, text) | RefusalDelta(_, text) if text:
                self._refused = self._refused or isinstance(event, RefusalDelta)
                if self._open != "text":
                    yield from self._start({"type": "text", "text": "", "citations": None})
                yield self._delta({"type": "text_delta", "text": text})
            case ReasoningDelta(_, text) if text and self.thoughts != "hidden":
                if self._open != "thinking":
                    yield from self._start({"type": "thinking", "thinking": "", "signature": ""})
                    self._signature = hashlib.sha256()
                self._signature.update(text.encode("utf-8", "surrogatepass"))
                if self.thoughts == "shown":
                    yield self._delta({"type": "thinking_delta", "thinking": text})
            case CallStarted(_, _, id, name):
                called = {"id": id, "name": name, "input": {}, "caller": {"type": "direct"}}
                yield from self._start({"type": "tool_use"} | called)
            case ArgumentsDelta(_, _, fragment):
                yield self._delta({"type": "input_json_delta", "partial_json": fragment})
            case Finished():
                self._ended = event
            case UsageTotal(usage):
                self._usage = usage
            case _:
                return

    def _start(self, block: Json) -> Iterator[Json]:
        yield from self._stop()
        self._open = block["type"]
        yield {"type": "content_block_start", "index": self._blocks, "content_block": block}

    def _stop(self) -> Iterator[Json]:
        if not self._open:
            return
        if self._open == "thinking":
            # Anthropic proves with it that a thought is its own; here it only tells one thought from another.
            signature = base64.b64encode(self._signature.digest()).decode()
            yield self._delta({"type": "signature_delta", "signature": signature})
        yield {"type": "content_block_stop", "index": self._blocks}
        self._open = ""
        self._blocks += 1

    def _delta(self, delta: Json) -> Json:
        return {"type": "content_block_delta", "index": self._blocks, "delta": delta}

    def _begun(self) -> Json:
        """The message before anything is said.  Nothing is counted yet: what was read is told at the end."""
        return {
            "id": f"msg_{secrets.token_hex(12)}",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "container": None,
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": _counts({})
            | {
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                "inference_geo": None,
                "service_tier": "standard",
            },
        }

    def _end(self) -> Json:
        stop = self._ended.stop if self._ended.stop in self.stops else None
        reason = "stop_sequence" if stop is not None else _STOPS.get(self._ended.reason, "end_turn")
        if self._refused and reason == "end_turn":
            reason = "refusal"
        refused = {"type": "refusal", "category": None, "explanation": None} if reason == "refusal" else None
        return {"stop_reason": reason, "stop_sequence": stop, "stop_details": refused, "container": None}


def _add(block: Json, delta: Json) -> None:
    """A piece of a block, which is put together when it is over."""
    match delta["type"]:
        case "text_delta" | "thinking_delta":
            block.setdefault("pieces", []).append(delta.get("text") or delta.get("thinking"))
        case "input_json_delta":
            block.setdefault("pieces", []).append(delta["partial_json"])
        case _:
            block["signature"] = delta["signature"]


def _close(block: Json) -> None:
    said = "".join(block.pop("pieces", ()))
    if block["type"] != "tool_use":
        block[block["type"]] = said
    elif said:
        # As it was proven: numbers of any size and spelling survive.
        block["input"] = orjson.Fragment(said)


def _counts(usage: Json) -> Json:
    """OpenAI's counts in Anthropic's words: what came from a cache is not among ``input_tokens``."""
    prompt, cached = usage.get("prompt_tokens") or 0, usage_detail(usage, "prompt_tokens_details", "cached_tokens") or 0
    thought = usage_detail(usage, "completion_tokens_details", "reasoning_tokens")
    return {
        "input_tokens": max(prompt - cached, 0),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.get("completion_tokens") or 0,
        "output_tokens_details": None if thought is None else {"thinking_tokens": thought},
        "server_tool_use": None,
    }
