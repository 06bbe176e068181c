"""A conversation as every protocol gives it to the core: messages, past calls and their results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call of an earlier assistant turn; ``arguments`` is the JSON text as the client sent it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gave back for the call ``id``; ``content`` is text or content parts, unaltered.

    ``error``: the protocol says that the tool failed, and the content says how.
    """

    id: str
    content: str | list[dict[str, Any]]
    error: bool = False


def unanswered(calls: Sequence[PastCall], results: Mapping[str, Sequence[Result]]) -> list[str]:
    """Ids of calls that have no result, each once; a result answers one call."""
    counts = Counter(call.id for call in calls)
    return [identifier for identifier, count in counts.items() if len(results.get(identifier, ())) < count]


def paired(calls: Sequence[PastCall], results: Mapping[str, Sequence[Result]]) -> tuple[Result, ...]:
    """The results in the order of the calls, none of which is unanswered.

    Of calls that share an id, as some servers make them, the first gets the first result; of results too many the last
    ones count.
    """
    counts = Counter(call.id for call in calls)
    waiting = {identifier: iter(results[identifier][-count:]) for identifier, count in counts.items()}
    return tuple(next(waiting[call.id]) for call in calls)


@dataclass(frozen=True, slots=True)
class Message:
    """``fields`` are the message as sent, without what is of tool calling; ``content`` is None for null."""

    role: str
    content: str | list[dict[str, Any]] | None
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    calls: tuple[PastCall, ...] = ()
    results: tuple[Result, ...] = ()
    """The results of ``calls``, in the order of the calls."""


def thought_fields(thoughts: Iterable[str]) -> dict[str, Any]:
    """A message's fields for what was thought before it, by the name that model servers take it back by."""
    thought = "\n\n".join(filter(None, thoughts))
    return {"reasoning_content": thought} if thought else {}


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A tool as the client declares it; ``parameters`` is its JSON Schema, or None.

    ``returns`` is the schema of its results (MCP's outputSchema), None where nothing is said of them.  ``serial``: it
    isn't read-only (MCP's annotations.readOnlyHint is false), so that the order of its calls matters.  ``custom``: it
    takes a text, which is the one string ``input`` here (see ``protocols.custom``) and keeps to ``grammar``, if that
    isn't None (see ``tools.lark``).  ``place`` is where in the request its schema or grammar stands, for errors.
    """

    name: str
    description: str | None
    parameters: Any
    strict: bool | None = None
    returns: Any = None
    serial: bool = False
    custom: bool = False
    grammar: str | None = None
    place: str = "tools"


@dataclass(frozen=True, slots=True)
class DeclaredTools:
    """All tools of a request.  ``key`` is their content's, equal for equal declarations, ``size`` its bytes."""

    key: bytes = b""
    tools: tuple[FunctionTool, ...] = ()
    names: tuple[str, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """``names`` are the tools that may be called; ``named``: the client named just one of them."""

    mode: Literal["none", "auto", "required"]
    names: tuple[str, ...]
    named: bool = False


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """JSON is wanted as the answer's words: any object, or with a ``schema`` what that admits.

    ``place`` is where in the request the schema stands, for errors.
    """

    schema: dict[str, Any] | None = None
    name: str = ""
    place: str = "response_format"
