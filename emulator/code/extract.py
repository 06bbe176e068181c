"""The model's text, however it is cut into chunks → prose, thoughts and statements of Python.

Works line by line.  Prose is passed on at once, except where the line so far could still become a fence,
a thought's tag or code without a fence.  Whether a block of code calls a tool or is part of the answer is
not decided here: a block is reported as ``BlockStart``, its ``Statement``s and ``BlockEnd`` with its
verbatim text.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

import regex

from emulator.code.limits import CodeLimits
from emulator.code.statements import Statement, StatementScanner, TooMuchCode

PYTHON_FENCES = frozenset(
    ["", "python", "python3", "py", "py3", "tool_code", "tool_call", "tool_calls", "tools", "ipython", "pycon", "repl"]
)
"""What stands behind the backticks of a block that is read as Python, in lower case."""

THOUGHT_TAGS = "think|thinking|thought|reasoning"

_REACH = 256
_FENCE_START = r"(?P<fence>[ \t]{0,32}(?:>[ \t]?|[-*+][ \t]+|\d{1,3}[.)][ \t]+)?(?P<marks>`{3,}|~{3,}))"
_LANGUAGE = regex.compile(r"[ \t]*(?P<language>[\w+#.-]*)(?=\s|$|[`~]|\{)")
_THOUGHT_START = rf"(?P<thought>[ \t]{{0,32}}<(?i:{THOUGHT_TAGS})>)"
_THOUGHT_END = regex.compile(rf"</(?:{THOUGHT_TAGS})>", regex.IGNORECASE)
_INLINE = regex.compile(rf"(?P<marks>`{{3,}})|(?P<end></(?:{THOUGHT_TAGS})>)", regex.IGNORECASE)
_INLINE_TEXT = regex.compile(rf"(?P<marks>(?!))|(?P<end></(?:{THOUGHT_TAGS})>)", regex.IGNORECASE)
_TEXT_START = regex.compile(rf"(?P<fence>(?!))|(?P<code>(?P<called>(?!)))|{_THOUGHT_START}", regex.IGNORECASE)
_MARKS = regex.compile(r"`+|~+")
_BARE_CONTINUES = regex.compile(
    r"\s*(?:#|$|[A-Za-z_][\w.]*[ \t]*(?:=[^=]|\(|\[)"
    r"|(?:for|if|import|from|print|await|return|pass|try|with|def)\b|[\])}])"
)


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
    fenced: bool


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
class StrayThoughtEnd:
    """A thought ends that nothing has opened: what came before may have been one."""


Piece = Prose | Thought | StrayThoughtEnd | Foreign | BlockStart | Statement | BlockEnd


_LINE_START = regex.compile(
    rf"{_FENCE_START}|{_THOUGHT_START}|(?P<code>[ \t]{{0,32}}(?:"
    r"(?:(?:await|return)[ ])?(?:print\([ ]?)?(?:await[ ])?(?:[\[(][ ]?)?(?:(?:tools|functions|self)\.)?"
    r"(?!(?:print|await|return|tools|functions|self)\b)(?P<called>[^\W\d]\w{0,127})[ ]?\("
    r"|[A-Za-z_]\w{0,63}[ ]{0,4}=[^=\n>]"
    r"|for[ ]\w{1,64}(?:,[ ]?\w{1,64}){0,4}[ ]in[ ]\S{1,200}.{0,120}:[ \t]*\n"
    r"))"
)
"""What a line begins with that may be more than prose: a fence, a thought's tag, or code without a fence.

Such code is a call (also printed, awaited, returned, or in a list), an assignment, or a loop's head.  Never
anchored at the line's end, so that a match of a line's beginning is a match of the line.
"""


def _may_open(line: str, language: regex.Match[str]) -> bool:
    """Behind words, a fence opens a block only with nothing but its language, or with Python's name."""
    return not line[language.end() :].strip() or language["language"].lower() in PYTHON_FENCES - {""}


