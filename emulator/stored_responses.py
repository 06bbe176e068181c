"""Answers of the Responses API that are kept for their clients, with what they were asked.

Rule: a response is its owner's alone; to anybody else it isn't there.  Each record has its own input only and names the
response before it, so a conversation is kept once, however long it gets.  A store that fails costs the keeping, never
the answer.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

import orjson

from emulator.errors import InvalidRequest, NotFound, RequestTooLarge
from emulator.logs import log_event
from emulator.protocols.fields import Json
from emulator.protocols.responses import ResponsesRequest
from emulator.protocols.responses_ids import item_id, key_of, response_id
from emulator.protocols.responses_items import Past
from emulator.records.interface import Records, StoreUnavailable

logger = logging.getLogger(__name__)

UNDER_WAY = ("queued", "in_progress")
_CANCELLED, _DELETED = b"cancelled", b"deleted"
"""How a response was ended, for whoever works on it."""
_MOST_NAMED = 1024
"""Responses that items of one request may be looked for in."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """``input`` are the items of its own request, each with an id; ``until`` is when it is over at the latest, in
    seconds since 1970: whoever was at work on it has died if it isn't."""

    response: Json
    input: list[Json]
    until: float

    @property
    def under_way(self) -> bool:
        return self.response["status"] in UNDER_WAY

    @property
    def items(self) -> list[Json]:
        """What it adds to a conversation."""
        return [*self.input, *self.response["output"]]

    def cancelled(self) -> StoredResponse:
        return replace(self, response=self.response | {"status": "cancelled"})

    def to_bytes(self) -> bytes:
        return orjson.dumps({"response": self.response, "input": self.input, "until": self.until})


class StoredResponses:
    """``store`` is asked for when it is first needed; a response is kept for ``seconds``; a conversation of more than
    ``most`` bytes isn't built on any further."""

    def __init__(self, store: Callable[[], Records], seconds: float, most: int) -> None:
        self._store, self._seconds, self._most = store, seconds, most

    def keep(self, owner: str, stored: StoredResponse) -> None:
        """Raises StoreUnavailable."""
        self._store().put(_name(owner, stored.response["id"]), stored.to_bytes(), self._seconds)

    def try_keep(self, owner: str, stored: StoredResponse) -> None:
        """``keep``, where the answer is more important than its keeping."""
        try:
            self.keep(owner, stored)
        except StoreUnavailable as error:
            _log_not_kept(error)

    def find(self, owner: str, identifier: str) -> StoredResponse | None:
        """Raises StoreUnavailable."""
        raw = self._store().get(_name(owner, identifier))
        return None if raw is None else _stored(raw)

    def get(self, owner: str, identifier: str) -> StoredResponse:
        """Raises NotFound, StoreUnavailable."""
        stored = self.find(owner, identifier)
        if stored is None:
            raise NotFound(f"Response with id '{identifier[:80]}' not found.", param="response_id")
        return stored

    def delete(self, owner: str, identifier: str) -> None:
        """Raises NotFound, StoreUnavailable."""
        if self.get(owner, identifier).response.get("background"):
            self._end(owner, identifier, _DELETED)
        self._store().delete(_name(owner, identifier))

    def cancel(self, owner: str, identifier: str) -> Json:
        """The response, cancelled if it was under way.  Raises NotFound, StoreUnavailable, and InvalidRequest where
        somebody waits for it."""
        stored = self.get(owner, identifier)
        if not stored.response["background"]:
            raise InvalidRequest("Cannot cancel a synchronous response.", param="response_id")
        if not stored.under_way:
            return stored.response
        self._end(owner, identifier, _CANCELLED)
        cancelled = stored.cancelled()
        self.keep(owner, cancelled)
        return cancelled.response

    def keep_wanted(self, owner: str, begun: StoredResponse, response: Json) -> None:
        """``try_keep`` of what has become of ``begun``, unless it was cancelled or deleted, be it in this moment."""
        identifier = response["id"]
        if self.is_ended(owner, identifier):
            return
        try:
            self.keep(owner, replace(begun, response=response))
            end = self._store().get(_end_name(owner, identifier))
            if end == _DELETED:
                self._store().delete(_name(owner, identifier))
            elif end == _CANCELLED:
                self.keep(owner, begun.cancelled())
        except StoreUnavailable as error:
            _log_not_kept(error)

    def is_ended(self, owner: str, identifier: str) -> bool:
        """It was cancelled or deleted."""
        try:
            return self._store().get(_end_name(owner, identifier)) is not None
        except StoreUnavailable:
            return False

    def _end(self, owner: str, identifier: str, how: bytes) -> None:
        self._store().put(_end_name(owner, identifier), how, self._seconds)

    def past(self, owner: str, previous: str | None, named: Iterable[str]) -> Past:
        """The items that a request builds on: those of the response ``previous`` and of all before it, and of those
        that it names the ones that are found.  Raises InvalidRequest, RequestTooLarge, StoreUnavailable."""
        items: list[list[Json]] = []
        size = 0
        named_by_client = previous
        while previous is not None:
            raw = self._store().get(_name(owner, previous))
            if raw is None:
                raise _no_previous(previous, named_by_client)
            size += len(raw)
            if size > self._most:
                raise RequestTooLarge(
                    f"The conversation behind 'previous_response_id' has more than {self._most} bytes, this server's "
                    "limit (--max-body).",
                    param="previous_response_id",
                )
            stored = _stored(raw)
            if stored.under_way:
                raise InvalidRequest(
                    f"Response '{previous[:80]}' is still {stored.response['status']}.", param="previous_response_id"
                )
            items.append(stored.items)
            previous = stored.response["previous_response_id"]
        return Past(tuple(item for turn in reversed(items) for item in turn), self._named(owner, frozenset(named)))

    def _named(self, owner: str, named: frozenset[str]) -> dict[str, Json]:
        """Items by their ids, which tell the responses that they belong to."""
        keys = {key for name in named if (key := key_of(name))}
        if len(keys) > _MOST_NAMED:
            raise InvalidRequest(
                f"Invalid 'input': item references to {len(keys)} responses. Expected at most {_MOST_NAMED}.",
                param="input",
                code="array_above_max_length",
            )
        found = (self.find(owner, response_id(key)) for key in keys)
        return {item["id"]: item for stored in found if stored for item in stored.items if item.get("id") in named}


