"""The keys of a profile's file: what each means, what it may be, and its value as the code has it.

docs/profiles.md is made from this table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, cast

from emulator.profiles.profile import PROMPTS
from emulator.settings import STRATEGIES

_MOST_STOPS = 4
"""OpenAI's limit for ``stop``, which others have taken over."""
_LONGEST_WORD = 64

_SAMPLING: dict[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "top_k": (-1, 1000),
    "min_p": (0, 1),
    "repetition_penalty": (0, 2),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
"""OpenAI's ranges; top_k, min_p and repetition_penalty are vLLM's, SGLang's and llama.cpp's: others may refuse them."""


class Unfit(ValueError):
    """A value isn't what its key may be; ``at`` is the key inside the value that is wrong, if it has keys."""

    def __init__(self, must: str, *at: str) -> None:
        super().__init__(must)
        self.at = at


@dataclass(frozen=True, slots=True)
class Key:
    """``read`` gives the value as the code has it, or raises Unfit."""

    name: str
    meaning: str
    read: Callable[[Any], Any]
    allowed: str


def _switch(name: str, meaning: str) -> Key:
    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise Unfit("must be true or false")
        return value

    return Key(name, meaning, read, "`true` or `false`")


def _choice(name: str, meaning: str, choices: Collection[str]) -> Key:
    shown = " or ".join(f'"{choice}"' for choice in choices)

    def read(value: Any) -> str:
        if value not in choices:
            raise Unfit(f"must be {shown}")
        return value

    return Key(name, meaning, read, " or ".join(f'`"{choice}"`' for choice in choices))


def _pattern(value: Any) -> re.Pattern[str]:
    if not isinstance(value, str) or not value:
        raise Unfit("must be a regular expression in quotes")
    try:
        return re.compile(value, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise Unfit(f"is no regular expression ({error})") from None


def _words(value: Any) -> tuple[str, ...] | None:
    """The words of a list that are all different, or None where it is something else."""
    if not isinstance(value, list):
        return None
    words = cast(list[Any], value)
    fits = all(isinstance(word, str) and 0 < len(word) <= _LONGEST_WORD for word in words)
    return tuple(words) if fits and len(set(words)) == len(words) else None


def _tags(value: Any) -> tuple[str, str]:
    words = _words(value)
    if words is None or len(words) != 2:
        raise Unfit("must be two different texts: the tag that opens a thought and the one that closes it")
    return words[0], words[1]


def _stop(value: Any) -> tuple[str, ...]:
    words = _words(value)
    if words is None or len(words) > _MOST_STOPS:
        raise Unfit(f"must be a list of at most {_MOST_STOPS} different texts")
    return words


def _strategies(value: Any) -> tuple[str, ...]:
    words = _words(value)
    if not words or not set(words) <= set(STRATEGIES):
        raise Unfit(f"must be a list of one or more of {', '.join(STRATEGIES)}, each once")
    return words


def _sampling(value: Any) -> tuple[tuple[str, float], ...]:
    if not isinstance(value, dict):
        raise Unfit("must be a table of parameters and numbers")
    given = cast(dict[str, Any], value)
    for name, number in given.items():
        if name not in _SAMPLING:
            raise Unfit(f"has no parameter {name!r}; there are {', '.join(_SAMPLING)}", name)
        low, high = _SAMPLING[name]
        if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
            raise Unfit(f"must have a number from {low:g} to {high:g} as {name!r}", name)
        if name == "top_k" and not isinstance(number, int):
            raise Unfit("must have a whole number as 'top_k'", name)
    return tuple(given.items())


MATCH = Key(
    "match",
    "The models that it is for: found anywhere in the last 200 characters of the model's name, in any case. Every file "
    "and every entry of `[[models]]` has one, `default.toml` has none.",
    _pattern,
    "a regular expression",
)
MODELS = "models"

_KEYS = (
    _choice(
        "prompt",
        "Which rules, examples and words before the request the model gets: `short` is for models that need less said.",
        PROMPTS,
    ),
    _choice(
        "stubs",
        "Where the functions' signatures stand: right before the last request, which small models follow best, or "
        "behind the system text, where a server that caches prompts needs to read them only once a conversation.",
        ("user", "system"),
    ),
    _switch("examples", "Whether worked examples, as messages, stand before the conversation."),
    _switch(
        "system_role",
        "Whether the chat template takes system messages. If not, their text stands at the beginning of the first user "
        "message, and that of later ones where it stood.",
    ),
    _switch(
        "alternate",
        "Whether user and assistant have to alternate, beginning with the user, behind one system message at most. "
        "Messages of the same role are joined then, empty ones left out, and of the fields of a message only role and "
        "content are sent.",
    ),
    _switch(
        "assistant_prefix",
        "Whether the conversation may end with an assistant's message, which the model continues. If not, a user's "
        "message asks it to go on.",
    ),
    _switch(
        "opens_thought",
        "Whether the chat template opens the thought, always, so that the answer begins inside it and has only the tag "
        "that closes it.",
    ),
    Key(
        "tags",
        "What opens and closes a thought, if it isn't `<think>`, `<thinking>`, `<thought>` or `<reasoning>`, which are "
        "known of every model.",
        _tags,
        "two texts",
    ),
    Key(
        "stop",
        "Stop sequences, if the client sets none. Best are markers of the chat template, in angle or square brackets, "
        "for servers that let the model write on behind its turn. With any other text, a statement that ends at it may "
        "have been cut off, and isn't mended.",
        _stop,
        f"at most {_MOST_STOPS} texts",
    ),
    Key(
        "sampling",
        "Parameters that are sent if the client doesn't; temperature, top_p, top_k and min_p only if it sends none of "
        "these four. An entry's table takes the place of the file's.",
        _sampling,
        ", ".join(f"`{name}` ({low:g} to {high:g})" for name, (low, high) in _SAMPLING.items()),
    ),
    Key(
        "strategies",
        "The ways of bringing the model to call tools, in the order in which they are tried. `native`, the model "
        "server's own tool calling, is tried only where it is listed.",
        _strategies,
        ", ".join(f"`{name}`" for name in STRATEGIES),
    ),
)
KEYS = {key.name: key for key in _KEYS}
