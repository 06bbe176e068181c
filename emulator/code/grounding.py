"""Whether a call's values come from the conversation, or were made up to fill a signature.

Small models that are shown a function call it, also where the request is about something else; then the values that it
must have are found nowhere in what was said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import regex

_WORD = regex.compile(r"[^\W_]+")
_NUMBER = regex.compile(r"\d+(?:\.\d+)?")
_STEM = 4
"""Letters by which two words count as the same: models put a word of the request into another form."""
_MOST_LEAVES = 1000


@dataclass(frozen=True, slots=True)
class Sayings:
    """Words and numbers of a conversation."""

    text: str
    words: frozenset[str]
    stems: frozenset[str]
    shorts: frozenset[str]
    """What a word may be abbreviated to: its first two or three letters."""
    numbers: frozenset[float]

    @staticmethod
    def of(texts: Iterable[str]) -> Sayings:
        text = "\n".join(texts).casefold()
        words = frozenset(_WORD.findall(text))
        found = {float(number) for number in _NUMBER.findall(text)}
        # "Lost 5 dollars" is -5, "5 %" is 0.05.
        numbers = found | {-number for number in found} | {number / 100 for number in found}
        stems = frozenset(word[:_STEM] for word in words if len(word) >= _STEM)
        shorts = frozenset(word[:size] for word in words for size in (2, 3) if len(word) > size)
        return Sayings(text, words, stems, shorts, frozenset(numbers))

    def share(self, value: Any) -> float | None:
        """How much of a text, number or constant was said, from 0 to 1; None where that can't be told of it."""
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, int | float):
            return float(value in self.numbers)
        words = _WORD.findall(str(value).casefold())
        return sum(map(self._said, words)) / len(words) if words else None

    def _said(self, word: str) -> bool:
        if word in self.words or (len(word) >= _STEM and word[:_STEM] in self.stems):
            return True
        if not word.isascii():
            return word in self.text  # Scripts that put no space between words.
        if word.isdigit():
            return float(word) in self.numbers
        # "California" was said for CA, "US dollars" for USD.
        return word in self.shorts or (len(word) == 3 and word[:2] in self.words)


def grounding(
    calls: Sequence[tuple[str, str]], checked: Callable[[str], Collection[str]], sayings: Sayings
) -> float | None:
    """The mean share of what was said of the calls' values; None where there is nothing to look at.

    ``calls`` are names and arguments as JSON; ``checked`` gives a tool's parameters whose values have to come from
    somewhere: required, and free.
    """
    shares: list[float] = []
    for name, arguments in calls:
        parameters = checked(name)
        for key, value in cast(dict[str, Any], json.loads(arguments)).items():
            if key in parameters:
                shares += (share for leaf in _leaves(value) if (share := sayings.share(leaf)) is not None)
    return sum(shares) / len(shares) if shares else None


def _leaves(value: Any) -> Iterator[Any]:
    left, seen = [value], 0
    while left and seen < _MOST_LEAVES:
        item = left.pop()
        seen += 1
        if isinstance(item, dict):
            left += cast(dict[str, Any], item).values()
        elif isinstance(item, list):
            left += cast(list[Any], item)
        else:
            yield item
