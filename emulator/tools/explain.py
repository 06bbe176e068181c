"""A validator's errors → sentences for a model: where, in Python's terms, and what is expected there.

Everything shown is clipped: schemas and arguments are of any size.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

from emulator.tools.coerce import contexts, rejects_type
from emulator.tools.plain import Json

MAX_SENTENCES = 5
MAX_SENTENCE = 400
_MAX_VALUE = 80
_MAX_OPTIONS = 12

_TYPE_WORDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "True or False",
    "array": "a list",
    "object": "a dict",
    "null": "None",
}


@dataclass(frozen=True, slots=True)
class Explainer:
    """Speaks of one tool's calls.

    ``schema`` is the client's own; ``function`` is what the model calls it; ``names`` maps the wire names
    of its parameters to those of the signature, where the model knows them by another.
    """

    function: str
    schema: Mapping[str, Any]
    names: Mapping[str, str]

    def sentences(self, arguments: Json, errors: Iterable[ValidationError]) -> tuple[str, ...]:
        """At most five different sentences, each of at most 400 characters."""
        said: dict[str, None] = {}
        for error in errors:
            for sentence in self._of(arguments, error):
                said.setdefault(self.prefixed(sentence))
            if len(said) >= MAX_SENTENCES:
                break
        return tuple(said)[:MAX_SENTENCES]

    def prefixed(self, sentence: str) -> str:
        return clip(f"{self.function}: {sentence}", MAX_SENTENCE)

    def subject(self, path: Sequence[str | int]) -> str:
        """``argument "filters.tags[2]"``; the whole call is ``the call``."""
        if not path:
            return "the call"
        text = self.names.get(str(path[0]), str(path[0]))
        for step in path[1:]:
            if isinstance(step, int):
                text += f"[{step}]"
            else:
                text += f".{step}" if step.isidentifier() else f"[{show(step)}]"
        return f'argument "{clip(text, 120)}"'

    def unexpected(self, names: Iterable[str], declared: Iterable[str], arguments: Mapping[str, Json]) -> list[str]:
        """Sentences about arguments that the signature doesn't have."""
        required = cast(list[object], found) if isinstance(found := self.schema.get("required"), list) else []
        missing = [name for name in required if isinstance(name, str) and name not in arguments]
        known = list(declared)
        free = [name for name in known if name not in arguments] or known
        return [f"unexpected argument {self._quoted(name)}{self._hint(name, free, known, missing)}" for name in names]

    def _hint(
        self, name: str, free: Iterable[str], known: Iterable[str], missing: Sequence[str], *, top: bool = True
    ) -> str:
        """What ``name`` may stand for among the names that are ``free``, else all that are known."""
        options = [self.names.get(option, option) if top else option for option in free]
        near = difflib.get_close_matches(name[:100], [option for option in options if len(option) <= 100], 1, 0.6)
        if not near and len(missing) == 1:
            near = [self.names.get(missing[0], missing[0]) if top else missing[0]]
        if near:
            return f"; did you mean {show(near[0])}?"
        what = "arguments" if top else "keys"
        shown = [show(self.names.get(option, option) if top else option) for option in known]
        return f"; the {what} are {_listed(shown, 'and')}" if shown else f"; it takes no {what}"

    def _quoted(self, name: str) -> str:
        return show(self.names.get(name, name))

    def _of(self, arguments: Json, error: ValidationError) -> list[str]:
        path, kind = error.instance_path, error.kind
        match kind:
            case Kind.Required(name):
                if not path:
                    return [f"missing required argument {self._quoted(name)}"]
                return [f"{self.subject(path)} lacks the required key {show(name)}"]
            case Kind.AdditionalProperties(names) | Kind.UnevaluatedProperties(names):
                return self._surplus(arguments, error, names)
            case Kind.FalseSchema() if error.schema_path[-1:] in (["additionalProperties"], ["unevaluatedProperties"]):
                here = _value_at(arguments, path)
                return self._surplus(arguments, error, list(cast(dict[str, Json], here)))
            case Kind.PropertyNames(inner):
                return [f"{self.subject(path)} has a key that {_expectation(inner.kind, inner.instance)}"]
            case Kind.AnyOf(_) | Kind.OneOfNotValid(_):
                return self._of_branches(arguments, error)
            case _:
                return [f"{self.subject(path)} {_expectation(kind, _value_at(arguments, path)) or error.message}"]

    def _surplus(self, arguments: Json, error: ValidationError, names: Sequence[str]) -> list[str]:
        parent = _subschema(self.schema, error.schema_path[:-1])
        known = list(cast(dict[str, Any], p)) if isinstance(p := parent.get("properties"), dict) else []
        here = cast(dict[str, Json], _value_at(arguments, error.instance_path))
        free = [name for name in known if name not in here]
        if not error.instance_path:
            return self.unexpected(names, known, arguments)
        subject = self.subject(error.instance_path)
        return [
            f"{subject} has the unknown key {show(n)}{self._hint(n, free or known, known, (), top=False)}"
            for n in names
        ]

    def _of_branches(self, arguments: Json, error: ValidationError) -> list[str]:
        path = error.instance_path
        branches = contexts(error)
        open_ = [errors for errors in branches if not rejects_type(errors, path)]
        if open_:
            # The branches that take the value's own type say what is wrong with it; the nearest one speaks.
            nearest = min(open_, key=len)
            return [sentence for inner in nearest for sentence in self._of(arguments, inner)]
        wanted = dict.fromkeys(word for errors in branches for inner in errors for word in _wanted(inner, path))
        return [f"{self.subject(path)} must be {_listed(wanted, 'or')}; got {show(_value_at(arguments, path))}"]


