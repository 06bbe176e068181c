"""A block of code while it is read: whether it is about the tools, and what in it can't be read."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.code.check import CodeError


@dataclass(slots=True)
class Block:
    """``first`` is the number of statements before it; ``failed`` the first statement that can't be read; ``unknown``
    the first call of a function that nobody offers, in a block that has nothing but such calls (``foreign`` is what
    else there is)."""

    fenced: bool = True
    first: int = 0
    engaged: bool = False
    failed: tuple[str, CodeError] | None = None
    unknown: tuple[str, CodeError] | None = None
    foreign: bool = False
