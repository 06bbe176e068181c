"""Numbers within bounds → what their digits may be.

Rule: a bound that takes too many digits is none; only its sign counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from emulator.tools.grammar.expressions import (
    Chars,
    Expression,
    Literal,
    Repeat,
    choice,
    optional,
    repeated,
    sequence,
    some,
)

DIGIT = Chars((("0", "9"),))
_NOT_ZERO = Chars((("1", "9"),))
_FRACTION = sequence(".", Repeat(DIGIT, 1))
_POWER = sequence(some("eE"), optional(some("+-")), Repeat(DIGIT, 1))
_LARGEST = 99_999


def integers(low: int | None = None, high: int | None = None) -> Expression:
    """Whole numbers from ``low`` to ``high`` as Python writes them; None: without end, as where no number fits."""
    if low is not None and high is not None and low > high:
        low = high = None
    options: list[Expression] = []
    if high is None or high >= 0:
        options.append(_naturals(max(low or 0, 0), high))
    if low is None or low < 0:
        options.append(sequence("-", _naturals(max(-(high or 0), 1), None if low is None else -low)))
    return choice(options)


def floats(low: float | None = None, high: float | None = None) -> Expression:
    """Numbers from ``low`` to ``high``, whole ones too; of one with an exponent only the sign is right for sure."""
    if low is not None and high is not None and low > high:
        low = high = None
    options: list[Expression] = []
    if high is None or high >= 0:
        options += [_decimals(max(low or 0, 0), high), _scientific()]
    if low is None or low < 0:
        least = max(-(high or 0), 0)
        options += [sequence("-", _decimals(least, None if low is None else -low)), sequence("-", _scientific())]
    return choice(options)


def _scientific() -> Expression:
    return sequence(DIGIT, optional(_FRACTION), _POWER)


def _decimals(low: float, high: float | None) -> Expression:
    """Not negative; below ``low`` only by less than one."""
    if high is None or high > _LARGEST:
        return sequence(_naturals(math.floor(min(low, _LARGEST)), None), optional(_FRACTION))
    whole = math.floor(high)
    least = math.floor(low)
    if whole != high:
        return sequence(_naturals(least, whole), optional(_FRACTION))
    last = sequence(_naturals(whole, whole), optional(sequence(".", Repeat(Literal("0"), 1))))
    below = [sequence(_naturals(least, whole - 1), optional(_FRACTION))] if least < whole else []
    return choice([*below, last])


def _naturals(low: int, high: int | None) -> Expression:
    """Whole numbers that aren't negative, without zeros in front."""
    low = low if low <= _LARGEST else 0
    if high is None or high > _LARGEST:
        digits = len(str(low))
        longer = sequence(_NOT_ZERO, Repeat(DIGIT, digits))
        return choice([*_up_to(low, 10**digits - 1), longer])
    return choice(_up_to(low, high))


def _up_to(low: int, high: int) -> Iterator[Expression]:
    """For each number of digits what there is of it."""
    for digits in range(len(str(low)), len(str(high)) + 1):
        least = 10 ** (digits - 1) if digits > 1 else 0
        yield _between(str(max(low, least)), str(min(high, 10**digits - 1)))


def _between(low: str, high: str) -> Expression:
    """Numbers of as many digits as both have."""
    if low == high:
        return Literal(low)
    if low[0] == high[0]:
        return sequence(low[0], _between(low[1:], high[1:]))
    rest = len(low) - 1
    first, last = int(low[0]), int(high[0])
    options: list[Expression] = []
    if rest and low[1:] != "0" * rest:
        options.append(sequence(low[0], _between(low[1:], "9" * rest)))
        first += 1
    if rest and high[1:] != "9" * rest:
        options.append(sequence(high[0], _between("0" * rest, high[1:])))
        last -= 1
    if first <= last:
        options.append(sequence(Chars(((str(first), str(last)),)), repeated(DIGIT, rest, rest)))
    return choice(options)
