"""A kept response → the events that told of it, for clients that ask for them again or for the first time.

Rule: nothing but the finished items is kept, and what is told of them depends on them alone, since texts are cut by
themselves.  So the events and their numbers are those of the stream that the response was made in, and a client whose
connection broke goes on behind the last number that it has seen.  Forgotten are the tokens of a refusal, what an error
said beside what the response says of it, and the words of a response that was cancelled or whose server died: whoever
has heard more of them than is kept is told the end.
Source: OpenAI's API reference, GET /v1/responses/{id} with ``stream`` and ``starting_after``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import cast

from emulator.errors import EmulatorError, InvalidRequest, ResponseCancelled
from emulator.events import TextDelta, argument_deltas
from emulator.protocols.custom import custom_arguments
from emulator.protocols.fields import Json
from emulator.protocols.responses_under_way import (
    Call,
    Calling,
    CustomCall,
    Item,
    Refusal,
    SearchCall,
    Thought,
    Wire,
    Words,
    announced,
    error_event,
    finished,
    frame,
    makes_up,
    spoken,
)
from emulator.protocols.segments import segmented

_NOT_YET = {"status": "in_progress", "error": None, "incomplete_details": None}


@dataclass(slots=True)
class Replay:
    """The events behind number ``after`` of a stream, as frames."""

    after: int = -1
    _number: int = 0

    def opening(self, response: Json) -> Iterator[bytes]:
        """The first two, which tell nothing of what comes of the response."""
        return self._frames(_opening(response))

    def rest(self, response: Json) -> Iterator[bytes]:
        """The others, of a response that is over; the last of them in any case.

        Raises InvalidRequest where it isn't known what stood behind which number.
        """
        parts = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
        if self.after >= 0 and any(map(_may_differ, parts)):
            raise InvalidRequest(
                "This response's tokens don't make up its text, so it can only be told from the beginning.",
                param="starting_after",
                code="invalid_value",
            )
        said, end = _items(response), _end(response)
        yield from self._frames(said)
        # Whoever has heard more than is kept would wait for ever without an end.
        self._number = max(self._number, self.after + 1 - (len(end) - 1))
        yield from self._frames(end)

    def failure(self, error: EmulatorError) -> bytes:
        """Why they can't be told."""
        return frame(error_event(error), self._number)

    def _frames(self, wires: Iterable[Wire]) -> Iterator[bytes]:
        for wire in wires:
            if self._number > self.after:
                yield frame(wire, self._number)
            self._number += 1


def _opening(response: Json) -> Iterator[Wire]:
    begun = {key: value for key, value in response.items() if key != "usage"} | _NOT_YET | {"output": list[Json]()}
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}


def _items(response: Json) -> Iterator[Wire]:
    for index, item in enumerate(cast("list[Json]", response["output"])):
        under_way, events = _again(item, index)
        yield from announced(index, under_way)
        yield from events
        yield from under_way.closed(item["status"])
        yield finished(index, item)


def _end(response: Json) -> list[Wire]:
    status: str = response["status"]
    if status in ("completed", "incomplete"):
        return [(f"response.{status}", {"response": response})]
    error = response["error"]
    told = ("error", error | {"param": None}) if error else error_event(ResponseCancelled())
    return [told, ("response.failed", {"response": response})]


def _again(item: Json, index: int) -> tuple[Item, Iterator[Wire]]:
    """The item as it was when it began, and the events that fill it, to be taken once it was announced."""
    identifier: str = item["id"]
    match item["type"]:
        case "message":
            [part] = item["content"]
            if part["type"] == "refusal":
                refusal = Refusal(identifier, index)
                return refusal, _all(refusal.more(piece) for piece in _segments(part["refusal"]))
            words = Words(identifier, index, item.get("phase"))
            words.annotate(part["annotations"])
            return words, _all(words.more(text, logprobs) for text, logprobs in _spoken(part))
        case "reasoning":
            thought = Thought(identifier, index, bool(item["summary"]), "encrypted_content" in item)
            [part] = item["summary"] or item["content"]
            return thought, _all(thought.more(piece) for piece in _segments(part["text"]))
        case "function_call":
            call = Call(identifier, index, item["call_id"], _named(item))
            return call, _told(call, item["arguments"])
        case "custom_tool_call":
            custom = CustomCall(identifier, index, item["call_id"], _named(item))
            return custom, _told(custom, custom_arguments(item["input"]))
        case _:
            return SearchCall(identifier, index, item["call_id"]), iter(())


_all = chain[Wire].from_iterable


def _told(call: Calling, arguments: str) -> Iterator[Wire]:
    return _all(call.more(piece.fragment) for piece in argument_deltas(0, 0, arguments))


def _named(item: Json) -> Json:
    return {key: item[key] for key in ("name", "namespace") if key in item}


def _segments(text: str) -> list[str]:
    return [piece.text for piece in segmented([TextDelta(0, text)]) if isinstance(piece, TextDelta)]


def _spoken(part: Json) -> list[tuple[str, list[Json]]]:
    if part["logprobs"]:
        return spoken(part["text"], part["logprobs"])
    return [(piece, []) for piece in _segments(part["text"])]


def _may_differ(part: Json) -> bool:
    """It was told in pieces that can't be known any more."""
    return bool(part.get("logprobs")) and not makes_up(part["logprobs"], part["text"])
