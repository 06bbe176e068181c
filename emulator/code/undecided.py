"""Code of which only the rest of the answer tells whether it is meant: examples, and calls among the marks of prose.

Rule: what others have said is never called.  An example that the text talks about is a call only if no other block
calls anything, and if the text doesn't say that it isn't made, nor asks the user; so is a call that the text says can
be made, or whose values are placeholders, but for the other blocks.  A call in backticks, in a list or in a quotation
is one only if it is how the answer ends, and nothing else in it is.  What is no call is said as it was written, in its
place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from emulator.code.parts import Aside, BlockEnd, BlockStart, Foreign, Piece, Prose, StrayThoughtEnd
from emulator.code.statements import Statement
from emulator.code.wording import (
    asks_leave,
    ends_asking,
    has_placeholder,
    is_example,
    is_possible,
    is_quotation,
    last_sentence,
    tells_not_made,
)

_REMEMBERED = 300
_WORDS_BEHIND = 1200
Doubt = Literal["example", "possible", "placeholder"]


@dataclass(slots=True)
class _Held:
    """Blocks and the words among and behind them; ``introduction`` is the text before the first."""

    doubt: Doubt
    introduction: str
    pieces: list[Piece]
    open: bool = True
    """The block that it is about goes on."""
    illustrates: bool = False
    """The block that goes on is a further one of its kind."""

    def refused(self) -> bool:
        """The text says that the call isn't made, or asks the user first."""
        said = "".join(piece.text for piece in self.pieces if isinstance(piece, Prose))[-_WORDS_BEHIND:]
        sentence = last_sentence(self.introduction)
        before = self.introduction if self.doubt == "example" else sentence
        if tells_not_made(f"{before}\n{said}") or ends_asking(said) or asks_leave(sentence):
            return True
        if self.doubt == "placeholder":
            return "?" in self.introduction
        return any(isinstance(piece, Statement) and has_placeholder(piece.source) for piece in self.pieces)


