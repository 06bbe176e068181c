"""Ids of responses and of their items: an item's tells which response it is found in."""

from __future__ import annotations

import re

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "cto",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
}
_ITEM = re.compile(r"[a-z]{1,12}_(?P<key>[0-9a-f]{24})\w{1,12}")


def response_id(key: str) -> str:
    """``key`` is unique, 24 hexadecimal digits."""
    return f"resp_{key}"


def item_id(kind: str, key: str, place: str) -> str:
    """Of an item of the response with ``key``; ``place`` is unique in it."""
    return f"{_PREFIXES.get(kind, 'in')}_{key}{place}"


def key_of(item: str) -> str | None:
    """The key of the response that an item's id tells; None if it isn't one of ours."""
    found = _ITEM.fullmatch(item)
    return found["key"] if found else None