def _wanted(error: ValidationError, path: Sequence[str | int]) -> list[str]:
    if list(error.instance_path) != list(path):
        return []
    match error.kind:
        case Kind.Type(types):
            return [_TYPE_WORDS[name] for name in types]
        case Kind.Enum(options):
            return [show(option) for option in options[:_MAX_OPTIONS]]
        case Kind.Constant(value):
            return [show(value)]
        case _:
            return []


def _expectation(kind: Kind, value: Json) -> str:  # noqa: C901, PLR0912 - a table of keywords
    got = f"; got {show(value)}"
    match kind:
        case Kind.Type(types):
            return f"must be {_listed((_TYPE_WORDS[name] for name in types), 'or')}{got}"
        case Kind.Enum(options):
            return f"must be {'one of ' if len(options) > 1 else ''}{_listed(map(show, options), '')}{got}"
        case Kind.Constant(wanted):
            return f"must be {show(wanted)}{got}"
        case Kind.Minimum(limit):
            return f"must be at least {limit}{got}"
        case Kind.Maximum(limit):
            return f"must be at most {limit}{got}"
        case Kind.ExclusiveMinimum(limit):
            return f"must be greater than {limit}{got}"
        case Kind.ExclusiveMaximum(limit):
            return f"must be less than {limit}{got}"
        case Kind.MultipleOf(step):
            return f"must be a multiple of {step}{got}"
        case Kind.MinLength(limit):
            return f"must have at least {_count(limit, 'character')}{got}"
        case Kind.MaxLength(limit):
            return f"must have at most {_count(limit, 'character')}{got}"
        case Kind.MinItems(limit):
            return f"must have at least {_count(limit, 'item')}{got}"
        case Kind.MaxItems(limit) | Kind.AdditionalItems(limit):
            return f"must have at most {_count(limit, 'item')}{got}"
        case Kind.MinProperties(limit):
            return f"must have at least {_count(limit, 'key')}{got}"
        case Kind.MaxProperties(limit):
            return f"must have at most {_count(limit, 'key')}{got}"
        case Kind.UniqueItems():
            return f"must not have the same item twice{got}"
        case Kind.Pattern(pattern):
            return f"must match the regular expression {clip(pattern, 120)}{got}"
        case Kind.Not(schema):
            return f"must not be what {show(schema)} describes{got}"
        case Kind.OneOfMultipleValid(_):
            return f"must fit exactly one of its forms, and fits several{got}"
        case Kind.FalseSchema() | Kind.UnevaluatedItems(_):
            return f"is not allowed{got}"
        case Kind.BacktrackLimitExceeded(_) | Kind.RegexEngineFailure(_):
            return f"can't be matched against its pattern in reasonable time{got}"
        case _:
            return ""


def _listed(words: Iterable[str], last: str) -> str:
    shown = list(words)
    if len(shown) > _MAX_OPTIONS:
        return ", ".join(shown[:_MAX_OPTIONS]) + f", … ({len(shown)} in all)"
    if len(shown) > 1 and last:
        return f"{', '.join(shown[:-1])} {last} {shown[-1]}"
    return ", ".join(shown)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def show(value: Json) -> str:
    """A value as Python writes it, strings in double quotes, in at most 80 characters."""
    if isinstance(value, str):
        return json.dumps(clip(value, _MAX_VALUE - 2), ensure_ascii=False)
    if isinstance(value, int) and value.bit_length() > 4 * _MAX_VALUE:
        return "a very large integer"
    if isinstance(value, (list, dict)):
        return _show_container(cast(Any, value))
    return clip(repr(value), _MAX_VALUE)


def _show_container(value: list[Json] | dict[str, Json]) -> str:
    # Only as much is written as can be shown: the value may hold 100,000 others.
    text = "{" if isinstance(value, dict) else "["
    close = "}" if isinstance(value, dict) else "]"
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for count, (key, item) in enumerate(items):
        text += (", " if count else "") + (f"{show(key)}: " if key is not None else "") + show(item)
        if len(text) >= _MAX_VALUE:
            return clip(text, _MAX_VALUE)
    return text + close


def clip(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"


def _value_at(value: Json, path: Sequence[str | int]) -> Json:
    for step in path:
        value = value[step]
    return value


def _subschema(schema: Any, path: Sequence[str | int]) -> Mapping[str, Any]:
    for step in path:
        if isinstance(schema, dict):
            schema = cast(dict[Any, Any], schema).get(step)
        elif isinstance(schema, list) and isinstance(step, int) and step < len(cast(list[Any], schema)):
            schema = cast(list[Any], schema)[step]
        else:
            return {}
    return cast(Mapping[str, Any], schema) if isinstance(schema, dict) else {}
