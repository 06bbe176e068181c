"""Calls that the upstream's own tool calling made → calls proven.

Rule: a server that calls tools by itself is trusted no more than a model's text: the client's schema judges every call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from emulator.code.check import UnknownFunction
from emulator.code.judge import Judge
from emulator.code.readings import Called
from emulator.code.values import ParsedCall
from emulator.code.vocabulary import Unproven


class Fragment(Protocol):
    """A piece of a call, as an answer's delta has it."""

    @property
    def index(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def arguments(self) -> str: ...


@dataclass(slots=True)
class NativeCalls:
    """``add`` the pieces as they come; ``proven`` once they are all there."""

    judge: Judge
    _names: dict[int, str] = field(default_factory=dict[int, str])
    _arguments: dict[int, list[str]] = field(default_factory=dict[int, list[str]])

    def add(self, fragments: Iterable[Fragment]) -> None:
        for fragment in fragments:
            # Some servers repeat the name in every piece, none splits it.
            self._names[fragment.index] = self._names.get(fragment.index) or fragment.name
            self._arguments.setdefault(fragment.index, []).append(fragment.arguments)

    def proven(self) -> Iterator[Called]:
        """In their order.  Raises UnknownFunction, and Unproven with the reason."""
        for index in sorted(self._names):
            name = self._names[index]
            python = self.judge.vocabulary.meant(name)
            if python is None:
                raise UnknownFunction(name)
            yield self.judge.call(ParsedCall(python, (), _object(name, "".join(self._arguments[index]))))


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise Unproven(f"{name}: the arguments are no JSON: {text[:200]}") from None
    if not isinstance(value, dict):
        raise Unproven(f"{name}: the arguments are no object: {text[:200]}")
    return cast(dict[str, Any], value)
