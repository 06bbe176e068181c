"""What a grammar means, by its definition: slow, and without the peculiarities of any server's decoder.

llguidance, for one, takes the longest word that may stand at a place, which is wrong where a longer one leads nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.tools.grammar.expressions import ROOT, Chars, Choice, Expression, Grammar, Literal, Ref, Repeat, Sequence

Ends = frozenset[int]


def admits(grammar: Grammar | Expression, text: str) -> bool:
    """Whether ``text`` as a whole is one of the grammar's."""
    rules = grammar.rules if isinstance(grammar, Grammar) else {ROOT: grammar}
    return len(text) in _Recogniser(rules, text).ends(Ref(ROOT), 0)


class _Recogniser:
    def __init__(self, rules: Mapping[str, Expression], text: str) -> None:
        self.rules, self.text = rules, text
        self.known: dict[tuple[str, int], Ends] = {}

    def ends(self, expression: Expression, start: int) -> Ends:
        """Where what begins at ``start`` may end."""
        match expression:
            case Literal(text):
                return frozenset([start + len(text)] if self.text.startswith(text, start) else [])
            case Chars(ranges, negated):
                char = self.text[start : start + 1]
                inside = any(low <= char <= high for low, high in ranges)
                return frozenset([start + 1] if char and inside != negated else [])
            case Ref(name):
                if (name, start) not in self.known:
                    self.known[name, start] = self.ends(self.rules[name], start)
                return self.known[name, start]
            case Sequence(parts):
                reached = frozenset([start])
                for part in parts:
                    reached = self.from_all(part, reached)
                return reached
            case Choice(options):
                return frozenset[int]().union(*(self.ends(option, start) for option in options))
            case Repeat(part, low, high):
                return self.repeated(part, low, high, start)

    def repeated(self, part: Expression, low: int, high: int | None, start: int) -> Ends:
        reached, found, count = frozenset([start]), set[int](), 0
        while reached and (high is None or count <= high):
            if count >= low:
                reached -= found
                found |= reached
            reached, count = self.from_all(part, reached), count + 1
        return frozenset(found)

    def from_all(self, part: Expression, starts: Ends) -> Ends:
        return frozenset[int]().union(*(self.ends(part, start) for start in starts))
