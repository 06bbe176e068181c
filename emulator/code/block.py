"""A block of code while it is read: whether it is about the tools, and what in it can't be read.

Rule: a line that other lines may depend on is never taken for words that stand in the code.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex

from emulator.code.check import CodeError

_HEAD = regex.compile(
    r"\s*+(?:(?:if|elif|else|for|foreach|while|until|unless|when|def|class|with|try|except|catch|finally|match|switch|case"
    r"|async|repeat)\b|[^\n]*?(?:[:：{]|\b(?:then|do|begin)\b)[ \t]*+(?:(?:\#|//)[^\n]*+)?+$)",
    regex.IGNORECASE,
)


_INTRODUCES = regex.compile(
    r"(?:Here(?:'s|[ ]is|[ ]are)|Let(?:'s|[ ]us|[ ]me)|I(?:'ll|[ ]will))[ ]"
    r"(?:(?!\b(?:if|unless|when|while|until|once|only|not|never|example|instead)\b|n't\b)[^\n:])+:[ \t]*+$",
    regex.IGNORECASE,
)


def is_head(line: str) -> bool:
    """``line`` may say, in Python or another language, whether or how often what stands below it is done; a sentence
    that only introduces it doesn't."""
    return _HEAD.match(line) is not None and _INTRODUCES.match(line) is None


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
