"""What a grammar is made of, whatever language it is written in later.

Rule: data, and functions that make it.  Rules refer to each other by name, so that they may recur.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Literal:
    """This very text."""

    text: str


@dataclass(frozen=True, slots=True)
class Chars:
    """One character in one of the ranges (first and last, both included), or in none of them."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Ref:
    """The rule of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other; of no parts, the empty text."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of at least one option."""

    options: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``part``, which isn't empty itself, at least ``low`` and at most ``high`` times; None: without end.

    ``high`` is not 0: see ``repeated``.
    """

    part: Expression
    low: int = 0
    high: int | None = None


Expression = Literal | Chars | Ref | Sequence | Choice | Repeat

EMPTY = Sequence(())


@dataclass(frozen=True, slots=True)
class Grammar:
    """Rules by name, ``ROOT`` the first of all; names are ASCII letters, then digits."""

    rules: dict[str, Expression]


ROOT = "root"


@dataclass(slots=True)
class Rules:
    """Rules while they are made.  What is asked for twice by the same key is one rule."""

    rules: dict[str, Expression] = field(default_factory=dict[str, Expression])
    _names: dict[object, str] = field(default_factory=dict[object, str])

    def rule(self, key: object, make: Callable[[], Expression]) -> Ref:
        """The rule known as ``key``; ``make`` may ask for it again, which is how rules recur."""
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"r{len(self._names)}"
            self.rules[name] = make()
        return Ref(name)

    def grammar(self, root: Expression) -> Grammar:
        return Grammar({ROOT: root, **self.rules})


def sequence(*parts: Expression | str) -> Expression:
    """Parts one after the other; text stands for its literal, and sequences inside are opened."""
    flat: list[Expression] = []
    for part in parts:
        if isinstance(part, Sequence):
            flat.extend(part.parts)
        elif part != "":
            flat.append(Literal(part) if isinstance(part, str) else part)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def choice(options: Iterable[Expression | str]) -> Expression:
    """One of ``options``, of which there must be one; the same one twice counts once, choices inside are opened."""
    flat: dict[Expression, None] = {}
    for option in options:
        if isinstance(option, Choice):
            flat.update(dict.fromkeys(option.options))
        else:
            flat[Literal(option) if isinstance(option, str) else option] = None
    return next(iter(flat)) if len(flat) == 1 else Choice(tuple(flat))


def optional(part: Expression | str) -> Expression:
    return Repeat(Literal(part) if isinstance(part, str) else part, 0, 1)


def repeated(part: Expression, low: int, high: int | None) -> Expression:
    """``part`` so many times, which may be none at all."""
    if high == 0:
        return EMPTY
    return part if low == high == 1 else Repeat(part, low, high)


def some(characters: str, *ranges: tuple[str, str]) -> Chars:
    """One of ``characters``, or one in ``ranges``."""
    return Chars((*((char, char) for char in characters), *ranges))


def none_of(characters: str, *ranges: tuple[str, str]) -> Chars:
    """Any character but these."""
    return Chars((*((char, char) for char in characters), *ranges), negated=True)


def through(word: str) -> Expression:
    """The shortest text that ends in ``word``.  Raises ValueError if its first character comes again in it, or if it
    has only one."""
    first, rest = word[:1], word[1:]
    if not rest or first in rest:
        raise ValueError(f"no end can be recognised by {word!r}")
    begun = choice([EMPTY, *accumulate(rest[:-1])])
    stray = choice(sequence(rest[:index], none_of(rest[index] + first)) for index in range(len(rest)))
    again = Repeat(sequence(begun, first))
    return sequence(Repeat(choice([none_of(first), sequence(first, again, stray)])), first, again, rest)
