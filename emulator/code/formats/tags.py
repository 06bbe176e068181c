"""Calls as elements: ``<function=f><parameter=x>v</parameter></function>``, ``<invoke name="f">``, ``<tool_use>``,
``<arg_key>`` and ``<arg_value>``, a tool's own name as the tag.

Rule: this isn't XML.  Most models escape nothing, values hold what they like, and tags are left open; so elements are
found by their tags, each is searched for once.  But a value is never cut short: where text stands between the
elements, one comes twice, or nothing shows where the last one ends, a value held what looks like markup or was cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from itertools import pairwise
from typing import Any

import regex

from emulator.code.formats.interface import Miswritten, Scope, WrittenCall
from emulator.code.formats.json_calls import arguments_of
from emulator.code.formats.json_values import json_fault, json_values, unfenced

_MOST = 256
"""Elements of one call."""
_SPACE_NAME = r"(?:[a-z]{1,16}:|[|｜]DSML[|｜])?"
_NAMED = (
    r"""(?:\s*=\s*|\s+(?:name|tool_name|function)\s*=\s*)["']?(?P<name>[^"'<>\s]{1,256})["']?(?P<rest>[^<>]{0,256})>"""
)
_CALL = regex.compile(
    rf"<{_SPACE_NAME}(?:function|invoke|tool|tool_call|call|action|tool_use){_NAMED}", regex.IGNORECASE
)
_CALL_END = regex.compile(
    rf"(?:</{_SPACE_NAME}(?:function|invoke|tool|tool_call|call|action|tool_use)>\s*+)++", regex.IGNORECASE
)
_PARAMETER = regex.compile(rf"<{_SPACE_NAME}(?:parameter|param|argument|arg){_NAMED}", regex.IGNORECASE)
_PARAMETER_END = regex.compile(rf"</{_SPACE_NAME}(?:parameter|param|argument|arg)>", regex.IGNORECASE)
_NAME = regex.compile(
    r"<(?P<tag>tool_name|function_name|name|tool|action|function)>\s*(?P<name>[^<>\s]{1,256})\s*</(?P=tag)>",
    regex.IGNORECASE,
)
_ARGUMENTS = regex.compile(
    r"<(?P<tag>input|arguments|parameters|args|tool_input|action_input|params|tool_arguments)>", regex.IGNORECASE
)
_KEY = regex.compile(r"<arg_key>\s*(?P<name>[^<>]{1,256}?)\s*</arg_key>\s*<arg_value>")
_VALUE_END = regex.compile(r"</arg_value>")
_BEFORE_KEYS = regex.compile(r"\s*(?P<name>[^\s<>{}()\[\]]{1,256})\s*(?=<arg_key>|$)")
_ESCAPED = regex.compile(r"[^<>&]*+(?:&(?:lt|gt|amp|quot|apos|#39);[^<>&]*+)++")
"""Nothing in it is markup, and what would be is escaped: so all of it is."""
_OUTER_ENDS = regex.compile(r"(?:</[\w:|｜.-]{1,64}>\s*+)++")
_ONLY_TAGS = regex.compile(r"\s*+(?:</?+[\w:|｜.-]{1,64}>\s*+)*+")
_LEFT = regex.compile(r"\s*+(?:</[\w:|｜.-]{1,64}>\s*+)*+")
"""What may stand between elements: ends of those around them, or of what was never opened."""
_BETWEEN = "text stands between the arguments, or a value holds what looks like one's end"
_CHILD_START = regex.compile(r"<(?P<name>[A-Za-z_][\w.-]{0,127})")
_ATTRIBUTE = regex.compile(r"""[ \t]([\w.-]{1,64})=("[^"<>\n]*"|'[^'<>\n]*')""")
_CHILD = regex.compile(r"<(?P<name>[A-Za-z_][\w.-]{0,127})(?P<attributes>\s[^<>]{0,256})?>")


