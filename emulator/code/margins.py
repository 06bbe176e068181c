"""What stands before the code of a block's lines: prompts, line numbers, marks of quotations and lists.

Rule: a block's first line tells which margin it has, and only what begins just as that margin does is taken off a line.
A line of a session without a prompt is what the model says was printed: it is no code.
"""

from __future__ import annotations

import regex

from emulator.code.openings import PYTHON_NAMES

_QUOTE = regex.compile(r"[ \t]{0,32}>(?!>>)[ ]?")
_PROMPT = regex.compile(r"[ \t]{0,32}(?:>>>|\.{3,}:?|In[ ]?\[\d{0,5}\]:)[ ]?")
_FIRST_PROMPT = regex.compile(r"[ \t]{0,32}(?:>>>|In[ ]?\[\d{0,5}\]:)[ ]?+(?=\S)")
_FIRST_NUMBER = regex.compile(
    r"[ \t]{0,32}(?P<number>\d{1,5})(?P<mark>[ \t]{0,4}[.:|)│](?P<space>[ \t]{0,8})|(?P<blank>[ \t]{1,8}))"
    r"""(?=[^\W\d]|[\[("'@#])"""
)
_FIRST_ITEM = regex.compile(r"[ \t]{0,32}[-*+•][ ]{1,4}(?=(?:await[ ])?[^\W\d][\w.-]{0,159}[ ]?\()")
_ITEM = regex.compile(r"[ \t]{0,32}[-*+•][ ]{1,4}")
_FENCE = regex.compile(r"[ \t]*(?:`{3,}|~{3,})")


class Margin:
    """``offset(line)`` of each line of one block in turn; ``quoted``: the block's fence stands in a quotation."""

    def __init__(self, *, quoted: bool = False) -> None:
        self._quoted = quoted
        self._begun = False
        self._number: int | None = None
        self._mark = ""
        self._space = 0
        self._strip: regex.Pattern[str] | None = None
        self.session = False
        """The lines are those of an interpreter's session."""

    def offset(self, line: str, *, inside: bool) -> int | None:
        """Where the code of ``line`` begins, None where the line is none.  ``inside``: a bracket or string goes on."""
        begin = 0
        if self._quoted and (quote := _QUOTE.match(line)):
            begin = quote.end()
        if not self._begun and (first := line[begin:].strip()):
            if first.lower() in PYTHON_NAMES:
                return None  # The language of the fence, on a line of its own.
            self._begun = True
            self._find(line, begin)
        if self._number is not None:
            return self._numbered(line, begin)
        if self._strip is None or _FENCE.match(line, begin):
            return begin
        found = self._strip.match(line, begin)
        if found is not None:
            return found.end()
        return None if self.session and not inside and line[begin:].strip() else begin

    def prompts(self, line: str) -> bool:
        """``line`` is empty, or begins with a prompt of the session."""
        return not line.strip() or (self._strip is not None and self._strip.match(line) is not None)

    def _find(self, line: str, begin: int) -> None:
        """The margin of the block whose first line this is."""
        first = line[begin : begin + 1]
        if first.isalpha() and first != "I":  # As most code begins.
            return
        if _FIRST_PROMPT.match(line, begin):
            self.session, self._strip = True, _PROMPT
        elif _FIRST_ITEM.match(line, begin):
            self._strip = _ITEM
        elif found := _FIRST_NUMBER.match(line, begin):
            self._number = int(found["number"])
            self._mark = found["mark"].strip()
            self._space = len(found["space"] or "") if self._mark else len(found["blank"])

    def _numbered(self, line: str, begin: int) -> int:
        """Numbers count up line by line, so that a number of the code's own is none."""
        assert self._number is not None
        at = begin + len(line[begin:]) - len(line[begin:].lstrip(" \t"))
        digits = at
        while digits < len(line) and digits - at < 7 and line[digits].isascii() and line[digits].isdigit():
            digits += 1
        if digits == at or int(line[at:digits]) != self._number:
            return begin
        end = digits
        if self._mark:
            end = len(line) - len(line[digits:].lstrip(" \t"))
            if not line.startswith(self._mark, end):
                return begin
            end += len(self._mark)
        elif line[end : end + 1].strip():
            return begin
        self._number += 1
        width = 0
        while width < self._space and line[end + width : end + width + 1] in (" ", "\t"):
            width += 1
        return end + width
