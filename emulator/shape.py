"""Messages in the order of roles that a model's chat template takes.

Rule: no word of the client's is lost, whatever the template refuses; what has to be said in between is given by the
caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from emulator.profiles import PromptStyle

Json = dict[str, Any]
Content = str | list[Json]

_SIMPLE = frozenset(["role", "content"])


def ordered(
    system: Sequence[Json],
    examples: Sequence[Json],
    turns: Sequence[Json],
    style: PromptStyle,
    fillers: tuple[str, str],
) -> list[Json]:
    """One conversation of the system messages, worked examples that alternate, and the turns behind them.

    ``fillers`` are the user's words before an assistant who speaks first, and behind one who isn't to go on by itself.
    """
    lead, shown, rest = list(system), list(examples), list(turns)
    if not style.system_role:
        rest = [message | {"role": "user"} if message["role"] == "system" else message for message in rest]
        if shown:
            shown = _in_front(lead, shown)
        else:
            rest = _in_front(lead, rest)
        lead = []
    opening, nudge = fillers
    if style.alternate:
        rules = joined(message["content"] for message in lead)
        lead = [] if _is_blank(rules) else [{"role": "system", "content": rules}]
        rest = _alternating(rest, opening)
    else:
        rest = merged(rest)
    whole = [*lead, *shown, *rest]
    if not style.assistant_prefix and whole and whole[-1]["role"] == "assistant":
        whole.append({"role": "user", "content": nudge})
    return whole


def merged(messages: Iterable[Json]) -> list[Json]:
    """Neighbours of one role as one message, where they are nothing but text: many chat templates demand it."""
    out: list[Json] = []
    for _, neighbours in groupby(messages, lambda message: message["role"] if _is_plain_text(message) else object()):
        first, *more = neighbours
        out.append(first | {"content": joined(m["content"] for m in (first, *more))} if more else first)
    return out


def appended(messages: Sequence[Json], *more: Json) -> list[Json]:
    """``messages`` and what is said behind them; whoever spoke last goes on in the same message."""
    out = list(messages)
    for message in more:
        last = out[-1] if out else {}
        if last.get("role") == message["role"] and last.keys() <= _SIMPLE:
            out[-1] = message | {"content": joined((last["content"], message["content"]))}
        else:
            out.append(message)
    return out


def joined(contents: Iterable[Content]) -> Content:
    """Contents of messages as one: text with blank lines between, or parts where one of them has parts."""
    filled = [content for content in contents if content]
    if all(isinstance(content, str) for content in filled):
        return "\n\n".join(content for content in filled if isinstance(content, str))
    return [
        part
        for content in filled
        for part in ([{"type": "text", "text": content}] if isinstance(content, str) else content)
    ]


def _in_front(lead: Sequence[Json], messages: Sequence[Json]) -> list[Json]:
    """What ``lead`` says, at the beginning of the first of ``messages`` if that is the user's."""
    said = joined(message["content"] for message in lead)
    if _is_blank(said):
        return list(messages)
    if not messages or messages[0]["role"] != "user":
        return [{"role": "user", "content": said}, *messages]
    first, *more = messages
    return [first | {"content": joined((said, first["content"]))}, *more]


def _alternating(turns: Iterable[Json], opening: str) -> list[Json]:
    """User and assistant in turn, the user first, none of them silent."""
    said = [(_role(message), content) for message in turns if not _is_blank(content := _said(message))]
    out = [
        {"role": role, "content": joined(content for _, content in run)}
        for role, run in groupby(said, lambda turn: turn[0])
    ]
    return out if out and out[0]["role"] == "user" else [{"role": "user", "content": opening}, *out]


def _role(message: Json) -> str:
    return "assistant" if message["role"] == "assistant" else "user"


def _said(message: Json) -> Content:
    """A message's content; an assistant that refuses may have its words elsewhere (OpenAI's ``refusal``)."""
    return message["content"] or message.get("refusal") or ""


def _is_blank(content: Content) -> bool:
    if isinstance(content, str):
        return not content.strip()
    return all(part.get("type") == "text" and not part["text"].strip() for part in content)


def _is_plain_text(message: Json) -> bool:
    return message["role"] != "system" and message.keys() <= _SIMPLE and isinstance(message["content"], str)