def kept_input(asked: ResponsesRequest, key: str) -> list[Json]:
    """The request's items as they are kept: each with an id of its own, theirs or one that tells where it is found."""
    seen: set[str] = set()
    kept: list[Json] = []
    for at, item in enumerate(asked.items):
        if not isinstance(given := item.get("id"), str) or not given or given in seen:
            given = item_id(item["type"], key, f"i{at:x}")
        seen.add(given)
        kept.append(item | {"id": given})
    return kept


def _log_not_kept(error: StoreUnavailable) -> None:
    log_event(logger, "response not kept", level=logging.WARNING, reason=error.message)


def _name(owner: str, identifier: str) -> str:
    return f"response:{owner}:{identifier}"


def _end_name(owner: str, identifier: str) -> str:
    return f"response-end:{owner}:{identifier}"


def _stored(raw: bytes) -> StoredResponse:
    """A record; one whose worker has died says so."""
    kept = _loaded(raw)
    stored = StoredResponse(kept["response"], kept["input"], kept["until"])
    if stored.under_way and time.time() > stored.until:
        error = {"code": "server_error", "message": "The server was stopped while it worked on this response."}
        return StoredResponse(stored.response | {"status": "failed", "error": error}, stored.input, stored.until)
    return stored


def _loaded(raw: bytes) -> Json:
    if b'"tool_search_call"' not in raw:
        return orjson.loads(raw)
    # Its arguments are an object of the model's own, with numbers of any size and spelling.
    return json.loads(raw, parse_int=_exact, parse_float=_exact)


def _exact(text: str) -> object:
    """A number that is written as ``text`` again, whoever writes it."""
    with suppress(orjson.JSONDecodeError):  # It has the form of a number, but may be none that a double can be.
        number: object = orjson.loads(text)
        if orjson.dumps(number) == text.encode():
            return number
    return orjson.Fragment(text)


def _no_previous(identifier: str, asked: str | None) -> InvalidRequest:
    """``asked`` is the response that the client named, which is this one or builds on it."""
    found_in = f", which '{asked[:80]}' builds on," if asked and asked != identifier else ""
    return InvalidRequest(
        f"Previous response with id '{identifier[:80]}'{found_in} not found.",
        param="previous_response_id",
        code="previous_response_not_found",
    )
