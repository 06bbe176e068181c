"""The words in which the readers of formats speak: a text inside a frame → the calls that were written in it.

Rule: a format only reads.  Which tool is meant by a name, whether the arguments hold and whether there is a call at
all is decided behind it, by the same judge as for Python.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.code.check import CodeError

Arguments = dict[str, Any] | list[Any] | str
"""By name, by position, or a single text that may be the only argument there is."""


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A call as it was written, with JSON values.

    ``textual``: the values are texts, of which only the tool's schema tells the types.  ``clear``: nothing but a call
    looks like that; what isn't clear is a call only if its arguments hold.
    """

    name: str
    arguments: Arguments = field(default_factory=dict[str, Any])
    textual: bool = False
    clear: bool = True


@dataclass(frozen=True, slots=True)
class WrittenCode:
    """Python that stands where another format was expected."""

    source: str


Written = Sequence[WrittenCall] | WrittenCode


@dataclass(frozen=True, slots=True)
class Scope:
    """What a format may know.  ``tool`` has the Python name of the tool that a name means, or None.

    ``sure``: the frame can't be anything but calls.  ``closed``: its end was written, so that nothing in it was cut.
    ``mend``: broken JSON may be mended.
    """

    tool: Callable[[str], str | None]
    sure: bool = True
    closed: bool = True
    mend: bool = True


class Miswritten(CodeError):
    """It is meant as a call in this format, but not all of it would be in what is read."""


class Format(Protocol):
    """One way to write calls inside a frame."""

    def __call__(self, text: str, scope: Scope) -> Written | None:
        """The calls that ``text`` is, all of it; None if it isn't written in this format.  Raises Miswritten."""
        ...
