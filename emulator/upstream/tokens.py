"""How many tokens a prompt has, from the model server's own tokenizer where it has one.

Rule: counting is quick and never fails: a server without a tokenizer is left alone for a while, and one that is slow or
down leaves the count to an estimate.
Source: vLLM's POST /tokenize (a chat's messages, answered with ``count``), SGLang's (a ``prompt``) and llama.cpp's (a
``content``, answered with ``tokens``); all of them stand beside the API's /v1.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

from emulator.errors import EmulatorError, UpstreamRefused
from emulator.lifetime import Lifetime
from emulator.recent import Recent
from emulator.upstream.client import UpstreamClient
from emulator.usage import MESSAGE_TOKENS

Json = dict[str, Any]

_SECONDS = 2.0
_MISSING_SECONDS = 600.0
_MOST_MODELS = 256


class Tokenizer:
    """One a process."""

    def __init__(self, upstream: UpstreamClient) -> None:
        self._upstream = upstream
        self._missing = Recent[str, float](_MOST_MODELS)

    def count(self, model: str, messages: list[Json], authorization: str | None) -> int | None:
        """Tokens of ``messages`` as the model reads them; None where the server doesn't tell."""
        if time.monotonic() < (self._missing.get(model) or 0.0):
            return None
        lifetime = Lifetime(_SECONDS)
        text = _text_of(messages)
        try:
            counted = self._ask({"model": model, "messages": messages}, authorization, lifetime)
            if counted:
                return counted
            counted = self._ask({"model": model, "prompt": text, "content": text}, authorization, lifetime)
        except EmulatorError:
            return None
        if counted is None:
            self._missing.put(model, time.monotonic() + _MISSING_SECONDS)
            return None
        return counted + MESSAGE_TOKENS * len(messages)

    def _ask(self, body: Mapping[str, Any], authorization: str | None, lifetime: Lifetime) -> int | None:
        """None where the server has no such path, or doesn't understand the question."""
        try:
            answer = self._upstream.json_of(
                "POST", "tokenize", body, authorization=authorization, lifetime=lifetime, at_root=True
            )
        except UpstreamRefused as error:
            if error.status in (401, 403, 408, 429) or error.status >= 502:
                raise  # This says nothing of the tokenizer.
            return None
        count, tokens = answer.get("count"), answer.get("tokens")
        if type(count) is int and count >= 0:
            return count
        return len(cast(list[object], tokens)) if isinstance(tokens, list) else None


def _text_of(messages: list[Json]) -> str:
    said: list[str] = []
    for message in messages:
        content: Any = message.get("content")
        parts = cast(list[Json], content) if isinstance(content, list) else [{"text": content}]
        said += [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return "\n".join(said)
