"""How many tokens Python saved against JSON: an estimate by bytes, cheap enough for every request.

Bytes of a token, measured with cl100k_base: stubs and the compact JSON of the same tools over
benchmarks/schemas.jsonl.gz (``python -m benchmarks.tokens`` counts them exactly), calls in both forms over BFCL's.
"""

from __future__ import annotations

from dataclasses import dataclass

_TOOLS_JSON, _STUBS = 4.76, 4.36
_CALLS_JSON, _CODE = 3.26, 3.67
_TOOL_FRAME = len('{"type":"function","function":{"name":,"description":,"parameters":}},')
_CALL_FRAME = len('{"name": "", "arguments": }\n')


@dataclass(frozen=True, slots=True)
class Saved:
    """Tokens that the same request would have cost more with JSON; below 0 where it would have cost less."""

    prompt: int = 0
    completion: int = 0


def prompt_saved(tools: int, tools_size: int, stubs_size: int, asked: int) -> int:
    """Tokens of showing ``tools`` tools as stubs, in each of ``asked`` questions, against once as compact JSON.

    ``tools_size``: bytes of their names, descriptions and schemas as JSON, as ``DeclaredTools.size`` has them.
    """
    return round((tools_size + tools * _TOOL_FRAME) / _TOOLS_JSON - asked * stubs_size / _STUBS)


def completion_saved(calls: int, calls_size: int, code_size: int) -> int:
    """Tokens of ``calls`` calls as JSON against the Python that they came of.

    ``calls_size``: bytes of their names and arguments; ``code_size``: bytes of everything the model wrote that was no
    word for the user.  Characters do for both.
    """
    return round((calls_size + calls * _CALL_FRAME) / _CALLS_JSON - code_size / _CODE)
