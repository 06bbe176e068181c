"""A routing decision in JSON, ``{"calls": […]}`` or ``{"answer": "…"}`` → the calls proven, or the words.

Rule: an answer that holds no decision at all is words; one that begins as a decision and can't be read is a problem,
since showing JSON to a user is never what was meant.
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

_FENCE = regex.compile(r"\s*`{3,}\w*\s*\n(?P<inside>.*?)(?:`{3,}\s*)?$", regex.DOTALL)
_CUT_ANSWER = regex.compile(r'\s*\{\s*"answer"\s*:\s*(?P<text>"(?:[^"\\]|\\.)*)', regex.DOTALL)
_DECODER = json.JSONDecoder(strict=False)


class Undecided(CodeError):
    """The text begins as a decision, but is none."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``calls`` as (name, arguments), or ``words`` for the user."""

    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    words: str = ""


def decision_of(text: str, *, cut: bool = False) -> Decision:
    """The decision in ``text``; ``cut``: a limit ended it, so that the words so far may be all there is.

    Raises Undecided.
    """
    fenced = _FENCE.match(text)
    inside = (fenced["inside"] if fenced else text).strip()
    if inside[:1] not in ("{", "["):
        return Decision(words=text.strip())
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
    return cast(str, _DECODER.decode(found["text"].rstrip("\\") + '"'))


def _decision(value: Any) -> Decision:
    match value:
        case {"calls": [_, *_]}:
            return Decision(tuple(map(_call, value["calls"])))
        case {"name": str()}:
            return Decision((_call(value),))
        case [{"name": str()}, *_]:
            return Decision(tuple(map(_call, value)))
        case {"answer": str(words)}:
            return Decision(words=words)
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
