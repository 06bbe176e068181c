"""What a turn says → the output items of a response, and the events that tell a client how they come about.

Rule: an item is announced, filled, finished and only then followed by the next; what is said before, between and behind
calls stays where it was said.  ``items`` and the events are made of the same text, so they can't disagree.
Source: OpenAI's API reference, the streaming events of POST /v1/responses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, cast

import orjson

from emulator.events import ArgumentsDelta, CallStarted, Event, Finished, ReasoningDelta, RefusalDelta, TextDelta
from emulator.protocols.custom import InputReader
from emulator.protocols.fields import Json
from emulator.protocols.responses import ResponsesRequest
from emulator.protocols.responses_items import sealed
from emulator.protocols.responses_tools import SEARCH

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}

Wire = tuple[str, Json]
"""An event's type and its other fields, without its number."""


class _Item(Protocol):
    """An item under way.  ``data`` is the item itself, whole once it is closed."""

    data: Json

    def opened(self) -> Iterator[Wire]: ...
    def closed(self, status: str) -> Iterator[Wire]: ...


class Output:
    """The items of one response; ``key`` is the part of their ids that they share with the response's."""

    def __init__(self, asked: ResponsesRequest, key: str) -> None:
        self.items: list[Json] = []
        self.incomplete: str | None = None
        """Why the answer isn't whole, in OpenAI's words."""
        self._asked = asked
        self._key = key
        self._open: _Item | None = None
        self._held: list[TextDelta] = []
        self._called = False

    def add(self, event: Event) -> Iterator[Wire]:
        match event:
            case TextDelta():
                if self._asked.format is not None:
                    self._held.append(event)
                else:
                    yield from self._say(event)
            case ReasoningDelta(_, text):
                yield from self._let_go(calls_follow=False)
                thought = self._open
                if not isinstance(thought, _Thought):
                    thought = _Thought(*self._place("rs"), self._asked.summary, self._asked.sealed)
                    yield from self._begin(thought)
                yield from thought.more(text)
            case RefusalDelta(_, text):
                yield from self._let_go(calls_follow=False)
                refusal = self._open
                if not isinstance(refusal, _Refusal):
                    refusal = _Refusal(*self._place("msg"))
                    yield from self._begin(refusal)
                yield from refusal.more(text)
            case CallStarted(_, _, id, name):
                yield from self._let_go(calls_follow=True)
                self._called = True
                yield from self._begin(self._call(id, name))
            case ArgumentsDelta(_, _, fragment):
                assert isinstance(self._open, _Calling)
                yield from self._open.more(fragment)
            case Finished(_, reason):
                yield from self._let_go(calls_follow=False)
                self.incomplete = _INCOMPLETE.get(reason)
                yield from self.close("incomplete" if self.incomplete else "completed")
            case _:
                return

    def close(self, status: str = "completed") -> Iterator[Wire]:
        """Finish the item under way."""
        if self._open is None:
            return
        closing, self._open = self._open, None
        yield from closing.closed(status)
        yield "response.output_item.done", {"output_index": len(self.items) - 1, "item": closing.data}

    def _begin(self, item: _Item) -> Iterator[Wire]:
        yield from self.close()
        self.items.append(item.data)
        self._open = item
        # A copy: the item goes on to change, and events may be looked at later.
        yield "response.output_item.added", {"output_index": len(self.items) - 1, "item": dict(item.data)}
        yield from item.opened()

    def _say(self, event: TextDelta, phase: str | None = None) -> Iterator[Wire]:
        words = self._open
        if not isinstance(words, _Words):
            words = _Words(*self._place("msg"), phase)
            yield from self._begin(words)
        yield from words.more(event.text, _logprobs(event) if self._asked.logprobs else [])

    def _let_go(self, *, calls_follow: bool) -> Iterator[Wire]:
        """Say what was held back: where the answer's words are to be JSON, those beside calls aren't the answer, and
        clients that parse it have to be told before they see it."""
        held, self._held = self._held, []
        phase = "commentary" if calls_follow or self._called else None
        for event in held:
            yield from self._say(event, phase)

    def _call(self, identifier: str, name: str) -> _Calling:
        if self._asked.search and name == SEARCH:
            return _SearchCall(*self._place("tsc"), identifier)
        namespace, outer = self._asked.names.get(name, (None, name))
        named: Json = {"name": outer} | ({} if namespace is None else {"namespace": namespace})
        if name in self._asked.customs:
            return _CustomCall(*self._place("ctc"), identifier, named)
        return _Call(*self._place("fc"), identifier, named)

    def _place(self, prefix: str) -> tuple[str, int]:
        """The next item's id, and its index."""
        return f"{prefix}_{self._key}{len(self.items):x}", len(self.items)


