"""One answer of the model → what it says, thinks and calls, in order and as early as it is certain.

A call leaves when its statement is closed and its arguments are proven; from then on it is final.  Statements are
read off as long as they can be; the first that computes makes all of them a program that is run (``due``), step by
step as it is written.  At the first statement that can't be used, reading stops (``problem``); from the first that
needs a result, the program waits (``halted``): it is kept to its end, and the client's results come first.  What stands
behind the program's own end, or behind results that the model has made up, is neither called nor kept.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emulator.code.block import Block, is_head
from emulator.code.check import CodeError, Dependent, NeedsRun, NotPython, Refused, UnknownFunction, parse
from emulator.code.debris import RESULT_FENCES
from emulator.code.execution import Execution, Step
from emulator.code.gate import wary
from emulator.code.judge import Judge, written
from emulator.code.limits import CodeLimits
from emulator.code.literal import LiteralReader, ends_program
from emulator.code.markup import Unreadable
from emulator.code.mending import Mending
from emulator.code.parts import BlockEnd, BlockStart, Foreign, Piece, Prose, StrayThoughtEnd, Thought
from emulator.code.pieces import AnswerPieces
from emulator.code.readings import Called, Made, Manner, Mused, Problem, Reading, Said, canonical, cuts_off
from emulator.code.rename import bound_names
from emulator.code.spacing import words_of
from emulator.code.statements import Printed, Statement
from emulator.code.unknown import explained, is_call, is_words, near
from emulator.code.values import ParsedCall
from emulator.code.vocabulary import Vocabulary
from emulator.runs import Outcome

_FIRST = 64
"""Characters of an answer that tell how it begins."""


class _Enough(CodeError):
    """No further call is wanted in this answer."""


@dataclass(slots=True)
class AnswerReader:
    """``feed`` the text as it comes, ``finish`` once; whenever a step is ``due``, run it and tell what ``ran``.

    ``vocabulary`` is None where no call is wanted: all that isn't thought is said.  ``made`` are calls of
    earlier attempts at this answer, which the model may repeat and which aren't made twice.
    """

    vocabulary: Vocabulary | None
    limits: CodeLimits
    in_thought: bool = False
    manner: Manner = field(default_factory=Manner)
    made: list[Made] = field(default_factory=list[Made])
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    problem: Problem | None = None
    halted: bool = False
    calls: int = 0
    said: bool = False
    thought: bool = False
    cut: bool = False
    execution: Execution = field(init=False)
    """The answer's program, as far as it has come."""
    _out: list[Reading] = field(default_factory=list[Reading])
    _space: list[str] = field(default_factory=list[str])
    _thought_space: list[str] = field(default_factory=list[str])
    _block: Block | None = None
    _text: AnswerPieces = field(init=False)
    _literal: LiteralReader = field(init=False)
    _judge: Judge = field(init=False)
    _mending: Mending = field(init=False)
    _bound: set[str] = field(default_factory=set[str])
    _pieces: deque[Piece] = field(default_factory=deque[Piece])
    _finishing: bool = False
    _cut_short: bool = False
    _stop_given: bool = False
    _alone: bool = False
    _over: bool = False
    _first_words: str = ""
    _wary: bool = False
    _waiting: list[Reading] = field(default_factory=list[Reading])

    def __post_init__(self) -> None:
        self._judge = Judge(self.vocabulary or Vocabulary({}, {}), self.texts)
        self._mending = Mending(self._judge, self.limits, self.manner.programs)
        self._text = AnswerPieces(
            self.vocabulary, self._judge, self.limits, in_thought=self.in_thought, formats=self.manner.formats
        )
        self._begin_anew()

    def _begin_anew(self) -> None:
        known = self._judge.vocabulary
        self._literal = LiteralReader(
            known.names, known.models, self._call, runs=self.manner.programs, meant=known.meant
        )
        self.execution = Execution(known.names, known.models, self.limits, incremental=self.manner.incremental)

    @property
    def ran_through(self) -> bool:
        """A program was run and waits for nothing."""
        return self.execution.begun and not (self.halted or self.problem)

    def program(self) -> str | None:
        """The program, if it has to go on when the results of the calls are there; None if nothing is left of it."""
        execution = self.execution
        if self.cut or not self.manner.programs or not (self.halted or execution.prints):
            return None
        return execution.text

    @property
    def is_due(self) -> bool:
        """The program's next statements wait to be run; what stands behind them waits, too."""
        return self.execution.is_due and not self.problem and (self._finishing or not self._wary)

    def due(self) -> Step | None:
        """What is to be run next, None if it turns out that it can't be."""
        try:
            return self.execution.due()
        except CodeError as error:
            self._stop(self.execution.text[-300:], error)
            self._read_on()
            return None

    def ran(self, outcome: Outcome) -> list[Reading]:
        """What came of the step that was due."""
        for index, call in self.execution.ran(outcome):
            try:
                self._send(call.name, self._judge.run_call(call), index)
            except _Enough:
                self.execution.paused = True
                break
            except CodeError as error:
                self._stop(written(call), error)
                break
        self.execution.settle(outcome)
        self.halted = self.execution.paused = self.execution.paused or self._alone
        if (failed := self.execution.failed) and not self.problem:
            self.problem = Problem(failed.source, failed.traceback)
        self._read_on()
        return self.taken()

    def feed(self, text: str) -> list[Reading]:
        self._read(self._text.feed(text))
        return self.taken()

    def finish(self, reason: str, *, stop_given: bool = False) -> list[Reading]:
        """The answer is over.  ``reason`` is the upstream's; ``stop_given``: the client set stop sequences."""
        self._cut_short = cuts_off(reason)
        self._stop_given = stop_given
        self._read(self._text.finish(cut=self._cut_short, stopped=stop_given))
        self._finishing = True
        self._read_on()
        return self.taken()

    def _conclude(self) -> None:
        """All that was said has been read, and all that was due has been run."""
        self._finishing = False
        if self._text.in_thought and not (self.said or self.calls or self.problem or self._cut_short):
            self._read(self._text.as_words())
        if self._space and self.said and not self.calls and not self.problem:
            self._out.append(Said("".join(self._space)))
        self._out += self._waiting

    def thinks_apart(self) -> None:
        """The upstream tells thoughts from text itself, so the text doesn't begin inside one."""
        self._text.thinks_apart()

    def taken(self) -> list[Reading]:
        """What has been read since it was last asked for."""
        out, self._out = self._out, []
        return out

    def _read(self, pieces: Iterable[Piece]) -> None:
        self._pieces.extend(pieces)
        if not self.is_due:
            self._read_on()

    def _read_on(self) -> None:
        """Read until a step is due: statements in a row are one step, and what stands behind them comes after it."""
        while self._pieces:
            if self.is_due and not isinstance(self._pieces[0], Statement):
                return
            self._piece(self._pieces.popleft())
        if self._finishing:
            self.execution.ended = True
            if not self.is_due and self.execution.forgets_main:
                self.execution.add("main()")
            if not self.is_due:
                self._conclude()

    def _piece(self, piece: Piece) -> None:
        if isinstance(piece, StrayThoughtEnd):
            self._forget_thoughts_calls()
        if self.problem or (self.halted and isinstance(piece, Prose | Thought | Foreign)):
            return
        match piece:
            case Prose(text):
                self._say(text)
            case Thought(text):
                self._think(text)
            case Foreign(text, language):
                if not (language in RESULT_FENCES and self._tells_result()):
                    self._say(text)
            case Printed():
                self._tells_result()
            case BlockStart(fenced):
                self._block = Block(fenced, first=len(self.execution))
                self._wary = self._wary or (not self.calls and wary(self._first_words))
            case Statement():
                self._statement(piece)
            case BlockEnd():
                self._block_end(piece)
            case Unreadable(source, error) if not self._over:
                self._stop(source, Refused(error))
            case _:
                pass

    def _tells_result(self) -> bool:
        """What the model tells as a result is one that it has made up."""
        made_up = bool(self.calls) or self.execution.begun
        self._over = self._over or made_up
        return made_up

    def _forget_thoughts_calls(self) -> None:
        """What was taken for words was a thought: nothing that was called in it is meant."""
        if not self._wary:
            return
        self.calls -= len(self._waiting)
        self._waiting.clear()
        self.problem, self.halted, self._wary, self._over = None, False, False, False
        self._first_words = ""
        self._begin_anew()

    def _think(self, text: str) -> None:
        """White space around a thought is nobody's; a thought of nothing else is none."""
        words = words_of(self._thought_space, text, begun=self.thought)
        if words:
            self.thought = True
            self._out.append(Mused(words))

    def _say(self, text: str) -> None:
        """White space waits for the words behind it: between prose and code it is nobody's."""
        words = words_of(self._space, text, begun=self.said or not (self.thought or self.calls))
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
        if self._over:
            return
        source = vocabulary.as_python(statement.source)
        self.execution.add(source)
        if self.halted or self.execution.begun:
            self._keep(statement, source)
            block.engaged = block.engaged or not self.halted
            return
        if (block.failed or self.made) and vocabulary.mentioned(source):
            if self._may_run(block.failed[1] if block.failed else None):
                block.engaged = self.execution.begun = True
                return
            if block.failed:
                self._stop(*block.failed)
                return
        nodes: list[ast.stmt] = []
        try:
            source, nodes = self._parsed(statement, source)
            self._over = any(map(ends_program, nodes))
            self._literal.run(nodes)
            block.foreign |= "print(" in source
        except (Dependent, _Enough):
            self.halted = self.execution.paused = True
        except CodeError as error:
            self._unreadable(statement, source, nodes, error)
        if nodes and (self._literal.renamed or self.halted or self.execution.begun):
            self._literal.renamed = False
            self._name(source, nodes)

    def _parsed(self, statement: Statement, source: str) -> tuple[str, list[ast.stmt]]:
        """``source`` parsed, mended where it isn't Python.  Raises CodeError."""
        try:
            return source, parse(source, self.limits)
        except NotPython:
            ends = not statement.balanced and not (self._stop_given and not statement.closed)
            mended = self._mending.mended(source, self._literal, ends=ends)
            if mended is None:
                raise
        self.execution.rewrite(mended.source)
        return mended.source, mended.nodes

    def _keep(self, statement: Statement, source: str) -> None:
        """A statement that is to be run, or that waits: what can't be read then is told when it is run."""
        try:
            source, nodes = self._parsed(statement, source)
            self._over = any(map(ends_program, nodes))
        except CodeError:
            return
        self._name(source, nodes)

    def _name(self, source: str, nodes: list[ast.stmt]) -> None:
        """Let the program call the tools by the stubs' names."""
        self._bound.update(bound_names(nodes))
        named = self._judge.vocabulary.own_names(source, nodes, self._bound)
        if named != source:
            self.execution.rewrite(named)

    def _may_run(self, error: CodeError | None) -> bool:
        """What can't be read off can be run; so can what is read off, but whose calls have their results already."""
        if not self.manner.programs:
            return False
        return isinstance(error, NeedsRun) or (error is None and any(made.result for made in self.made))

    def _unreadable(self, statement: Statement, source: str, nodes: list[ast.stmt], error: CodeError) -> None:
        """A statement is a problem if it is about the tools; else it may be part of an answer that has code."""
        block, vocabulary = self._block, self.vocabulary
        assert block is not None and vocabulary is not None
        concerns = block.engaged or vocabulary.mentioned(source) or vocabulary.used(nodes)
        words = is_words(source) and not (is_head(source) or vocabulary.mentioned(source))
        if isinstance(error, NotPython) and statement.balanced and (words or not block.fenced):
            self.execution.cut_back(len(self.execution) - 1)
            if block.engaged:  # A line of prose that begins like a call, or stands in the code.
                self._say(f"\n{statement.source}")
            if block.fenced:
                return
        elif concerns and self._may_run(error):
            block.engaged = self.execution.begun = True
        # Likeness to every tool takes a while: only a block's first unknown name is looked at.
        elif concerns or (block.failed is None and near(error, vocabulary.names)):
            self._stop(source, error)
        elif isinstance(error, UnknownFunction) and all(is_call(node) for node in nodes):
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
        elif not (block.engaged or self.halted or (self._over and self.vocabulary.mentioned(end.raw))):
            if block.failed:
                self.execution.cut_back(block.first)
            self._say(end.raw)

    def _stop(self, source: str, error: CodeError) -> None:
        self.problem = Problem(source, explained(error, self._judge.vocabulary.names))

    def _call(self, call: ParsedCall) -> None:
        """Prove and send one call that was read off; raises what stops the reading."""
        assert self._block is not None
        self._may_make(call.name)
        called = self._judge.call(call)
        self._block.engaged = True
        index, self.execution.calls = self.execution.calls, self.execution.calls + 1
        self._send(call.name, called, index)

    def _may_make(self, name: str) -> None:
        """Raises _Enough where the call has to wait for the next round."""
        if self.calls and (self.manner.single or self._alone or name in self.manner.serial):
            raise _Enough("one call at a time")

    def _send(self, name: str, called: Called, index: int) -> None:
        """Send the program's call ``index``, unless it was made before."""
        if self.made:
            same = canonical(called.name, called.arguments)
            made = next((earlier for earlier in self.made if earlier.canonical == same), None)
            if made is not None:
                self.made.remove(made)
                if made.result is not None:
                    self.execution.results[index] = made.result
                return
        self._may_make(name)
        self.calls += 1
        self._alone = name in self.manner.serial
        (self._waiting if self._wary else self._out).append(called)
        if self.manner.single:
            raise _Enough("one call at a time")
