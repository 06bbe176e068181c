"""The extractor with the formats that models were trained on, besides Python: frames, channels, special tokens.

Rule: prose goes on at once, up to a mark; a frame is held until it is over.  What a mark means is markup.py's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container
from dataclasses import replace

import regex

from emulator.code.debris import without_tokens
from emulator.code.extract import REMEMBERED, Extractor
from emulator.code.formats.frames import FENCED, HARMONY, Ending, opened
from emulator.code.harmony import END_OF_THOUGHT, message
from emulator.code.limits import CodeLimits
from emulator.code.markup import INLINE as MARKS_INLINE
from emulator.code.markup import Capture, Debris, Invented, Marks, thought_end
from emulator.code.openings import INLINE, REACH
from emulator.code.parts import Foreign, Piece, Prose

_INSIDE_LINE = regex.compile(rf"{INLINE.pattern}|(?-i:{MARKS_INLINE})", regex.IGNORECASE)
_DATA = frozenset("json jsonc json5 jsonl ndjson xml html text txt plaintext tool_use yaml markup".split())
"""Languages of fences in which calls are found, too."""
_CALLING = regex.compile(r"tool|function|call|action")
"""Further languages in which calls are found."""
_TOKEN_ENDS = ("|>", "｜>", "</s>", "_turn>", "<eos>", "[/INST]", "_call>", "_calls>")
_UNFINISHED = regex.compile(r"\w[^\w.!?:。！？：…]*\Z")
"""Words that no sentence ends with, nor an introduction of what comes next."""
_GOES_ON = regex.compile(r"\s*[,;]")
_WORD = regex.compile(r"\w")
_PASSING = frozenset(["harmony", "mused", "debris"])
"""Marks behind which a line goes on as if it began there."""


class FormatsExtractor(Extractor):
    """``tools`` are the tools' Python names.  ``loose``: also formats in which other things than calls are written."""

    def __init__(
        self, names: Container[str], limits: CodeLimits, *, tools: Collection[str], in_thought: bool, loose: bool
    ) -> None:
        super().__init__(names, limits, in_thought=in_thought)
        self._inside_line = _INSIDE_LINE
        self._marks = Marks(tools, loose=loose)
        self._capture: Capture | None = None
        self._fence_lines: list[str] = []
        self._quoted_until = ""
        self._words_before = ""  # what stands before the frame in its line
        self._states: dict[str, Callable[[str, regex.Match[str]], str]] = {
            "turn": self._other_turn,
            "harmony": self._message,
            "mused": self._thought_token,
            "invented": self._result,
            "debris": self._debris,
        }

    def _peek_mark(self, line: str) -> bool:
        found = self._marks.start(line, complete=False)
        if found is None:
            return False
        passing = not found.partial and _kind(found) in _PASSING and found.end() < len(line)
        if passing and not line[found.end() :].isspace():
            self._partial = [self._marked(line, found)]
            self._fresh = False
            self._peek()
        else:
            # What is still open at such a length is decided at the line's end, not tried again with every piece.
            self._held = len(line) >= REACH if found.partial else _kind(found) not in _PASSING
        return True

    def _mark(self, line: str) -> str | None:
        found = self._marks.start(line, complete=True)
        if found is None:
            return None
        self._words_before = ""
        return self._marked(line, found)

    def _inline_mark(self, line: str, found: regex.Match[str]) -> str | None:
        if not _kind(found) and opened(found) is None:
            return None
        if found["quote"]:
            self._pass_by(line, found.end())
            self._pieces.append(Prose(found.group()))
            return line[found.end() :]
        self._words_before = (self._words_passed + line[: found.start()]).strip()[-REMEMBERED:]
        self._words_passed = ""
        return self._marked(line, found)

    def _marked(self, line: str, found: regex.Match[str]) -> str:
        """Go on behind a mark; returns what is left of the line."""
        state = self._states.get(_kind(found))
        if state is not None:
            return state(line, found)
        frame = opened(found)
        assert frame is not None
        self._capture = Capture.of(frame, found, self._marks, self._limits.bytes)
        self._state = self._captured
        return line[found.end() :]

    def finish(self) -> list[Piece]:
        if self._partial:
            self._complete("")
        if self._state == self._captured and self._capture is not None:
            self._release() if self._capture.data else self._pieces.append(self._capture.markup())
            self._state = self._prose
        elif self._state == self._data:
            self._end_data(closed=False)
        return super().finish()

    def _captured(self, line: str, start: bool) -> str:
        capture = self._capture
        assert capture is not None
        left = capture.feed(line)
        if capture.data:
            self._release()
            if left is None and capture.passes:
                return ""
        elif left is None:
            return ""
        elif self._is_mentioned(left):
            self._release()
            self._state = self._prose
            return left
        else:
            self._pieces.append(capture.markup())
        self._state, self._fresh = self._prose, True
        return left or ""

    def _is_mentioned(self, rest: str) -> bool:
        """The frame stands in the middle of a sentence, which ``rest`` goes on with: it is what the words are about."""
        if not _UNFINISHED.search(self._words_before) and not _GOES_ON.match(rest):
            return False
        words = bool(self._words_before) and _WORD.search(without_tokens(rest)) is not None
        return words and self._marks.start(rest, complete=True) is None

    def _release(self) -> None:
        assert self._capture is not None
        if text := self._capture.taken():
            self._pieces.append(Prose(text))

    def _foreign_fence(self, line: str, marks: str, language: str) -> str:
        if not (self._marks.loose and (language in _DATA or _CALLING.search(language))):
            return super()._foreign_fence(line, marks, language)
        self._foreign, self._state, self._fence_lines = (marks, language), self._data, [line]
        self._capture = Capture(FENCED, "", Ending(), self._marks, self._limits.bytes)
        return ""

    def _data(self, line: str, start: bool) -> str:
        marks, language = self._foreign
        capture, stripped = self._capture, line.strip()
        assert capture is not None
        self._fence_lines.append(line)
        if stripped.startswith(marks) and not stripped.strip(marks[0]):
            self._end_data(closed=True)
            return ""
        capture.feed(line)
        if capture.data:
            self._pieces += [Foreign(held, language) for held in self._fence_lines]
            self._state = self._other
        return ""

    def _end_data(self, *, closed: bool) -> None:
        assert self._capture is not None
        markup = self._capture.markup()
        self._pieces.append(replace(markup, raw="".join(self._fence_lines), closed=closed or markup.closed))
        self._state = self._prose

    def _code_line(self, text: str) -> str:
        if not text.rstrip().endswith(_TOKEN_ENDS) or self._scanner.in_string or '"""' in text or "'''" in text:
            return text
        bare = without_tokens(text)
        return text[: len(text) - len(text.lstrip())] + bare

    def _other_turn(self, line: str, found: regex.Match[str]) -> str:
        self._state = self._dropped
        return ""

    def _dropped(self, line: str, start: bool) -> str:
        return ""

    def _message(self, line: str, found: regex.Match[str]) -> str:
        header = found["harmony"]
        said = message(header)
        if said.kind == "thought":
            self._state, self._thought_end, self._fresh = self._thought, END_OF_THOUGHT, True
        elif said.kind == "call":
            self._capture = Capture(HARMONY, header, Ending.of(HARMONY), self._marks, self._limits.bytes)
            self._state = self._captured
        else:
            self._fresh = True
        return line[found.end() :]

    def _thought_token(self, line: str, found: regex.Match[str]) -> str:
        self._state, self._thought_end, self._fresh = self._thought, thought_end(found["mused"]), True
        return line[found.end() :]

    def _result(self, line: str, found: regex.Match[str]) -> str:
        self._pieces += [Invented(), Prose(line)]
        if (tag := found["result"]) and f"</{tag}>" not in line:
            self._quoted_until, self._state = f"</{tag}>", self._quoted
        return ""

    def _quoted(self, line: str, start: bool) -> str:
        self._pieces.append(Prose(line))
        if self._quoted_until in line:
            self._state = self._prose
        return ""

    def _debris(self, line: str, found: regex.Match[str]) -> str:
        self._pieces.append(Debris(found["debris"]))
        self._fresh = True
        return line[found.end() :]


def _kind(found: regex.Match[str]) -> str:
    """The group of a mark that isn't a frame, "" for a frame."""
    groups = found.groupdict()
    return next((name for name in ("turn", "harmony", "mused", "invented", "debris") if groups.get(name)), "")
