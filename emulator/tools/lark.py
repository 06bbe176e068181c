"""Texts judged by a grammar in llguidance's dialect of Lark, which is what OpenAI reads custom tools' grammars by.

Rule: a grammar is hostile.  A short one can exhaust the stack of the process that compiles it, or the patience of who
waits for it to read a text, so this runs only in a process of its own that may die of it.  Time is the processor's, not
the clock's: a machine with other work to do makes no grammar a bad one.
"""

from __future__ import annotations

import time
from functools import cache

import llguidance

from emulator.tools.jobs import unmatched

COMPILE_SECONDS = 0.5
MATCH_SECONDS = 1.0
"""What a text may take, the grammar's compilation included: most take less than a millisecond."""

_END = 256
_STEP = 64
"""Bytes between two looks at the clock: the most ambiguous of grammars take milliseconds for each."""

_SYMBOLS = 50_000
"""A grammar's size once its repetitions are written out; a tenth of llguidance's own limit, which takes seconds to
reach.  A language of a thousand keywords has some 5,000."""

_LIMITS = llguidance.LLParserLimits(verbose_errors=False, max_grammar_size=_SYMBOLS)
_SHOWN = 40


class _Bytes:
    """A tokenizer that has a token for each byte and one for the end."""

    eos_token_id = _END
    bos_token_id = None
    tokens = (*(bytes([byte]) for byte in range(_END)), b"<end>")
    special_token_ids = (_END,)

    def __call__(self, text: bytes) -> list[int]:
        return list(text)


@cache
def _tokenizer() -> llguidance.LLTokenizer:
    return llguidance.LLTokenizer(llguidance.TokenizerWrapper(_Bytes()), n_vocab=_END + 1, slices=[])


def fault(grammar: str, *, seconds: float = COMPILE_SECONDS) -> str | None:
    """Why ``grammar`` can't be compiled, or not in ``seconds``; None if it can."""
    until = time.process_time() + seconds
    matcher = _matcher(grammar)
    if matcher.is_error():
        return " ".join(matcher.get_error().split())[:300]
    return "it takes too long to compile" if time.process_time() > until else None


def mismatch(grammar: str, text: str, *, seconds: float = MATCH_SECONDS) -> str | None:
    """What keeps ``text`` from matching ``grammar``, which compiles, as a whole; None if it does match.

    A sentence's end, behind the name of what must match: "must …".  Raises GrammarTooSlow as ``unmatched`` does, where
    it takes longer than ``seconds`` or more memory than a grammar is given.
    """
    until = time.process_time() + seconds
    data = text.encode("utf-8", "surrogatepass")
    matcher = _matcher(grammar)
    for at in range(0, len(data), _STEP):
        if time.process_time() > until:
            return unmatched(text)
        piece = list(data[at : at + _STEP])
        taken = matcher.try_consume_tokens(piece)
        if matcher.is_error():
            return unmatched(text)
        if taken < len(piece):
            return f"must match its grammar; {_place(data, at + taken)}"
    if matcher.is_accepting():
        return None
    return "must match its grammar as a whole; it ends too early"


def _matcher(grammar: str) -> llguidance.LLMatcher:
    text = llguidance.LLMatcher.grammar_from_lark(grammar)
    return llguidance.LLMatcher(_tokenizer(), text, log_level=0, limits=_LIMITS)


def _place(data: bytes, at: int) -> str:
    """Where the text leaves the grammar; a word is known to be wrong only some letters into it."""
    before = data[:at].decode("utf-8", "ignore")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    rest = data[len(before.encode("utf-8", "surrogatepass")) :].decode("utf-8", "replace")
    shown = rest if len(rest) <= _SHOWN else f"{rest[:_SHOWN]}…"
    return f"it can't go on at line {line}, column {column}, with {shown!r}"
