"""What there is to say of a value beyond its type → one short line.

Rule: a line says nothing that its name, type or default says already, and loses nothing that they don't.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from emulator.tools.types import (
    Default,
    Facts,
    FieldType,
    Json,
    ListOf,
    Literals,
    MapOf,
    Plain,
    Type,
    Union,
    clean,
    literal,
)

_LARGEST_SAFE = 2**53 - 1
"""JavaScript's largest exact integer: generators write it as a bound where there is none."""

_LONG = 32
"""Characters from which naming another place is shorter than repeating a text."""

_NOT_EMPTY = ("minLength", 1)
"""What nobody needs to be told of a text that is required."""

_WORDS = re.compile(r"[^\W\d_]+|\d+")
_BARE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:+-]*")
_NUMBERED = re.compile(r"(.*?)(\d{0,9})")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_IDLE_WORDS = frozenset("a an the of for to in on this that its is be by and or one".split())
_TYPE_WORDS = {
    "str": frozenset(["string", "str", "text"]),
    "int": frozenset(["integer", "number", "int"]),
    "float": frozenset(["number", "float"]),
    "bool": frozenset(["boolean", "bool", "whether", "flag", "if"]),
    "list": frozenset(["list", "array"]),
    "dict": frozenset(["object", "dictionary", "map", "dict"]),
}
_BOOL = Plain("bool")
_ARTICLE = re.compile(r"The (?=\w)")
_OPENINGS: tuple[tuple[type, re.Pattern[str]], ...] = (
    (Plain, re.compile(r"(?:Boolean )?whether (?:or not )?to (?=\w)", re.IGNORECASE)),
    (ListOf, re.compile(r"(?:An? )?(?:array|list) of (?=\w)", re.IGNORECASE)),
)
_OPTIONAL = re.compile(
    r"^\(?optional\)?[.:,;] *|^\(optional\) *| *\(optional\)|^\[optional\] *| *\boptional\.$", re.IGNORECASE
)
_REQUIRED = re.compile(r"^\(?required\)?[.:,;] *|^\(required\) *| *\(required\)|^\[required\] *", re.IGNORECASE)
_DEFAULT = re.compile(
    r"""[ ]*[(\[]?\bdefaults?(?:[ ]to|[ ]is|[ ]value[ ]is|:|[ ]=|=)?[ ]+
    (?P<quote>["'`]?)(?P<value>[\w.+-]*?\w)(?P=quote)(?P<end>[)\].]+|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_TAIL = re.compile(r"(?:(?P<start>\()|(?<=[.;]) )(?P<list>[^().;]*)(?(start)\))(?P<end>\.?)$")
_LISTING_WORDS = frozenset(
    "one of or and can be must either possible valid allowed supported value option the are".split()
)
"""What surrounds the values where they are listed, in the form of ``_words``."""

_UPPER = r"(?:max(?:imum)?|most|up to|than|to|limit|[-–≤<=])[^\d]{0,24}"
_LOWER = r"(?:min(?:imum)?|least|from|between|greater|[≥>=])[^\d]{0,16}"


@dataclass(slots=True)
class Notes:
    """The notes of one stub in reading order, which remember what they have said.

    A long text that comes again gives way to the name of the place where it stands.
    """

    said: dict[str, str] = field(default_factory=dict[str, str])

    def once(self, text: str, place: str) -> str:
        if len(text) < _LONG or not place:
            return text
        first = self.said.setdefault(text, place)
        return text if first == place else f"as {first}"


def field_note(field: FieldType, context: Iterable[str], notes: Notes, place: str) -> str:
    """What to say of ``field`` in one line, "" for nothing.

    ``context`` are names of what it belongs to, ``place`` how other notes refer to this one.
    """
    doc = " ".join(clean(field.facts.doc).split())
    doc = (_REQUIRED if field.required else _OPTIONAL).sub("", doc).strip()
    if field.default is not None and not field.required:
        doc = _without_default(doc, field.default)
    doc = _without_type(_without_values(doc, field.type), field.type)
    said, name = _words(doc), _words(field.wire)
    known = name | _type_words(field.type)
    if name <= said:
        known = known.union(*map(_words, context))
    if not said - known - _IDLE_WORDS:
        doc = ""
    facts = replace(
        field.facts, limits=tuple(limit for limit in field.facts.limits if limit != _NOT_EMPTY or not field.required)
    )
    limits = _limits(facts, doc, field.wire, notes, place)
    if field.required and field.default is not None and field.default.value is not None:
        limits.append(f"usually {literal(field.default.value)}")
    return _joined(notes.once(doc, place), limits, _parts(field.facts, notes, place))


def facts_note(facts: Facts, known: Iterable[str], notes: Notes, place: str) -> str:
    """What to say of a class, or of a value without a name of its own."""
    doc = " ".join(clean(facts.doc).split())
    if not _words(doc) - _IDLE_WORDS.union(*(_words(name) for name in known)):
        doc = ""
    return _joined(notes.once(doc, place), _limits(facts, doc, "", notes, place), _parts(facts, notes, place))


def _joined(doc: str, limits: list[str], parts: list[str]) -> str:
    said = f"{doc} ({'; '.join(limits)})" if doc and limits else doc or "; ".join(limits)
    return "; ".join([said, *parts] if said else parts)


def _parts(facts: Facts, notes: Notes, place: str) -> list[str]:
    told: list[str] = []
    for label, inner in facts.parts:
        note = facts_note(inner, (), notes, place)
        unnamed = not label or (label == "each" and inner.doc and not facts.doc)
        if note and note != " ".join(facts.doc.split()):
            told.append(note if unnamed else f"{label}: {note}")
    return told


def _words(text: str) -> set[str]:
    found = {word.lower() for word in _WORDS.findall(_CAMEL.sub(" ", text.replace("'s", "")))}
    return {word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in found}


def _type_words(kind: Type) -> frozenset[str]:
    match kind:
        case Plain(name):
            return _TYPE_WORDS.get(name, frozenset())
        case Literals(values):
            return _TYPE_WORDS["str"].union(*(_words(str(value)) for value in values))
        case ListOf(item):
            return _TYPE_WORDS["list"] | _type_words(item)
        case MapOf():
            return _TYPE_WORDS["dict"]
        case Union(options):
            return frozenset[str]().union(*map(_type_words, options))
        case _:
            return frozenset()


def _without_type(doc: str, kind: Type) -> str:
    """Without an opening that the type says already: ``Whether to …`` of a bool, ``Array of …`` of a list."""
    start = _ARTICLE.match(doc)
    for type_, opening in _OPENINGS:
        if isinstance(kind, type_) and (kind == _BOOL or type_ is not Plain):
            start = opening.match(doc) or start
    return doc if start is None else doc[start.end() :][:1].upper() + doc[start.end() + 1 :]


def _without_values(doc: str, kind: Type) -> str:
    """Without a last sentence or bracket that does nothing but name all values of a Literal."""
    literals = [one for one in (kind.options if isinstance(kind, Union) else [kind]) if isinstance(one, Literals)]
    tail = _TAIL.search(doc)
    if not literals or tail is None:
        return doc
    named, values = _words(tail["list"]), set[str]().union(*(_words(str(value)) for value in literals[0].values))
    if not values or not values <= named or named - values - _LISTING_WORDS:
        return doc
    return doc[: tail.start()].rstrip() + ("." if tail["end"] and tail["start"] == "(" else "")


def _without_default(doc: str, default: Default) -> str:
    shown = {str(default.value).lower(), literal(default.value).lower()}

    def drop(match: re.Match[str]) -> str:
        if match["value"].lower() not in shown:
            return match[0]
        return "." if match["end"] == "." and match.start() and doc[match.start() - 1] not in ".;" else ""

    return _DEFAULT.sub(drop, doc).strip()


def _limits(facts: Facts, doc: str, name: str, notes: Notes, place: str) -> list[str]:
    limits = dict(facts.limits)
    told: list[str] = []
    if "enum" in limits:
        told.append("one of " + ", ".join(map(literal, limits["enum"])))
    if "values" in limits:
        told.append("one of " + _catalogue(limits["values"]))
    if "like" in limits:
        told.append(f"values as {limits['like']}")
    told.extend(notes.once(text, place) for text in _formats(limits, doc.lower(), name.lower()))
    told.extend(_ranges(limits, doc.lower()))
    if "propertyNames" in limits and isinstance(limits["propertyNames"], dict):
        told.extend(_keys(cast(dict[str, Any], limits["propertyNames"])))
    if "required" in limits:
        demands = cast(list[list[str]], limits["required"])
        told.append("give " + " or ".join(" and ".join(map(_name, names)) or "neither" for names in demands))
    examples = [literal(value) for value in limits.get("examples", ()) if str(value).lower() not in doc.lower()]
    if examples:
        told.append("e.g. " + ", ".join(examples))
    told.extend(word for key, word in (("deprecated", "deprecated"), ("readOnly", "read-only")) if limits.get(key))
    return told


def _catalogue(values: Sequence[str | int]) -> str:
    """Many values in few words: bare where they are plain words, and ``A1 to A9`` for a run of numbers."""
    bare = all(_BARE.fullmatch(str(value)) for value in values)
    runs: list[list[str | int]] = []
    for value in values:
        if bare and runs and type(value) is type(runs[-1][-1]) and _follows(str(runs[-1][-1]), str(value)):
            runs[-1].append(value)
        else:
            runs.append([value])
    shown = str if bare else literal
    parts = [[shown(run[0]) + " to " + shown(run[-1])] if len(run) > 2 else map(shown, run) for run in runs]
    return ", ".join(part for several in parts for part in several)


def _follows(one: str, other: str) -> bool:
    """Whether ``other`` is ``one`` with the number at its end one higher."""
    stem, number = _NUMBERED.fullmatch(one).groups()  # pyright: ignore[reportOptionalMemberAccess]
    return bool(number) and (number[0] != "0" or number == "0") and other == f"{stem}{int(number) + 1}"


def _name(text: str) -> str:
    return " ".join(clean(text).split())


def _keys(schema: dict[str, Any]) -> list[str]:
    if "enum" in schema:
        return ["keys: " + ", ".join(map(literal, schema["enum"]))]
    notes = [*_formats(schema, "", ""), *_ranges(schema, "")]
    return ["keys: " + "; ".join(notes)] if notes else []


def _formats(limits: dict[str, Json], doc: str, name: str) -> list[str]:
    notes: list[str] = []
    for key in ("format", "contentEncoding"):
        value = " ".join(clean(limits.get(key, "")).split())
        if value and value.lower() not in doc and value.lower() not in name:
            notes.append(value)
    if "pattern" in limits:
        pattern = " ".join(clean(limits["pattern"]).split(" "))
        if pattern.lower() not in doc:
            notes.append(f"/{pattern}/".replace("\n", "\\n"))
    return notes


def _ranges(limits: dict[str, Json], doc: str) -> list[str]:
    notes: list[str] = []
    low, high = _bounds(limits, doc, "inimum", "aximum")
    notes.append(_range(low, high, "", strict=("exclusiveMinimum" in limits, "exclusiveMaximum" in limits)))
    for suffix, unit in (("Length", " chars"), ("Items", " items"), ("Properties", " keys")):
        notes.append(_range(*_bounds(limits, doc, "in" + suffix, "ax" + suffix), unit))
    if "multipleOf" in limits and limits["multipleOf"] != 1:
        notes.append(f"multiple of {limits['multipleOf']!r}")
    if limits.get("uniqueItems"):
        notes.append("unique")
    return [note for note in notes if note]


def _bounds(limits: dict[str, Json], doc: str, low: str, high: str) -> tuple[Json, Json]:
    """The two bounds that ``doc`` doesn't state; None for no bound."""
    least = limits.get(f"exclusiveM{low}", limits.get(f"m{low}"))
    most = limits.get(f"exclusiveM{high}", limits.get(f"m{high}"))
    if least is not None and (least <= -_LARGEST_SAFE or re.search(_LOWER + _number(least), doc)):
        least = None
    if most is not None and (most >= _LARGEST_SAFE or re.search(_UPPER + _number(most), doc)):
        most = None
    return (None if low != "inimum" and least == 0 else least), most


def _number(value: float) -> str:
    return re.escape(_shown(value)) + r"(?![\d.]*\d)"


def _shown(value: float) -> str:
    return repr(int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value)


def _range(low: Json, high: Json, unit: str, strict: tuple[bool, bool] = (False, False)) -> str:
    if low is None and high is None:
        return ""
    if unit and low == 1 and high is None:
        return "non-empty"
    if low is not None and high is not None and not any(strict):
        return f"{_shown(low)}{unit}" if low == high else f"{_shown(low)}..{_shown(high)}{unit}"
    signs = (">" if strict[0] else ">=", "<" if strict[1] else "<=")
    return ", ".join(
        f"{sign}{_shown(bound)}{unit}" for sign, bound in zip(signs, (low, high), strict=True) if bound is not None
    )
