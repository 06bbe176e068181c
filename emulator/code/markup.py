"""Where another format than Python begins in a line, and the text that is held until it is over.

Rule: nothing is understood here, only cut out: a frame's text goes on as a ``Markup``, and what it means is asked of
the formats.  Every character is looked at once, and a frame that turns out to be data is let go.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import regex

from emulator.code.debris import INVENTED, TOKENS, TURN, without_tokens
from emulator.code.formats.frames import FRAMES, Ending, Frame, alternatives
from emulator.code.formats.json_calls import KEYS
from emulator.code.formats.json_values import BracketScanner
from emulator.code.harmony import BARE_HEADER, HEADER
from emulator.code.unknown import folded

_THOUGHTS = {
    "<|START_THINKING|>": r"<\|END_THINKING\|>",
    "[THINK]": r"\[/THINK\]",
    "<|begin_of_thought|>": r"<\|end_of_thought\|>",
    "<seed:think>": r"</seed:think>",
    "<|channel>thought": r"<channel\|>",
    "◁think▷": r"◁/think▷",
}
"""Tokens of thoughts and the patterns of their ends."""
_THOUGHT_ENDS = {token: regex.compile(end) for token, end in _THOUGHTS.items()}
_THOUGHT = "|".join(regex.escape(token) for token in _THOUGHTS)
_SURE = tuple(frame for frame in FRAMES if frame.sure)


def _starts(frames: tuple[Frame, ...]) -> regex.Pattern[str]:
    return regex.compile(
        rf"[ \t]{{0,32}}+(?:(?P<turn>{TURN})|(?P<harmony>{HEADER}|{BARE_HEADER})|(?P<mused>{_THOUGHT})"
        rf"|(?P<invented>{INVENTED})|{alternatives(frames)}|(?P<debris>{TOKENS}))"
    )


_ALL_STARTS, _SURE_STARTS = _starts(FRAMES), _starts(_SURE)
INLINE = (
    rf"(?P<quote>[`\"'])?(?:(?P<turn>{TURN})|(?P<harmony>{HEADER})|(?P<mused>{_THOUGHT})"
    rf"|{alternatives(tuple(frame for frame in FRAMES if frame.inline))}"
    rf"|(?P<debris>{TOKENS}(?=\s*+(?:\Z|<\|(?:start|channel|im_start)))))"
)
"""What a frame or a token behind words looks like, as a pattern; in quotes, it is what the words are about."""

_MORE = regex.compile(r"\s*[;,]?\s*(?=[{\[])")
_SURPLUS = regex.compile(r"[ \t]*[}\];,]+[ \t]*(?=\r?\n|\Z)")
_NEXT = regex.compile(r">>>|[\s;,]*[^\W\d][\w-]{0,127}[ ]?(?:\[ARGS\][ ]?)?\{")
_FIRST_KEY = regex.compile(r"""[\[{\s]*(?:["'“](?P<key>[^"'”\n]{0,64})["'”]|(?P<key>[^\W\d]\w{0,63}))\s*:""")
_ACTION_OF = regex.compile(
    r"[^:]*:[*_#\s]*+(?:(?P<inside>[`\[{])|[*_\"']{0,3}(?P<called>[^\W\d][\w.\-:/]{0,127})|(?P<other>\S))"
)
_BEGINS = regex.compile(
    r"\s*(?:[{\[<]|[*_#]{0,4}Action\b|functools|(?:print\()?(?P<called>[^\W\d][\w.\-]{0,127})[ ]?[({\[])"
)
_BELOW = regex.compile(r"[^\n]*\n\s*(?P<brace>\S)")
_INVENTED = regex.compile(rf"[ \t]{{0,32}}{INVENTED}")
_LAST = regex.compile(r"[^.:/]*\Z")
_KEYS_WITHIN = 512
"""Characters within which a frame shows what it is."""
Span = tuple[int, int]
"""Where a frame's inside ends, and where what is behind the frame begins."""


@dataclass(frozen=True, slots=True)
class Markup:
    """A frame with what is in it.  ``raw`` is its whole text, ``inside`` what its formats read; ``closed`` is False
    where the answer ended inside of it."""

    raw: str
    inside: str
    frame: Frame
    closed: bool


@dataclass(frozen=True, slots=True)
class Debris:
    """Tokens of the chat template at the edge of a line."""

    text: str


@dataclass(frozen=True, slots=True)
class Invented:
    """A result begins, which nobody but the model can have written."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that must be a call and can't be read; ``error`` is a sentence for the model."""

    source: str
    error: str


@dataclass(slots=True)
class Marks:
    """Finds where formats begin; ``names`` are the tools' Python names.  ``loose``: also those that aren't sure."""

    names: Collection[str]
    loose: bool = True
    _folded: frozenset[str] | None = None

    def start(self, line: str, *, complete: bool) -> regex.Match[str] | None:
        """What the line begins with; of an incomplete line, also what may yet become that."""
        starts = _ALL_STARTS if self.loose else _SURE_STARTS
        found = starts.match(line, partial=not complete)
        if found is None or found.partial:
            return found
        return found if self.is_meant(found) else None

    def is_meant(self, found: regex.Match[str]) -> bool:
        """False where the opening would have to name a tool and doesn't."""
        called = found.groupdict().get("called")
        return called is None or self.is_tool(called)

    def is_tool(self, name: str) -> bool:
        """Whether ``name`` looks like a tool's, also in another way of writing."""
        if self._folded is None:
            self._folded = frozenset(map(folded, self.names))
        return folded(_LAST.search(name).group()) in self._folded  # pyright: ignore[reportOptionalMemberAccess]


def thought_end(token: str) -> regex.Pattern[str]:
    """The pattern of the end of a thought that this token has opened."""
    return _THOUGHT_ENDS[token]


@dataclass(slots=True)
class Capture:
    """``feed`` lines from behind the frame's opening until one gives back what isn't the frame's any more."""

    frame: Frame
    opening: str
    ending: Ending
    marks: Marks
    limit: int
    data: bool = False
    """It is no call, and its lines are words."""
    closed: bool = False
    _lines: list[str] = field(default_factory=list[str])
    _tail: str = ""
    _size: int = 0
    _scanner: BracketScanner = field(default_factory=BracketScanner)
    _json: bool | None = None

    @staticmethod
    def of(frame: Frame, found: regex.Match[str], marks: Marks, limit: int) -> Capture:
        return Capture(frame, found.group(), Ending.of(frame, found), marks, limit)

    def feed(self, line: str) -> str | None:
        """The rest of the line behind the frame's end, None if the frame goes on."""
        span = self._end(line)
        self.closed = span is not None
        end, behind = span or (len(line), len(line))
        self._lines.append(line[:end])
        self._tail = line[end:behind]
        self._size += end
        self.data = self.data or self._is_data() or (span is not None and self._has_words(line[behind:]))
        return None if span is None else line[behind:]

    def _end(self, line: str) -> Span | None:
        if self.frame.ends == "opening":
            return (0, 0)
        if self.frame.ends == "answer":
            return (0, 0) if _INVENTED.match(line) else None
        return self._brackets(line) if self.frame.ends == "brackets" else self._closing(line)

    def taken(self) -> str:
        """The text so far, which isn't held any longer."""
        text = self.opening + "".join(self._lines) + self._tail
        self.opening = self._tail = ""
        self._lines.clear()
        return text

    @property
    def passes(self) -> bool:
        """The data goes on in lines of which none begins a frame."""
        return self.frame.ends == "brackets" and self._size <= self.limit

    def markup(self) -> Markup:
        inside = "".join(self._lines)
        read = self.opening + inside if self.frame.whole else inside
        whole = self.closed or (self._json is not False and self._scanner.whole and self.frame.ends != "answer")
        return Markup(self.opening + inside + self._tail, read, self.frame, whole)

    def _brackets(self, line: str) -> Span | None:
        at: int | None = 0
        while (at := self._scanner.feed(line, at)) is not None:
            more = _MORE.match(line, at)
            if more is None:
                surplus = _SURPLUS.match(line, at)
                if surplus is not None:
                    return (at, surplus.end())
                found = self.ending.find(line, at)
                return (at, found[1]) if found and not line[at : found[0]].strip() else (at, at)
            at = more.end()
        return None if self._scanner.depth else self.ending.find(line, 0)

    def _closing(self, line: str) -> Span | None:
        """The first end outside of a JSON string; one inside if the line has no other, for strings that never end."""
        if self._json is None and line.strip():
            self._json = line.lstrip()[0] in "{["
        if not self._json:
            return self.ending.find(line, 0)
        if self._is_over(line):
            return (0, 0)
        first: Span | None = None
        at = scanned = 0
        while (found := self.ending.find(line, at)) is not None:
            self._advance(line, scanned, found[0])
            if not self._scanner.quoted:
                return found
            first = first or found
            scanned, at = found[0], max(found[1], found[0] + 1)
        if first is None:
            self._advance(line, scanned, len(line))
        return first

    def _advance(self, line: str, begin: int, end: int) -> None:
        at: int | None = begin
        while at is not None:
            at = self._scanner.feed(line, at, end)

    def _is_over(self, line: str) -> bool:
        """The JSON is whole and words follow: the closing tag was forgotten."""
        text = line.strip()
        if not text or text[0] in "{[]},;" or not self._scanner.whole:
            return False
        found = self.ending.find(text, 0)
        return found is None or found[0] > 0

    def _is_data(self) -> bool:
        """What has come so far shows that it is no call."""
        if self._size > self.limit:
            return not self.frame.sure
        if self.frame.sure or self._size > _KEYS_WITHIN:
            return False
        inside = "".join(self._lines)
        text = self.opening + inside
        if self.frame.keyed:
            if inside.strip() and self.frame.ends == "closing" and not self._may_call(inside):
                return True
            found = _FIRST_KEY.match(inside)
            key = found["key"] if found else None
            return key is not None and key not in KEYS and not self.marks.is_tool(key)
        if self.frame.name == "name above" and (above := _BELOW.match(text)):
            return above["brace"] != "{"
        if self.frame.ends == "answer":
            action = _ACTION_OF.match(text)
            return action is not None and not action["inside"] and not self.marks.is_tool(action["called"] or "")
        return False

    def _has_words(self, rest: str) -> bool:
        """Words stand behind it in its line, so that it is what they are about."""
        if self.frame.sure or self.frame.ends != "brackets" or _NEXT.match(rest):
            return False
        return bool(without_tokens(rest).strip("*_` \t\r\n"))

    def _may_call(self, text: str) -> bool:
        """The inside of a fence begins as calls do."""
        begins = _BEGINS.match(text)
        return begins is not None and (begins["called"] is None or self.marks.is_tool(begins["called"]))