@dataclass(slots=True)
class Undecided:
    """Stands between the extractor and the reader: passes pieces on, or holds them until it is known what they are.

    ``mentions`` tells whether a source calls a tool.
    """

    mentions: Callable[[str], bool]
    _tail: str = ""
    _holds: bool = False
    """What comes next can't just be passed on."""
    _told: bool = False
    """The block that goes on was said by somebody else."""
    _head: list[Piece] = field(default_factory=list["Piece"])
    """A block up to its first call."""
    _held: _Held | None = None
    _asides: list[Piece] = field(default_factory=list["Piece"])
    _in_aside: bool = False
    """A block in a quotation goes on."""
    _called: bool = False
    """A block that isn't held calls a tool."""

    def feed(self, pieces: Iterable[Piece]) -> list[Piece]:
        out: list[Piece] = []
        for piece in pieces:
            if self._holds:
                self._piece(piece, out)
            elif isinstance(piece, Prose):  # Most of what there is.
                self._remember(piece.text)
                out.append(piece)
            elif self._called and isinstance(piece, Statement):
                out.append(piece)
            else:
                self._piece(piece, out)
        return out

    def finish(self, *, complete: bool) -> list[Piece]:
        """The answer is over; ``complete`` is False where it was cut off, so that nothing held is meant for sure."""
        out, self._head = self._head, []
        if self._held is not None:
            self._release(self._held, out, called=self._called and self._held.doubt == "example")
        if self._asides:
            meant = complete and not self._called and self._are_calls()
            out += [made for piece in self._asides for made in _as_block(piece)] if meant else _as_text(self._asides)
        self._asides = []
        return out

    def _piece(self, piece: Piece, out: list[Piece]) -> None:
        if self._told:
            if not isinstance(piece, BlockEnd):
                return
            self._told = False
            self._pass(Prose(piece.raw), out)
            self._tail = ""
        elif isinstance(piece, BlockStart) and self._is_told(piece):
            self._told = True
        else:
            self._pass(piece, out)
        self._holds = bool(self._told or self._head or self._held or self._asides)

    def _is_told(self, start: BlockStart) -> bool:
        return is_quotation(self._sentence()) or (start.quoted and (self._called or self._held is not None))

    def _pass(self, piece: Piece, out: list[Piece]) -> None:
        if self._held is not None:
            self._while_held(self._held, piece, out)
        elif self._head:
            self._in_head(piece, out)
        elif not self._is_aside(piece):
            self._give_up_asides(out)
            if isinstance(piece, BlockStart):
                self._start(piece, out)
                return
            if isinstance(piece, Prose | Foreign):
                self._remember(piece.text)
            elif isinstance(piece, BlockEnd):
                self._tail = ""
            out.append(Prose(piece.text) if isinstance(piece, Aside) else piece)

    def _start(self, start: BlockStart, out: list[Piece]) -> None:
        sentence = self._sentence()
        if is_example(sentence):
            self._held = _Held("example", self._tail[-_REMEMBERED:], [start])
        elif is_possible(sentence):
            self._held = _Held("possible", self._tail[-_REMEMBERED:], [start])
        elif self._called:
            out.append(start)
        else:
            self._head = [start]

    def _in_head(self, piece: Piece, out: list[Piece]) -> None:
        self._head.append(piece)
        match piece:
            case Statement(source) if self.mentions(source):
                head, self._head = self._head, []
                if any(isinstance(before, Statement) and has_placeholder(before.source) for before in head):
                    self._held = _Held("placeholder", self._tail[-_REMEMBERED:], head)
                    return
                self._called = True
                out += head
            case BlockEnd():
                out += self._head
                self._head, self._tail = [], ""
            case _:
                pass

    def _while_held(self, held: _Held, piece: Piece, out: list[Piece]) -> None:
        match piece:
            case BlockStart():
                sentence = self._sentence()
                example = is_example(sentence)
                if example and held.doubt != "example":
                    self._release(held, out)
                    self._start(piece, out)
                    return
                held.illustrates = example or (held.doubt != "example" and is_possible(sentence))
            case BlockEnd():
                self._tail = ""
                held.open = held.illustrates = False
            case Statement(source) if not (held.open or held.illustrates) and self.mentions(source):
                held.pieces.append(piece)
                self._release(held, out, called=held.doubt != "possible")
                self._called = True
                return
            case StrayThoughtEnd():
                held.pieces.append(piece)
                self._release(held, out, called=True)
                return
            case Prose(text):
                self._remember(text)
            case _:
                pass
        held.pieces.append(piece)

    def _release(self, held: _Held, out: list[Piece], *, called: bool = False) -> None:
        """What was held is text if something else is ``called``, but for the block that goes on."""
        self._held = None
        pieces = held.pieces
        last = max((index for index, piece in enumerate(pieces) if isinstance(piece, BlockStart)), default=0)
        ended = held.open or held.illustrates or any(isinstance(piece, BlockEnd) for piece in pieces[last:])
        until = len(pieces) if ended else last
        refused = called or held.refused()
        self._called = self._called or not refused
        out += [*(_as_text if refused else _without_asides)(pieces[:until]), *_without_asides(pieces[until:])]

    def _is_aside(self, piece: Piece) -> bool:
        """It is held with the calls among the marks of prose."""
        match piece:
            case _ if self._in_aside:
                self._in_aside = not isinstance(piece, BlockEnd)
            case BlockStart(quoted=True):
                self._in_aside = True
            case Aside() if not self._called:
                pass
            case Prose(text) if self._asides and not text.strip("> \t\r\n"):
                pass
            case _:
                return False
        self._asides.append(piece)
        return True

    def _are_calls(self) -> bool:
        """Nothing stands before the calls among marks, or what introduces them; all their values are known."""
        first = self._asides[0]
        marks = ":.!" if isinstance(first, BlockStart) or (isinstance(first, Aside) and first.fenced) else ":"
        words, sentence = self._tail.rstrip("*_> \t\r\n"), self._sentence()
        if words and (not words.endswith(tuple(marks)) or is_example(sentence) or is_quotation(sentence)):
            return False
        return not any(isinstance(piece, Aside | Statement) and has_placeholder(piece.source) for piece in self._asides)

    def _give_up_asides(self, out: list[Piece]) -> None:
        for piece in _as_text(self._asides):
            if isinstance(piece, Prose):
                self._remember(piece.text)
            out.append(piece)
        self._asides = []

    def _sentence(self) -> str:
        """The one before what comes next."""
        return last_sentence(self._tail[-_REMEMBERED:])

    def _remember(self, text: str) -> None:
        self._tail += text
        if len(self._tail) > 2 * _REMEMBERED:  # Not each time: this is done for every piece of prose.
            self._tail = self._tail[-_REMEMBERED:]


def _as_text(pieces: Iterable[Piece]) -> list[Piece]:
    """What was held as it was written; of a block, that is what its end holds."""
    out: list[Piece] = []
    for piece in pieces:
        match piece:
            case Aside(text) | BlockEnd(text):
                out.append(Prose(text))
            case BlockStart() | Statement():
                pass
            case _:
                out.append(piece)
    return out


def _without_asides(pieces: Iterable[Piece]) -> list[Piece]:
    return [Prose(piece.text) if isinstance(piece, Aside) else piece for piece in pieces]


def _as_block(piece: Piece) -> list[Piece]:
    if not isinstance(piece, Aside):
        return [piece]
    statement = Statement(piece.source, 1, closed=piece.closed)
    return [BlockStart(fenced=False), statement, BlockEnd(piece.text, fenced=False, closed=piece.closed)]
