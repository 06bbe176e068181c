"""Drives one assistant turn: performs what the choices' strategies ask for, and passes on what they say.

What is asked of the model, of a kernel and of the store goes through ports.  With ``n > 1`` the choices share the
first question to the upstream; whatever one of them has to ask again, it asks alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from emulator.events import CallStarted, Event, Head, UsageTotal
from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, AnswerHead, AnswerPart, AnswerUsage, Kernels, Upstream
from emulator.protocols.chat import ChatRequest, upstream_body
from emulator.runs import Outcome
from emulator.strategies.code import Sent
from emulator.strategies.effects import Ask, Dropped, Effect, Keep, Read, Run
from emulator.usage import UsageSum

Json = dict[str, Any]


@dataclass(slots=True)
class Trace:
    """What the model was sent and what it answered, question by question; for whoever wants to see it."""

    questions: list[list[Json]] = field(default_factory=list[list[Json]])
    answers: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class _Running:
    """A choice's strategy; ``ask`` is the question that it waits with."""

    strategy: Generator[Effect, Sent, None]
    perform: Callable[[Run | Keep], Outcome | None]
    ask: Ask | None = None
    done: bool = False
    dropped: list[str] = field(default_factory=list[str])

    def step(self, sent: Sent) -> Iterator[Event]:
        """Send ``sent``; what the strategy says until it needs something of the model again."""
        try:
            effect = self.strategy.send(sent)
            while not isinstance(effect, Ask | Read):
                answer: Outcome | None = None
                if isinstance(effect, Dropped):
                    self.dropped.append(effect.reason)
                elif isinstance(effect, Run | Keep):
                    answer = self.perform(effect)
                else:
                    yield effect
                effect = self.strategy.send(answer)
            self.ask = effect if isinstance(effect, Ask) else None
        except StopIteration:
            self.done, self.ask = True, None


@dataclass(slots=True)
class Told:
    """What an answer's headers say of it, as far as it has come.  ``waited`` are seconds spent on the model server."""

    round: int = 1
    asked: int = 0
    runs: int = 0
    waited: float = 0.0
    begun: float = field(default_factory=time.perf_counter)

    @property
    def own_ms(self) -> float:
        """Milliseconds that were the emulator's own."""
        return (time.perf_counter() - self.begun - self.waited) * 1000


class Turn:
    """One request's: ``events()`` runs it, once."""

    def __init__(
        self,
        request: ChatRequest,
        upstream: Upstream,
        strategies: Mapping[int, Generator[Effect, Sent, None]],
        kernels: Kernels,
        *,
        authorization: str | None,
        lifetime: Lifetime,
        round: int = 1,
    ) -> None:
        """``strategies`` by choice; ``round`` is which of a program's rounds this answer is."""
        self._request = request
        self._upstream = upstream
        self._kernels = kernels
        self._authorization = authorization
        self._lifetime = lifetime
        self._choices = {choice: _Running(strategy, self._perform) for choice, strategy in strategies.items()}
        self._usage = UsageSum()
        self._head_sent = False
        self.trace = Trace()
        self.progress = Told(round)
        self.calls = 0
        """Calls that have left so far, of all choices."""

    def events(self) -> Generator[Event, None, None]:
        """Raises UpstreamError, ModelFault, and ClientGone where the client has left."""
        with closing(self._events()) as events:
            for event in events:
                self.calls += isinstance(event, CallStarted)
                yield event

    def told(self) -> Json:
        """What the log is to say of the turn."""
        dropped = [reason[:300] for choice in self._choices.values() for reason in choice.dropped]
        progress = self.progress
        told: Json = {"calls": self.calls, "asked": progress.asked}
        if progress.runs:
            told |= {"round": progress.round, "runs": progress.runs}
        return told | {"dropped": dropped} if dropped else told

    def _perform(self, effect: Run | Keep) -> Outcome | None:
        if isinstance(effect, Keep):
            self._kernels.keep(effect.key, effect.program)
            return None
        self.progress.runs += 1
        self._lifetime.check()
        return self._kernels.run(effect.program)

    def _events(self) -> Generator[Event, None, None]:
        for choice in self._choices.values():
            yield from choice.step(None)
        if waiting := {index: choice for index, choice in self._choices.items() if choice.ask is not None}:
            yield from self._ask(waiting)
        for index, choice in self._choices.items():
            while choice.ask is not None:
                yield from self._ask({index: choice})
        yield UsageTotal(self._usage.total())

    def _ask(self, choices: dict[int, _Running]) -> Iterator[Event]:
        """One question, for all ``choices`` that wait with it."""
        alone = len(choices) == 1
        messages = next(choice.ask.messages for choice in choices.values() if choice.ask)
        body = upstream_body(self._request, messages, n=1 if alone else None)
        for choice in choices.values():
            yield from choice.step(None)
        said: list[str] = []
        counted = False
        self.progress.asked += 1
        parts = self._upstream.ask(body, authorization=self._authorization, lifetime=self._lifetime)
        with closing(parts):
            for part in self._timed(parts):
                match part:
                    case AnswerHead(fields):
                        yield from self._head(fields)
                    case AnswerUsage(usage):
                        counted = True
                        self._usage.add(usage)
                    case AnswerDelta():
                        said.append(part.text)
                        said.append(part.reasoning)
                        choice = next(iter(choices.values())) if alone else choices.get(part.choice)
                        if choice is not None and not choice.done and choice.ask is None:
                            yield from choice.step(part)
        for choice in choices.values():  # A choice that the upstream never answered or ended.
            if not choice.done and choice.ask is None:
                yield from choice.step(AnswerDelta(0, finish_reason="stop"))
        answered = "".join(said)
        self.trace.questions.append(messages)
        self.trace.answers.append(answered)
        if not counted:
            self._usage.estimate(messages, len(answered.encode("utf-8", "surrogatepass")))

    def _timed(self, parts: Iterator[AnswerPart]) -> Iterator[AnswerPart]:
        clock = time.perf_counter
        while True:
            before = clock()
            part = next(parts, None)
            self.progress.waited += clock() - before
            if part is None:
                return
            yield part

    def _head(self, fields: Json) -> Iterator[Event]:
        if not self._head_sent:
            self._head_sent = True
            yield Head(fields)
