"""The channels of gpt-oss: ``<|channel|>analysis<|message|>…<|end|>``.

The analysis is a thought, what goes ``to=`` a function is a call, all else is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import regex

HEADER = (
    r"(?:<\|start\|>[^<>|]{0,128})?<\|channel\|>[^<>|]{0,200}(?:<\|constrain\|>[^<>|]{0,64})?<\|message\|>"
    r"|[ ]?to=[\w.\-]{1,200}[ ]?(?:<\|channel\|>[^<>|]{0,64})?(?:<\|constrain\|>[^<>|]{0,64})?<\|message\|>"
    r"|<\|start\|>[^<>|]{0,200}(?:<\|constrain\|>[^<>|]{0,64})?<\|message\|>"
)
"""What stands before each message, as a pattern."""
BARE_HEADER = (
    r"(?:assistant)?(?:analysis|commentary)[ ]to=[\w.\-]{1,200}[ ]?(?:json|code)?[ ]?(?=[{\[])"
    r"|(?:assistant)?(?:analysis|commentary|final)(?=[\p{Lu}\p{Lo}*#`])"
)
"""The same at the beginning of a line, of which a server has taken out the tokens, as a pattern."""
_NEXT = r"(?=<\|(?:start|channel)\|>)|(?=assistant(?:analysis|commentary|final))"
END_OF_THOUGHT = regex.compile(rf"<\|(?:end|return|call)\|>|{_NEXT}")
END_OF_CALL = rf"<\|(?:call|end|return)\|>(?:commentary\b)?|{_NEXT}"

_CHANNEL = regex.compile(r"(?:<\|channel\|>\s*|\A(?:assistant)?)(?P<channel>analysis|commentary|final)")
_HEADER = regex.compile(rf"\s*(?:{HEADER}|{BARE_HEADER})")
_RECIPIENT = regex.compile(r"\bto\s?=\s?(?P<name>[^\s<>|]+)")


@dataclass(frozen=True, slots=True)
class Message:
    """``recipient`` is the function that is called, "" for none."""

    kind: Literal["thought", "call", "text"]
    recipient: str = ""


def parted(text: str) -> tuple[Message, str]:
    """A message with its header → what it is, and its content."""
    found = _HEADER.match(text)
    return (Message("text"), text) if found is None else (message(found.group().strip()), text[found.end() :])


def message(header: str) -> Message:
    """What a header says of the message behind it."""
    channel = _CHANNEL.search(header)
    recipient = _RECIPIENT.search(header)
    name = recipient["name"] if recipient else ""
    if name and name not in ("assistant", "user", "all"):
        return Message("call", name)
    return Message("thought" if channel and channel["channel"] == "analysis" else "text")
