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
    @property
    def id(self) -> str: ...


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: list[str] = field(default_factory=list[str])

    @property
    def is_whole(self) -> bool:
        """Its arguments are an object already."""
        try:
            return bool(self.arguments) and isinstance(json.loads("".join(self.arguments)), dict)
        except (ValueError, RecursionError):
            return False


@dataclass(slots=True)
class NativeCalls:
    """``add`` the pieces as they come; ``proven`` once they are all there."""

    judge: Judge
    _calls: dict[int, list[_Call]] = field(default_factory=dict[int, list[_Call]])

    def add(self, fragments: Iterable[Fragment]) -> None:
        for fragment in fragments:
            calls = self._calls.setdefault(fragment.index, [])
            if not calls or _begins_another(fragment, calls[-1]):
                calls.append(_Call(fragment.id, fragment.name))
            # Some servers repeat the name in every piece, none splits it.
            calls[-1].name = calls[-1].name or fragment.name
            if fragment.arguments:
                calls[-1].arguments.append(fragment.arguments)

    def proven(self, *, cut: bool = False) -> Iterator[tuple[str, Called]]:
        """With their Python names, in their order; ``cut``: a limit ended the answer, so that the last isn't whole.

        Raises UnknownFunction, and Unproven with the reason.
        """
        calls = [call for index in sorted(self._calls) for call in self._calls[index]]
        for call in calls[:-1] if cut else calls:
            python = self.judge.vocabulary.meant(call.name)
            if python is None:
                raise UnknownFunction(call.name)
            yield python, self.judge.call(ParsedCall(python, (), _object(call.name, "".join(call.arguments))))


def _begins_another(fragment: Fragment, call: _Call) -> bool:
    """Some servers give all calls the index 0: another id is another call, or a name behind whole arguments."""
    if fragment.id and call.id:
        return fragment.id != call.id
    return bool(fragment.name and fragment.arguments and call.is_whole)


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise Unproven(f"{name}: the arguments are no JSON: {text[:200]}") from None
    if not isinstance(value, dict):
        raise Unproven(f"{name}: the arguments are no object: {text[:200]}")
    return cast(dict[str, Any], value)