def tag_calls(text: str, scope: Scope) -> list[WrittenCall] | None:
    """See interface.Format."""
    openings = list(_CALL.finditer(text))
    if openings:
        ends = [found.start() for found in openings[1:]] + [len(text)]
        return [_call(text, found, end, scope) for found, end in zip(openings, ends, strict=True)]
    return _named_inside(text, scope)


def key_calls(text: str, scope: Scope) -> list[WrittenCall] | None:
    """GLM: ``get_weather\\n<arg_key>city</arg_key>\\n<arg_value>Paris</arg_value>``.  See interface.Format."""
    found = _BEFORE_KEYS.match(text)
    if found is None:
        return None
    keys = list(_KEY.finditer(text, found.end()))
    if not keys and not (found.end() == len(text.rstrip()) and scope.tool(found["name"])):
        return None
    values: dict[str, Any] = {}
    for key, value in _values(text, keys, _VALUE_END, closed=scope.closed):
        values[key["name"]] = value
    return [WrittenCall(found["name"], values, textual=True)]


def own_tag_calls(text: str, scope: Scope) -> list[WrittenCall] | None:
    """``<get_weather><city>Paris</city></get_weather>``, once or several times.  See interface.Format."""
    calls: list[WrittenCall] = []
    left = text.strip()
    while left and len(calls) < _MOST:
        found = _CHILD.match(left)
        if found is None or scope.tool(found["name"]) is None:
            return None
        inside, ending, left = left[found.end() :].partition(f"</{found['name']}>")
        known = replace(scope, closed=scope.closed or bool(ending))
        calls.append(_with_body(found["name"], inside.strip(), known, clear=False))
        left = left.lstrip()
    return calls or None


def attribute_calls(text: str, scope: Scope) -> list[WrittenCall] | None:
    """``<get_weather city="Paris"/>``.  See interface.Format."""
    found = _CHILD_START.match(text.strip())
    if found is None or scope.tool(found["name"]) is None:
        return None
    written = [(key, unescape(value[1:-1])) for key, value in _ATTRIBUTE.findall(text, found.end())]
    values = dict(written)
    if len(values) < len(written):
        raise Miswritten("an attribute stands there twice")
    return [WrittenCall(found["name"], values, textual=True, clear=False)]


def _call(text: str, opening: regex.Match[str], end: int, scope: Scope) -> WrittenCall:
    closing: regex.Match[str] | None = None
    for found in _CALL_END.finditer(text, opening.end(), end):
        closing = found  # A value may hold what looks like the call's own end, so that the last one counts.
    if closing is not None and _LEFT.fullmatch(text, closing.end(), end) is None:
        raise Miswritten(_BETWEEN)
    last = closing.start() if closing else end
    known = replace(scope, closed=closing is not None or scope.closed or end < len(text))
    return _with_body(opening["name"], text[opening.end() : last], known)


def _with_body(name: str, inside: str, scope: Scope, *, clear: bool = True) -> WrittenCall:
    body = unfenced(inside)
    if body[:1] == "{":
        arguments = arguments_of(body, scope)
        if arguments is not None:
            return WrittenCall(name, arguments, clear=clear)
        raise Miswritten(json_fault(body) or "these arguments are no object")
    if _PARAMETER.search(body):
        return WrittenCall(name, _parameters(inside, scope), textual=True, clear=clear)
    return WrittenCall(name, _children(body), textual=True, clear=clear)


def _parameters(inside: str, scope: Scope) -> dict[str, Any]:
    openings = list(_PARAMETER.finditer(inside))
    if inside[: openings[0].start()].strip():
        raise Miswritten(_BETWEEN)
    values: dict[str, Any] = {}
    for found, text in _values(inside, openings, _PARAMETER_END, closed=scope.closed):
        values[found["name"]] = text
        if 'string="false"' in found["rest"] and (value := json_values(text)) is not None and len(value) == 1:
            values[found["name"]] = value[0]  # DeepSeek V3.2 says which values are JSON.
    return values


