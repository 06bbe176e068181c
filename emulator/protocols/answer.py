"""What every protocol's adapter makes of a turn's events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, cast

from emulator.errors import EmulatorError
from emulator.events import Event
from emulator.protocols.fields import Json


class AnswerForm(Protocol):
    """One answer in one protocol, streamed or whole.  ``tokens``: the client is told of the model's tokens."""

    @property
    def tokens(self) -> bool: ...

    def frames(self, events: Iterable[Event], comment: Callable[[], str]) -> Iterator[bytes]:
        """SSE frames.  ``comment`` is asked at the end for what is known only then: an SSE comment, which clients
        skip."""
        ...

    def failure(self, error: EmulatorError) -> bytes:
        """The frames that end a stream which has begun and can't go on."""
        ...

    def whole(self, events: Iterable[Event]) -> Json:
        """All events folded into one body."""
        ...


def sse(data: bytes, event: str = "") -> bytes:
    """A server-sent event.  Source: the HTML standard, section 9.2."""
    head = b"event: " + event.encode() + b"\ndata: " if event else b"data: "
    return head + data + b"\n\n"


def comment_frame(text: str) -> bytes:
    return b": " + text.encode() + b"\n\n"


def usage_detail(usage: Json, group: str, name: str) -> int | None:
    """A count of the usage that stands in its object ``group``, None where the model server tells none."""
    details: Any = usage.get(group)
    value = cast(Json, details).get(name) if isinstance(details, dict) else None
    return value if type(value) is int and value >= 0 else None
