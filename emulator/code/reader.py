"""One answer of the model → what it says, thinks and calls, in order and as early as it is certain.

A call leaves when its statement is closed and its arguments are proven; from then on it is final.  At the
first statement that can't be read, reading stops (``problem``); at the first that needs a result, it stops
too (``halted``): the client's results come first.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import regex

from emulator.code.check import CodeError, Refused, parse
from emulator.code.extract import BlockEnd, BlockStart, Extractor, Foreign, Piece, Prose, StrayThoughtEnd, Thought
from emulator.code.gate import ThoughtGate, wary
from emulator.code.limits import CodeLimits
from emulator.code.literal import Dependent, LiteralReader, ParsedCall, UnknownFunction
from emulator.code.statements import Statement
from emulator.code.values import ModelObject, plain
from emulator.tools.toolset import Proof

_INVENTED = frozenset(["result", "results", "output", "outputs", "tool_result", "tool_output"])
"""Languages of the fences in which results are shown; after a call, the model made such a block up."""


class Provable(Protocol):
    """A tool as the reader needs it."""

    @property
    def name(self) -> str: ...
    @property
    def parameters(self) -> Sequence[str]:
        """The parameters' Python names in the order of the signature."""
        ...

    def prove(self, arguments: Mapping[str, Any]) -> Proof: ...


_WIRE_CALL = regex.compile(r"(?P<before>\s*(?:[^\W\d]\w*\s*=\s*)?(?:await\s+)?)(?P<name>[\w]+(?:-+\w+)+)(?=\s*\()")
_FIRST = 64
_CALLED = regex.compile(r"[^\W\d]\w*(?=\s*\()")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tools of a request as the model's Python names them, and the models' fields in order."""

    tools: Mapping[str, Provable]
    models: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> Collection[str]:
        return self.tools.keys()

    def as_python(self, source: str) -> str:
        """``source`` with the stubs' name for the client's, where that is called as it is: ``get-weather(…)``."""
        found = _WIRE_CALL.match(source)
        if found is None:
            return source
        names = {tool.name: python for python, tool in self.tools.items()}
        python = names.get(found["name"])
        return source if python is None else f"{found['before']}{python}{source[found.end() :]}"

    def mentioned(self, source: str) -> bool:
        """Something in ``source`` looks like a call of a tool."""
        return any(name in self.tools for name in _CALLED.findall(source))


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


class _Unproven(CodeError):
    """The call's arguments don't hold."""


class _Enough(CodeError):
    """No further call is wanted in this answer."""


@dataclass(slots=True)
class _Block:
    """``failed`` is the first statement that can't be read; ``unknown`` the first call of a function that nobody
    offers, in a block that has nothing but such calls (``foreign`` is what else there is)."""

    engaged: bool = False
    failed: tuple[str, CodeError] | None = None
    unknown: tuple[str, CodeError] | None = None
    foreign: bool = False


@dataclass(slots=True)
class AnswerReader:
    """``feed`` the text as it comes, ``finish`` once.

    ``vocabulary`` is None where no call is wanted: all that isn't thought is said.  ``made`` are calls of
    earlier attempts at this answer, which the model may repeat and which aren't made twice.
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
            self._implied.append(text)
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

    def _reread_as_answer(self) -> None:
        """The model was taken to think from the start, but its thought never ended: it was the answer."""
        self._extractor = self._new_extractor(in_thought=False)
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
                case BlockStart():
                    self._block = _Block()
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
        mentioned = vocabulary.mentioned(source)
        if block.failed and mentioned:
            self._stop(*block.failed)
            return
        nodes: list[ast.stmt] = []
        try:
            nodes = parse(source, self.limits)
            self._literal.run(nodes)
            block.foreign |= "print(" in source
        except (Dependent, _Enough):
            self.halted = True
        except UnknownFunction as error:
            if mentioned or block.engaged or _near(error.name, vocabulary.names):
                self._stop(source, error)
            elif all(_is_call(node) for node in nodes):
                block.unknown = block.unknown or (source, error)
            block.failed = block.failed or (source, error)
        except CodeError as error:
            if mentioned or block.engaged:
                self._stop(source, error)
            block.failed, block.foreign = block.failed or (source, error), True

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
        known = close or sorted(self.vocabulary.names)[:20]
        return f"{error}; {'did you mean' if close else 'the functions are'} {', '.join(known)}?"

    def _call(self, call: ParsedCall) -> None:
        """Bind, prove and send one call; raises what stops the reading."""
        assert self.vocabulary is not None and self._block is not None
        if self.only_first and self.calls:
            raise _Enough("one call at a time")
        tool = self.vocabulary.tools[call.name]
        first: Proof | None = None
        for arguments in _bindings(tool, call, self.vocabulary.models):
            proof = tool.prove(arguments)
            if proof.arguments is not None:
                self._send(tool.name, proof.arguments)
                return
            first = first or proof
        raise _Unproven("; ".join(first.errors) if first else "the call can't be bound")

    def _send(self, name: str, arguments: str) -> None:
        assert self._block is not None
        self._block.engaged = True
        if (name, arguments) in self.made:
            self.made.remove((name, arguments))
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


def _is_call(node: ast.stmt) -> bool:
    """A statement that is nothing but a call of a function by its name."""
    match node:
        case ast.Expr(ast.Call(ast.Name())) | ast.Expr(ast.Await(ast.Call(ast.Name()))):
            return True
        case ast.Assign(_, ast.Call(ast.Name())) | ast.Assign(_, ast.Await(ast.Call(ast.Name()))):
            return True
        case _:
            return False


def _near(name: str, names: Collection[str]) -> bool:
    """An unknown function that is meant to be one of the tools, not part of some other code."""
    folded = name.replace("_", "").lower()
    return any(folded == known.replace("_", "").lower() for known in names) or bool(
        difflib.get_close_matches(name, names, n=1, cutoff=0.8)
    )


def _bindings(tool: Provable, call: ParsedCall, models: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ways to read a call's arguments, likeliest first; the one that is proven counts."""
    parameters = list(tool.parameters)
    if len(call.positional) > len(parameters):
        raise _Unproven(f"{call.name} takes at most {len(parameters)} arguments; {len(call.positional)} were given")
    bound = dict(zip(parameters, call.positional, strict=False))
    if twice := bound.keys() & call.keywords.keys():
        raise _Unproven(f"{call.name}: the argument {min(twice)} is given twice")
    readings = [{key: plain(value) for key, value in (bound | call.keywords).items()}]
    whole = _only_value(call, parameters)
    if isinstance(whole, ModelObject | dict):
        spread = plain(whole)
        invented = isinstance(whole, ModelObject) and whole.model not in models
        readings.insert(0 if invented else 1, spread)
    return readings


def _only_value(call: ParsedCall, parameters: Sequence[str]) -> Any:
    """The single value that may hold all arguments: ``f({...})``, ``f(Args(...))``, ``f(args=Args(...))``."""
    if len(call.positional) == 1 and not call.keywords:
        return call.positional[0]
    if not call.positional and len(call.keywords) == 1:
        key, value = next(iter(call.keywords.items()))
        return None if key in parameters else value
    return None
