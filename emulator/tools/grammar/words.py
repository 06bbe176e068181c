"""The words of Python that values are made of, each as one rule.

Rule: what stands here is regular, so that it may be a lexer's word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

from emulator.tools.grammar.expressions import (
    EMPTY,
    Chars,
    Expression,
    Ref,
    Repeat,
    Rules,
    choice,
    none_of,
    optional,
    repeated,
    sequence,
    some,
)
from emulator.tools.grammar.numbers import DIGIT, floats, integers

_HEX = Chars((("0", "9"), ("a", "f"), ("A", "F")))
_CONTROL = ("\x00", "\x1f")
_ESCAPE = sequence(
    "\\",
    choice([some("\"'\\abfnrtv0"), sequence("x", Repeat(_HEX, 2, 2)), sequence("u", Repeat(_HEX, 4, 4))]),
)
_CHARACTER = choice([none_of('"\\', _CONTROL), _ESCAPE])
_NAME_START = Chars((("a", "z"), ("A", "Z"), ("_", "_"), ("\u00c0", "\uffff")))
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_WORD = "0123456789" + _LETTERS
_DEFINITIONS = ("def", "class", "import")
_NAME_PART = Chars((*_NAME_START.ranges, ("0", "9")))


_PLAIN = re.compile(r'[^"\\\x00-\x1f]+')
_LONGEST_NAME = 64


def string(rules: Rules, low: int = 0, high: int | None = None) -> Ref:
    """A string in double quotes of ``low`` to ``high`` characters."""
    return rules.rule(("string", low, high), lambda: sequence('"', repeated(_CHARACTER, low, high), '"'))


def string_other_than(rules: Rules, names: Collection[str]) -> Ref:
    """A string in double quotes that isn't one of ``names``, as far as these are written without escapes."""
    plain = frozenset(name for name in names if len(name) <= _LONGEST_NAME and _PLAIN.fullmatch(name))
    if not plain:
        return string(rules)
    return rules.rule(("string other than", plain), lambda: sequence('"', _other_than(plain), '"'))


def _other_than(names: Collection[str]) -> Expression:
    rests: dict[str, list[str]] = {}
    for name in sorted(filter(None, names)):
        rests.setdefault(name[0], []).append(name[1:])
    ended: list[Expression] = [] if "" in names else [EMPTY]
    differs = choice([none_of('"\\' + "".join(rests), _CONTROL), _ESCAPE])
    goes_on = [sequence(first, _other_than(rest)) for first, rest in rests.items()]
    return choice([*ended, sequence(differs, Repeat(_CHARACTER)), *goes_on])


def integer(rules: Rules, low: int | None = None, high: int | None = None) -> Ref:
    return rules.rule(("integer", low, high), lambda: integers(low, high))


def number(rules: Rules, low: float | None = None, high: float | None = None) -> Ref:
    return rules.rule(("number", low, high), lambda: floats(low, high))


def name(rules: Rules) -> Ref:
    """A name of Python's.  Keywords are names here."""
    return rules.rule("name", lambda: sequence(_NAME_START, Repeat(_NAME_PART)))


def new_name(rules: Rules) -> Ref:
    """What a program calls a value.  No such name begins as a definition does: a model that means one would be led
    into a name without end."""
    return rules.rule("new name", lambda: _beginning_unlike(_DEFINITIONS, _LETTERS))


def _beginning_unlike(words: Sequence[str], allowed: str) -> Expression:
    """A name's rest, in ``allowed`` characters first, that begins with none of ``words``."""
    firsts = dict.fromkeys(word[0] for word in words)
    options: list[Expression] = [sequence(_among(sorted(set(allowed) - firsts.keys())), Repeat(_among(_WORD)))]
    for first in firsts:
        rest = [word[1:] for word in words if word[0] == first]
        if "" not in rest:
            options.append(sequence(first, optional(_beginning_unlike(rest, _WORD))))
    return choice(options)


def _among(chars: Iterable[str]) -> Chars:
    """One of these characters, which are in order; neighbours as ranges."""
    ranges: list[tuple[str, str]] = []
    for char in chars:
        if ranges and ord(char) == ord(ranges[-1][1]) + 1:
            ranges[-1] = ranges[-1][0], char
        else:
            ranges.append((char, char))
    return Chars(tuple(ranges))


def reference(rules: Rules) -> Ref:
    """A variable, or something inside it: ``name``, ``name["key"]``, ``name[0].key``."""
    return rules.rule("reference", lambda: _inside(rules, string(rules)))


def formatted(rules: Rules) -> Ref:
    """An f-string with references in it, whose own keys are in single quotes."""
    plain = choice([none_of('"\\{}', _CONTROL), _ESCAPE, "{{", "}}"])
    key = sequence("'", Repeat(none_of("'\"\\{}", _CONTROL)), "'")
    place = sequence(
        "{", _inside(rules, key), optional(sequence(":", Repeat(some(",.%+<>", ("0", "9"), ("a", "z")), 1))), "}"
    )
    return rules.rule("formatted", lambda: sequence('f"', Repeat(choice([plain, place])), '"'))


def _inside(rules: Rules, key: Expression) -> Expression:
    index = sequence("[", choice([key, sequence(optional("-"), Repeat(DIGIT, 1))]), "]")
    return sequence(name(rules), Repeat(choice([index, sequence(".", name(rules))])))


def written(value: Any) -> str:
    """A JSON value as Python source, strings in double quotes."""
    match value:
        case str():
            return quoted(value)
        case list():
            return f"[{', '.join(map(written, cast(list[Any], value)))}]"
        case dict():
            items = cast(dict[str, Any], value).items()
            return "{" + ", ".join(f"{quoted(key)}: {written(item)}" for key, item in items) + "}"
        case _:
            return repr(value)


def quoted(text: str) -> str:
    """``text`` as a Python string in double quotes; half a character, which no encoding has, as its escape."""
    plain = json.dumps(text, ensure_ascii=False)
    return plain if plain.isascii() or _encodable(plain) else json.dumps(text)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
