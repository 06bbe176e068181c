"""Headers of this server's own: what an answer says of how it was made."""

from __future__ import annotations

from collections.abc import Mapping

_PREFIX = "X-Emulator-"
MEANINGS = {
    f"{_PREFIX}Strategy": "How the model was brought to call tools.",
    f"{_PREFIX}Round": "How many rounds of calls this answer's program has had.",
    f"{_PREFIX}Left": "Which strategies were left, and why.",
    f"{_PREFIX}Upstream-Calls": "How often the model server was asked; in a stream, a comment at its end says so.",
    f"{_PREFIX}Ms": "Milliseconds that this server took itself; in a stream, a comment at its end says so.",
}


def named(told: Mapping[str, str]) -> dict[str, str]:
    """Headers by the names that they have behind the prefix."""
    return {f"{_PREFIX}{name}": value for name, value in told.items()}
