"""Grammars of short answers: one of several texts, or some of several names."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.tools.grammar.expressions import Grammar, Repeat, Rules, choice, sequence


def one_of(texts: Sequence[str]) -> Grammar:
    """Just one of these texts."""
    return Rules().grammar(choice(texts))


def some_of(names: Sequence[str], nothing: str) -> Grammar:
    """One or several of the names, with a comma and a space between, or ``nothing``."""
    rules = Rules()
    name = rules.rule("name", lambda: choice(names))
    return rules.grammar(choice([nothing, sequence(name, Repeat(sequence(", ", name)))]))
