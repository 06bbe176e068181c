"""Answers that begin inside a thought which the model's chat template opened.

Their text holds ``</think>`` without ``<think>``.  A model known for it is read as thinking from its first
character (``Extractor(in_thought=True)``); of any other, an answer that begins as only thoughts do is held back
until a closing tag proves it a thought or its end proves it an answer.  Where words that may begin either come
first (``wary``), they are passed on, and only their calls wait, so that code in a thought never leaves.
"""

from __future__ import annotations

import regex

from emulator.code.openings import THOUGHT_TAGS
from emulator.code.parts import Piece, Thought

_THOUGHTFUL = regex.compile(
    r"\s*(?:(?:Okay|Ok|Alright|Hmm)[,.]? (?:so )?(?:the user\b|let me think|let's see)"
    r"|The user (?:wants|asks|is asking|has asked|needs)\b)"
)
_UNDECIDED = 256
"""Characters after which an answer that is still no thought's beginning isn't one."""
_WARY = regex.compile(
    r"\s*(?:(?:Okay|Ok|Alright),|(?:Hmm|Wait|First|Thinking)\b|(?:I|We) (?:(?:need|have) to|should|must)\b"
    r"|The (?:user|question)\b|Let's (?:see|think)\b|To answer\b)"
)
_END = regex.compile(rf"</(?:{THOUGHT_TAGS})>", regex.IGNORECASE)
_LONGEST_TAG = len("</scratchpad>")


class ThoughtGate:
    """Stands before the extractor: passes text on, or holds it while it may be an unopened thought."""

    def __init__(self) -> None:
        self._held: list[str] = []
        self._tail = ""
        self._decided = False
        self._suspect = False

    def feed(self, text: str) -> tuple[list[Piece], str]:
        """Thoughts that are now certain, and the text that the extractor may read."""
        if self._decided:
            return [], text
        self._held.append(text)
        if not self._suspect:
            begun = "".join(self._held)
            match = _THOUGHTFUL.match(begun, partial=True)
            if match is None or (match.partial and len(begun) > _UNDECIDED):
                return [], self._released()
            if match.partial:
                return [], ""
            self._suspect, self._tail = True, ""
            text = begun
        seen = self._tail + text
        self._tail = seen[-_LONGEST_TAG:]
        if _END.search(seen) is None:
            return [], ""
        thought, _, answer = _split(self._released())
        return [Thought(thought)], answer

    def finish(self) -> str:
        """No closing tag came: what was held is the answer."""
        return "" if self._decided else self._released()

    def _released(self) -> str:
        self._decided = True
        held, self._held = "".join(self._held), []
        return held


def _split(text: str) -> tuple[str, str, str]:
    end = _END.search(text)
    assert end is not None
    return text[: end.start()], end.group(), text[end.end() :]


def wary(text: str) -> bool:
    """Whether an answer that begins with ``text`` may be a thought."""
    return _WARY.match(text) is not None