class Extractor:
    """``feed(text)`` as it comes, ``finish()`` once; both return the pieces that are certain by then.

    ``names`` are the functions whose call makes a line code; with None all that isn't thought is prose.
    """

    def __init__(self, names: Container[str] | None, limits: CodeLimits, *, in_thought: bool = False) -> None:
        self._names = names if names is not None else ()
        self._starts = _LINE_START if names is not None else _TEXT_START
        self._inside_line = _INLINE if names is not None else _INLINE_TEXT
        self._limits = limits
        self._partial: list[str] = []  # what is held back of the line that isn't complete
        self._begun = False  # its beginning has been passed on
        self._held = False  # the rest can't be decided before its end
        self._pieces: list[Piece] = []
        self._state: Callable[[str, bool], str] = self._thought if in_thought else self._prose
        self._scanner = StatementScanner(limits)
        self._raw: list[str] = []
        self._fenced = False
        self._excess: str | None = None
        self._foreign = ("", "")

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

    def _read(self, left: str, *, start: bool) -> None:
        """Each state reads a line or its beginning, and returns what it leaves to the next state."""
        while left:
            before = self._state
            left = self._state(left, start)
            start = before == self._thought  # What stands right behind a thought begins like a line.

    def _peek(self) -> None:
        """Pass on what is certain of a line that isn't complete."""
        if self._held or self._state in (self._code, self._other):
            return
        line = "".join(self._partial)
        self._partial = [line]
        prose = self._state == self._prose
        if not prose and not self._begun and _TEXT_START.match(line[:_REACH], partial=True):
            return
        if prose and not self._begun and self._begins(line, complete=False):
            self._held = len(line) >= _REACH
            return
        found = (self._inside_line if prose else _THOUGHT_END).search(line, partial=True)
        until = found.start() if found else len(line)
        self._held = found is not None and not found.partial
        if until:
            self._pieces.append(Prose(line[:until]) if prose else Thought(line[:until]))
            self._partial, self._begun = [line[until:]], True

    def _begins(self, line: str, *, complete: bool) -> regex.Match[str] | None:
        """How the line begins, if it is more than prose; of an incomplete line, also what may yet become that."""
        match = self._starts.match(line[:_REACH], partial=not complete and len(line) < _REACH)
        if match is None or match.partial or (called := match["called"]) is None or called in self._names:
            return match
        return None

    def _prose(self, line: str, start: bool) -> str:
        begins = self._begins(line, complete=True) if start else None
        if begins is None:
            return self._inline(line)
        if begins["thought"]:
            self._state = self._thought
            return line[begins.end() :]
        if begins["code"]:
            self._start_block(fenced=False)
            return line
        return self._fence(line, begins.end("fence"), begins["marks"], 0)

    def _inline(self, line: str) -> str:
        """The rest of a line of prose: a model may open a fence behind its words."""
        found = self._inside_line.search(line)
        if found is None:
            self._pieces.append(Prose(line))
            return ""
        if found.start():
            self._pieces.append(Prose(line[: found.start()]))
        if found["end"]:
            self._pieces.append(StrayThoughtEnd())
            return line[found.end() :].lstrip(" \t")
        language = _LANGUAGE.match(line, found.end())
        if language and language.start("language") == found.end() and _may_open(line, language):
            return self._fence(line, found.end(), found["marks"], found.start())
        self._pieces.append(Prose(found.group()))
        return line[found.end() :]

    def _fence(self, line: str, end: int, marks: str, begin: int) -> str:
        match = _LANGUAGE.match(line, end)
        language = match["language"].lower() if match else ""
        if language in PYTHON_FENCES:
            end = match.end() if match else end
            self._start_block(fenced=True)
            rest = line[end:].lstrip(" \t")
            self._raw.append(line[begin : len(line) - len(rest)])
            if rest.strip():
                return rest
            self._raw.append(rest)
            return ""
        self._foreign, self._state = (marks, language), self._other
        self._pieces.append(Foreign(line[begin:], language))
        return ""

    def _thought(self, line: str, start: bool) -> str:
        if start and (again := _TEXT_START.match(line)):  # The template has opened the thought, and the model too.
            return line[again.end() :]
        end = _THOUGHT_END.search(line)
        text = line[: end.start()] if end else line
        if text:
            self._pieces.append(Thought(text))
        if end is None:
            return ""
        self._state = self._prose
        return line[end.end() :].lstrip("\n")

    def _other(self, line: str, start: bool) -> str:
        marks, language = self._foreign
        self._pieces.append(Foreign(line, language))
        stripped = line.strip()
        if stripped.startswith(marks) and not stripped.strip(marks[0]):
            self._state = self._prose
        return ""

    def _code(self, line: str, start: bool) -> str:
        bare_over = self._raw and not self._fenced and not self._scanner.inside and not _BARE_CONTINUES.match(line)
        if bare_over and (self._scanner.between or line[0] not in " \t"):
            self._end_block(closed=True)
            return line
        text = line.rstrip("\r\n")
        fence = self._scan(text, complete=line != text)
        if fence is None:
            self._raw.append(line)
            return ""
        if not self._fenced:
            self._raw.append(line[:fence])
            self._end_block(closed=True)
            return line[fence:]
        marks = _MARKS.match(text, fence)
        end = marks.end() if marks else fence
        self._raw.append(line[:end])
        self._end_block(closed=True)
        return line[end:]

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

    def _start_block(self, *, fenced: bool) -> None:
        self._pieces.append(BlockStart(fenced))
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
