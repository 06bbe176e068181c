"""Python, line by line → closed statements.

A scanner of brackets, strings and indentation, not a parser: it only knows where a top-level statement
ends, so that a call can leave while the model still writes.  A simple statement closes with its line;
a compound one (``if``, ``for``, ``def``, …) with the next line that can't belong to it.  Every
character is looked at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.code.limits import CodeLimits

_TOKEN = re.compile(
    r"""(?P<comment>\#)|(?P<string>\"\"\"|'''|"|')|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<fence>`{3,}|~{3,}\s*$)"""
)
_STRING_END = {
    '"': re.compile(r'(?:[^"\\]|\\.)*?(?:"|(?P<continued>\\)$|$)'),
    "'": re.compile(r"(?:[^'\\]|\\.)*?(?:'|(?P<continued>\\)$|$)"),
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*(?P<end>""")?', re.DOTALL),
    "'''": re.compile(r"(?:[^'\\]|\\.|'(?!''))*(?P<end>''')?", re.DOTALL),
}
_COMPOUND = re.compile(r"(?:if|for|while|def|class|with|try|async|match)\b|@")
_CLAUSE = re.compile(r"(?:else|elif|except|finally|case)\b")
_FENCE_LINE = re.compile(r"[ \t]*(?:`{3,}|~{3,})\s*$")


@dataclass(frozen=True, slots=True)
class Statement:
    """Source of one top-level statement, dedented.

    ``line`` counts from 1 in its block.  ``closed`` is False where the text ended before the
    statement's line did (the model may have been cut off); ``balanced`` is False where a bracket or a
    string is still open.
    """

    source: str
    line: int
    closed: bool = True
    balanced: bool = True


@dataclass(frozen=True, slots=True)
class Printed:
    """A line of an interpreter's session that is no code: what the model says that its statements so far gave."""


class TooMuchCode(ValueError):
    """A cap was exceeded; the message says which."""


class StatementScanner:
    """Feed whole lines of one code block; get the statements that they close."""

    def __init__(self, limits: CodeLimits) -> None:
        self._limits = limits
        self._lines: list[str] = []
        self._first_line = 1
        self._line = 0
        self._bytes = 0
        self._depth = 0
        self._quote: str | None = None
        self._continued = False
        self._indent: int | None = None
        self._compound = False
        self.fence_in_string: int | None = None
        """Number of lines fed before the first fence-like line inside the string that is still open."""

    @property
    def between(self) -> bool:
        """No statement is open: the next line begins a new one."""
        return not self._lines

    @property
    def inside(self) -> bool:
        """The next line continues a bracket, a string or a backslash."""
        return bool(self._depth or self._quote or self._continued)

    @property
    def in_string(self) -> bool:
        """The next line continues a string."""
        return self._quote is not None

    def line(self, text: str, *, complete: bool = True) -> tuple[list[Statement], int | None]:
        """Scan one line (without its newline); the text's last line isn't ``complete`` without one.

        Returns the statements that it closes, and the offset of a closing fence found outside of
        strings, or None; what stands behind the fence is not scanned.  Raises TooMuchCode.
        """
        self._count(text)
        closed: list[Statement] = []
        whole = text
        if not self.inside:
            if text.strip() == "" or text.lstrip()[0] == "#":
                return self._blank(text)
            text, before = self._begin(text)
            closed += before
        elif self._quote and _FENCE_LINE.match(text) and self.fence_in_string is None:
            self.fence_in_string = self._line - 1
        fence = self._scan(text)
        body = text if fence is None else text[:fence]
        if self._lines or body.strip():
            self._lines.append(body)
        if not self._compound and (fence is not None or not self.inside):
            closed += self._close(closed=complete or fence is not None, balanced=not self.inside)
        return closed, None if fence is None else fence + len(whole) - len(text)

    def end(self, *, closed: bool, lines: int | None = None) -> list[Statement]:
        """The block is over; ``closed`` tells whether its last line was complete.

        ``lines`` is how many of the lines fed belong to it, where a fence in a string that never ended was its end.
        """
        if lines is not None:
            self._lines = self._lines[: lines - self._first_line + 1]
        return self._close(closed=closed, balanced=not (self._depth or self._quote))

    def printed(self) -> list[Statement | Printed]:
        """A line was printed, so that what stands before it is over."""
        return [*self._close(), Printed()]

    def _count(self, text: str) -> None:
        self._line += 1
        self._bytes += len(text.encode("utf-8", "surrogatepass")) + 1
        if self._line > self._limits.lines:
            raise TooMuchCode(f"more than {self._limits.lines} lines of code in one answer")
        if self._bytes > self._limits.bytes:
            raise TooMuchCode(f"more than {self._limits.bytes} bytes of code in one answer")

    def _blank(self, text: str) -> tuple[list[Statement], int | None]:
        """An empty line or a comment between logical lines belongs to whatever is open."""
        if self._lines:
            self._lines.append(text)
        return [], None

    def _begin(self, text: str) -> tuple[str, list[Statement]]:
        """A logical line starts: close the compound statement it doesn't belong to, and dedent it."""
        stripped = text.lstrip(" \t")
        indent = len(text) - len(stripped)
        if self._indent is None:
            self._indent = indent
        belongs = self._compound and (indent > self._indent or _CLAUSE.match(stripped) or self._decorated())
        closed = [] if belongs else self._close()
        if not belongs:
            self._first_line = self._line
            self._compound = bool(_COMPOUND.match(stripped))
            return stripped, closed
        if (indent - self._indent) // 2 > self._limits.nesting:
            raise TooMuchCode(f"blocks nested deeper than {self._limits.nesting}")
        return text[min(self._indent, indent) :], closed

    def _decorated(self) -> bool:
        return bool(self._lines) and self._lines[-1].startswith("@")

    def _scan(self, text: str) -> int | None:
        """Follow strings and brackets; the offset of a fence outside of strings."""
        at, self._continued, comment = 0, False, False
        if self._quote:
            at = self._string(text, 0)
        while at < len(text) and self._quote is None:
            found = _TOKEN.search(text, at)
            if found is None:
                break
            if found.lastgroup == "comment":
                comment = True
                break
            at = found.end()
            if found.lastgroup == "fence":
                return found.start()
            if found.lastgroup == "open":
                self._depth += 1
                if self._depth > self._limits.nesting:
                    raise TooMuchCode(f"brackets nested deeper than {self._limits.nesting}")
            elif found.lastgroup == "close":
                self._depth = max(0, self._depth - 1)
            else:
                self._quote = found.group()
                at = self._string(text, at)
        if self._quote is None and not comment and text.endswith("\\"):
            self._continued = True
        return None

    def _string(self, text: str, at: int) -> int:
        """Skip to the end of the string that is open; a one-line string ends with its line at the latest."""
        quote = self._quote
        assert quote is not None
        found = _STRING_END[quote].match(text, at)
        end = found.end() if found else len(text)
        if len(quote) == 3:
            if found and found.group("end"):
                self._quote = self.fence_in_string = None
            return end
        if not (found and found.group("continued")):
            self._quote = None
        return end

    def _close(self, *, closed: bool = True, balanced: bool = True) -> list[Statement]:
        lines, self._lines, self._compound = self._lines, [], False
        source = "\n".join(lines).strip("\n")
        if not source.strip():
            return []
        return [Statement(source, self._first_line, closed, balanced)]
