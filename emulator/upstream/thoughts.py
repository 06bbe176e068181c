"""Thoughts in tags that only some models have, told apart from the answer as a server that knows the model would.

Rule: behind this module, no text has such tags: what stood between them came as ``reasoning``.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, AnswerPart, Upstream


class TaggedUpstream:
    """An Upstream whose answers have their thoughts between ``tags``, or begin ``inside`` one that a chat template
    opened."""

    def __init__(self, upstream: Upstream, tags: tuple[str, str], *, inside: bool) -> None:
        self._upstream = upstream
        self._tags = tags
        self._inside = inside

    def ask(
        self, body: Mapping[str, Any], *, authorization: str | None, lifetime: Lifetime
    ) -> Generator[AnswerPart, None, None]:
        """See ``Upstream.ask``."""
        splitters: dict[int, ThoughtSplitter] = {}
        with closing(self._upstream.ask(body, authorization=authorization, lifetime=lifetime)) as parts:
            for part in parts:
                if isinstance(part, AnswerDelta):
                    if part.choice not in splitters:
                        splitters[part.choice] = ThoughtSplitter(*self._tags, inside=self._inside)
                    yield splitters[part.choice].split(part)
                else:
                    yield part


class ThoughtSplitter:
    """One choice's answer; a thought is looked for where the answer begins, and behind another thought."""

    def __init__(self, opening: str, ending: str, *, inside: bool) -> None:
        self._opening, self._ending = opening, ending
        self._inside = inside
        self._begun = False  # words of the answer have come: no thought any more
        self._thought = False  # part of a thought has come as text
        self._held = ""  # what may be a tag's beginning
        self._space: list[str] = []  # what stood before it

    def split(self, delta: AnswerDelta) -> AnswerDelta:
        """``delta`` with what is thought of its text as ``reasoning``."""
        if delta.reasoning and not self._thought:
            self._inside = False  # The server tells thoughts apart by itself, and takes the tags away.
        thoughts, words = self._read(delta.text, last=delta.finish_reason is not None)
        if not thoughts and words == delta.text:
            return delta
        return replace(
            delta, text=words, reasoning=delta.reasoning + thoughts, logprobs=delta.logprobs if words else ()
        )

    def _read(self, text: str, *, last: bool) -> tuple[str, str]:
        if self._begun:
            return "", text
        thoughts: list[str] = []
        text, self._held = self._held + text, ""
        while text and not self._begun:
            if self._inside:
                thought, ended, text = text.partition(self._ending)
                if ended:
                    self._inside = False
                elif not last:
                    self._held = _beginning_of(self._ending, thought)
                    thought = thought[: len(thought) - len(self._held)]
                thoughts.append(thought)
                self._thought = self._thought or bool(thought)
            else:
                text = self._look_for_thought(text, last=last)
        return "".join(thoughts), text

    def _look_for_thought(self, text: str, *, last: bool) -> str:
        """What is left to be read of ``text``."""
        words = text.lstrip()
        self._space.append(text[: len(text) - len(words)])
        if words.startswith(self._opening):
            self._inside = self._thought = True
            return words[len(self._opening) :]
        if self._opening.startswith(words) and not last:
            self._held = words
            return ""
        self._begun = True
        return words if self._thought else "".join([*self._space, words])


def _beginning_of(tag: str, text: str) -> str:
    """The longest end of ``text`` with which ``tag`` may begin."""
    longest = min(len(tag) - 1, len(text))
    return next((text[-size:] for size in range(longest, 0, -1) if tag.startswith(text[-size:])), "")
