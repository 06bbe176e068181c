"""The stubs of tools, and an engine that reads grammars: llguidance, which vLLM and SGLang can be run with.

It reads the very text that is sent to model servers, by the same conversion as they.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import llguidance

from emulator.tools.grammar.answers import Demands, answer_grammar
from emulator.tools.grammar.gbnf import gbnf
from emulator.tools.jobs import StubJob, do
from emulator.tools.naming import FUNCTION_WORDS, identifiers
from emulator.tools.schema import SchemaLimits
from emulator.tools.toolstub import ToolStub

Json = dict[str, Any]
LIMITS = SchemaLimits(bytes=1_000_000, depth=64, properties=2000, enum=2000)
_END = 256


class _Bytes:
    """A tokenizer that has a token for each byte and one for the end."""

    eos_token_id = _END
    bos_token_id = None
    tokens = (*(bytes([byte]) for byte in range(_END)), b"<end>")
    special_token_ids = (_END,)

    def __call__(self, text: bytes) -> list[int]:
        return list(text)


_TOKENIZER = llguidance.LLTokenizer(llguidance.TokenizerWrapper(_Bytes()), n_vocab=_END + 1, slices=[])


class Reader:
    """``Reader(text)`` reads a grammar in GBNF.  Raises AssertionError if it is none."""

    def __init__(self, grammar: str) -> None:
        self._matcher = llguidance.LLMatcher(_TOKENIZER, llguidance.grammar_from("gbnf", grammar))
        assert not self._matcher.is_error(), f"{self._matcher.get_error()}\n{grammar[:2000]}"

    def admits(self, text: str) -> bool:
        """Whether ``text`` is a whole answer."""
        data = list(text.encode())
        self._matcher.reset()
        admitted = self._matcher.try_consume_tokens(data) == len(data) and self._matcher.is_accepting()
        assert not self._matcher.is_error(), self._matcher.get_error()
        return admitted

    def ends_after(self, text: str) -> bool:
        """Whether nothing can follow ``text``."""
        return self.admits(text) and self._matcher.is_stopped()


def function(name: str, parameters: Json | None, description: str = "") -> Json:
    """A tool as a client declares it."""
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def stubs_of(tools: Iterable[Json]) -> list[ToolStub]:
    functions = [tool["function"] for tool in tools]
    names = identifiers([each["name"] for each in functions], FUNCTION_WORDS)
    made: list[ToolStub] = []
    for each, python in zip(functions, names, strict=True):
        stub = do(StubJob(each["name"], python, each.get("description"), each.get("parameters"), LIMITS))
        assert isinstance(stub, ToolStub), stub
        made.append(stub)
    return made


def reader(stubs: Iterable[ToolStub], **demands: Any) -> Reader:
    """Of answers with calls of these tools."""
    return Reader(gbnf(answer_grammar(list(stubs), Demands(**demands))))


def fenced(*lines: str) -> str:
    return "\n".join(["```python", *lines, "```"])
