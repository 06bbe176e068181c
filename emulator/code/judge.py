"""Calls as they were written or run → calls proven, or the reason why they can't be.

Rule: whatever made a call, the client's own schema judges it here, and nothing that wasn't judged reaches the client.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from emulator.code.check import UnknownFunction
from emulator.code.readings import Called
from emulator.code.values import ModelObject, ParsedCall
from emulator.code.vocabulary import Unproven, Vocabulary, bindings
from emulator.runs import MODEL_KEY, RunCall
from emulator.tools.toolset import Proof


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
        """Raises Unproven, or UnknownFunction for what is no tool."""
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
        raise Unproven("; ".join(first.errors) if first else "the call can't be bound")

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


def written(call: RunCall) -> str:
    """A reported call as Python, shortened: it only says to the model which one is meant."""
    shown = [*map(repr, call.positional), *(f"{key}={value!r}" for key, value in call.keywords.items())]
    line = f"{call.name}({', '.join(shown)})"
    return line if len(line) <= 300 else f"{line[:300]}…"
