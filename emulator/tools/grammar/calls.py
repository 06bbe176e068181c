"""The forms of tools → rules for their calls, as the stubs have them.

Rule: whatever a stub admits can be written in one way at least, the way that the prompt shows calls: keywords in the
stub's order, one space behind a comma.  ``open`` values may refer to variables, others are literals throughout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from emulator.tools.grammar import words
from emulator.tools.grammar.expressions import (
    EMPTY,
    Expression,
    Ref,
    Repeat,
    Rules,
    choice,
    optional,
    repeated,
    sequence,
)
from emulator.tools.grammar.forms import Form
from emulator.tools.toolstub import ToolStub
from emulator.tools.types import literal

_COMMA = ", "


_OPTIONAL = "?"
_SHOWN = "*"
_ALLOWED = "*+"


@dataclass(frozen=True, slots=True)
class Calls:
    """Makes the rules of calls and values, into ``rules``."""

    rules: Rules

    def call(self, stub: ToolStub, *, open_values: bool = False) -> Ref:
        """A call of the tool; with ``open_values`` its values may be variables."""
        values = _Values(self.rules, stub, open_values)
        return self.rules.rule(("call", stub.python_name, open_values), values.call)

    def anything(self, *, open_values: bool = False) -> Expression:
        """Any value that JSON has."""
        return _anything(self.rules, open_values)


@dataclass(frozen=True, slots=True)
class _Member:
    """A key with its value, and whether it has to be there."""

    text: Expression
    required: bool


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of one tool's calls."""

    rules: Rules
    stub: ToolStub
    open: bool

    def call(self) -> Expression:
        keys = [f"{name}=" for name in self.stub.parameters]
        forms = self.stub.forms.get("", [["?", "c"]] * len(keys))
        others = _others(forms, keys, _SHOWN)
        more = self._keyword(others)
        if more is not None:
            more = choice([more, sequence("**", self._value(["d", others]))])
        return sequence(f"{self.stub.python_name}(", self._listed(self._members(forms, keys), more), ")")

    def value(self, form: Form) -> Expression:
        """What may stand for a value; in an open place a variable, or a text made of some, too."""
        plain = self._value(form)
        return choice([plain, *_open(self.rules)]) if self.open else plain

    def _value(self, form: Form) -> Expression:
        code, rest = (form, []) if isinstance(form, str) else (cast(str, form[0]), form[1:])
        match code:
            case "s":
                return words.string(self.rules, *rest)
            case "i":
                return words.integer(self.rules, *rest)
            case "f":
                return words.number(self.rules, *rest)
            case "b":
                return choice(["True", "False"])
            case "n":
                return choice(["None"])
            case "a":
                return _anything(self.rules, self.open)
            case "c":
                return _anything(self.rules, self.open, objects=True)
            case "e":
                return choice(text for value in rest for text in (words.written(value), literal(value)))
            case "u":
                return choice(self._value(option) for option in rest)
            case _:
                return self._compound(code, rest)

    def _compound(self, code: str, rest: list[Any]) -> Expression:
        content = json.dumps([code, *rest])
        key = (content, self.open, self.stub.python_name if '["m", ' in content else "")
        match code:
            case "l":
                return self.rules.rule(key, lambda: sequence("[", _row([], self.value(rest[0]), *rest[1:]), "]"))
            case "t":
                return self.rules.rule(key, lambda: self._tuple(*rest))
            case "d":
                string = words.string(self.rules)
                return self.rules.rule(
                    key, lambda: sequence("{", _row([], sequence(string, ": ", self.value(rest[0]))), "}")
                )
            case _:
                return self.rules.rule(key, lambda: self._model(rest[0]))

    def _tuple(self, low: int, high: int | None, *forms: Form) -> Expression:
        items = [self.value(form) for form in forms]
        anything = _anything(self.rules, self.open)
        return choice(
            [
                sequence("[", _row(items, anything, low, high), "]"),
                # One in round brackets wouldn't be a tuple.
                sequence("(", _row(items, anything, max(low, 2), high), ")"),
            ]
        )

    def _model(self, name: str) -> Expression:
        """An object as the stub has it, or as a dict."""
        names = self.stub.models[name].fields
        forms = self.stub.forms[name]
        shown, allowed = _others(forms, names, _SHOWN), _others(forms, names, _ALLOWED)
        fields = self._members(forms, [f"{python}=" for python in names])
        keys = [choice(f"{words.quoted(key)}: " for key in (python, wire)) for python, wire in names.items()]
        return choice(
            [
                sequence(f"{name}(", self._listed(fields, self._keyword(shown)), ")"),
                sequence("{", self._listed(self._members(forms, keys), self._entry(allowed, names)), "}"),
            ]
        )

    def _members(self, forms: Sequence[Form], keys: Sequence[Expression | str]) -> list[_Member]:
        """Each key with its value."""
        members: list[_Member] = []
        for key, form in zip(keys, forms, strict=False):
            required = form[0] != _OPTIONAL
            members.append(_Member(sequence(key, self.value(form if required else form[1])), required))
        return members

    def _keyword(self, form: Form | None) -> Expression | None:
        return None if form is None else sequence(words.name(self.rules), "=", self.value(form))

    def _entry(self, form: Form | None, names: Mapping[str, str]) -> Expression | None:
        """A further key with its value; one that is declared, by either name, has the value it is declared with."""
        if form is None:
            return None
        return sequence(words.string_other_than(self.rules, {*names, *names.values()}), ": ", self.value(form))

    def _listed(self, members: Sequence[_Member], others: Expression | None) -> Expression:
        """The members in order, with commas between those that are there."""
        first = next((index for index, member in enumerate(members) if member.required), len(members))
        more = Repeat(sequence(_COMMA, others)) if others else EMPTY
        rest = sequence(*map(_following, members[first + 1 :]), more)
        options: list[Expression] = []
        if first < len(members):
            options.append(sequence(members[first].text, rest))
            rest = sequence(_following(members[first]), rest)
        else:
            options += [EMPTY] if others is None else [EMPTY, sequence(others, more)]
        # Of those that may be left out in front, each may be the first one.
        for member in reversed(members[:first]):
            after = self.rules.rule(object(), partial(_same, rest))
            options.append(sequence(member.text, after))
            rest = sequence(_following(member), after)
        return choice(reversed(options))


