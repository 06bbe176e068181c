"""Calls whose name stands outside of the JSON: Mistral's ``name[ARGS]{…}``, DeepSeek's and Kimi's tokens, Gemma's
``call:name{…}``, Functionary's ``name`` and then its arguments.
"""

from __future__ import annotations

import json

import regex

from emulator.code.formats.interface import Scope, Written, WrittenCall, WrittenCode
from emulator.code.formats.json_calls import arguments_of
from emulator.code.formats.json_mended import mended
from emulator.code.formats.json_values import leading_value, unfenced
from emulator.code.formats.tags import tag_calls
from emulator.code.harmony import parted

BAR = "[|｜]"
LOW = "[_▁]"
_BEGIN = regex.compile(rf"<{BAR}tool{LOW}call{LOW}begin{BAR}>")
_END = regex.compile(rf"<{BAR}tool{LOW}calls?{LOW}(?:section{LOW})?end{BAR}>")
_BETWEEN = regex.compile(rf"<{BAR}tool{LOW}(?:call{LOW})?(?:sep|argument{LOW}begin){BAR}>")
_NAME = r"(?P<name>[^\W\d][\w.\-:/]{0,255})"
_HEAD = regex.compile(
    rf"[\s,;]*(?:call:[ \t]*|>>>[ \t]?|:[ \t]*)?{_NAME}\s*:?\s*(?:\[CALL_ID\][ \t]*[\w-]{{0,64}}\s*)?"
    r"(?:\[ARGS\]|<\|content\|>|✿ARGS✿:?)?\s*(?=\{)"
)
_NUMBER = regex.compile(r":\d{1,4}$")
_GEMMA_TEXT = regex.compile(r'<escape>(?P<text>.*?)<escape>|<\|"\|>(?P<text>.*?)<\|"\|>', regex.DOTALL)
_AGAIN = regex.compile(r"\[TOOL_CALLS\]")


def token_calls(text: str, scope: Scope) -> Written | None:
    """DeepSeek and Kimi.  See interface.Format."""
    parts = _BEGIN.split(text)[1:]
    if not parts and _BETWEEN.search(text):
        parts = [text]
    calls: list[WrittenCall] = []
    for part in parts:
        inside = _END.split(part, maxsplit=1)[0]
        head, between, tail = _split(inside)
        if head.strip() == "function" or (head.strip() == "" and between):
            head, _, tail = tail.lstrip().partition("\n")  # DeepSeek V3: the type first, and the name on its own line.
            if "<" in head:
                found = tag_calls(f"{head}\n{tail}", scope)  # Step 3 has an element there.
                if found is None:
                    return None
                calls += found
                continue
        arguments = arguments_of(unfenced(tail), scope)
        if arguments is None or not head.strip():
            return None
        calls.append(WrittenCall(_NUMBER.sub("", head.strip()), arguments))
    return calls or None


def channel_calls(text: str, scope: Scope) -> Written | None:
    """A message of gpt-oss to a function, with its header.  See interface.Format."""
    header, inside = parted(text)
    name, body = header.recipient, unfenced(inside)
    if body[:1] not in ("", "{", "[") and scope.tool(name) is None:
        return WrittenCode(body)  # ``to=python``
    arguments = arguments_of(body, scope)
    return None if arguments is None else [WrittenCall(name, arguments)]


def named_calls(text: str, scope: Scope) -> list[WrittenCall] | None:
    """A name and its arguments' object, once or several times.  See interface.Format."""
    body = _AGAIN.sub("\n", text).strip()
    body = _GEMMA_TEXT.sub(lambda found: json.dumps(found["text"]), body) if "<" in body else body
    calls: list[WrittenCall] = []
    at = 0
    while at < len(body):
        head = _HEAD.match(body, at)
        if head is None:
            return None
        found = leading_value(body, head.end())
        if found is None:
            whole = mended(body[head.end() :]) if scope.mend else None
            found = None if whole is None else (whole, len(body))
        if found is None or not isinstance(found[0], dict):
            return None
        named = ":" not in head.group()  # A key with an object behind it may be data.
        calls.append(WrittenCall(_NUMBER.sub("", head["name"]), found[0], clear=named or scope.sure))  # pyright: ignore[reportUnknownArgumentType]
        at = found[1]
        if not body[at:].strip(" \t\r\n,;"):
            break
    return calls or None


def _split(text: str) -> tuple[str, bool, str]:
    found = _BETWEEN.search(text)
    return (text, False, "") if found is None else (text[: found.start()], True, text[found.end() :])
