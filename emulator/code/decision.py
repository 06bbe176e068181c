"""A routing decision in JSON, ``{"calls": […]}`` or ``{"answer": "…"}`` → the calls proven, or the words.

Rule: one that begins as a decision and can't be read is a problem, since showing JSON to a user is never what was
meant; an answer that holds no decision at all may be read in any other way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

import regex

from emulator.code.check import CodeError, UnknownFunction
from emulator.code.judge import Judge
from emulator.code.readings import Called
from emulator.code.values import ParsedCall

_FENCE = regex.compile(r"`{3,}\w*[ \t]*\n")
_BEGIN = regex.compile(r'\{\s*"(?:calls|answer)"\s*:')
_CUT_ESCAPE = regex.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")
_CUT_ANSWER = regex.compile(r'\s*\{\s*"answer"\s*:\s*(?P<text>"(?:[^"\\]|\\.)*)', regex.DOTALL)
_DECODER = json.JSONDecoder(strict=False)


class Undecided(CodeError):
    """The text begins as a decision, but is none."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``calls`` as (name, arguments), or ``words`` for the user."""

    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    words: str = ""


def decision_of(text: str, *, cut: bool = False) -> Decision | None:
    """The decision in ``text``, None where it doesn't even begin as one.

    ``cut``: a limit ended it, so that the words so far may be all there is.  Raises Undecided.
    """
    inside = text.strip()
    if fence := _FENCE.match(inside):
        inside = inside[fence.end() :].rstrip("`").strip()
    if inside[:1] not in ("{", "["):
        begun = _BEGIN.search(inside)  # Behind words such as "Sure:".
        if begun is None:
            return None
        inside = inside[begun.start() :]
    try:
        value, _ = _DECODER.raw_decode(inside)  # Models go on behind the object: the first decision counts.
    except (ValueError, RecursionError) as error:
        if cut:
            return Decision(words=_cut_words(inside))
        raise Undecided(f"This is no JSON object: {error}") from None
    return _decision(value)


def _cut_words(text: str) -> str:
    found = _CUT_ANSWER.match(text)
    if found is None:
        raise Undecided("The answer was cut off before the JSON object was complete.")
    return _text(cast(str, _DECODER.decode(_CUT_ESCAPE.sub("", found["text"]) + '"')))


def _text(words: str) -> str:
    """Without halves of characters, which no answer can carry."""
    return words.encode("utf-8", "replace").decode()


def _decision(value: Any) -> Decision:
    match value:
        case {"calls": [_, *_]}:
            return Decision(tuple(map(_call, value["calls"])))
        case {"name": str()}:
            return Decision((_call(value),))
        case [{"name": str()}, *_]:
            return Decision(tuple(map(_call, value)))
        case {"answer": str(words)}:
            return Decision(words=_text(words))
        case {"answer": dict() | list()}:  # Asked for JSON, models put it there as it is.
            return Decision(words=json.dumps(value["answer"], ensure_ascii=False))
        case _:
            raise Undecided('The JSON object has neither "calls" nor "answer".')


def _call(value: Any) -> tuple[str, dict[str, Any]]:
    fields = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    name: Any = fields.get("name")
    arguments: Any = fields.get("arguments", fields.get("parameters")) or {}
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Undecided('A call is {"name": "…", "arguments": {…}}.')
    return name, cast(dict[str, Any], arguments)


def proven(decision: Decision, judge: Judge) -> list[Called]:
    """The decision's calls, all of which must hold.  Raises UnknownFunction, and Unproven with the reasons."""
    called: list[Called] = []
    for name, arguments in decision.calls:
        python = judge.vocabulary.meant(name)
        if python is None:
            raise UnknownFunction(name)
        called.append(judge.call(ParsedCall(python, (), arguments)))
    return called