class _Words:
    """A message."""

    def __init__(self, identifier: str, index: int, phase: str | None) -> None:
        self.data = _message(identifier) | ({} if phase is None else {"phase": phase})
        self._at: Json = {"item_id": identifier, "output_index": index, "content_index": 0}
        self._texts: list[str] = []
        self._logprobs: list[Json] = []

    def opened(self) -> Iterator[Wire]:
        yield "response.content_part.added", self._at | {"part": _output_text("", [])}

    def more(self, text: str, logprobs: list[Json]) -> Iterator[Wire]:
        self._texts.append(text)
        self._logprobs += logprobs
        yield "response.output_text.delta", self._at | {"delta": text, "logprobs": logprobs}

    def closed(self, status: str) -> Iterator[Wire]:
        text = "".join(self._texts)
        part = _output_text(text, self._logprobs)
        self.data |= {"status": status, "content": [part]}
        yield "response.output_text.done", self._at | {"text": text, "logprobs": self._logprobs}
        yield "response.content_part.done", self._at | {"part": part}


class _Refusal:
    """A message by which the model declines."""

    def __init__(self, identifier: str, index: int) -> None:
        self.data = _message(identifier)
        self._at: Json = {"item_id": identifier, "output_index": index, "content_index": 0}
        self._texts: list[str] = []

    def opened(self) -> Iterator[Wire]:
        yield "response.content_part.added", self._at | {"part": {"type": "refusal", "refusal": ""}}

    def more(self, text: str) -> Iterator[Wire]:
        self._texts.append(text)
        yield "response.refusal.delta", self._at | {"delta": text}

    def closed(self, status: str) -> Iterator[Wire]:
        text = "".join(self._texts)
        part: Json = {"type": "refusal", "refusal": text}
        self.data |= {"status": status, "content": [part]}
        yield "response.refusal.done", self._at | {"refusal": text}
        yield "response.content_part.done", self._at | {"part": part}


def _message(identifier: str) -> Json:
    return {"id": identifier, "type": "message", "status": "in_progress", "role": "assistant", "content": []}


def _output_text(text: str, logprobs: list[Json]) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}


class _Thought:
    """A reasoning item; ``summary``: what is thought is shown as its own summary."""

    def __init__(self, identifier: str, index: int, summary: bool, seal: bool) -> None:
        self.data: Json = {"id": identifier, "type": "reasoning", "status": "in_progress", "summary": []}
        self._summary, self._seal = summary, seal
        self._at: Json = {"item_id": identifier, "output_index": index}
        self._at["summary_index" if summary else "content_index"] = 0
        self._texts: list[str] = []

    def opened(self) -> Iterator[Wire]:
        kind = "reasoning_summary_part" if self._summary else "content_part"
        yield f"response.{kind}.added", self._at | {"part": self._part("")}

    def more(self, text: str) -> Iterator[Wire]:
        self._texts.append(text)
        yield f"response.{self._text}.delta", self._at | {"delta": text}

    def closed(self, status: str) -> Iterator[Wire]:
        text = "".join(self._texts)
        part = self._part(text)
        self.data |= {"status": status, "summary" if self._summary else "content": [part]}
        if self._seal:
            self.data["encrypted_content"] = sealed(text)
        kind = "reasoning_summary_part" if self._summary else "content_part"
        yield f"response.{self._text}.done", self._at | {"text": text}
        yield f"response.{kind}.done", self._at | {"part": part}

    @property
    def _text(self) -> str:
        return "reasoning_summary_text" if self._summary else "reasoning_text"

    def _part(self, text: str) -> Json:
        return {"type": "summary_text" if self._summary else "reasoning_text", "text": text}


