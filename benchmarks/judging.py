"""Calls that a model made → whether they are the right ones, by three measures.

Rule: ``names`` wants the same functions equally often; ``values`` also arguments that BFCL accepts; ``exact`` the very
arguments of the first acceptable answer.  The order of calls is no difference.  Where no call is wanted, an answer
without one is right by all three.

How BFCL accepts arguments (``ast_checker.py`` of PyPI's bfcl-eval): text is compared without case, spaces and some
punctuation, 5 is 5.0, and each parameter has a list of acceptable values, in which "" means that it may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

Json = dict[str, Any]

_IGNORED = re.compile(r"[ ,./\-_*^]")
_LEFT_OUT = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it was made, or as it should be."""

    name: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation with tools, and the calls that answer it: ``expected``, none where no tool fits.

    ``accepted`` has, for each expected call, the acceptable values of each parameter.
    """

    id: str
    category: str
    tools: list[Json]
    messages: list[Json]
    expected: tuple[Call, ...]
    accepted: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer is right, by each measure."""

    names: bool
    values: bool
    exact: bool


def case_of(row: Mapping[str, Any]) -> Case:
    """A row of ``cases.jsonl``."""
    return Case(
        id=row["id"],
        category=row["category"],
        tools=row["tools"],
        messages=row["messages"],
        expected=tuple(Call(call["name"], call["arguments"]) for call in row["expected"]),
        accepted=tuple(row.get("accepted", ())),
    )


def judged(case: Case, calls: Sequence[Call]) -> Verdict:
    """The verdict on an answer that made ``calls``."""
    wanted = case.expected
    return Verdict(
        names=sorted(call.name for call in calls) == sorted(call.name for call in wanted),
        values=_paired(calls, wanted, lambda call, at: _accepts(case.accepted[at], call.arguments)),
        exact=_paired(calls, wanted, lambda call, at: _equal(call.arguments, wanted[at].arguments, text=str)),
    )


def _paired(calls: Sequence[Call], wanted: Sequence[Call], fits: Callable[[Call, int], bool]) -> bool:
    """Each call can be given a wanted one of its name that it ``fits``, and none is left over."""
    left = list(range(len(wanted)))
    for call in calls:
        found = next((at for at in left if wanted[at].name == call.name and fits(call, at)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _accepts(accepted: Mapping[str, Any], arguments: Mapping[str, Any]) -> bool:
    """``accepted`` has a list of values for each key; a single value stands for a list of one."""
    options = {key: cast("list[Any]", value) if isinstance(value, list) else [value] for key, value in accepted.items()}
    if any(_LEFT_OUT not in options[key] for key in options.keys() - arguments.keys()):
        return False
    return all(
        key in options and any(_acceptable(option, value) for option in options[key])
        for key, value in arguments.items()
    )


def _acceptable(option: Any, value: Any) -> bool:
    """Inside an acceptable object, and in a list of such, each key has its own list of acceptable values again."""
    if isinstance(option, dict) and isinstance(value, dict):
        return _accepts(cast(Json, option), cast(Json, value))
    if isinstance(option, list) and isinstance(value, list):
        options, values = cast("list[Any]", option), cast("list[Any]", value)
        return len(options) == len(values) and all(map(_acceptable, options, values))
    return _equal(option, value, text=_plain)


def _plain(text: str) -> str:
    return _IGNORED.sub("", text).lower().replace("'", '"')


def _equal(left: Any, right: Any, *, text: Callable[[str], str]) -> bool:
    """Equal as JSON, where 5 is 5.0 but no number is true; texts are equal if what ``text`` makes of them is."""
    if isinstance(left, str) and isinstance(right, str):
        return text(left) == text(right)
    if isinstance(left, list) and isinstance(right, list):
        ours, theirs = cast("list[Any]", left), cast("list[Any]", right)
        return len(ours) == len(theirs) and all(_equal(a, b, text=text) for a, b in zip(ours, theirs, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        one, other = cast(Json, left), cast(Json, right)
        return one.keys() == other.keys() and all(_equal(one[key], other[key], text=text) for key in one)
    return isinstance(left, bool) == isinstance(right, bool) and left == right
