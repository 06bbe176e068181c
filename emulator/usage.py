"""Tokens, summed over everything that the upstream was asked for one request."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_BYTES_PER_TOKEN = 4
"""Of English and code, roughly; only where the upstream doesn't count."""

MESSAGE_TOKENS = 4
"""What a chat template puts around a message, roughly."""


class UsageSum:
    """Adds up the upstream's counts field by field; estimates an answer that came without."""

    def __init__(self) -> None:
        self._total: Json = {}

    def add(self, usage: Json) -> None:
        self._total = _added(self._total, usage)

    def estimate(self, messages: list[Json], answer_bytes: int) -> None:
        """An answer without counts: by the bytes of what was asked and answered."""
        completion = -(-answer_bytes // _BYTES_PER_TOKEN)
        self.add({"prompt_tokens": estimated_tokens(messages), "completion_tokens": completion})

    def total(self) -> Json:
        """OpenAI's usage object; the three counts that every client reads are always there."""
        counts = {key: value if isinstance(value, int) else 0 for key, value in self._counts().items()}
        counts["total_tokens"] = counts["prompt_tokens"] + counts["completion_tokens"]
        return self._total | counts

    def _counts(self) -> Json:
        return {key: self._total.get(key) for key in ("prompt_tokens", "completion_tokens")}


def estimated_tokens(messages: list[Json]) -> int:
    """Tokens of a prompt, by its bytes."""
    said = sum(_bytes(message.get("content")) for message in messages)
    return said // _BYTES_PER_TOKEN + MESSAGE_TOKENS * len(messages)


def _bytes(content: Any) -> int:
    if isinstance(content, str):
        return len(content.encode("utf-8", "surrogatepass"))
    if isinstance(content, list):
        return sum(_bytes(part.get("text")) for part in content if isinstance(part, dict))  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]
    return 0


def _added(left: Json, right: Json) -> Json:
    total = dict(left)
    for key, value in right.items():
        before = total.get(key)
        if isinstance(value, dict):
            total[key] = _added(before if isinstance(before, dict) else {}, value)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(value, int | float) and not isinstance(value, bool) and isinstance(before, int | float):
            total[key] = before + value
        elif value is not None or key not in total:
            total[key] = value
    return total
