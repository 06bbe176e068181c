"""ReAct: ``Action: get_weather``, then ``Action Input: {"city": "Paris"}``; Command-R's ``Action:`` with a list.

Rule: an action without a tool's name is a word that people use, too.
"""

from __future__ import annotations

import regex

from emulator.code.formats.interface import Scope, Written, WrittenCall, WrittenCode
from emulator.code.formats.json_calls import arguments_of, json_calls
from emulator.code.formats.json_values import leading_value, unfenced
from emulator.code.formats.tokens import named_calls

LABEL = r"[*_#\s]{0,8}"
ACTION = rf"{LABEL}(?:Action|Function|Tool)(?:[ ]Name)?(?:[ \t]{{0,2}}\d{{0,3}})?{LABEL}:{LABEL}"
_ACTION = regex.compile(f"^{ACTION}", regex.MULTILINE)
_INPUT = regex.compile(
    rf"\n{LABEL}(?P<label>(?:Action|Tool|Function)?[ _]?(?:Input|Arguments|Parameters|Args))"
    rf"(?:[ \t]{{0,2}}\d{{0,3}})?{LABEL}:{LABEL}",
    regex.IGNORECASE,
)
_NAME = regex.compile(r"[`*\"'\[]{0,3}(?P<name>[^\W\d][\w.\-:/]{0,255})[`*\"'\]]{0,3}[ \t.]*$")
_SQUARE = regex.compile(r"(?P<name>[^\W\d][\w.\-]{0,127})\[(?P<input>.*)\]\s*", regex.DOTALL)
_CODE = regex.compile(r"`{0,3}(?:[^\W\d]\w*\.)*(?P<name>[^\W\d]\w{0,127})[ ]?\(")
_LABELLED = regex.compile(
    r"\s*(?:name|function|tool)[ ]?:[ ]?[\"'`]?(?P<name>[^\W\d][\w.\-:/]{0,255}?)[\"'`]?\s*\n"
    r"\s*(?:arguments|parameters|args|input)[ ]?:",
    regex.IGNORECASE,
)
_KEYWORDS = regex.compile(r"[^\W\d]\w{0,127}[ ]?=[ ]?[^=\s]")
_CUT = regex.compile(r"\n[ \t*_]{0,8}(?:Observation|Thought|Final Answer|PAUSE)\b[^\n]*", regex.IGNORECASE)


def labelled_calls(text: str, scope: Scope) -> list[WrittenCall] | None:
    """``name: get_weather``, and ``arguments: {…}`` below.  See interface.Format."""
    found = _LABELLED.match(text)
    if found is None:
        return None
    arguments = arguments_of(text[found.end() :].strip(), scope)
    return [WrittenCall(found["name"], arguments)] if isinstance(arguments, dict) else None


def react_calls(text: str, scope: Scope) -> Written | None:
    """See interface.Format."""
    found = _ACTION.match(text)
    if found is None:
        return None
    parts = _ACTION.split(text)[1:]
    calls: list[WrittenCall] = []
    for part in parts:
        written = _one(_CUT.split(part, maxsplit=1)[0].rstrip(), scope)
        if written is None or isinstance(written, WrittenCode):
            return written if len(parts) == 1 else None
        calls += written
    return calls


def _one(text: str, scope: Scope) -> Written | None:
    label = _INPUT.search(text)
    if label is None:
        return _without_input(text, scope)
    named = _NAME.fullmatch(text[: label.start()].strip())
    if named is None or not (scope.sure or scope.tool(named["name"])):
        return None
    body = unfenced(text[label.end() :]).strip("`").strip()
    if _KEYWORDS.match(body):
        return WrittenCode(f"{named['name']}({body})")
    leading = leading_value(body, 0) if body[:1] == "{" else None  # Words may stand behind it.
    arguments = arguments_of(leading[0] if leading else body, scope)
    if arguments is None or (isinstance(arguments, str) and not label["label"].lower().endswith("input")):
        return None
    return [WrittenCall(named["name"], arguments)]


def _without_input(text: str, scope: Scope) -> Written | None:
    body = unfenced(text).strip("`").strip()
    if body[:1] in ("{", "["):
        return json_calls(body, scope)
    if (code := _CODE.match(body)) is not None and scope.tool(code["name"]):
        return WrittenCode(body)
    if (named := named_calls(body, scope)) is not None:
        return named if all(scope.tool(call.name) for call in named) else None
    if (square := _SQUARE.fullmatch(body)) is not None and scope.tool(square["name"]):
        return [WrittenCall(square["name"], square["input"], clear=False)]
    if (alone := _NAME.fullmatch(body)) is not None and scope.tool(alone["name"]):
        return [WrittenCall(alone["name"], {}, clear=False)]
    return None
