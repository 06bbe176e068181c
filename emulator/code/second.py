"""What was written in other formats → blocks of Python, on the way from the extractor to the reader.

Rule: there is one way on from here.  A call of any format is read, proven, sent, kept as part of the program, refused
and shown to the model in a repair just as if it had been written in Python.  Frames that can't be but calls become
blocks at once.  The others wait for the answer's end, and count only if nothing else in it calls a tool; what is no
call after all is said as it was written, in its place.  So are calls behind which the answer goes on in words, if no
fence parts them, and what is introduced as a list of what there is to call.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import regex

from emulator.code.formats.frames import FENCED
from emulator.code.formats.json_values import unfenced
from emulator.code.frames_as_code import FramesAsCode
from emulator.code.markup import Debris, Invented, Markup, Unreadable
from emulator.code.parts import BlockEnd, BlockStart, Piece, Prose, StrayThoughtEnd
from emulator.code.statements import Statement

_SHOWN = _REMEMBERED = 300
_TAG = regex.compile(r"<[^<>\n]*+>")
_LETTER = regex.compile(r"[^\W\d_]")
_SENTENCE_END = regex.compile(r"[.!?]\s|\n")
_SEVERAL = regex.compile(r"\b(?:these|tools|functions)\b", regex.IGNORECASE)
_AT_HAND = regex.compile(
    r"\b(?:(?:can|could|may|might|able to) (?:use|call|choose)|(?:are|is) available|have access|at my disposal)\b"
    r"|\bavailable (?:tools|functions)\b",
    regex.IGNORECASE,
)
_ASSIGNED = r"\s*(?:tool_calls?|function_calls?|calls?|actions?)\s?=\s?(?=[\[{])"
"""What stands before calls in JSON that look like a program."""
_OTHER_FORMAT = regex.compile(
    rf"(?:{_ASSIGNED})?\s*(?:[{{<]|\[\s*(?:\{{|$)|[*_#]{{0,4}}Action\b|functools|[^\W\d][\w-]{{0,127}}[ ]?\{{)"
)
_LEADING_NAME = regex.compile(_ASSIGNED)


class SecondReading:
    """``feed`` what the extractor has found, ``finish`` once.  ``loose``: also formats in which others than calls are
    written.  ``cut`` and ``stopped`` are set before the last pieces: the answer was cut off by a limit, or a stop
    sequence of the client's may have ended it."""

    def __init__(self, frames: FramesAsCode, *, loose: bool) -> None:
        self.cut = self.stopped = False
        self._frames = frames
        self._loose = loose
        self._waiting: list[Piece] = []  # from the first frame on that may be a call
        self._calls: dict[int, list[Statement]] = {}  # the calls of those frames, by their places in what waits
        self._block: list[Piece] = []  # a block that may hold another format
        self._debris: list[Prose] = []  # tokens that are words if words follow
        self._tail = ""
        self._said = self._called = self._over = False

    def feed(self, pieces: Iterable[Piece]) -> list[Piece]:
        out: list[Piece] = []
        for piece in pieces:
            if self._over:
                break
            if isinstance(piece, Prose) and not (self._block or self._debris or self._waiting):
                self._said = self._said or bool(piece.text.strip())  # Most of what there is.
                self._tail = (self._tail + piece.text)[-_REMEMBERED:]
                out.append(piece)
            else:
                self._piece(piece, out)
        return out

    def finish(self) -> list[Piece]:
        """The answer is over: what waited are its calls."""
        out: list[Piece] = []
        told = self._goes_on()
        for place, piece in enumerate(self._waiting):
            if isinstance(piece, Markup) and told and piece.frame is not FENCED:
                out.append(Prose(piece.raw))
            elif isinstance(piece, Markup):
                out += as_block(piece.raw, self._calls[place])
            else:
                out.append(piece)
        self._waiting.clear()
        return [*out, *self._block]

    def _goes_on(self) -> bool:
        """A line goes on with words behind a frame that no fence parts from them, so that it is what they are about."""
        for frame, behind in pairwise(self._waiting):
            if isinstance(frame, Markup) and frame.frame is not FENCED and isinstance(behind, Prose):
                line = _TAG.sub("", behind.text).partition("\n")[0]
                if _LETTER.search(line):
                    return True
        return False

    def _lists_tools(self) -> bool:
        """The sentence before introduces what could be called."""
        sentence = _SENTENCE_END.split(self._tail.rstrip(" \t\r\n*_"))[-1]
        return sentence.endswith(":") and all(part.search(sentence) for part in (_SEVERAL, _AT_HAND))

    def _piece(self, piece: Piece, out: list[Piece]) -> None:
        match piece:
            case Debris(text):
                if self._said and not self._called:
                    self._debris.append(Prose(text))
            case Invented():
                self._over = self._called or bool(self._waiting)
            case Markup():
                self._markup(piece, out)
            case BlockStart(fenced=True) if self._loose:
                self._block = [piece]
            case _ if self._block:
                self._in_block(piece, out)
            case _:
                self._pass(piece, out)

    def _pass(self, piece: Piece, out: list[Piece]) -> None:
        match piece:
            case Prose(text) if self._debris and not text.strip():
                self._debris.append(piece)
                return
            case Prose(text):
                self._said = self._said or bool(text.strip())
                self._tail = (self._tail + text)[-_REMEMBERED:]
                self._emit(self._debris, out)
            case Statement(source) if self._frames.mentions(source):
                self._make(out)
            case StrayThoughtEnd():
                self._make(out)
                self._called = False
            case _:
                self._emit([kept for kept in self._debris if not kept.text.strip()], out)
        self._debris = []
        self._emit([piece], out)

    def _emit(self, pieces: Iterable[Piece], out: list[Piece]) -> None:
        (self._waiting or out).extend(pieces)

    def _make(self, out: list[Piece]) -> None:
        """There is a call that doesn't wait: what did is said."""
        self._called = True
        waited, self._waiting, self._calls = self._waiting, [], {}
        out += [Prose(piece.raw) if isinstance(piece, Markup) else piece for piece in waited]

    def _markup(self, markup: Markup, out: list[Piece]) -> None:
        cut = not markup.closed and (self.cut or self.stopped)
        calls = None if cut else self._frames.statements(markup)
        if cut:
            statement = Statement(markup.raw, 1, closed=False, balanced=False)
            self._emit([*self._debris, *as_block(markup.raw, [statement])], out)
        elif calls is not None and markup.frame.sure:
            self._make(out)
            out += as_block(markup.raw, calls)
        elif calls is not None and not self._called and not self._lists_tools():
            self._calls[len(self._waiting)] = calls
            self._waiting.append(markup)
        elif calls is None and markup.frame.sure and (error := self._frames.fault(markup)):
            self._make(out)
            out.append(Unreadable(markup.raw[:_SHOWN], error))
        else:
            self._pass(Prose(markup.raw), out)
            return
        self._debris = []

    def _in_block(self, piece: Piece, out: list[Piece]) -> None:
        """A block is held as long as it reads like another format; such a block may be a call at its end."""
        held, self._block = self._block, []
        match piece:
            case Statement(source) if _OTHER_FORMAT.match(source) and not self._frames.mentions(source):
                self._block = [*held, piece]
            case Statement() if len(held) > 1 and not self._frames.mentions(piece.source):
                self._block = [*held, piece]
            case BlockEnd(raw) if len(held) > 1 and not piece.excess:
                markup = Markup(raw, _LEADING_NAME.sub("", unfenced(raw), 1), FENCED, piece.closed)
                if (self.cut and not piece.closed) or self._frames.statements(markup) is None:
                    self._pass_all([*held, piece], out)
                else:
                    self._markup(markup, out)
            case _:
                self._pass_all([*held, piece], out)

    def _pass_all(self, pieces: Iterable[Piece], out: list[Piece]) -> None:
        for piece in pieces:
            self._pass(piece, out)


def as_block(raw: str, statements: Iterable[Statement]) -> list[Piece]:
    """Calls as the block of Python that they might have been."""
    return [BlockStart(fenced=True), *statements, BlockEnd(raw, fenced=True, closed=True)]