class _Calling:
    """What calls of all kinds share: arguments that come in fragments, and are told when they are whole."""

    def __init__(self, identifier: str, index: int, call_id: str, kind: str, fields: Json) -> None:
        self.data: Json = {"id": identifier, "type": kind, "status": "in_progress", "call_id": call_id} | fields
        self._at: Json = {"item_id": identifier, "output_index": index}
        self._fragments: list[str] = []

    def opened(self) -> Iterator[Wire]:
        return iter(())

    def more(self, fragment: str) -> Iterator[Wire]:
        self._fragments.append(fragment)
        return iter(())

    def closed(self, status: str) -> Iterator[Wire]:
        """A call is proven before its first event, so it is whole however the answer ends."""
        self.data["status"] = "completed"
        return self._whole("".join(self._fragments))

    def _whole(self, arguments: str) -> Iterator[Wire]:
        raise NotImplementedError


class _Call(_Calling):
    """A function call."""

    def __init__(self, identifier: str, index: int, call_id: str, named: Json) -> None:
        super().__init__(identifier, index, call_id, "function_call", named | {"arguments": ""})

    def more(self, fragment: str) -> Iterator[Wire]:
        yield from super().more(fragment)
        yield "response.function_call_arguments.delta", self._at | {"delta": fragment}

    def _whole(self, arguments: str) -> Iterator[Wire]:
        self.data["arguments"] = arguments
        told = {"name": self.data["name"], "arguments": arguments}
        yield "response.function_call_arguments.done", self._at | told


class _CustomCall(_Calling):
    """A custom tool's call, whose input is told as the text that it is."""

    def __init__(self, identifier: str, index: int, call_id: str, named: Json) -> None:
        super().__init__(identifier, index, call_id, "custom_tool_call", named | {"input": ""})
        self._reader = InputReader()

    def more(self, fragment: str) -> Iterator[Wire]:
        if text := self._reader.feed(fragment):
            yield from super().more(text)
            yield "response.custom_tool_call_input.delta", self._at | {"delta": text}

    def _whole(self, arguments: str) -> Iterator[Wire]:
        self.data["input"] = arguments
        yield "response.custom_tool_call_input.done", self._at | {"input": arguments}


class _SearchCall(_Calling):
    """A call of the client's tool search.  Its arguments are an object, so there are no events for their pieces."""

    def __init__(self, identifier: str, index: int, call_id: str) -> None:
        super().__init__(
            identifier, index, call_id, "tool_search_call", {"execution": "client", "arguments": dict[str, str]()}
        )

    def _whole(self, arguments: str) -> Iterator[Wire]:
        if arguments:
            # As they were proven: numbers of any size and spelling survive.
            self.data["arguments"] = orjson.Fragment(arguments)
        return iter(())


def _logprobs(event: TextDelta) -> list[Json]:
    return [
        found | {"top_logprobs": list(_each_logprob(entry.get("top_logprobs")))}
        for entry in event.logprobs
        for found in _each_logprob([entry])
    ]


def _each_logprob(entries: object) -> Iterator[Json]:
    """The entries of a model server's list that tell a token and its logprob; OpenAI's clients also want the bytes,
    which few servers tell."""
    for entry in cast(list[object], entries) if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        told = cast(Json, entry)
        token, logprob, known = told.get("token"), told.get("logprob"), told.get("bytes")
        if not isinstance(token, str) or isinstance(logprob, bool) or not isinstance(logprob, int | float):
            continue
        if not isinstance(known, list) or not all(type(byte) is int for byte in cast(list[object], known)):
            known = list(token.encode("utf-8", "surrogatepass"))
        yield {"token": token, "logprob": logprob, "bytes": known}
