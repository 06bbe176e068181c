"""Which formats a frame's inside is held against, in which order: the first that reads all of it counts.

Rule: from the most to the least peculiar.  A format that knows its own tags or tokens goes before JSON, and JSON before
Python, since a list of JSON objects is a Python expression, too.
"""

from __future__ import annotations

from dataclasses import replace

import regex

from emulator.code.debris import without_tokens
from emulator.code.formats.frames import FRAMES, Ending, Frame, alternatives, opened
from emulator.code.formats.interface import Format, Scope, Written, WrittenCall, WrittenCode
from emulator.code.formats.json_calls import declared_or_called, json_calls
from emulator.code.formats.python_inside import python_inside
from emulator.code.formats.react import labelled_calls, react_calls
from emulator.code.formats.tags import attribute_calls, key_calls, own_tag_calls, tag_calls
from emulator.code.formats.tokens import channel_calls, named_calls, token_calls

_NESTED = tuple(frame for frame in FRAMES if frame.inline or frame.name in ("functools", "list"))
_OPENING = regex.compile(rf"\s*+(?:{alternatives(_NESTED)})", regex.IGNORECASE)
_DEEPEST = 2
_MOST = 256


def read_inside(frame: Frame, text: str, scope: Scope, *, deep: int = _DEEPEST) -> Written | None:
    """The calls that stand in ``frame``; ``text`` is its inside, with the opening where the frame wants it.

    Raises Miswritten.
    """
    body = without_tokens(text)
    for form in _FORMATS.get(frame.name, _INSIDE):
        written = form(body, scope)
        if written is not None:
            return written
    return _framed(body, scope, deep - 1) if deep else None


def _framed(text: str, scope: Scope, deep: int) -> Written | None:
    """Frames inside of a frame, such as ``<tool_call>``s in a fence or in ``<tool_calls>``."""
    calls: list[WrittenCall] = []
    at, body = 0, text.strip()
    for _ in range(_MOST):
        opening = _OPENING.match(body, at)
        frame = None if opening is None else opened(opening)
        if opening is None or frame is None:
            break
        ending = Ending.of(frame, opening).find(body, opening.end())
        end, behind = ending or (len(body), len(body))
        inside = body[opening.start() if frame.whole else opening.end() : end]
        written = read_inside(frame, inside, scope if ending is None else replace(scope, closed=True), deep=deep)
        if isinstance(written, WrittenCode):
            return written if not calls and behind >= len(body) else None
        if written is None:
            return None
        calls += written
        at = behind
    return calls if at >= len(body) else None


_INSIDE: tuple[Format, ...] = (
    token_calls,
    tag_calls,
    key_calls,
    own_tag_calls,
    json_calls,
    labelled_calls,
    named_calls,
    python_inside,
)
_FORMATS: dict[str, tuple[Format, ...]] = {
    "element": (tag_calls,),
    "own tag": (own_tag_calls,),
    "siblings": (tag_calls,),
    "attributes": (attribute_calls,),
    "catalogue": (declared_or_called,),
    "functools": (json_calls,),
    "react": (react_calls,),
    "name above": (named_calls,),
    "name before": (named_calls,),
    "json": (json_calls, python_inside),
    "label": (json_calls,),
    "ticks": (json_calls,),
    "raven": (python_inside,),
    "harmony": (channel_calls,),
    "fenced": (react_calls, tag_calls, token_calls, json_calls, named_calls, python_inside),
}
