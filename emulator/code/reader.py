"""One answer of the model → what it says, thinks and calls, in order and as early as it is certain.

A call leaves when its statement is closed and its arguments are proven; from then on it is final.  At the
first statement that can't be read, reading stops (``problem``); at the first that needs a result, it stops
too (``halted``): the client's results come first.
"""

from __future__ import annotations

import ast
import difflib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from emulator.code.check import CodeError, NotPython, Refused, parse
from emulator.code.extract import BlockEnd, BlockStart, Extractor, Foreign, Piece, Prose, StrayThoughtEnd, Thought
from emulator.code.gate import ThoughtGate, wary
from emulator.code.limits import CodeLimits
from emulator.code.literal import Dependent, LiteralReader, ParsedCall, UnknownFunction
from emulator.code.statements import Statement
from emulator.code.vocabulary import Unproven, Vocabulary, bindings
from emulator.tools.toolset import Proof

_FIRST = 64
"""Characters of an answer, or pieces, that tell how it begins."""
_INVENTED = frozenset(["result", "results", "output", "outputs", "tool_result", "tool_output"])
"""Languages of the fences in which results are shown; after a call, the model made such a block up."""


@dataclass(frozen=True, slots=True)
class Said:
    text: str


@dataclass(frozen=True, slots=True)
class Mused:
    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A proven call: the client's own name and the JSON text of the arguments."""

    name: str
    arguments: str


Reading = Said | Mused | Called


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the answer can't be read on, for the model: the offending source and the exact error."""

    source: str
    error: str


class _Enough(CodeError):
    """No further call is wanted in this answer."""


@dataclass(slots=True)
class _Block:
    """``failed`` is the first statement that can't be read; ``unknown`` the first call of a function that nobody
    offers, in a block that has nothing but such calls (``foreign`` is what else there is)."""

    fenced: bool = True
    engaged: bool = False
    failed: tuple[str, CodeError] | None = None
    unknown: tuple[str, CodeError] | None = None
    foreign: bool = False


