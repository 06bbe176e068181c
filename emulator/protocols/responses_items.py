"""The items of a Responses request → a conversation in which every result is attached to its call.

Rule: what a model said at a time is one assistant message: its reasoning, its words and its calls, until a result or
somebody else's message follows.  Results are found by their ``call_id``, in whatever order they come.
Source: OpenAI's API reference, ``input`` of POST /v1/responses.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from emulator.errors import InvalidRequest, NotFound
from emulator.protocols.conversation import Message, PastCall, Result, paired, thought_fields, unanswered
from emulator.protocols.custom import custom_arguments
from emulator.protocols.fields import Json, json_bytes, missing, object_at, required, typed, unsupported, wrong_type
from emulator.protocols.responses_content import content_of, spoken, with_parts
from emulator.protocols.responses_tools import SEARCH, TOOLS_BESIDE, flat_tools, inner_name

_ROLES = ("user", "assistant", "system", "developer")
_SEARCHES = frozenset(["tool_search_call", "tool_search_output"])
_CALLS = frozenset(["function_call", "custom_tool_call", "tool_search_call"])
_OUTPUTS = frozenset(["function_call_output", "custom_tool_call_output", "tool_search_output"])
_LEFT_OUT = TOOLS_BESIDE | frozenset(
    [
        "code_interpreter_call",
        "compaction",
        "configuration_update",
        "context_compaction",
        "file_search_call",
        "image_generation_call",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "web_search_call",
    ]
)
"""What a conversation may have in it that began elsewhere or was had with other tools.  A model without these tools
has no use for it, and nobody waits for an answer to it."""
_REFERENCE = "item_reference"
_SEAL = "emulator.1."

Located = tuple[Json, str]
"""An item, and where in the request it stands, for errors."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a request builds on: ``items`` of the responses before it, oldest first, and the items that it only names,
    by their ids."""

    items: tuple[Json, ...] = ()
    named: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @property
    def located(self) -> list[Located]:
        """The items before the request's own, which its client knows by the response that they came with."""
        return [(item, "previous_response_id") for item in self.items]


def input_items(given: object) -> tuple[Json, ...]:
    """The items of ``input``, each with its type, and messages with their parts written out.

    Raises InvalidRequest with the path of the first that is none.
    """
    if isinstance(given, str):
        return (with_parts({"type": "message", "role": "user", "content": given}),)
    if not isinstance(given, list):
        raise wrong_type("input", "a string or an array of objects", given)
    return tuple(_item(item, f"input[{index}]") for index, item in enumerate(cast(list[object], given)))


def _item(item: object, path: str) -> Json:
    fields = object_at(path, item)
    kind = typed(fields, "type", str, "a string", None, f"{path}.")
    if kind is None:
        kind = "message" if "role" in fields or "id" not in fields else _REFERENCE
    if kind == "message":
        role = required(fields, "role", str, "a string", f"{path}.")
        if role not in _ROLES:
            raise unsupported(role, f"{path}.role", _ROLES)
        return with_parts(fields | {"type": kind})
    if kind == _REFERENCE:
        required(fields, "id", str, "a string", f"{path}.")
    elif kind not in _CALLS | _OUTPUTS | _LEFT_OUT | {"reasoning"}:
        raise _unserved(kind, path)
    return fields | {"type": kind}


def references(items: Iterable[Json]) -> list[str]:
    """Ids of the items that are only named."""
    return [item["id"] for item in items if item["type"] == _REFERENCE]


def resolved(items: Iterable[Json], past: Past) -> list[Located]:
    """``items`` with those in place of their names that are known; one that comes with ``past`` isn't needed twice.

    Raises NotFound.
    """
    known = {item.get("id") for item in past.items}
    return [
        (_found(item, past) if item["type"] == _REFERENCE else item, f"input[{index}]")
        for index, item in enumerate(items)
        if item["type"] != _REFERENCE or item["id"] not in known
    ]


def _found(reference: Json, past: Past) -> Json:
    found = past.named.get(reference["id"])
    if found is None:
        raise NotFound(
            f"Item with id '{reference['id'][:80]}' not found. Only items whose id this server made can be "
            "referred to, and only those of responses with `store` set to true. Send the item itself instead.",
            param="input",
        )
    return found


def conversation(items: Iterable[Located], instructions: str | None) -> tuple[Message, ...]:
    """The messages of all items, behind ``instructions``.  Raises InvalidRequest with the path of the first item that
    is wrong."""
    read = _Reader()
    for item, path in items:
        read.add(item, path)
    first = (Message("system", instructions),) if instructions else ()
    return (*first, *read.messages())


@dataclass(slots=True)
class _Turn:
    """What the model said at a time."""

    words: list[str] = field(default_factory=list[str])
    thoughts: list[str] = field(default_factory=list[str])
    calls: list[PastCall] = field(default_factory=list[PastCall])
    results: dict[str, list[Result]] = field(default_factory=dict[str, list[Result]])

    @property
    def is_over(self) -> bool:
        """It has called, and all its calls are answered: what the model says next is another turn."""
        answered = bool(self.calls) and all(call.id in self.results for call in self.calls)
        return answered and not unanswered(self.calls, self.results)

    def answer(self, result: Result) -> None:
        self.results.setdefault(result.id, []).append(result)

    def message(self) -> Message | None:
        """None where nothing but thought is in it.  Raises InvalidRequest where a call has no result."""
        if not self.calls and not self.words:
            return None
        for identifier in unanswered(self.calls, self.results):
            raise InvalidRequest(f"No tool output found for function call {identifier[:80]}.", param="input")
        content = "\n\n".join(self.words) if self.words else None
        fields = thought_fields(self.thoughts)
        return Message("assistant", content, fields, tuple(self.calls), paired(self.calls, self.results))