def _values(
    text: str, openings: list[regex.Match[str]], closing: regex.Pattern[str], *, closed: bool
) -> Iterator[tuple[regex.Match[str], str]]:
    """What stands behind each opening.  ``closed``: the end of ``text`` also ends a value.  Raises Miswritten."""
    if len(openings) > _MOST:
        raise Miswritten(f"more than {_MOST} arguments")
    names = [found["name"] for found in openings]
    if len(set(names)) < len(names):
        twin = next(name for name in names if names.count(name) > 1)
        raise Miswritten(f"{twin} stands there twice, or inside of a value")
    ends = [found.start() for found in openings[1:]] + [len(text)]
    for found, end in zip(openings, ends, strict=False):  # Without an opening there is no value.
        ending = closing.search(text, found.end(), end)
        if ending is None and not (closed if end == len(text) else text[:end].rstrip(" \t").endswith("\n")):
            raise Miswritten(f"nothing shows where the value of {found['name']} ends")
        if ending is not None and _LEFT.fullmatch(text, ending.end(), end) is None:
            raise Miswritten(_BETWEEN)
        yield found, _without_frame(text[found.end() : ending.start() if ending else end])


def _named_inside(text: str, scope: Scope) -> list[WrittenCall] | None:
    """The name is an element, too: ``<name>f</name><input>{…}</input>``."""
    names = list(_NAME.finditer(text))[:_MOST]
    if not names or (not scope.sure and any(scope.tool(found["name"]) is None for found in names)):
        return None
    calls: list[WrittenCall] = []
    edges = [*(found.start() for found in names), len(text)]
    for found, (_, end) in zip(names, pairwise(edges), strict=True):
        opening = _ARGUMENTS.search(text, found.end(), end)
        if opening is None:
            calls.append(_with_body(found["name"], _without_outer_ends(text[found.end() : end]), scope))
            continue
        inside, ending, _ = text[opening.end() : end].partition(f"</{opening['tag']}>")
        known = replace(scope, closed=scope.closed or bool(ending))
        calls.append(_with_body(found["name"], inside.strip(), known))
    return calls


def _without_outer_ends(text: str) -> str:
    """What stands behind a name, without the ends of the elements around both and the beginnings of the next ones."""
    if _ONLY_TAGS.fullmatch(text):
        return ""
    last = None
    for found in _OUTER_ENDS.finditer(text):
        last = found
    if last is None or _ONLY_TAGS.fullmatch(text, last.end()) is None:
        return text
    # The first of them is the last argument's own, unless the arguments are JSON.
    return text[: last.start() if text.lstrip()[:1] == "{" else text.index(">", last.start()) + 1]


def _children(text: str) -> dict[str, Any]:
    """``<city>Paris</city>`` → ``{"city": "Paris"}``; an element that comes again makes a list.  Raises Miswritten."""
    values: dict[str, Any] = {}
    at = 0
    for _ in range(_MOST):
        found = _CHILD.search(text, at)
        if found is None:
            break
        closing = text.find(f"</{found['name']}>", found.end())
        if closing < 0:
            raise Miswritten(f"nothing shows where <{found['name']}> ends")
        if text[at : found.start()].strip():
            raise Miswritten(_BETWEEN)
        value = _without_frame(text[found.end() : closing])
        at = closing + len(found["name"]) + 3
        name, known = found["name"], values.get(found["name"])
        values[name] = value if known is None else [*known, value] if isinstance(known, list) else [known, value]
    if text[at:].strip():
        raise Miswritten(_BETWEEN)
    return values


def _without_frame(text: str) -> str:
    """A value without the line ends that a template puts around it, and without the escapes of XML."""
    text = text.removeprefix("\n").removesuffix("\n")
    return unescape(text) if "&" in text and _ESCAPED.fullmatch(text) else text
