"""The model's text as it comes → the pieces that an answer is read from.

Each stage stands behind the one before it: the gate of thoughts, the extractor, what is written in other formats than
Python, and what only the rest of the answer decides.
"""

from __future__ import annotations

from collections.abc import Iterable

from emulator.code.extract import Extractor
from emulator.code.formats_extract import FormatsExtractor
from emulator.code.frames_as_code import FramesAsCode
from emulator.code.gate import ThoughtGate
from emulator.code.judge import Judge
from emulator.code.limits import CodeLimits
from emulator.code.parts import Piece
from emulator.code.second import SecondReading
from emulator.code.undecided import Undecided
from emulator.code.vocabulary import CallableNames, Vocabulary

_FIRST = 64
"""Pieces of text that tell how an answer begins."""
_ANSWERS = ("```", "<tool_call>", "<function", "<|tool_call", "[TOOL_CALLS]")
"""What no thought begins with."""


class AnswerPieces:
    """``feed`` the text as it comes, ``finish`` once; both give the pieces that are certain by then.

    ``vocabulary`` is None where no call is wanted.  ``in_thought``: the model is known to think from the start.
    ``formats``: also those in which other things than calls are written.
    """

    def __init__(
        self, vocabulary: Vocabulary | None, judge: Judge, limits: CodeLimits, *, in_thought: bool, formats: bool
    ) -> None:
        self.in_thought = in_thought
        self._vocabulary = vocabulary
        self._limits = limits
        self._formats = formats
        self._gate = None if in_thought else ThoughtGate()
        self._extractor = self._new_extractor(in_thought=in_thought)
        self._second = SecondReading(FramesAsCode(judge, limits), loose=formats)
        self._undecided = Undecided(judge.vocabulary.mentioned)
        self._implied: list[str] = []

    def feed(self, text: str) -> list[Piece]:
        before: list[Piece] = []
        if self._gate is not None:
            thoughts, text = self._gate.feed(text)
            if thoughts:
                before = self._decided(thoughts)
        elif self.in_thought:
            text = self._begun_in_thought(text)
        if text and (found := self._extractor.feed(text)):
            return before + self._decided(found)
        return before

    def finish(self, *, cut: bool, stopped: bool) -> list[Piece]:
        """The answer is over.  ``cut``: by a limit; ``stopped``: a stop sequence of the client's may have ended it."""
        pieces: list[Piece] = []
        if self._gate is not None and (held := self._gate.finish()):
            pieces += self._decided(self._extractor.feed(held))
        self._second.cut, self._second.stopped = cut, stopped
        pieces += self._decided(self._extractor.finish())
        pieces += self._undecided.feed(self._second.finish())
        return pieces + self._undecided.finish(complete=not cut)

    def thinks_apart(self) -> None:
        """The upstream tells thoughts from text itself, so the text doesn't begin inside one."""
        if self.in_thought and not self._implied:
            self._thinks_not()

    def as_words(self) -> list[Piece]:
        """The model was taken to think from the start, but its thought never ended: it was the answer.

        Its words are; code in what may have been a thought all the same is not called.
        """
        extractor = Extractor(None, self._limits)
        return extractor.feed("".join(self._implied)) + extractor.finish()

    def _decided(self, pieces: Iterable[Piece]) -> list[Piece]:
        return self._undecided.feed(self._second.feed(pieces))

    def _new_extractor(self, *, in_thought: bool) -> Extractor:
        known = self._vocabulary
        if known is None:
            return Extractor(None, self._limits, in_thought=in_thought)
        return FormatsExtractor(
            CallableNames(known), self._limits, tools=known.names, in_thought=in_thought, loose=self._formats
        )

    def _thinks_not(self) -> None:
        self.in_thought = False
        self._extractor = self._new_extractor(in_thought=False)

    def _begun_in_thought(self, text: str) -> str:
        """The text that can be read as a thought; an answer that begins with a fence or a call's tag is none."""
        before = "".join(self._implied) if len(self._implied) < _FIRST else "…"
        self._implied.append(text)
        if before.strip() and not _may_begin_answer(before):
            return text
        begun = before + text
        if _may_begin_answer(begun):
            return ""
        if begun.lstrip().startswith(_ANSWERS):
            self._thinks_not()
        return begun


def _may_begin_answer(text: str) -> bool:
    begun = text.lstrip()
    return any(len(begun) < len(mark) and mark.startswith(begun) for mark in _ANSWERS)
