"""What a model server does for a model beyond chatting, found by asking: a field it doesn't know is ignored in silence.

Rule: it is asked for one of two words that nobody says by chance.  Who says one of them was held to it; who says
anything else, or refuses the request, was not.  Where the server can't be asked at all now, the probe ends with what it
has found.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.errors import UpstreamBroken, UpstreamError, UpstreamRefused
from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, Capabilities, Upstream
from emulator.tools.grammar.choosing import one_of
from emulator.tools.grammar.dialects import Dialect, grammar_fields, schema_fields
from emulator.tools.grammar.gbnf import gbnf

SECONDS = 30.0
"""Of all questions together."""

MOST_TOKENS = 8
_CALL_TOKENS = 48

_WORDS = {
    Dialect.LLAMA_CPP: ("zqxv", "vxqz"),
    Dialect.VLLM: ("qzvk", "kvzq"),
    Dialect.SGLANG: ("xqjv", "vjqx"),
    Dialect.FIREWORKS: ("jxzq", "qzxj"),
}
_TOGETHER = (Dialect.LLAMA_CPP, Dialect.VLLM, Dialect.SGLANG)
"""Dialects with a field of their own each, so that one question is enough for all: each asks for other words."""

_NAME = "zqxv"
_NOT_NOW = frozenset([401, 403, 404, 408, 425, 429, 502, 503, 504])
"""Statuses that say nothing of a request's fields."""


def probe(
    upstream: Upstream,
    model: str,
    *,
    authorization: str | None,
    lifetime: Lifetime,
    tools: bool = False,
    hint: str = "",
) -> Capabilities:
    """A few questions of at most MOST_TOKENS tokens each; ``tools`` asks also, in some more, whether it calls tools.

    ``hint`` is whatever may have the server's name in it, such as its URL or ``owned_by`` of its models: the dialect of
    that name is tried first.  A model that thinks before it speaks has not spoken in time, and counts as free.
    Raises what ended ``lifetime``.
    """
    own = Lifetime(min(SECONDS, lifetime.remaining()))
    asking = _Asking(upstream, model, authorization, own)
    grammar: Dialect | None = None
    json_schema = calls = settled = False

    def end() -> None:
        if lifetime.ended is not None:
            own.end(lifetime.ended)

    lifetime.attach(end)
    try:
        grammar = _grammar(asking, hint)
        json_schema = _json_schema(asking)
        calls = tools and _calls(asking)
        settled = True
    except UpstreamError:
        lifetime.remaining()
    finally:
        lifetime.detach(end)
    return Capabilities(grammar, json_schema, calls, settled)


@dataclass(frozen=True, slots=True)
class _Asking:
    upstream: Upstream
    model: str
    authorization: str | None
    lifetime: Lifetime

    def answer(self, text: str, tokens: int, fields: Mapping[str, Any]) -> list[AnswerDelta] | None:
        """None where these fields are refused.  Raises UpstreamError where nothing can be asked now."""
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": text}],
            "max_tokens": tokens,
            "temperature": 0,
            "stream": False,
            **fields,
        }
        parts = self.upstream.ask(body, authorization=self.authorization, lifetime=self.lifetime)
        try:
            return [part for part in parts if isinstance(part, AnswerDelta)]
        except UpstreamRefused as refused:
            if refused.status in _NOT_NOW:
                raise
        except UpstreamBroken:
            pass
        return None

    def said(self, fields: Mapping[str, Any]) -> str | None:
        """The words of an answer, without space around them."""
        deltas = self.answer("Hello!", MOST_TOKENS, fields)
        return None if deltas is None else "".join(delta.text for delta in deltas).strip()


def _grammar(asking: _Asking, hint: str) -> Dialect | None:
    plain = hint.lower().replace("llamacpp", Dialect.LLAMA_CPP)
    named = [(dialect,) for dialect in Dialect if dialect in plain]
    left = deque[tuple[Dialect, ...]]([*named, _TOGETHER, (Dialect.FIREWORKS,)])
    tried: set[tuple[Dialect, ...]] = set()
    while left:
        dialects = left.popleft()
        if dialects in tried:
            continue
        tried.add(dialects)
        fields: dict[str, Any] = {}
        for dialect in dialects:
            fields |= grammar_fields(dialect, gbnf(one_of(_WORDS[dialect])))
        said = asking.said(fields)
        for dialect in dialects:
            if said in _WORDS[dialect]:
                return dialect
        if said is None and len(dialects) > 1:
            # A strict server refuses the fields of the others.
            left.extendleft((dialect,) for dialect in reversed(dialects))
    return None


def _json_schema(asking: _Asking) -> bool:
    """Two letters are enough: some decoders admit much space between words, which uses up the tokens."""
    said = asking.said(schema_fields("probe", {"enum": list(_WORDS[Dialect.LLAMA_CPP])}))
    if said is None:  # Some servers take objects only.
        key: dict[str, Any] = {"type": "object", "properties": {_NAME: {"type": "boolean"}}, "required": [_NAME]}
        said = asking.said(schema_fields("probe", key | {"additionalProperties": False}))
    compact = "".join((said or "").split()).removeprefix("{")
    return compact.startswith(tuple(f'"{word[:2]}' for word in _WORDS[Dialect.LLAMA_CPP]))


def _calls(asking: _Asking) -> bool:
    """Whether a call that is plainly asked for is made."""
    nothing: dict[str, Any] = {"type": "object", "properties": {}}
    function = {"name": _NAME, "description": "A test.", "parameters": nothing}
    tools = [{"type": "function", "function": function}]
    deltas = asking.answer(f"Call the function {_NAME}.", _CALL_TOKENS, {"tools": tools})
    return any(call.name == _NAME for delta in deltas or () for call in delta.calls)
