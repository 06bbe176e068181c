"""Calls as they were written or run → calls proven, or the reason why they can't be.

Rule: whatever made a call, the client's own schema judges it here, and nothing that wasn't judged reaches the client.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from emulator.code.check import UnknownFunction
from emulator.code.readings import Called
from emulator.code.unknown import folded
from emulator.code.values import Member, ModelObject, ParsedCall
from emulator.code.vocabulary import Provable, Unproven, Vocabulary, bindings
from emulator.runs import MODEL_KEY, RunCall
from emulator.tools.toolset import Proof

_MOST_WAYS = 32


def value_key(value: Any) -> str:
    """Equal for equal JSON values."""
    return json.dumps(value, sort_keys=True)


@dataclass(slots=True)
class Judge:
    """``texts`` has the JSON texts that results came as, by ``value_key``: where a schema wants a string, the value
    goes back as the very text it came as."""

    vocabulary: Vocabulary
    texts: Mapping[str, str] = field(default_factory=dict[str, str])

    def call(self, call: ParsedCall) -> Called:
        """Raises Unproven, UnknownFunction for what is no tool, and InvalidRequest as ``Tool.prove`` does."""
        try:
            return self._proven(call)
        except RecursionError:
            raise Unproven(f"{call.name}: an argument is nested too deeply") from None

    def _proven(self, call: ParsedCall) -> Called:
        tool = self.vocabulary.tools.get(call.name)
        if tool is None:
            raise UnknownFunction(call.name)
        first: Proof | None = None
        for arguments in bindings(tool, call, self.vocabulary.models):
            for reading in self._readings(arguments):
                proof = tool.prove(reading)
                if proof.arguments is not None:
                    return Called(tool.name, proof.arguments)
                first = first or proof
            if (members := list(members_of(arguments))) and (chosen := self._chosen(tool, arguments, members)):
                return Called(tool.name, chosen)
        raise Unproven("; ".join(first.errors) if first else "the call can't be bound")

    def _chosen(self, tool: Provable, arguments: dict[str, Any], members: list[Member]) -> str | None:
        """The arguments with each enum's member as the choice of the schema that it spells, if there is only one way.

        Raises Unproven for a member that is none of the schema's.
        """
        options = [[choice for choice in tool.choices if folded(choice) == folded(member.name)] for member in members]
        if missing := next((member for member, found in zip(members, options, strict=True) if not found), None):
            raise Unproven(f"{tool.name}: the name {missing.written} is not defined; write the value itself")
        proven: set[str] = set()
        for chosen in itertools.islice(itertools.product(*options), _MOST_WAYS):
            ways = dict(zip(members, chosen, strict=True))
            proof = tool.prove({key: _replaced(value, ways) for key, value in arguments.items()})
            if proof.arguments is not None:
                proven.add(proof.arguments)
        return proven.pop() if len(proven) == 1 else None

    def run_call(self, call: RunCall) -> Called:
        """A call that a kernel reports, which may be anything.  Raises as ``call`` does."""
        try:
            positional = tuple(_object(value) for value in call.positional)
            keywords = {key: _object(item) for key, item in call.keywords.items()}
            return self.call(ParsedCall(call.name, positional, keywords))
        except RecursionError:
            raise Unproven(f"{call.name}: an argument is nested too deeply") from None

    def _readings(self, arguments: dict[str, Any]) -> Sequence[dict[str, Any]]:
        if not self.texts:
            return [arguments]
        texts = {key: text for key, value in arguments.items() if (text := self._text(value)) is not None}
        # One at a time first: a value may be meant as itself in one argument and as its text in another.
        single = [arguments | {key: text} for key, text in texts.items()] if len(texts) > 1 else []
        return [arguments, *single, *([arguments | texts] if texts else [])]

    def _text(self, value: Any) -> str | None:
        if isinstance(value, str | ModelObject):
            return None
        try:
            return self.texts.get(value_key(value))
        except (TypeError, ValueError, RecursionError):
            return None


def _object(value: Any) -> Any:
    """What a kernel reports as an object of a class, as the reader of literals has it."""
    if isinstance(value, dict):
        fields = {key: _object(item) for key, item in cast(dict[str, Any], value).items()}
        model = fields.pop(MODEL_KEY, None)
        return ModelObject(model, fields) if isinstance(model, str) else fields
    if isinstance(value, list):
        return [_object(item) for item in cast(list[Any], value)]
    return value


def members_of(value: Any) -> Iterator[Member]:
    """The enum members in a value, nested however deep, of which nobody has said what they are."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, Member):
            yield item
        elif isinstance(item, dict):
            left += cast(dict[str, Any], item).values()
        elif isinstance(item, list | tuple):
            left += cast(list[Any], item)


def _replaced(value: Any, ways: Mapping[Member, str]) -> Any:
    match value:
        case Member():
            return ways[value]
        case dict():
            return {key: _replaced(item, ways) for key, item in cast(dict[str, Any], value).items()}
        case list() | tuple():
            return [_replaced(item, ways) for item in cast(list[Any], value)]
        case _:
            return value


def written(call: RunCall) -> str:
    """A reported call as Python, shortened: it only says to the model which one is meant."""
    shown = [*map(repr, call.positional), *(f"{key}={value!r}" for key, value in call.keywords.items())]
    line = f"{call.name}({', '.join(shown)})"
    return line if len(line) <= 300 else f"{line[:300]}…"
