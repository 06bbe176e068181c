"""What a model may answer: words, or one fence of Python with nothing but valid calls, and then the end.

Rule: until something is assigned or looped over, values are literals, so that no variable is made up; and nothing that
is thought is held to anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emulator.tools.grammar import words
from emulator.tools.grammar.calls import Calls
from emulator.tools.grammar.expressions import (
    Expression,
    Grammar,
    Ref,
    Repeat,
    Rules,
    choice,
    none_of,
    optional,
    sequence,
    some,
    through,
)
from emulator.tools.toolstub import ToolStub

_FENCE = "```python\n"
_END = "```"
_INDENT = "    "
_DEEPEST = 2
"""Levels of loops and conditions in each other."""

_READ_AS_PYTHON = ("py", "tool", "ipython", "repl")
"""What the names of languages begin with whose fences are read as calls; so is a fence without a language."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a model thinks inside its text: between ``start`` and ``end``; ``opened`` if its template writes the start;
    ``apart`` if the server may tell thoughts from answers and apply the grammar only behind them.

    Raises ValueError for an ``end`` whose first character comes again in it.
    """

    start: str = "<think>"
    end: str = "</think>"
    opened: bool = False
    apart: bool = False

    def __post_init__(self) -> None:
        through(self.end)


@dataclass(frozen=True, slots=True)
class Demands:
    """What an answer has to be.

    ``required``: a call, and not words; ``single``: one call; ``programs``: results may be stored, looped over and
    passed on; ``thinking``: a thought may stand before all.
    """

    required: bool = False
    single: bool = False
    programs: bool = False
    thinking: Thinking | None = None


def answer_grammar(stubs: Sequence[ToolStub], demands: Demands) -> Grammar:
    """Answers with calls of these tools, at least one of which there must be.  Where one is named, give only that."""
    rules = Rules()
    code = _Code(rules, stubs)
    words_only = [] if demands.required else [rules.rule("words", lambda: sequence(_text(1), Repeat(some("`"), 0, 2)))]
    opening = rules.rule("opening", lambda: sequence("" if demands.required else _text(0), _FENCE))
    answer = choice([*words_only, sequence(opening, code.body(demands), _END)])
    thinking = demands.thinking
    if thinking is not None:
        end = sequence(through(thinking.end), Repeat(some(" \n")))
        thought = rules.rule("thought", lambda: sequence("" if thinking.opened else thinking.start, end))
        answer = sequence(thought if thinking.opened and not thinking.apart else optional(thought), answer)
    return rules.grammar(answer)


def _text(least: int) -> Expression:
    """Words without a fence that would be read as calls; blocks of other languages are closed."""
    plain = choice([none_of("`"), sequence("`", optional("`"), none_of("`"))])
    block = sequence("```", _beginning_unlike(_READ_AS_PYTHON, "` \t\r\n"), Repeat(plain), "```")
    return Repeat(choice([plain, block]), least)


def _beginning_unlike(words: Sequence[str], ends: str) -> Expression:
    """As much of a language's name as tells that it begins with none of ``words``; its first character is none of
    ``ends``."""
    firsts = dict.fromkeys(word[0] for word in words)
    options: list[Expression] = [none_of(ends + "".join(map(_both_cases, firsts)))]
    for first in firsts:
        rest = [word[1:] for word in words if word[0] == first]
        if "" not in rest:
            options.append(sequence(some(_both_cases(first)), _beginning_unlike(rest, "`")))
    return choice(options)


def _both_cases(char: str) -> str:
    return char.lower() + char.upper()


@dataclass(frozen=True, slots=True)
class _Code:
    rules: Rules
    stubs: Sequence[ToolStub]

    def body(self, demands: Demands) -> Expression:
        """The lines inside the fence."""
        line = sequence(self._call(open_values=False), "\n")
        if demands.single:
            return line
        if not demands.programs:
            return Repeat(line, 1)
        return self.rules.rule("program", lambda: self._program(line))

    def _call(self, *, open_values: bool) -> Ref:
        calls = Calls(self.rules)
        return self.rules.rule(
            ("any call", open_values),
            lambda: choice(calls.call(stub, open_values=open_values) for stub in self.stubs),
        )

    def _program(self, line: Expression) -> Expression:
        """Literal calls first; behind an assignment or a loop's head anything goes that may follow it."""
        calls = Calls(self.rules)
        name = words.new_name(self.rules)
        values = choice([self._call(open_values=False), calls.anything()])
        assigned = sequence(name, " = ", values, "\n")
        looped = sequence("for ", name, " in ", calls.anything(), ":\n", self._block(1))
        open_lines = Repeat(self._statement(0))
        return choice([Repeat(line, 1), sequence(Repeat(line), choice([assigned, looped]), open_lines)])

    def _block(self, level: int) -> Ref:
        return self.rules.rule(("block", level), lambda: Repeat(sequence(_INDENT * level, self._statement(level)), 1))

    def _statement(self, level: int) -> Ref:
        """A statement with its end of line, and what is indented below it."""
        return self.rules.rule(("statement", level), lambda: self._open_statement(level))

    def _open_statement(self, level: int) -> Expression:
        calls = Calls(self.rules)
        name, value, call = words.new_name(self.rules), calls.anything(open_values=True), self._call(open_values=True)
        printed = sequence("print(", optional(sequence(value, Repeat(sequence(", ", value)))), ")")
        options: list[Expression] = [
            sequence(call, "\n"),
            sequence(name, " = ", choice([call, value]), "\n"),
            sequence(printed, "\n"),
        ]
        if level < _DEEPEST:
            block, condition, indent = self._block(level + 1), self._condition(), _INDENT * level
            options.append(sequence("for ", name, " in ", value, ":\n", block))
            others = Repeat(sequence(indent, "elif ", condition, ":\n", block))
            otherwise = optional(sequence(indent, "else:\n", block))
            options.append(sequence("if ", condition, ":\n", block, others, otherwise))
        return choice(options)

    def _condition(self) -> Ref:
        return self.rules.rule("condition", self._compared)

    def _compared(self) -> Expression:
        value = Calls(self.rules).anything(open_values=True)
        signs = [" == ", " != ", " < ", " <= ", " > ", " >= ", " in ", " not in ", " is ", " is not "]
        single = sequence(optional("not "), value, optional(sequence(choice(signs), value)))
        return sequence(single, Repeat(sequence(choice([" and ", " or "]), single)))
