"""Python where a model was trained to write something else: ``<tool_call>get_weather(city="Paris")</tool_call>``."""

from __future__ import annotations

import regex

from emulator.code.formats.interface import Scope, WrittenCode
from emulator.code.formats.json_values import unfenced

_CODE = regex.compile(
    r"[\s\[(]{0,8}(?:[^\W\d]\w{0,63}[ ]?=[ ]?)?(?:print\(|await[ ])?"
    r"(?:[^\W\d]\w{0,63}\.){0,4}(?P<name>[^\W\d]\w{0,127})[ ]?\("
)
_IMPORT = regex.compile(r"\s*(?:import|from|for|if|def|async)\b|\s*[^\W\d]\w{0,63}[ ]?=[^=]")


def python_inside(text: str, scope: Scope) -> WrittenCode | None:
    """See interface.Format."""
    body = unfenced(text)
    found = _CODE.match(body)
    if found is not None and (scope.sure or scope.tool(found["name"])):
        return WrittenCode(body)
    return WrittenCode(body) if scope.sure and _IMPORT.match(body) else None
