"""Questions about a request before it is answered: whether it needs a call at all, and of which tools.

Rule: short, and the same beginning each time, so that a server that keeps prompts evaluated pays for the request only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emulator.profiles import DEFAULT_STYLE, PromptStyle
from emulator.prompt import Prompts, text_only
from emulator.protocols.conversation import Message

Json = dict[str, Any]

_LONGEST_ABOUT = 160
_LONGEST_EARLIER = 300
_EARLIER = 4
"""Messages before the request that are shown, since it may refer to them."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A function by its Python name, and what it is for."""

    name: str
    about: str


def listed(name: str, description: str | None) -> Listed:
    """``description`` is the client's: its first line will do."""
    lines = (description or "").strip().splitlines()
    return Listed(name, _shortened(lines[0], _LONGEST_ABOUT) if lines else name.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Routing:
    """The questions about the last request of a conversation."""

    prompts: Prompts
    conversation: Sequence[Message]
    functions: Sequence[Listed]
    style: PromptStyle = DEFAULT_STYLE

    def whether(self, name: str | None = None) -> list[Json]:
        """The messages that ask whether one of the functions is needed, or the one of that ``name``: yes or no."""
        return self._asked("whether", [each for each in self.functions if name is None or each.name == name])

    def which(self) -> list[Json]:
        """The messages that ask for the names of those that are."""
        return self._asked("which", self.functions)

    def _asked(self, question: str, functions: Sequence[Listed]) -> list[Json]:
        said = [message for message in self.conversation if message.role in ("user", "assistant") and _text(message)]
        last = max((index for index, message in enumerate(said) if message.role == "user"), default=None)
        request = "" if last is None else _text(said[last])
        before = said[max(0, last - _EARLIER) : last] if last else []
        earlier = [f"{message.role}: {_shortened(_text(message), _LONGEST_EARLIER)}" for message in before]
        return self.prompts.question(question, self.style, functions=functions, earlier=earlier, request=request)


def _text(message: Message) -> str:
    return (text_only(message.content) or "").strip()


def _shortened(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]}…"
