"""Grammars as GBNF, llama.cpp's language, which Fireworks, xgrammar and llguidance (in vLLM and SGLang) read too.

Rule: only what all of them read alike.  Rules of one line, their names without dashes.  In texts only quotes,
backslashes, tabs and ends of lines are escaped; other control characters stand in classes.  In classes all ASCII but
letters and digits is, as two hexadecimal digits, and stands last: xgrammar takes any further digit for a third one, and
llguidance loses the zeros of longer escapes.
"""

from __future__ import annotations

import re

from emulator.tools.grammar.expressions import Chars, Choice, Expression, Grammar, Literal, Ref, Repeat, Sequence

_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_CONTROL = re.compile(r"([\x00-\x08\x0b\x0c\x0e-\x1f\x7f])")
_MEANING = re.compile(r"[^0-9A-Za-z\x80-\U0010ffff]")


def gbnf(grammar: Grammar) -> str:
    """The grammar as text."""
    return "".join(f"{name} ::= {_alternatives(rule)}\n" for name, rule in grammar.rules.items())


def _alternatives(expression: Expression) -> str:
    if isinstance(expression, Choice):
        return " | ".join(map(_sequence, expression.options))
    return _sequence(expression)


def _sequence(expression: Expression) -> str:
    if not isinstance(expression, Sequence):
        return _single(expression)
    return " ".join(map(_single, expression.parts)) or '""'


def _single(expression: Expression) -> str:
    match expression:
        case Literal(text):
            return _text(text)
        case Chars(ranges, negated):
            shown = (_class(low) if low == high else f"{_class(low)}-{_class(high)}" for low, high in ranges)
            return f"[{'^' if negated else ''}{''.join(sorted(shown, key=_is_escaped))}]"
        case Ref(name):
            return name
        case Repeat(part, low, high):
            repeated = f"({_single(part)})" if isinstance(part, Repeat) else _single(part)
            return repeated + _times(low, high)
        case _:
            return f"({_alternatives(expression)})"


def _times(low: int, high: int | None) -> str:
    if high is None and low <= 1:
        return "+" if low else "*"
    if (low, high) == (0, 1):
        return "?"
    return f"{{{low}}}" if low == high else f"{{{low},{'' if high is None else high}}}"


def _text(text: str) -> str:
    pieces = [_piece(piece) for piece in _CONTROL.split(text) if piece] or ['""']
    return pieces[0] if len(pieces) == 1 else f"({' '.join(pieces)})"


def _piece(text: str) -> str:
    return f"[{_class(text)}]" if _CONTROL.match(text) else f'"{text.translate(_ESCAPES)}"'


def _class(char: str) -> str:
    return _MEANING.sub(lambda found: f"\\x{ord(found.group()):02X}", char)


def _is_escaped(shown: str) -> bool:
    return "\\" in shown
