"""One answer of the model → what it says, thinks and calls, in order and as early as it is certain.

A call leaves when its statement is closed and its arguments are proven; from then on it is final.  Statements are
read off as long as they can be; the first that computes makes all of them a program that is run (``due``), step by
step as it is written.  At the first statement that can't be used, reading stops (``problem``); from the first that
needs a result, the program waits (``halted``): it is kept to its end, and the client's results come first.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emulator.code.check import CodeError, Dependent, NeedsRun, NotPython, Refused, UnknownFunction, parse
from emulator.code.execution import Execution, Step
from emulator.code.extract import BlockEnd, BlockStart, Extractor, Foreign, Piece, Prose, StrayThoughtEnd, Thought
from emulator.code.gate import ThoughtGate, wary
from emulator.code.judge import Judge, written
from emulator.code.limits import CodeLimits
from emulator.code.literal import LiteralReader
from emulator.code.readings import Called, Made, Manner, Mused, Problem, Reading, Said, canonical
from emulator.code.spacing import words_of
from emulator.code.statements import Statement
from emulator.code.unknown import explained, is_call, near
from emulator.code.values import ParsedCall
from emulator.code.vocabulary import Vocabulary
from emulator.runs import Outcome

_FIRST = 64
"""Characters of an answer, or pieces, that tell how it begins."""
_INVENTED = frozenset(["result", "results", "output", "outputs", "tool_result", "tool_output"])
"""Languages of the fences in which results are shown; after a call, the model made such a block up."""


class _Enough(CodeError):
    """No further call is wanted in this answer."""


@dataclass(slots=True)
class _Block:
    """``first`` is the number of statements before it; ``failed`` the first statement that can't be read; ``unknown``
    the first call of a function that nobody offers, in a block that has nothing but such calls (``foreign`` is what
    else there is)."""

    fenced: bool = True
    first: int = 0
    engaged: bool = False
    failed: tuple[str, CodeError] | None = None
    unknown: tuple[str, CodeError] | None = None
    foreign: bool = False


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
    _block: _Block | None = None
    _gate: ThoughtGate | None = None
    _extractor: Extractor = field(init=False)
    _literal: LiteralReader = field(init=False)
    _judge: Judge = field(init=False)
    _pieces: deque[Piece] = field(default_factory=deque[Piece])
    _finishing: bool = False
    _cut_short: bool = False
    _stop_given: bool = False
    _alone: bool = False
    _implied: list[str] = field(default_factory=list[str])
    _first_words: str = ""
    _wary: bool = False
    _waiting: list[Reading] = field(default_factory=list[Reading])

    def __post_init__(self) -> None:
        self._extractor = self._new_extractor(in_thought=self.in_thought)
        self._gate = None if self.in_thought else ThoughtGate()
        self._judge = Judge(self.vocabulary or Vocabulary({}, {}), self.texts)
        self._begin_anew()

    def _begin_anew(self) -> None:
        known = self._judge.vocabulary
        self._literal = LiteralReader(known.names, known.models, self._call, runs=self.manner.programs)
        self.execution = Execution(known.names, known.models, self.limits, incremental=self.manner.incremental)

    def _new_extractor(self, *, in_thought: bool) -> Extractor:
        names = self.vocabulary.names if self.vocabulary else None
        return Extractor(names, self.limits, in_thought=in_thought)

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
        if self._gate is not None:
            thoughts, text = self._gate.feed(text)
            self._read(thoughts)
        elif self.in_thought:
            text = self._begun_in_thought(text)
        if text:
            self._read(self._extractor.feed(text))
        return self.taken()

    def finish(self, reason: str, *, stop_given: bool = False) -> list[Reading]:
        """The answer is over.  ``reason`` is the upstream's; ``stop_given``: the client set stop sequences."""
        self._cut_short = reason not in ("stop", "tool_calls", "function_call")
        self._stop_given = stop_given
        if self._gate is not None and (held := self._gate.finish()):
            self._read(self._extractor.feed(held))
        self._read(self._extractor.finish())
        self._finishing = True
        self._read_on()
        return self.taken()

    def _conclude(self) -> None:
        """All that was said has been read, and all that was due has been run."""
        self._finishing = False
        if self.in_thought and not (self.said or self.calls or self.problem or self._cut_short):
            self._reread_as_answer()
        if self._space and self.said and not self.calls and not self.problem:
            self._out.append(Said("".join(self._space)))
        self._out += self._waiting

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
                if not (language in _INVENTED and (self.calls or self.execution.begun)):
                    self._say(text)
            case BlockStart(fenced):
                self._block = _Block(fenced, first=len(self.execution))
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
        source = vocabulary.as_python(statement.source)
        self.execution.add(source)
        if self.halted:
            return
        if self.execution.begun:
            block.engaged = True
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
            nodes = parse(source, self.limits)
            self._literal.run(nodes)
            block.foreign |= "print(" in source
        except (Dependent, _Enough):
            self.halted = self.execution.paused = True
        except CodeError as error:
            self._unreadable(statement, source, nodes, error)

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
        if isinstance(error, NotPython) and not block.fenced and statement.balanced:
            self.execution.cut_back(len(self.execution) - 1)
            if block.engaged:  # A line of prose that begins like a call.
                self._say(f"\n{statement.source}")
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
        elif not (block.engaged or self.halted):
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