def _others(forms: Sequence[Form], names: Sized, marks: str) -> Form | None:
    """The form of values that have other names than ``names``, if it has one of the ``marks``."""
    last = forms[-1] if len(forms) > len(names) else ""
    return cast(Form, last[1]) if last and last[0] in marks else None


def _same(expression: Expression) -> Expression:
    return expression


def _following(member: _Member) -> Expression:
    text = sequence(_COMMA, member.text)
    return text if member.required else optional(text)


def _row(items: Sequence[Expression], further: Expression, low: int = 0, high: int | None = None) -> Expression:
    """From ``low`` to ``high`` values with commas between: first ``items``, then any number of ``further``."""
    items = items[:high]
    known = len(items)
    if known:
        tail = repeated(sequence(_COMMA, further), max(low - known, 0), None if high is None else high - known)
    elif high == 0:
        tail = EMPTY
    else:
        more = repeated(sequence(_COMMA, further), max(low - 1, 0), None if high is None else high - 1)
        tail = sequence(further, more) if low else optional(sequence(further, more))
    for index in range(known - 1, -1, -1):
        whole = sequence(_COMMA if index else "", items[index], tail)
        tail = whole if index < low else optional(whole)
    return tail


def _open(rules: Rules) -> list[Expression]:
    return [words.reference(rules), words.formatted(rules)]


def _anything(rules: Rules, open_values: bool, *, objects: bool = False) -> Ref:
    def make() -> Expression:
        value = _anything(rules, open_values, objects=objects)
        string = words.string(rules)
        options: list[Expression | str] = [string, words.number(rules), "True", "False", "None"]
        options.append(sequence("[", _row([], value), "]"))
        options.append(sequence("{", _row([], sequence(string, ": ", value)), "}"))
        if objects:
            name = words.name(rules)
            options.append(sequence(name, "(", _row([], sequence(name, "=", value)), ")"))
        return choice([*options, *_open(rules)] if open_values else options)

    return rules.rule(("anything", open_values, objects), make)
