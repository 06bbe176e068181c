"""Events → Chat Completions: chunks of a stream, or their fold into one answer.

The shapes are those that real clients need: a role in the first delta; ``index``, ``id``, ``type`` and
``name`` once a call and only the fragment later; one call a chunk; usage in a chunk with ``choices: []``.
Source: OpenAI's API reference, the chat completion object and the chunk object.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from emulator.errors import EmulatorError
from emulator.events import ArgumentsDelta, CallStarted, Event, Finished, Head, ReasoningDelta, TextDelta, UsageTotal
from emulator.protocols.answer import comment_frame, sse
from emulator.protocols.fields import Json

DONE = b"data: [DONE]\n\n"


def identity(fields: Json) -> Json:
    """``id``, ``created`` and the rest beside the choices; what the upstream didn't say is made up."""
    known = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": "unknown"}
    kept = {
        key: value for key, value in fields.items() if key not in ("object", "choices", "usage") and value is not None
    }
    return known | kept


def error_frames(error: EmulatorError) -> bytes:
    """An error after the stream has begun, in the form that OpenAI's clients raise."""
    return sse(orjson.dumps(error.body())) + DONE


@dataclass(slots=True)
class ChatAnswer:
    """Implements AnswerForm.  ``begun`` are the choices that have had their first delta."""

    include_usage: bool = False
    _head: Json = field(default_factory=dict[str, Any])
    _begun: set[int] = field(default_factory=set[int])

    def frames(self, events: Iterable[Event], comment: Callable[[], str]) -> Iterator[bytes]:
        for event in events:
            yield from self._frames(event)
        yield comment_frame(comment()) + DONE

    def failure(self, error: EmulatorError) -> bytes:
        return error_frames(error)

    def whole(self, events: Iterable[Event]) -> Json:
        return fold(events)

    def _frames(self, event: Event) -> Iterator[bytes]:
        match event:
            case Head(fields):
                self._head = identity(fields) | {"object": "chat.completion.chunk"}
                yield self._delta(0, {})
            case TextDelta(choice, text, logprobs):
                yield self._delta(choice, {"content": text}, logprobs=list(logprobs))
            case ReasoningDelta(choice, text):
                yield self._delta(choice, {"reasoning_content": text})
            case CallStarted(choice, index, id, name):
                function = {"name": name, "arguments": ""}
                yield self._delta(choice, _call_delta(index, function, id=id, type="function"))
            case ArgumentsDelta(choice, index, fragment):
                yield self._delta(choice, _call_delta(index, {"arguments": fragment}))
            case Finished(choice, reason):
                yield self._delta(choice, {}, finish_reason=reason)
            case UsageTotal(usage):
                if self.include_usage:
                    yield sse(orjson.dumps(self._head | {"choices": [], "usage": usage}))

    def _delta(
        self, choice: int, delta: Json, *, finish_reason: str | None = None, logprobs: list[Json] | None = None
    ) -> bytes:
        if choice not in self._begun:
            self._begun.add(choice)
            delta = {"role": "assistant", "content": "" if not delta else None} | delta
        part = {
            "index": choice,
            "delta": delta,
            "logprobs": {"content": logprobs, "refusal": None} if logprobs else None,
            "finish_reason": finish_reason,
        }
        chunk = self._head | {"choices": [part]}
        if self.include_usage:
            chunk["usage"] = None
        return sse(orjson.dumps(chunk))


def _call_delta(index: int, function: Json, **first: str) -> Json:
    return {"tool_calls": [{"index": index, **first, "function": function}]}


@dataclass(slots=True)
class _Choice:
    text: list[str] = field(default_factory=list[str])
    reasoning: list[str] = field(default_factory=list[str])
    calls: list[Json] = field(default_factory=list[Json])
    logprobs: list[Json] = field(default_factory=list[Json])
    reason: str = "stop"


def fold(events: Iterable[Event]) -> Json:
    """All events of a turn → the chat completion object."""
    head: Json = identity({})
    usage: Json = {}
    choices: dict[int, _Choice] = {}
    for event in events:
        if isinstance(event, Head):
            head = identity(event.fields)
        elif isinstance(event, UsageTotal):
            usage = event.usage
        else:
            _add(choices.setdefault(event.choice, _Choice()), event)
    return head | {
        "object": "chat.completion",
        "choices": [_folded(index, choices[index]) for index in sorted(choices)],
        "usage": usage,
    }


def _add(choice: _Choice, event: TextDelta | ReasoningDelta | CallStarted | ArgumentsDelta | Finished) -> None:
    match event:
        case TextDelta(_, text, logprobs):
            choice.text.append(text)
            choice.logprobs += logprobs
        case ReasoningDelta(_, text):
            choice.reasoning.append(text)
        case CallStarted(_, _, id, name):
            choice.calls.append({"id": id, "type": "function", "function": {"name": name, "arguments": ""}})
        case ArgumentsDelta(_, index, fragment):
            choice.calls[index]["function"]["arguments"] += fragment
        case Finished(_, reason):
            choice.reason = reason


def _folded(index: int, choice: _Choice) -> Json:
    text = "".join(choice.text)
    message: Json = {"role": "assistant", "content": text if text or not choice.calls else None, "refusal": None}
    if choice.reasoning:
        message["reasoning_content"] = "".join(choice.reasoning)
    if choice.calls:
        message["tool_calls"] = choice.calls
    return {
        "index": index,
        "message": message,
        "logprobs": {"content": choice.logprobs, "refusal": None} if choice.logprobs else None,
        "finish_reason": choice.reason,
    }
