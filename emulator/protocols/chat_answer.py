"""Events → Chat Completions: chunks of a stream, or their fold into one answer.

The shapes are those that real clients need: a role in the first delta; ``index``, ``id``, ``type`` and
``name`` once a call and only the fragment later; one call a chunk; usage in a chunk with ``choices: []``.
Source: OpenAI's API reference, the chat completion object and the chunk object.  Of calls of custom tools the reference
of chunks says nothing: OpenAI's server sends them as the plain answer has them, with fragments of ``input``.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from emulator import __version__
from emulator.errors import EmulatorError
from emulator.events import (
    ArgumentsDelta,
    CallStarted,
    Event,
    Finished,
    Head,
    OtherFields,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    UsageTotal,
)
from emulator.protocols.answer import comment_frame, sse
from emulator.protocols.custom import InputReader, custom_input
from emulator.protocols.fields import Json

DONE = b"data: [DONE]\n\n"


def identity(fields: Json) -> Json:
    """``id``, ``created`` and the rest beside the choices; what the upstream didn't say is made up."""
    known = {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "created": int(time.time()),
        "model": "unknown",
        "service_tier": "default",
        "system_fingerprint": f"fp_{__version__}",
    }
    kept = {
        key: value for key, value in fields.items() if key not in ("object", "choices", "usage") and value is not None
    }
    return known | kept


def error_frames(error: EmulatorError) -> bytes:
    """An error after the stream has begun, in the form that OpenAI's clients raise."""
    return sse(orjson.dumps(error.body())) + DONE