@dataclass(slots=True)
class AnswerReader:
    """``feed`` the text as it comes, ``finish`` once.

    ``vocabulary`` is None where no call is wanted: all that isn't thought is said.  ``made`` are calls of
    earlier attempts at this answer, canonical, which the model may repeat and which aren't made twice.
    """

    vocabulary: Vocabulary | None
    limits: CodeLimits
    in_thought: bool = False
    only_first: bool = False
    made: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    problem: Problem | None = None
    halted: bool = False
    calls: int = 0
    said: bool = False
    thought: bool = False
    cut: bool = False
    _out: list[Reading] = field(default_factory=list[Reading])
    _space: list[str] = field(default_factory=list[str])
    _thought_space: list[str] = field(default_factory=list[str])
    _block: _Block | None = None
    _gate: ThoughtGate | None = None
    _extractor: Extractor = field(init=False)
    _literal: LiteralReader = field(init=False)
    _cut_short: bool = False
    _stop_given: bool = False
    _implied: list[str] = field(default_factory=list[str])
    _first_words: str = ""
    _wary: bool = False
    _waiting: list[Reading] = field(default_factory=list[Reading])

    def __post_init__(self) -> None:
        self._extractor = self._new_extractor(in_thought=self.in_thought)
        self._gate = None if self.in_thought else ThoughtGate()
        self._literal = self._new_literal()

    def _new_literal(self) -> LiteralReader:
        known = self.vocabulary or Vocabulary({}, {})
        return LiteralReader(known.names, known.models, self._call)

    def _new_extractor(self, *, in_thought: bool) -> Extractor:
        names = self.vocabulary.names if self.vocabulary else None
        return Extractor(names, self.limits, in_thought=in_thought)

    def feed(self, text: str) -> list[Reading]:
        if self._gate is not None:
            thoughts, text = self._gate.feed(text)
            self._read(thoughts)
        elif self.in_thought:
            text = self._begun_in_thought(text)
        if text:
            self._read(self._extractor.feed(text))
        return self._taken()

    def finish(self, reason: str, *, stop_given: bool = False) -> list[Reading]:
        """The answer is over.  ``reason`` is the upstream's; ``stop_given``: the client set stop sequences."""
        self._cut_short = reason not in ("stop", "tool_calls", "function_call")
        self._stop_given = stop_given
        if self._gate is not None and (held := self._gate.finish()):
            self._read(self._extractor.feed(held))
        self._read(self._extractor.finish())
        if self.in_thought and not (self.said or self.calls or self.problem or self._cut_short):
            self._reread_as_answer()
        if self._space and self.said and not self.calls and not self.problem:
            self._out.append(Said("".join(self._space)))
        self._out += self._waiting
        return self._taken()

    def thinks_apart(self) -> None:
        """The upstream tells thoughts from text itself, so the text doesn't begin inside one."""
        if self.in_thought and not self._implied:
            self.in_thought = False
            self._extractor = self._new_extractor(in_thought=False)

    def _begun_in_thought(self, text: str) -> str:
        """The text that can be read as a thought; an answer that begins with a fence is none."""
        before = "".join(self._implied) if len(self._implied) < _FIRST else "…"
        self._implied.append(text)
        begun = (before + text).lstrip()
        if before.strip() and not "```".startswith(before.strip()):
            return text
        if len(begun) < len("```") and "```".startswith(begun):
            return ""
        if begun.startswith("```"):
            self.in_thought = False
            self._extractor = self._new_extractor(in_thought=False)
        return before + text

    def _reread_as_answer(self) -> None:
        """The model was taken to think from the start, but its thought never ended: it was the answer.

        Its words are; code in what may have been a thought all the same is not called.
        """
        self._extractor = Extractor(None, self.limits)
        self._read(self._extractor.feed("".join(self._implied)))
        self._read(self._extractor.finish())

    def _taken(self) -> list[Reading]:
        out, self._out = self._out, []
        return out

    def _read(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            if isinstance(piece, StrayThoughtEnd):
                self._forget_thoughts_calls()
            if self.problem or self.halted:
                continue
            match piece:
                case Prose(text):
                    self._say(text)
                case Thought(text):
                    self._think(text)
                case Foreign(text, language):
                    if not (language in _INVENTED and self.calls):
                        self._say(text)
                case BlockStart(fenced):
                    self._block = _Block(fenced)
                    self._wary = self._wary or (not self.calls and wary(self._first_words))
                case Statement():
                    self._statement(piece)
                case BlockEnd():
                    self._block_end(piece)
                case StrayThoughtEnd():
                    pass

    def _forget_thoughts_calls(self) -> None:
        """What was taken for words was a thought: nothing that was called in it is meant."""
        if not self._wary:
            return
        self.calls -= len(self._waiting)
        self._waiting.clear()
        self.problem, self.halted, self._wary = None, False, False
        self._first_words = ""
        self._literal = self._new_literal()

    def _think(self, text: str) -> None:
        """White space around a thought is nobody's; a thought of nothing else is none."""
        words = _words(self._thought_space, text, begun=self.thought)
        if words:
            self.thought = True
            self._out.append(Mused(words))

    def _say(self, text: str) -> None:
        """White space waits for the words behind it: between prose and code it is nobody's."""
        words = _words(self._space, text, begun=self.said or not (self.thought or self.calls))
        if words:
            self.said = True
            if len(self._first_words) < _FIRST:
                self._first_words += words[:_FIRST]
            self._out.append(Said(words))

    def _statement(self, statement: Statement) -> None:
        block, vocabulary = self._block, self.vocabulary
        assert block is not None and vocabulary is not None
        if self._is_cut(statement):
            self.cut = True
            return
        source = vocabulary.as_python(statement.source)
        if block.failed and vocabulary.mentioned(source):
            self._stop(*block.failed)
            return
        nodes: list[ast.stmt] = []
        try:
            nodes = parse(source, self.limits)
            self._literal.run(nodes)
            block.foreign |= "print(" in source
        except (Dependent, _Enough):
            self.halted = True
        except CodeError as error:
            self._unreadable(statement, source, nodes, error)

    def _unreadable(self, statement: Statement, source: str, nodes: list[ast.stmt], error: CodeError) -> None:
        """A statement is a problem if it is about the tools; else it may be part of an answer that has code."""
        block, vocabulary = self._block, self.vocabulary
        assert block is not None and vocabulary is not None
        concerns = block.engaged or vocabulary.mentioned(source)
        if isinstance(error, NotPython) and not block.fenced and statement.balanced:
            if block.engaged:  # A line of prose that begins like a call.
                self._say(f"\n{statement.source}")
        # Likeness to every tool takes a while: only a block's first unknown name is looked at.
        elif concerns or (block.failed is None and _near(error, vocabulary.names)):
            self._stop(source, error)
        elif isinstance(error, UnknownFunction) and all(_is_call(node) for node in nodes):
            block.unknown = block.unknown or (source, error)
        if not isinstance(error, UnknownFunction):
            block.foreign = True
        block.failed = block.failed or (source, error)

    def _is_cut(self, statement: Statement) -> bool:
        """The text ended inside the statement, and not because the model was done with it."""
        if statement.closed:
            return False
        if self._cut_short:
            return True
        return self._stop_given and not (statement.balanced and statement.source.rstrip().endswith(")"))

    def _block_end(self, end: BlockEnd) -> None:
        block, self._block = self._block, None
        assert block is not None and self.vocabulary is not None
        if end.excess and (block.engaged or self.vocabulary.mentioned(end.raw)):
            self._stop(end.raw[:200], Refused(end.excess))
        elif block.unknown and not (block.engaged or block.foreign):
            self._stop(*block.unknown)
        elif not block.engaged:
            self._say(end.raw)

    def _stop(self, source: str, error: CodeError) -> None:
        self.problem = Problem(source, self._explained(error))

    def _explained(self, error: CodeError) -> str:
        if not isinstance(error, UnknownFunction) or self.vocabulary is None:
            return str(error)
        close = difflib.get_close_matches(error.name, self.vocabulary.names, n=3, cutoff=0.5)
        if close:
            return f"{error}; did you mean {', '.join(close)}?"
        return f"{error}; the functions are {', '.join(sorted(self.vocabulary.names)[:20])}"

    def _call(self, call: ParsedCall) -> None:
        """Bind, prove and send one call; raises what stops the reading."""
        assert self.vocabulary is not None and self._block is not None
        if self.only_first and self.calls:
            raise _Enough("one call at a time")
        tool = self.vocabulary.tools[call.name]
        first: Proof | None = None
        for arguments in bindings(tool, call, self.vocabulary.models):
            proof = tool.prove(arguments)
            if proof.arguments is not None:
                self._send(tool.name, proof.arguments)
                return
            first = first or proof
        raise Unproven("; ".join(first.errors) if first else "the call can't be bound")

    def _send(self, name: str, arguments: str) -> None:
        assert self._block is not None
        self._block.engaged = True
        if self.made and (same := canonical(name, arguments)) in self.made:
            self.made.remove(same)
            return
        self.calls += 1
        (self._waiting if self._wary else self._out).append(Called(name, arguments))
        if self.only_first:
            raise _Enough("one call at a time")


def _words(space: list[str], text: str, *, begun: bool) -> str:
    """``text`` with the space that waited before it, up to its last word; what is behind that waits in ``space``.

    Space before the first word is dropped unless ``begun``.
    """
    ended = text.rstrip()
    if not ended:
        if text:
            space.append(text)
        return ""
    words = "".join([*space, ended])
    space[:] = [text[len(ended) :]] if len(ended) < len(text) else []
    return words if begun else words.lstrip()


def canonical(name: str, arguments: str) -> tuple[str, str]:
    """A call as what it says: the order of its keywords is no difference."""
    return name, json.dumps(json.loads(arguments), sort_keys=True)


def _is_call(node: ast.stmt) -> bool:
    """A statement that is nothing but a call of a function by its name."""
    match node:
        case ast.Expr(ast.Call(ast.Name())) | ast.Expr(ast.Await(ast.Call(ast.Name()))):
            return True
        case ast.Assign(_, ast.Call(ast.Name())) | ast.Assign(_, ast.Await(ast.Call(ast.Name()))):
            return True
        case _:
            return False


def _near(error: CodeError, names: Collection[str]) -> bool:
    """An unknown function that is meant to be one of the tools, not part of some other code."""
    if not isinstance(error, UnknownFunction):
        return False
    folded = error.name.replace("_", "").lower()
    return any(folded == known.replace("_", "").lower() for known in names) or bool(
        difflib.get_close_matches(error.name, names, n=1, cutoff=0.8)
    )
