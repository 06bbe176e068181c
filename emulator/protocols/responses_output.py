"""What a turn says → the output items of a response, and the events that tell a client how they come about.

Rule: an item is announced, filled, finished and only then followed by the next; what is said before, between and behind
calls stays where it was said.
Source: OpenAI's API reference, the streaming events of POST /v1/responses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from emulator.events import (
    ArgumentsDelta,
    CallStarted,
    Event,
    Finished,
    OtherFields,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
)
from emulator.protocols.fields import Json
from emulator.protocols.responses import ResponsesRequest
from emulator.protocols.responses_ids import item_id
from emulator.protocols.responses_tools import SEARCH
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
    finished,
    spoken,
)

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Output:
    """The items of one response; ``key`` is the part of their ids that they share with the response's."""

    def __init__(self, asked: ResponsesRequest, key: str) -> None:
        self.items: list[Json] = []
        self.incomplete: str | None = None
        """Why the answer isn't whole, in OpenAI's words."""
        self._asked = asked
        self._key = key
        self._open: Item | None = None
        self._held: list[TextDelta] = []
        self._called = False
        self._cited: list[Json] = []

    def add(self, event: Event) -> Iterator[Wire]:
        match event:
            case TextDelta():
                if self._asked.format is not None:
                    self._held.append(event)
                else:
                    yield from self._say(event)
            case ReasoningDelta(_, text):
                yield from self._let_go(calls_follow=False)
                yield from self._think(text)
            case RefusalDelta(_, text):
                yield from self._let_go(calls_follow=False)
                yield from self._decline(text)
            case OtherFields(_, fields):
                # Behind a call the words that are meant have been told already.
                self._cited += [] if self._called else _citations(fields.get("annotations"))
            case CallStarted(_, _, id, name):
                yield from self._let_go(calls_follow=True)
                self._called = True
                yield from self._begin(self._call(id, name))
            case ArgumentsDelta(_, _, fragment):
                assert isinstance(self._open, Calling)
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
        if isinstance(closing, Words):
            # A model server may tell them before the words, or with a piece of them.
            closing.annotate(self._cited)
            self._cited = []
        yield from closing.closed(status)
        yield finished(len(self.items) - 1, closing.data)

    def _begin(self, item: Item) -> Iterator[Wire]:
        yield from self.close()
        self.items.append(item.data)
        self._open = item
        yield from announced(len(self.items) - 1, item)

    def _say(self, event: TextDelta, phase: str | None = None) -> Iterator[Wire]:
        words = self._open
        if not isinstance(words, Words):
            words = Words(*self._place("message"), phase)
            yield from self._begin(words)
        for text, logprobs in spoken(event.text, _logprobs(event) if self._asked.logprobs else []):
            yield from words.more(text, logprobs)

    def _think(self, text: str) -> Iterator[Wire]:
        thought = self._open
        if not isinstance(thought, Thought):
            thought = Thought(*self._place("reasoning"), self._asked.summary, self._asked.sealed)
            yield from self._begin(thought)
        yield from thought.more(text)

    def _decline(self, text: str) -> Iterator[Wire]:
        refusal = self._open
        if not isinstance(refusal, Refusal):
            refusal = Refusal(*self._place("message"))
            yield from self._begin(refusal)
        yield from refusal.more(text)

    def _let_go(self, *, calls_follow: bool) -> Iterator[Wire]:
        """Say what was held back: where the answer's words are to be JSON, those beside calls aren't the answer, and
        clients that parse it have to be told before they see it."""
        held, self._held = self._held, []
        phase = "commentary" if calls_follow or self._called else None
        for event in held:
            yield from self._say(event, phase)

    def _call(self, identifier: str, name: str) -> Calling:
        if self._asked.search and name == SEARCH:
            return SearchCall(*self._place("tool_search_call"), identifier)
        namespace, outer = self._asked.names.get(name, (None, name))
        named: Json = {"name": outer} | ({} if namespace is None else {"namespace": namespace})
        if name in self._asked.customs:
            return CustomCall(*self._place("custom_tool_call"), identifier, named)
        return Call(*self._place("function_call"), identifier, named)

    def _place(self, kind: str) -> tuple[str, int]:
        """The next item's id, and its index."""
        return item_id(kind, self._key, f"{len(self.items):x}"), len(self.items)


def _citations(annotations: object) -> Iterator[Json]:
    """Chat Completions' annotations in this protocol's form; of what isn't whole, clients could make nothing."""
    for entry in cast(list[object], annotations) if isinstance(annotations, list) else ():
        told = cast(Json, entry).get("url_citation") if isinstance(entry, dict) else None
        if not isinstance(told, dict):
            continue
        citation = {key: cast(Json, told).get(key) for key in ("start_index", "end_index", "url", "title")}
        places, words = list(citation.values())[:2], list(citation.values())[2:]
        if all(type(place) is int for place in places) and all(isinstance(word, str) for word in words):
            yield {"type": "url_citation"} | citation


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
