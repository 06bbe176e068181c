"""What the model's text is cut into, before it is known what of it is meant."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.code.markup import Debris, Invented, Markup, Unreadable
from emulator.code.statements import Printed, Statement


@dataclass(frozen=True, slots=True)
class Prose:
    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    text: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A line of a fenced block in another language, verbatim with its fences."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class BlockStart:
    """``quoted``: its fence stands in a quotation."""

    fenced: bool
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class BlockEnd:
    """``raw`` is the block as written, fences included.

    ``closed`` is False where the text ended inside the block; ``excess`` says which cap it exceeded.
    """

    raw: str
    fenced: bool
    closed: bool
    excess: str | None = None


@dataclass(frozen=True, slots=True)
class Aside:
    """A line of nothing but a call among the marks of prose: in backticks, in a list, quoted, behind ``Call:``.

    ``text`` is the line as written, ``source`` the call; ``closed`` is False where the text ended with the line.
    ``fenced``: it ends a line of words, between three backticks.
    """

    text: str
    source: str
    closed: bool
    fenced: bool = False


@dataclass(frozen=True, slots=True)
class StrayThoughtEnd:
    """A thought ends that nothing has opened: what came before may have been one."""


Piece = (
    Prose
    | Thought
    | Aside
    | StrayThoughtEnd
    | Foreign
    | BlockStart
    | Statement
    | Printed
    | BlockEnd
    | Markup
    | Debris
    | Invented
    | Unreadable
)
