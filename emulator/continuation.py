"""Where a program of an earlier answer stands: derived from the messages that the client sends, and nothing else.

Rule: the server remembers a program's text, never its progress.  Whatever the client does to its history (retry,
branch, edit, another replica), the calls and results in it say how far the program has come; what doesn't fit leads
back to the plain transcript.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from emulator.kept import KeptProgram
from emulator.protocols.conversation import Message, Result
from emulator.runs import RunResult

_ID = re.compile(r"call_(?P<key>[0-9a-f]{24})(?P<index>0|[1-9a-f][0-9a-f]{0,3})")
_REMINDER = re.compile(r"<system-reminder>(?:[^<]|<(?!/?system-reminder>))*+</system-reminder>")


@dataclass(frozen=True, slots=True)
class CallIds:
    """Ids of one answer's calls: a function of its ``key`` (24 hexadecimal digits) and the call's index in it."""

    key: str

    def id(self, index: int) -> str:
        """At most 33 characters."""
        return f"call_{self.key}{index:x}"


@dataclass(frozen=True, slots=True)
class Record:
    """A call in the client's history and what came of it; ``text`` is the result as it was sent."""

    name: str
    arguments: str
    result: RunResult
    text: str


@dataclass(frozen=True, slots=True)
class Trail:
    """The turns at the conversation's end that are nothing but calls and results, from message ``start`` on.

    ``own`` are the calls of the answer ``key``, of which there were ``rounds``; ``earlier`` those before them.
    """

    key: str
    start: int
    earlier: tuple[Record, ...]
    own: tuple[Record, ...]
    rounds: int


@dataclass(frozen=True, slots=True)
class Resumption:
    """A program to go on with, and how far it has come.

    ``schemas`` are those of the trail's tools, whose defaults clients may have filled in.
    """

    kept: KeptProgram
    trail: Trail
    schemas: Mapping[str, Any] = field(default_factory=dict[str, Any])


def trail_of(conversation: Sequence[Message], texts: Collection[str] = ()) -> Trail | None:
    """The trail of the answer that made the last calls; None if something else stands last, or the ids aren't ours.

    A note that was told before is let pass; a new one is the model's to hear, and so is a result that isn't text to
    look at.  ``texts`` are the tools whose results are strings, whatever they look like.
    """
    start = len(conversation)
    while start and (conversation[start - 1].calls or _is_note(conversation[start - 1])):
        start -= 1
    while start < len(conversation) and not conversation[start].calls:
        start += 1
    turns = [message for message in conversation[start:] if message.calls]
    if not turns or any(not _is_text(result) for turn in turns for result in turn.results):
        return None
    keys = [_key_of(turn) for turn in turns]
    key = keys[-1]
    if key is None:
        return None
    first = next(index for index in range(len(turns)) if all(other == key for other in keys[index:]))
    own_ids = [call.id for turn in turns[first:] for call in turn.calls]
    if key in keys[:first] or own_ids != [CallIds(key).id(index) for index in range(len(own_ids))]:
        return None
    if not _told_before(conversation):
        return None
    earlier, own = _records(turns[:first], texts), _records(turns[first:], texts)
    return Trail(key, start, earlier, own, len(turns) - first)


def _told_before(conversation: Sequence[Message]) -> bool:
    """All notes behind the last calls say what the model was told before: some clients repeat them in each round."""
    last = len(conversation)
    while not conversation[last - 1].calls:
        last -= 1
    return last == len(conversation) or _notes(conversation[last:]) <= _notes(conversation[:last])


def _notes(messages: Sequence[Message]) -> set[str]:
    """Every reminder in them, and of every text what is beside its reminders."""
    texts = [text for message in messages for text in _texts(message.content)]
    return {note.strip() for text in texts for note in (*_REMINDER.findall(text), _REMINDER.sub("", text))}


def _is_note(message: Message) -> bool:
    """It tells the model something by the way.  Whether a user means it, only the model can tell: OpenCode and Claude
    Code put what is typed meanwhile into such words, too."""
    if message.role in ("system", "developer"):
        return True
    return message.role == "user" and all(_is_reminder(text) for text in _texts(message.content))


def _texts(content: str | list[dict[str, Any]] | None) -> list[str]:
    if not isinstance(content, list):
        return [content or ""]
    return [part["text"] if part.get("type") == "text" else "" for part in content] or [""]


def _is_reminder(text: str) -> bool:
    """Nothing but reminders in tags, as Claude Code sends them beside results."""
    return bool(text.strip()) and not _REMINDER.sub("", text).strip()


def _is_text(result: Result) -> bool:
    return isinstance(result.content, str) or all(part.get("type") == "text" for part in result.content)


def _key_of(turn: Message) -> str | None:
    """The answer's key, if all calls of the turn carry the same."""
    found = {match["key"] if (match := _ID.fullmatch(call.id)) else None for call in turn.calls}
    return found.pop() if len(found) == 1 else None


def _records(turns: Sequence[Message], texts: Collection[str]) -> tuple[Record, ...]:
    return tuple(
        Record(call.name, call.arguments, run_result(result, verbatim=call.name in texts), text_of(result))
        for turn in turns
        for call, result in zip(turn.calls, turn.results, strict=True)
    )


def text_of(result: Result) -> str:
    """The text of a result that is nothing else."""
    if isinstance(result.content, str):
        return result.content
    return "".join(part["text"] for part in result.content)


def run_result(result: Result, *, verbatim: bool = False) -> RunResult:
    """JSON text as its value, other text as itself, as all is if ``verbatim``; an error as what its call raises."""
    text = text_of(result)
    if result.error:
        return RunResult(error=text or "the tool failed")
    return RunResult(text if verbatim else json_value(text))


def json_value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def texts_of(records: Sequence[Record], key: Any) -> Mapping[str, str]:
    """The JSON texts that objects and arrays came as, by ``key`` of the value; the first of equal ones counts.

    A number or a constant that is equal to some result need not be it.
    """
    texts: dict[str, str] = {}
    for record in records:
        value = record.result.value
        if isinstance(value, dict | list):
            texts.setdefault(key(value), record.text)
    return texts
