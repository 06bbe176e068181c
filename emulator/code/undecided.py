"""Code of which only the rest of the answer tells whether it is meant: examples, and calls among the marks of prose.

Rule: an example that the text talks about is a call only if no other block calls anything, and if the text doesn't say
that it isn't made; a call in backticks, in a list or in a quotation is one only if it is how the answer ends, and
nothing else in it is.  What is no call is said as it was written, in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import regex

from emulator.code.extract import Aside, BlockEnd, BlockStart, Foreign, Piece, Prose, StrayThoughtEnd
from emulator.code.statements import Statement

_REMEMBERED = 300
_EXAMPLE = regex.compile(
    r"\b(?:for (?:example|instance)\b|e\.g\.|examples?\b|(?:would|could|might) (?:then )?(?:look|be written)\b"
    r"|(?:general|basic|usual|typical)(?:ly)? (?:form|format|syntax|pattern|usage|call)\b"
    r"|the (?:syntax|format|signature|usage)\b|hypothetical\w*)",
    regex.IGNORECASE,
)
_NOT_MADE = regex.compile(
    r"\b(?:hypothetical\w*|if i (?:had|could|were|was)\b|for (?:illustration|demonstration|illustrative)"
    r"|(?:don['’]t|do not|didn['’]t|did not|can['’]t|cannot|can not|won['’]t|will not|must not|mustn['’]t|shouldn['’]t"
    r"|should not|not going to|not able to|unable to|never) (?:actually |really |be )?"
    r"(?:call|run|execute|make|do|use|invoke|perform|needed|called|executed)"
    r"|(?:not|n['’]t) (?:been |be |actually |really )*(?:called|executed|run|made)\b|only an (?:example|illustration)"
    r"|just an (?:example|illustration))",
    regex.IGNORECASE,
)

_SENTENCE_END = regex.compile(r"\n[ \t]*\n|[.!?](?<!\be\.g\.)\s")


class Undecided:
    """Stands between the extractor and the reader: passes pieces on, or holds them until it is known what they are.

    ``mentions`` tells whether a source calls a tool.
    """

    def __init__(self, mentions: Callable[[str], bool]) -> None:
        self._mentions = mentions
        self._tail = ""
        self._example: list[Piece] = []
        self._introduction = ""
        self._open = False  # the held example's own block goes on
        self._illustrates = False  # the block that goes on is a further example
        self._asides: list[Piece] = []
        self._called = False  # a block outside of examples calls a tool

    def feed(self, pieces: Iterable[Piece]) -> list[Piece]:
        out: list[Piece] = []
        for piece in pieces:
            if self._example or self._asides:
                self._piece(piece, out)
            elif isinstance(piece, Prose):  # Most of what there is.
                self._tail = (self._tail + piece.text)[-_REMEMBERED:]
                out.append(piece)
            elif isinstance(piece, Statement) and self._called:
                out.append(piece)
            else:
                self._piece(piece, out)
        return out

    def finish(self, *, complete: bool) -> list[Piece]:
        """The answer is over; ``complete`` is False where it was cut off, so that nothing held is meant for sure."""
        out: list[Piece] = []
        if self._example:
            said = "".join(piece.text for piece in self._example if isinstance(piece, Prose))
            refused = self._called or _NOT_MADE.search(self._introduction + "\n" + said[-4 * _REMEMBERED :])
            out += _as_text(self._example) if refused else self._example
            self._called = True
        if self._asides:
            first = self._asides[0]
            fenced = isinstance(first, Aside) and first.fenced
            meant = complete and not self._called and self._introduced(":.!" if fenced else ":")
            out += [made for piece in self._asides for made in _as_block(piece)] if meant else _as_text(self._asides)
        self._example, self._asides = [], []
        return out

    def _piece(self, piece: Piece, out: list[Piece]) -> None:
        if self._example:
            self._while_example(piece, out)
            return
        match piece:
            case Aside() if not self._called:
                self._asides.append(piece)
                return
            case Aside(text):
                piece = Prose(text)
            case Prose(text) if self._asides and not text.strip():
                self._asides.append(piece)
                return
            case BlockStart() if self._illustrated():
                self._give_up_asides(out)
                self._example.append(piece)
                self._open, self._introduction = True, self._tail
                return
            case Statement(source) if not self._called:
                self._called = self._mentions(source)
            case _:
                pass
        self._give_up_asides(out)
        self._remember(piece)
        out.append(piece)

    def _while_example(self, piece: Piece, out: list[Piece]) -> None:
        self._example.append(piece)
        match piece:
            case BlockStart():
                self._illustrates = self._illustrated()
            case BlockEnd():
                self._tail = ""
                self._open = self._illustrates = False
            case Statement(source) if not (self._open or self._illustrates) and self._mentions(source):
                self._called = True
                self._release(out)
            case StrayThoughtEnd():
                self._release(out)
            case Prose():
                self._remember(piece)
            case _:
                pass

    def _release(self, out: list[Piece]) -> None:
        """What was held is text, but for the block that goes on."""
        held, self._example = self._example, []
        last = max((index for index, piece in enumerate(held) if isinstance(piece, BlockStart)), default=len(held))
        ended = any(isinstance(piece, BlockEnd) for piece in held[last:])
        until = len(held) if ended else last
        out += [*_as_text(held[:until]), *held[until:]]

    def _give_up_asides(self, out: list[Piece]) -> None:
        if self._asides:
            for piece in _as_text(self._asides):
                self._remember(piece)
                out.append(piece)
            self._asides = []

    def _remember(self, piece: Piece) -> None:
        if isinstance(piece, Prose | Foreign):
            self._tail = (self._tail + piece.text)[-_REMEMBERED:]
        elif isinstance(piece, BlockEnd):
            self._tail = ""

    def _illustrated(self) -> bool:
        """The sentence before the block introduces it as an example, or as what isn't done."""
        sentence = _SENTENCE_END.split(self._tail.rstrip())[-1]
        return bool(_EXAMPLE.search(sentence) or _NOT_MADE.search(sentence))

    def _introduced(self, marks: str) -> bool:
        """Nothing stands before the call, or a sentence that ends in one of ``marks`` and speaks of no example."""
        words = self._tail.rstrip().rstrip("*_")
        return not words or (words.endswith(tuple(marks)) and not self._illustrated())


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


def _as_block(piece: Piece) -> list[Piece]:
    if not isinstance(piece, Aside):
        return [piece]
    statement = Statement(piece.source, 1, closed=piece.closed)
    return [BlockStart(fenced=False), statement, BlockEnd(piece.text, fenced=False, closed=piece.closed)]