@dataclass(slots=True)
class ChatAnswer:
    """Implements AnswerForm.  ``legacy``: calls are told as ``function_call``; ``customs`` are the custom tools.

    ``begun`` are the choices that have had their first delta, ``inputs`` the custom tools' calls that are under way.
    """

    include_usage: bool = False
    legacy: bool = False
    customs: frozenset[str] = frozenset()
    _head: Json = field(default_factory=dict[str, Any])
    _begun: set[int] = field(default_factory=set[int])
    _inputs: dict[tuple[int, int], InputReader] = field(default_factory=dict[tuple[int, int], InputReader])

    @property
    def tokens(self) -> bool:
        return True

    def frames(self, events: Iterable[Event], comment: Callable[[], str]) -> Iterator[bytes]:
        for event in events:
            yield from self._frames(event)
        yield comment_frame(comment()) + DONE

    def failure(self, error: EmulatorError) -> bytes:
        return error_frames(error)

    def whole(self, events: Iterable[Event]) -> Json:
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
                choices.setdefault(event.choice, _Choice()).add(event)
        return head | {
            "object": "chat.completion",
            "choices": [self._folded(index, choices[index]) for index in sorted(choices)],
            "usage": usage,
        }

    def _frames(self, event: Event) -> Iterator[bytes]:
        match event:
            case Head(fields):
                self._head = identity(fields) | {"object": "chat.completion.chunk"}
                yield self._delta(0, {})
            case TextDelta(choice, text, logprobs):
                yield self._delta(choice, {"content": text}, logprobs=_logprobs(logprobs, ()))
            case ReasoningDelta(choice, text):
                yield self._delta(choice, {"reasoning_content": text})
            case RefusalDelta(choice, text, logprobs):
                yield self._delta(choice, {"refusal": text}, logprobs=_logprobs((), logprobs))
            case OtherFields(choice, fields):
                yield self._delta(choice, fields)
            case CallStarted():
                yield self._delta(event.choice, self._started(event))
            case ArgumentsDelta():
                yield from self._arguments(event)
            case Finished(choice, reason):
                yield self._delta(choice, {}, finish_reason=self._reason(reason))
            case UsageTotal(usage):
                if self.include_usage:
                    yield sse(orjson.dumps(self._head | {"choices": [], "usage": usage}))

    def _started(self, call: CallStarted) -> Json:
        if self.legacy:
            return {"function_call": {"name": call.name, "arguments": ""}}
        first = {"index": call.index, "id": call.id}
        if call.name in self.customs:
            self._inputs[call.choice, call.index] = InputReader()
            return {"tool_calls": [first | {"type": "custom", "custom": {"name": call.name, "input": ""}}]}
        return {"tool_calls": [first | {"type": "function", "function": {"name": call.name, "arguments": ""}}]}

    def _arguments(self, delta: ArgumentsDelta) -> Iterator[bytes]:
        choice, index, fragment = delta.choice, delta.index, delta.fragment
        if self.legacy:
            yield self._delta(choice, {"function_call": {"arguments": fragment}})
        elif (choice, index) not in self._inputs:
            yield self._delta(choice, {"tool_calls": [{"index": index, "function": {"arguments": fragment}}]})
        elif text := self._inputs[choice, index].feed(fragment):
            yield self._delta(choice, {"tool_calls": [{"index": index, "custom": {"input": text}}]})

    def _reason(self, reason: str) -> str:
        return "function_call" if self.legacy and reason == "tool_calls" else reason

    def _delta(
        self, choice: int, delta: Json, *, finish_reason: str | None = None, logprobs: Json | None = None
    ) -> bytes:
        if choice not in self._begun:
            self._begun.add(choice)
            delta = {"role": "assistant", "content": "" if not delta else None, "refusal": None} | delta
        part = {"index": choice, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        chunk = self._head | {"choices": [part]}
        if self.include_usage:
            chunk["usage"] = None
        return sse(orjson.dumps(chunk))

    def _folded(self, index: int, choice: _Choice) -> Json:
        text, refusal = "".join(choice.text), "".join(choice.refusal)
        silent = bool(choice.calls or refusal or choice.others.get("audio"))
        message: Json = {
            "role": "assistant",
            "content": text if text or not silent else None,
            "refusal": refusal or None,
            "annotations": [],
            **choice.others,
        }
        if choice.reasoning:
            message["reasoning_content"] = "".join(choice.reasoning)
        if choice.calls:
            message |= self._calls(choice.calls)
        return {
            "index": index,
            "message": message,
            "logprobs": _logprobs(choice.logprobs, choice.refusal_logprobs),
            "finish_reason": self._reason(choice.reason),
        }

    def _calls(self, calls: Iterable[_Call]) -> Json:
        made = [self._call(call, "".join(call.arguments)) for call in calls]
        return {"function_call": made[0]["function"]} if self.legacy else {"tool_calls": made}

    def _call(self, call: _Call, arguments: str) -> Json:
        if call.name in self.customs:
            custom = {"name": call.name, "input": custom_input(arguments)}
            return {"id": call.id, "type": "custom", "custom": custom}
        return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


@dataclass(frozen=True, slots=True)
class _Call:
    id: str
    name: str
    arguments: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class _Choice:
    """What a choice's events say, added up."""

    text: list[str] = field(default_factory=list[str])
    reasoning: list[str] = field(default_factory=list[str])
    refusal: list[str] = field(default_factory=list[str])
    others: Json = field(default_factory=dict[str, Any])
    calls: list[_Call] = field(default_factory=list[_Call])
    logprobs: list[Json] = field(default_factory=list[Json])
    refusal_logprobs: list[Json] = field(default_factory=list[Json])
    reason: str = "stop"

    def add(
        self,
        event: TextDelta | ReasoningDelta | RefusalDelta | OtherFields | CallStarted | ArgumentsDelta | Finished,
    ) -> None:
        match event:
            case TextDelta(_, text, logprobs):
                self.text.append(text)
                self.logprobs += logprobs
            case ReasoningDelta(_, text):
                self.reasoning.append(text)
            case RefusalDelta(_, text, logprobs):
                self.refusal.append(text)
                self.refusal_logprobs += logprobs
            case OtherFields(_, fields):
                self.others = _joined(self.others, fields)
            case CallStarted(_, _, id, name):
                self.calls.append(_Call(id, name))
            case ArgumentsDelta(_, index, fragment):
                self.calls[index].arguments.append(fragment)
            case Finished(_, reason):
                self.reason = reason


def _joined(known: Json, more: Json) -> Json:
    """Two deltas as one, as clients add them up: texts and lists go on, objects do so field by field."""
    joined = dict(known)
    for key, value in more.items():
        before = known.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            joined[key] = _joined(cast(Json, before), cast(Json, value))
        elif isinstance(value, str) and isinstance(before, str):
            joined[key] = before + value
        elif isinstance(value, list) and isinstance(before, list):
            joined[key] = [*cast(list[Any], before), *cast(list[Any], value)]
        else:
            joined[key] = value
    return joined


def _logprobs(content: Sequence[Json], refusal: Sequence[Json]) -> Json | None:
    if not content and not refusal:
        return None
    return {"content": list(content) or None, "refusal": list(refusal) or None}