class _Reader:
    """Takes items one after the other."""

    def __init__(self) -> None:
        self._said: list[_Turn | Message] = []
        self._turn: _Turn | None = None
        self._asked: dict[str, _Turn] = {}

    def messages(self) -> Iterator[Message]:
        for said in self._said:
            message = said.message() if isinstance(said, _Turn) else said
            if message is not None:
                yield message

    def add(self, item: Json, path: str) -> None:
        kind = item["type"]
        if kind in _SEARCHES and _hosted(item, path):
            return
        if kind == "message":
            self._message(item, path)
        elif kind == "reasoning":
            if thought := _thought(item, path):
                self._current().thoughts.append(thought)
        elif kind in _CALLS:
            call = _call(item, path)
            turn = self._current()
            turn.calls.append(call)
            self._asked[call.id] = turn
        elif kind in _OUTPUTS:
            self._output(item, path)

    def _message(self, item: Json, path: str) -> None:
        if item["role"] == "assistant":
            if words := spoken(item, path):
                self._current().words.append(words)
            return
        self._turn = None
        self._said.append(Message(item["role"], content_of(item, "content", path)))

    def _current(self) -> _Turn:
        if self._turn is None or self._turn.is_over:
            self._turn = _Turn()
            self._said.append(self._turn)
        return self._turn

    def _output(self, item: Json, path: str) -> None:
        identifier = required(item, "call_id", str, "a string", f"{path}.")
        turn = self._asked.get(identifier)
        if turn is None:
            if item["type"] == "tool_search_output":
                return  # The tools that it brings are there all the same.
            kind = "custom tool call" if item["type"] == "custom_tool_call_output" else "function call"
            raise InvalidRequest(f"No tool call found for {kind} output with call_id {identifier[:80]}.", param="input")
        if item["type"] == "tool_search_output":
            turn.answer(Result(identifier, _found_tools(item, path)))
            return
        if item.get("output") is None:
            raise missing(f"{path}.output")
        failed = item.get("is_error") is True  # Anthropic's word; OpenAI has none of its own.
        turn.answer(Result(identifier, content_of(item, "output", path, apart=True), failed))


def _hosted(search: Json, path: str) -> bool:
    """OpenAI's service did it, so that it is no call of the client's tools and needs no answer: it has no ``call_id``,
    or its ``execution`` says so."""
    execution = typed(search, "execution", str, "a string", None, f"{path}.")
    return execution == "server" or search.get("call_id") is None


def _found_tools(output: Json, path: str) -> str:
    """What a search found in words.  The model is shown the tools themselves with all others."""
    tools: list[object] = required(output, "tools", list, "an array of objects", f"{path}.")
    names = ", ".join(tool.name for tool in flat_tools(tools, f"{path}.tools"))
    return f"These functions can be called from now on: {names}." if names else "No functions were found."


def _call(item: Json, path: str) -> PastCall:
    path = f"{path}."
    identifier = required(item, "call_id", str, "a string", path)
    if item["type"] == "tool_search_call":
        arguments = required(item, "arguments", dict, "an object", path)
        return PastCall(identifier, SEARCH, json_bytes(arguments).decode())
    name = inner_name(
        required(item, "name", str, "a string", path), typed(item, "namespace", str, "a string", None, path)
    )
    if item["type"] == "custom_tool_call":
        return PastCall(identifier, name, custom_arguments(required(item, "input", str, "a string", path)))
    return PastCall(identifier, name, typed(item, "arguments", str, "a string", "{}", path) or "{}")


def _thought(item: Json, path: str) -> str:
    """The thought itself where we know it, else what somebody made of it."""
    for key in ("content", "summary"):
        parts: list[Any] = typed(item, key, list, "an array of objects", [], f"{path}.")
        texts = [cast(Json, part).get("text") for part in parts if isinstance(part, dict)]
        if said := "\n\n".join(text for text in texts if isinstance(text, str) and text):
            return said
        if key == "content" and (said := unsealed(item.get("encrypted_content"))):
            return said
    return ""


def sealed(thought: str) -> str:
    """A thought as ``encrypted_content``: clients that store nothing here carry it.  It is no secret from them."""
    return _SEAL + base64.b64encode(thought.encode("utf-8", "replace")).decode()


def unsealed(given: object) -> str:
    """The thought in ``encrypted_content`` of ours, "" of anybody else's."""
    if not isinstance(given, str) or not given.startswith(_SEAL):
        return ""
    try:
        return base64.b64decode(given[len(_SEAL) :], validate=True).decode("utf-8")
    except ValueError:
        return ""


def _unserved(kind: str, path: str) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid value: '{kind[:80]}'. Items of this type are not served here.",
        param=f"{path}.type",
        code="invalid_value",
        hint="Messages, reasoning, item references, and calls of function and custom tools, and of "
        "a tool search that the client runs, with their outputs are.",
    )
