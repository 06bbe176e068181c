"""An output item of a response while it comes about: the events that tell of it, and the item that it is in the end.

Rule: ``data`` and the events are made of the same text, so they can't disagree.
Source: OpenAI's API reference, the streaming events of POST /v1/responses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Protocol

import orjson

from emulator.errors import EmulatorError
from emulator.protocols.answer import sse
from emulator.protocols.custom import InputReader
from emulator.protocols.fields import Json
from emulator.protocols.responses_items import sealed

Wire = tuple[str, Json]
"""An event's type and its other fields, without its number."""


class Item(Protocol):
    """An item under way.  ``data`` is the item itself, whole once it is closed."""

    data: Json

    def opened(self) -> Iterator[Wire]: ...
    def closed(self, status: str) -> Iterator[Wire]: ...


class Words:
    """A message."""

    def __init__(self, identifier: str, index: int, phase: str | None) -> None:
        self.data = _message(identifier) | ({} if phase is None else {"phase": phase})
        self._at: Json = {"item_id": identifier, "output_index": index, "content_index": 0}
        self._texts: list[str] = []
        self._logprobs: list[Json] = []
        self._annotations: list[Json] = []

    def opened(self) -> Iterator[Wire]:
        yield "response.content_part.added", self._at | {"part": _output_text("", [], [])}

    def more(self, text: str, logprobs: list[Json]) -> Iterator[Wire]:
        self._texts.append(text)
        self._logprobs += logprobs
        yield "response.output_text.delta", self._at | {"delta": text, "logprobs": logprobs}

    def annotate(self, annotations: Iterable[Json]) -> None:
        """What stands behind the words.  It is told with their end, since places in them are known only then."""
        self._annotations += annotations

    def closed(self, status: str) -> Iterator[Wire]:
        text = "".join(self._texts)
        part = _output_text(text, self._logprobs, self._annotations)
        self.data |= {"status": status, "content": [part]}
        for index, annotation in enumerate(self._annotations):
            told = {"annotation_index": index, "annotation": annotation}
            yield "response.output_text.annotation.added", self._at | told
        yield "response.output_text.done", self._at | {"text": text, "logprobs": self._logprobs}
        yield "response.content_part.done", self._at | {"part": part}


class Refusal:
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


def _output_text(text: str, logprobs: list[Json], annotations: list[Json]) -> Json:
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": logprobs}


class Thought:
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


class Calling(ABC):
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

    @abstractmethod
    def _whole(self, arguments: str) -> Iterator[Wire]:
        """The events behind the last fragment; puts into ``data`` what the fragments came to."""


class Call(Calling):
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


class CustomCall(Calling):
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


class SearchCall(Calling):
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


def spoken(text: str, logprobs: list[Json]) -> list[tuple[str, list[Json]]]:
    """The pieces that a text is told in, each with its logprobs: tokens, where they make it up, else all at once."""
    if makes_up(logprobs, text):
        return [(entry["token"], [entry]) for entry in logprobs]
    return [(text, logprobs)]


def makes_up(logprobs: list[Json], text: str) -> bool:
    """The tokens are those of the text; parts of a character, say, are none."""
    return "".join(entry["token"] for entry in logprobs) == text


def announced(index: int, item: Item) -> Iterator[Wire]:
    # A copy: the item goes on to change, and events may be looked at later.
    yield "response.output_item.added", {"output_index": index, "item": dict(item.data)}
    yield from item.opened()


def finished(index: int, item: Json) -> Wire:
    return "response.output_item.done", {"output_index": index, "item": item}


def error_event(error: EmulatorError) -> Wire:
    return "error", {"code": error.code, "message": error.message, "param": error.param}


def frame(wire: Wire, number: int) -> bytes:
    """The event as a server-sent one, ``number`` being its place in the stream."""
    kind, fields = wire
    return sse(orjson.dumps({"type": kind, "sequence_number": number} | fields), kind)
