"""What is capped before anything is parsed: ``ast.parse`` of 200,000 lines takes half a gigabyte."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """``bytes`` (UTF-8) and ``lines`` of Python in one answer; ``nesting`` of brackets and blocks in one statement."""

    bytes: int = 256 * 1024
    lines: int = 5000
    nesting: int = 64
