"""Python as black has it → the same Python in fewer tokens, for a reader that pays by the token.

Rule: white space only, so the syntax tree and every comment stay.  ``a: int = 3`` is ``a: int=3``, a class is
indented by one space, a comment stands one space behind its code, one blank line divides definitions: a tenth of a
nested tool's tokens.  What stays is spaced as everywhere, because models read and write it best that way.
"""

from __future__ import annotations

import io
from token import COMMENT, DEDENT, ENDMARKER, INDENT, NEWLINE, NL, OP
from tokenize import TokenInfo, generate_tokens

_LINE_ENDS = (NEWLINE, NL)
_NOT_WRITTEN = (INDENT, DEDENT, ENDMARKER)


def compact(source: str) -> str:
    """``source`` in its shortest white space.  It is a module's text, or the head of a function."""
    written: list[str] = []
    before: TokenInfo | None = None
    for token in generate_tokens(io.StringIO(source).readline):
        if token.type in _NOT_WRITTEN:
            continue
        if token.type in _LINE_ENDS:
            # One empty line at the most, and none before the first line.
            if written and written[-2:] != ["\n", "\n"]:
                written.append("\n")
        elif before is None or before.type in _LINE_ENDS:
            written.append(" " * min(token.start[1], 1) + token.string)
        else:
            written.append(_gap(before, token) + token.string)
        before = token
    return "".join(written).rstrip("\n")


def _gap(before: TokenInfo, token: TokenInfo) -> str:
    if token.type == COMMENT:
        return " "
    if any(one.type == OP and one.string == "=" for one in (before, token)):
        return ""
    return " " * min(token.start[1] - before.end[1], 1)
