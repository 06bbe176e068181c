"""Calls as JSON objects, in the shapes that models were trained on.

``{"name", "arguments"}`` under any of the usual names; OpenAI's ``tool_calls`` with arguments as a JSON text;
``{"action", "action_input"}``; ``{"tool": {arguments}}``; alone, in lists, one behind the other.

Rule: an object that has something else in it is data, a declaration of a tool is no call, and what names no tool is
none, unless the frame says that it must be one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import regex

from emulator.code.formats.interface import Arguments, Scope, WrittenCall
from emulator.code.formats.json_values import json_values, unfenced

NAME_KEYS = (
    "name tool_name tool function function_name action func method recipient_name toolName api tool_call api_name"
).split()
ARGUMENT_KEYS = (
    "arguments parameters args input tool_input action_input kwargs params inputs tool_args function_args"
    " tool_arguments tool_parameters toolInput argument parameter action_args action_parameters"
).split()
LIST_KEYS = (
    "tool_calls toolCalls function_call functionCall function_calls functionCalls calls tool_uses actions tools"
    " functions steps invocations"
).split()
_BESIDE = frozenset(
    "id type index call_id tool_call_id thought thoughts reasoning reason explanation rationale plan server".split()
)
"""Keys that may stand beside a call and don't say anything of its arguments."""
_RESULTS = frozenset("description result results output response error returns return status".split())
"""Keys of what tells about a tool or its results."""
_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
_OF_SCHEMA = frozenset("type description enum items properties required default format title examples".split())
_MESSAGE = frozenset(["role", "content"])
KEYS = frozenset([*NAME_KEYS, *ARGUMENT_KEYS, *LIST_KEYS, *_BESIDE, *_MESSAGE])
_PARAMETERS = regex.compile(r"""["']parameters["']\s*+:""")
_DEEPEST = 4
_ESCAPED = regex.compile(r"[\s\[{]*\\\"")

Object = Mapping[str, Any]


def json_calls(text: str, scope: Scope) -> list[WrittenCall] | None:
    """See interface.Format."""
    body = _written_once(unfenced(text))
    if body[:1] not in ("{", "["):
        return None
    values = json_values(body, mend=scope.mend)
    if values is None:
        return None
    return _all(values, scope, _DEEPEST) or None


def declared_or_called(text: str, scope: Scope) -> list[WrittenCall] | None:
    """Calls where prompts declare the tools, in ``<tools>``: with ``parameters``, an entry says what a tool takes.

    See interface.Format.
    """
    return None if _PARAMETERS.search(text) else json_calls(text, scope)


def _written_once(body: str) -> str:
    """``{{…}}`` of a template that wasn't filled in, and JSON with its quotes escaped."""
    if body.startswith("{{") and body.endswith("}}"):
        body = body[1:-1]
    return body.replace('\\"', '"') if _ESCAPED.match(body) else body


def arguments_of(value: Any, scope: Scope) -> Arguments | None:
    """Arguments as an object or list, also as the JSON text of one; None for what can't be arguments."""
    if value is None:
        return {}
    if isinstance(value, str):
        parsed = json_values(value, mend=scope.mend) if value.lstrip()[:1] in ("{", "[") else None
        if parsed is not None and len(parsed) == 1 and isinstance(parsed[0], dict | list):
            return cast(Arguments, parsed[0])
        if value.lstrip()[:1] == "{":
            return None  # It was meant as an object, so that it isn't the text of an argument.
        return value if value.strip() else {}
    if isinstance(value, dict | list):
        return cast(Arguments, value)
    return [value]


def _all(values: list[Any], scope: Scope, deep: int) -> list[WrittenCall] | None:
    calls: list[WrittenCall] = []
    for value in values:
        found = _calls(value, scope, deep)
        if found is None:
            return None
        calls += found
    return calls


def _calls(value: Any, scope: Scope, deep: int) -> list[WrittenCall] | None:
    if deep == 0:
        return None
    if isinstance(value, list):
        return _all(cast(list[Any], value), scope, deep - 1)
    if not isinstance(value, dict):
        return None
    found = cast(Object, value)
    call = _named(found, scope)
    if call is not None:
        several = call.name.rpartition(".")[2] == "parallel" and scope.tool(call.name) is None
        return _calls(call.arguments, scope, deep - 1) if several else [call]
    for key in LIST_KEYS:
        if isinstance(found.get(key), list | dict) and _only(found, {key, *_MESSAGE}):
            return _calls(found[key], scope, deep - 1)
    for key in ("function", "tool", "tool_call", "call"):
        if isinstance(found.get(key), dict) and _only(found, {key}):
            return _calls(found[key], scope, deep - 1)
    return _by_tool(found, scope)


def _named(found: Object, scope: Scope) -> WrittenCall | None:
    """``{"name": …, "arguments": …}``"""
    name_key = next((key for key in NAME_KEYS if isinstance(found.get(key), str)), None)
    if name_key is None:
        return None
    name = found[name_key].strip()
    known = scope.tool(name) is not None or name == "multi_tool_use.parallel"
    if not name or not (known or scope.sure):
        return None
    argument_key = next((key for key in ARGUMENT_KEYS if key in found), None)
    if argument_key is None:
        return _flat(found, name_key, name, scope)
    if _RESULTS & found.keys():
        return None
    arguments = arguments_of(found[argument_key], scope)
    if arguments is None or _declares(arguments):
        return None
    return WrittenCall(name, arguments, clear=scope.sure or _only(found, {name_key, argument_key}))


def _flat(found: Object, name_key: str, name: str, scope: Scope) -> WrittenCall | None:
    """A name with the arguments right beside it, or without any."""
    rest = {key: value for key, value in found.items() if key != name_key and key not in _BESIDE}
    if _RESULTS & rest.keys():
        return None
    return WrittenCall(name, rest, clear=scope.sure)


def _by_tool(found: Object, scope: Scope) -> list[WrittenCall] | None:
    """``{"get_weather": {"city": "Paris"}}``, one key or several."""
    calls: list[WrittenCall] = []
    for key, value in found.items():
        if scope.tool(key) is None or not isinstance(value, dict) or _declares(cast(Object, value)):
            return None
        calls.append(WrittenCall(key, cast(dict[str, Any], value), clear=False))
    return calls or None


def _only(found: Object, keys: set[str]) -> bool:
    return all(key in keys or key in _BESIDE for key in found)


def _declares(arguments: Any) -> bool:
    """A JSON Schema, or one for each parameter: the tool is described, not called."""
    if not isinstance(arguments, dict) or not arguments:
        return False
    found = cast(Object, arguments)
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        return True
    return all(
        isinstance(value, dict) and cast(Object, value).get("type") in _TYPES and value.keys() <= _OF_SCHEMA
        for value in found.values()
    )
