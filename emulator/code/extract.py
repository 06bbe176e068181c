"""The model's text, however it is cut into chunks → prose, thoughts and statements of Python.

Works line by line.  Prose is passed on at once, except where the line so far could still become a fence,
a thought's tag or code without a fence.  Whether a block of code calls a tool or is part of the answer is
not decided here: a block is reported as ``BlockStart``, its ``Statement``s and ``BlockEnd`` with its
verbatim text.
"""

from __future__ import annotations

from collections.abc import Callable, Container

import regex

from emulator.code.limits import CodeLimits
from emulator.code.margins import Margin
from emulator.code.openings import (
    BARE_CONTINUES,
    INLINE,
    INLINE_TEXT,
    LINE_START,
    REACH,
    TEXT_START,
    THOUGHT_END,
    WRAPPERS,
    Nesting,
    aside_source,
    fence_info,
    opens_behind_words,
    opens_thought,
    ticked_call,
)
from emulator.code.parts import Aside, BlockEnd, BlockStart, Foreign, Piece, Prose, StrayThoughtEnd, Thought
from emulator.code.statements import StatementScanner, TooMuchCode

_MARKS = regex.compile(r"`+|~+")


REMEMBERED = 64
"""Characters of a line that has been passed on which are looked back at."""


class Extractor:
    """``feed(text)`` as it comes, ``finish()`` once; both return the pieces that are certain by then.

    ``names`` are the functions whose call makes a line code; with None all that isn't thought is prose.  Formats other
    than Python are a subclass's: see formats_extract.py.
    """

    def __init__(self, names: Container[str] | None, limits: CodeLimits, *, in_thought: bool = False) -> None:
        self._names = names if names is not None else ()
        self._starts = LINE_START if names is not None else TEXT_START
        self._inside_line = INLINE if names is not None else INLINE_TEXT
        self._limits = limits
        self._partial: list[str] = []  # what is held back of the line that isn't complete
        self._begun = False  # its beginning has been passed on
        self._held = False  # the rest can't be decided before its end
        self._pieces: list[Piece] = []
        self._state: Callable[[str, bool], str] = self._thought if in_thought else self._prose
        self._scanner = StatementScanner(limits)
        self._margin = Margin()
        self._wrapper: str | None = None
        self._raw: list[str] = []
        self._fenced = False
        self._excess: str | None = None
        self._foreign = ("", "")
        self._thought_end = THOUGHT_END
        self._nesting = Nesting()
        self._fresh = False  # what is left is read like the beginning of a line
        self._words_passed = ""  # the end of what has been passed on of the line

    def feed(self, text: str) -> list[Piece]:
        *lines, rest = text.split("\n")
        for line in lines:
            self._partial.append(line)
            self._complete("\n")
        if rest:
            self._partial.append(rest)
            self._peek()
        return self._taken()

    def finish(self) -> list[Piece]:
        """The text is over: what is open ends here."""
        if self._partial:
            self._complete("")
        while self._state == self._code:
            reread = self._scanner.fence_in_string
            if reread is None:
                self._end_block(closed=False)
            else:
                self._close_at_fence(reread)
        return self._taken()

    def _taken(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def _complete(self, newline: str) -> None:
        line, start = "".join(self._partial) + newline, not self._begun
        self._partial.clear()
        self._begun = self._held = False
        self._read(line, start=start)
        self._words_passed = ""

    def _read(self, left: str, *, start: bool) -> None:
        """Each state reads a line or its beginning, and returns what it leaves to the next state."""
        while left:
            before = self._state
            left = self._state(left, start)
            start = before == self._thought or self._fresh  # What stands right behind a thought begins like a line.
            self._fresh = False

    def _peek(self) -> None:
        """Pass on what is certain of a line that isn't complete."""
        if self._held or self._state not in (self._prose, self._thought):
            return
        line = "".join(self._partial)
        self._partial = [line]
        prose = self._state == self._prose
        if not prose and not self._begun and TEXT_START.match(line[:REACH], partial=True):
            return
        if prose and not self._begun and self._peek_mark(line):
            return
        if prose and not self._begun and (begins := self._begins(line, complete=False)):
            self._held = not begins.partial or len(line) >= REACH
            return
        found = (self._inside_line if prose else self._thought_end).search(line, partial=True)
        self._held = found is not None and (not found.partial or len(line) - found.start() >= REACH)
        # A match that is whole is found before one that has only begun, though that may stand before it.
        until = len(line) if found is None else found.start() if found.partial else 0
        if until:
            certain = line[:until]
            self._pieces.append(Prose(certain) if prose else Thought(certain))
            self._partial, self._begun = [line[until:]], True
            if not certain.isspace():
                self._nesting.begun = not prose
            if prose:
                self._pass_by(line, until)

    def _begins(self, line: str, *, complete: bool) -> regex.Match[str] | None:
        """How the line begins, if it is more than prose; of an incomplete line, also what may yet become that."""
        match = self._starts.match(line[:REACH], partial=not complete and len(line) < REACH)
        if match is None or match.partial or (called := match["called"]) is None or called in self._names:
            return match
        return None

    def _peek_mark(self, line: str) -> bool:
        """A line that isn't complete begins, or may begin, with another format; it has been seen to."""
        return False

    def _mark(self, line: str) -> str | None:
        """The rest of a line that begins with another format, None for others."""
        return None

    def _inline_mark(self, line: str, found: regex.Match[str]) -> str | None:
        """The rest of a line behind a mark of another format that was found in it, None for other marks."""
        return None

    def _prose(self, line: str, start: bool) -> str:
        if start and (left := self._mark(line)) is not None:
            return left
        begins = self._begins(line, complete=True) if start else None
        if begins is None:
            return self._inline(line)
        if begins["thought"]:
            return self._opened(line[begins.end() :])
        if begins["code"]:
            self._start_block(fenced=False)
            return line
        if begins["aside"]:
            return self._aside(line, begins.start("text"))
        return self._fence(line, begins.end("fence"), begins["marks"], 0, quoted=bool(begins["quote"]))

    def _aside(self, line: str, at: int) -> str:
        source = aside_source(line, at)
        if source is None:
            return self._inline(line)
        self._pieces.append(Aside(line, source, line.endswith("\n")))
        return ""

    def _inline(self, line: str) -> str:
        """The rest of a line of prose: a model may open a fence behind its words."""
        found = self._inside_line.search(line)
        if found is None:
            self._pieces.append(Prose(line))
            return ""
        if found.start():
            self._pieces.append(Prose(line[: found.start()]))
        if (left := self._inline_mark(line, found)) is not None:
            return left
        if found["end"]:
            self._words_passed = ""
            self._pieces.append(StrayThoughtEnd())
            return line[found.end() :].lstrip(" \t")
        if found["opens"] and opens_thought(line, found.end()):
            return self._opened(line[found.end() :])
        if (ticked := ticked_call(line, found.end())) and ticked.called in self._names:
            if ticked.source is None:
                return self._fence(line, found.end(), found["marks"], found.start())
            self._pieces.append(Aside(line[found.start() :], ticked.source, line.endswith("\n"), fenced=True))
            return ""
        if opens_behind_words(line, found.end()):
            return self._fence(line, found.end(), found["marks"], found.start())
        self._pass_by(line, found.end())
        self._pieces.append(Prose(found.group()))
        return line[found.end() :]

    def _pass_by(self, line: str, until: int) -> None:
        self._words_passed = (self._words_passed + line[:until])[-REMEMBERED:]

    def _fence(self, line: str, end: int, marks: str, begin: int, *, quoted: bool = False) -> str:
        info = fence_info(line, end)
        if info.is_python and not self._closes_wrapper(line, marks):
            self._start_block(fenced=True, quoted=quoted)
            rest = line[info.end :].lstrip(" \t")
            self._raw.append(line[begin : len(line) - len(rest)])
            if rest.strip():
                return rest
            self._raw.append(rest)
            return ""
        if info.is_python or info.language in WRAPPERS:
            self._wrapper = None if info.is_python else marks
            self._pieces.append(Prose(line[begin:]))
            return ""
        return self._foreign_fence(line[begin:], marks, info.language)

    def _foreign_fence(self, line: str, marks: str, language: str) -> str:
        self._foreign, self._state = (marks, language), self._other
        self._pieces.append(Foreign(line, language))
        return ""

    def _closes_wrapper(self, line: str, marks: str) -> bool:
        """The line ends a fence that stands around the answer."""
        wrapper = self._wrapper
        return wrapper is not None and marks.startswith(wrapper) and not line.strip().strip(wrapper[0])

    def _opened(self, left: str) -> str:
        self._state, self._fresh = self._thought, True
        return left

    def _thought(self, line: str, start: bool) -> str:
        if start and not self._nesting.begun and (again := TEXT_START.match(line)):
            return self._opened(line[again.end() :])  # The template has opened the thought, and the model too.
        end = self._nesting.end(line, self._thought_end)
        text = line[: end.start()] if end else line
        if text:
            self._pieces.append(Thought(text))
        if end is None:
            return ""
        self._state, self._thought_end = self._prose, THOUGHT_END
        return line[end.end() :].lstrip("\n")

    def _other(self, line: str, start: bool) -> str:
        marks, language = self._foreign
        self._pieces.append(Foreign(line, language))
        stripped = line.strip()
        if stripped.startswith(marks) and not stripped.strip(marks[0]):
            self._state = self._prose
        return ""

    def _code(self, line: str, start: bool) -> str:
        if self._raw and not self._fenced and self._bare_over(line):
            self._end_block(closed=True)
            self._fresh = True
            return line
        code = self._margin.offset(line, inside=self._scanner.inside)
        text = self._code_line(line.rstrip("\r\n"))
        fence = None if code is None else self._scan(text[code:], complete=line != text)
        if fence is None or code is None:
            if code is None and self._margin.session and self._excess is None:
                self._pieces += self._scanner.printed()
            self._raw.append(line)
            return ""
        fence += code
        if not self._fenced:
            self._raw.append(line[:fence])
            self._end_block(closed=True)
            return line[fence:]
        marks = _MARKS.match(text, fence)
        end = marks.end() if marks else fence
        self._raw.append(line[:end])
        self._end_block(closed=True)
        return line[end:]

    def _code_line(self, text: str) -> str:
        """A line of code without what isn't code in it."""
        return text

    def _bare_over(self, line: str) -> bool:
        """Code without a fence doesn't go on with ``line``."""
        if self._scanner.inside:
            return False
        if self._margin.session:  # What is printed goes on to an empty line.
            return not (self._raw[-1].strip() or self._margin.prompts(line))
        return not BARE_CONTINUES.match(line) and (self._scanner.between or line[0] not in " \t")

    def _scan(self, text: str, *, complete: bool) -> int | None:
        """Offset of the closing fence in the line, if it has one."""
        if self._excess is not None:
            return text.index("```") if text.lstrip().startswith("```") else None
        try:
            statements, fence = self._scanner.line(text, complete=complete)
        except TooMuchCode as too_much:
            self._excess = str(too_much)
            return None
        self._pieces += statements
        return fence

    def _start_block(self, *, fenced: bool, quoted: bool = False) -> None:
        self._margin = Margin(quoted=quoted)
        self._pieces.append(BlockStart(fenced, quoted))
        self._scanner, self._raw, self._excess = StatementScanner(self._limits), [], None
        self._fenced, self._state = fenced, self._code

    def _end_block(self, *, closed: bool, lines: int | None = None) -> None:
        if self._excess is None:
            self._pieces += self._scanner.end(closed=closed, lines=lines)
        self._pieces.append(BlockEnd("".join(self._raw), self._fenced, closed, self._excess))
        self._state = self._prose

    def _close_at_fence(self, lines: int) -> None:
        """A string never ended, so the fence-like line in it was the fence: what follows it is read anew."""
        whole = "".join(self._raw).split("\n")
        opening = 1 if self._fenced and whole[0].lstrip().startswith(("`", "~")) else 0
        at = lines + opening
        self._raw = ["\n".join(whole[: at + 1])]
        self._end_block(closed=True, lines=lines)
        rest = whole[at + 1 :]
        if rest:
            self._read("\n", start=False)
        for line in rest[:-1]:
            self._read(line + "\n", start=True)
        self._read("".join(rest[-1:]), start=True)
