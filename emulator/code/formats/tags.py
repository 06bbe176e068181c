"""Calls as elements: ``<function=f><parameter=x>v</parameter></function>``, ``<invoke name="f">``, ``<tool_use>``,
``<arg_key>`` and ``<arg_value>``, a tool's own name as the tag.

Rule: this isn't XML.  Most models escape nothing, values hold what they like, and tags are left open; so elements are
found by their tags, each is searched for once, and what isn't inside of them is ignored.
"""

from __future__ import annotations

from html import unescape
from itertools import pairwise
from typing import Any

import regex

from emulator.code.formats.interface import Scope, WrittenCall
from emulator.code.formats.json_calls import arguments_of
from emulator.code.formats.json_values import leading_value, unfenced

_MOST = 256
"""Elements of one call."""
_SPACE_NAME = r"(?:[a-z]{1,16}:|[|｜]DSML[|｜])?"
_NAMED = (
    r"""(?:\s*=\s*|\s+(?:name|tool_name|function)\s*=\s*)["']?(?P<name>[^"'<>\s]{1,256})["']?(?P<rest>[^<>]{0,256})>"""
)
_CALL = regex.compile(
    rf"<{_SPACE_NAME}(?:function|invoke|tool|tool_call|call|action|tool_use){_NAMED}", regex.IGNORECASE
)
_CALL_END = regex.compile(rf"</{_SPACE_NAME}(?:function|invoke|tool|tool_call|call|action|tool_use)>", regex.IGNORECASE)
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
_BEFORE_KEYS = regex.compile(r"\s*(?P<name>[^\s<>{}()\[\]]{1,256})\s*(?=<arg_key>|$)")
_ESCAPED = regex.compile(r"[^<>&]*+(?:&(?:lt|gt|amp|quot|apos|#39);[^<>&]*+)++")
"""Nothing in it is markup, and what would be is escaped: so all of it is."""
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
    ends = [*(key.start() for key in keys[1:]), len(text)][: len(keys)]
    values = {key["name"]: _inner(text[key.end() : end], "</arg_value>") for key, end in zip(keys, ends, strict=True)}
    return [WrittenCall(found["name"], values, textual=True)]


def own_tag_calls(text: str, scope: Scope) -> list[WrittenCall] | None:
    """``<get_weather><city>Paris</city></get_weather>``, once or several times.  See interface.Format."""
    calls: list[WrittenCall] = []
    left = text.strip()
    while left and len(calls) < _MOST:
        found = _CHILD.match(left)
        if found is None or scope.tool(found["name"]) is None:
            return None
        inside, _, left = left[found.end() :].partition(f"</{found['name']}>")
        calls.append(_with_body(found["name"], inside.strip(), scope, clear=False))
        left = left.lstrip()
    return calls or None


def attribute_calls(text: str, scope: Scope) -> list[WrittenCall] | None:
    """``<get_weather city="Paris"/>``.  See interface.Format."""
    found = _CHILD_START.match(text.strip())
    if found is None or scope.tool(found["name"]) is None:
        return None
    values = {key: unescape(value[1:-1]) for key, value in _ATTRIBUTE.findall(text, found.end())}
    return [WrittenCall(found["name"], values, textual=True, clear=False)]


def _call(text: str, opening: regex.Match[str], end: int, scope: Scope) -> WrittenCall:
    closing = _CALL_END.search(text, opening.end(), end)
    last = _last_end(text, opening.end(), end)
    inside = text[opening.end() : last if last is not None else closing.start() if closing else end]
    return _with_body(opening["name"], inside, scope)


def _last_end(text: str, begin: int, end: int) -> int | None:
    """The end of the last parameter: a value may hold what looks like the call's own end."""
    last: int | None = None
    for found in _PARAMETER_END.finditer(text, begin, end):
        last = found.end()
    return last


def _with_body(name: str, inside: str, scope: Scope, *, clear: bool = True) -> WrittenCall:
    body = unfenced(inside)
    if body[:1] == "{":
        arguments = arguments_of(body, scope)
        if arguments is not None:
            return WrittenCall(name, arguments, clear=clear)
    if _PARAMETER.search(body):
        return WrittenCall(name, _parameters(inside), textual=True, clear=clear)
    return WrittenCall(name, _children(body), textual=True, clear=clear)


def _parameters(inside: str) -> dict[str, Any]:
    openings = list(_PARAMETER.finditer(inside))[:_MOST]
    ends = [found.start() for found in openings[1:]] + [len(inside)]
    values: dict[str, Any] = {}
    for found, end in zip(openings, ends, strict=True):
        closing = _PARAMETER_END.search(inside, found.end(), end)
        text = _without_frame(inside[found.end() : closing.start() if closing else end])
        values[found["name"]] = text
        if 'string="false"' in found["rest"] and (value := leading_value(text.strip(), 0)) is not None:
            values[found["name"]] = value[0]  # DeepSeek V3.2 says which values are JSON.
    return values


def _named_inside(text: str, scope: Scope) -> list[WrittenCall] | None:
    """The name is an element, too: ``<name>f</name><input>{…}</input>``."""
    names = list(_NAME.finditer(text))[:_MOST]
    if not names or (not scope.sure and any(scope.tool(found["name"]) is None for found in names)):
        return None
    calls: list[WrittenCall] = []
    edges = [*(found.start() for found in names), len(text)]
    for found, (_, end) in zip(names, pairwise(edges), strict=True):
        opening = _ARGUMENTS.search(text, found.end(), end)
        inside = "" if opening is None else _inner(text[opening.end() : end], f"</{opening['tag']}>", strip=True)
        calls.append(_with_body(found["name"], inside, scope))
    return calls


def _children(text: str) -> dict[str, Any]:
    """``<city>Paris</city>`` → ``{"city": "Paris"}``; an element that comes again makes a list."""
    values: dict[str, Any] = {}
    at = 0
    for _ in range(_MOST):
        found = _CHILD.search(text, at)
        if found is None:
            break
        closing = text.find(f"</{found['name']}>", found.end())
        value = _without_frame(text[found.end() : closing if closing >= 0 else len(text)])
        at = closing + len(found["name"]) + 3 if closing >= 0 else len(text)
        name, known = found["name"], values.get(found["name"])
        values[name] = value if known is None else [*known, value] if isinstance(known, list) else [known, value]
    return values


def _inner(text: str, closing: str, *, strip: bool = False) -> str:
    inside = text.partition(closing)[0]
    return inside.strip() if strip else _without_frame(inside)


def _without_frame(text: str) -> str:
    """A value without the line ends that a template puts around it, and without the escapes of XML."""
    text = text.removeprefix("\n").removesuffix("\n")
    return unescape(text) if "&" in text and _ESCAPED.fullmatch(text) else text
