"""Lines whose indentation fits nowhere → lines that stand where their neighbours do.

Rule: a line goes in only behind a colon, and out only to where a block has begun; one that does otherwise goes with
the line before it, or out to the nearest block.  Where nothing goes in behind a colon, nobody knows what the block is.
"""

from __future__ import annotations

import regex

_OPENING = regex.compile(r"[(\[{]")
_CLOSING = regex.compile(r"[)\]}]")
_STRING = regex.compile(r"""\"(?:[^"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|\#.*+""")


def reindented(source: str, width: int) -> str | None:
    """``source`` with tabs as ``width`` columns; None where a string goes over lines, so that lines can't be moved, and
    where a block has no line of its own."""
    if '"""' in source or "'''" in source:
        return None
    levels = [0]
    depth = 0
    opens = False
    out: list[str] = []
    for line in source.split("\n"):
        text = line.lstrip(" \t")
        if not text.strip() or depth:
            out.append(line)
        else:
            given = len(line[: len(line) - len(text)].expandtabs(width))
            if opens and given <= levels[-1]:
                return None
            _settle(levels, given, opens=opens)
            out.append(" " * levels[-1] + text)
        bare = _STRING.sub("", text)
        depth = max(0, depth + len(_OPENING.findall(bare)) - len(_CLOSING.findall(bare)))
        if bare.strip() and not depth:
            opens = bare.rstrip().endswith(":")
    return "\n".join(out)


def _settle(levels: list[int], given: int, *, opens: bool) -> None:
    """Bring ``levels`` to where a line belongs that was indented by ``given``; ``opens``: the line before it has a
    block's colon."""
    if opens:
        levels.append(given)
        return
    while len(levels) > 1 and given <= levels[-2]:
        levels.pop()
