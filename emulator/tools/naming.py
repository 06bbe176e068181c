"""Names as clients write them → Python identifiers.

Rule: what already is a usable identifier keeps its name, whatever its neighbours are called; only the
others give way, in order, so the same names always get the same identifiers.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

STUB_WORDS = frozenset(
    ["str", "int", "float", "bool", "list", "dict", "tuple", "print", "Any", "Literal", "BaseModel", "Field", "self"]
)
"""Names that stubs and the programs written against them need for themselves."""

FUNCTION_WORDS = STUB_WORDS | frozenset(dir(builtins))
"""What a function or a class can't be called, because programs use the builtin of that name."""

_LONGEST = 96
_MOST_WORDS = 6
"""Of a longer name, such as a definition's with its whole path, a class takes the last two words."""
_NOT_WORD = re.compile(r"\W")
_WORD_STARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\WA-Z_]+")


def identifier(name: str, reserved: Collection[str] = (), taken: Collection[str] = ()) -> str:
    """The identifier nearest to ``name``: no keyword (``from_``), nor ``reserved`` (``list_``) nor ``taken`` (``a_2``).

    Python reads identifiers in NFKC, so ``name`` is normalised first; dunders lose their leading
    underscores, because they mean something to Python.  Anything at all gives a name, also "" and lone surrogates.
    """
    plain = unicodedata.normalize("NFKC", name)
    if not plain.isidentifier():
        plain = unicodedata.normalize("NFKC", _NOT_WORD.sub("_", plain))
    if plain.startswith("__"):
        plain = plain.lstrip("_")
    if not plain.isidentifier():
        plain = "_" + "".join(char if ("_" + char).isidentifier() else "_" for char in plain).strip("_")
    plain = plain[:_LONGEST]
    if keyword.iskeyword(plain) or plain in reserved:
        plain += "_"
    return _numbered(plain, taken, "" if plain.endswith("_") else "_")


def identifiers(names: Sequence[str], reserved: Collection[str] = STUB_WORDS) -> tuple[str, ...]:
    """One identifier for each of ``names``, all different, none in ``reserved``."""
    taken: set[str] = set()
    found: dict[int, str] = {}
    for index, name in enumerate(names):
        if name not in taken and identifier(name, reserved) == name:
            found[index] = name
            taken.add(name)
    for index, name in enumerate(names):
        if index not in found:
            found[index] = identifier(name, reserved, taken)
            taken.add(found[index])
    return tuple(found[index] for index in range(len(names)))


def class_name(parts: Iterable[str], taken: Collection[str]) -> str:
    """``["get_weather", "filters"]`` → ``GetWeatherFilters``; unique and no builtin."""
    words: list[str] = []
    for part in parts:
        found = _WORD_STARTS.findall(unicodedata.normalize("NFKC", part))
        words.extend(found if len(found) <= _MOST_WORDS else found[-2:])
    joined = "".join(word[0].upper() + word[1:] for word in words)
    plain = joined if joined.isidentifier() else "Model" + joined
    if plain in FUNCTION_WORDS:
        plain += "Model"
    return _numbered(identifier(plain), taken, "")


def singular(name: str) -> str:
    """What one element of ``name`` is called: ``entries`` → ``entry``, ``songs`` → ``song``, ``address`` as it is."""
    if len(name) > 4 and name.endswith("ies"):
        return name[:-3] + "y"
    if len(name) > 3 and name.endswith("s") and not name.endswith(("ss", "us", "is")):
        return name[:-1]
    return name


def _numbered(plain: str, taken: Collection[str], separator: str) -> str:
    if plain not in taken:
        return plain
    number = 2
    while f"{plain}{separator}{number}" in taken:
        number += 1
    return f"{plain}{separator}{number}"
