"""Drives one assistant turn: performs what the choices' strategies ask for, and passes on what they say.

With ``n > 1`` the choices share the first question to the upstream; whatever one of them has to ask again, it
asks alone.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from emulator.events import CallStarted, Event, Head, UsageTotal
from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, AnswerHead, AnswerUsage, Upstream
from emulator.protocols.chat import ChatRequest, upstream_body
from emulator.strategies.code import Ask, CodeTask, Dropped, Effect, Read, answer
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

    strategy: Generator[Effect, AnswerDelta | None, None]
    ask: Ask | None = None
    done: bool = False
    dropped: list[str] = field(default_factory=list[str])

    def step(self, delta: AnswerDelta | None) -> Iterator[Event]:
        """Send ``delta``; what the strategy says until it needs something again."""
        try:
            effect = self.strategy.send(delta)
            while not isinstance(effect, Ask | Read):
                if isinstance(effect, Dropped):
                    self.dropped.append(effect.reason)
                else:
                    yield effect
                effect = next(self.strategy)
            self.ask = effect if isinstance(effect, Ask) else None
        except StopIteration:
            self.done, self.ask = True, None


class Turn:
    """One request's: ``events()`` runs it, once."""

    def __init__(
        self,
        request: ChatRequest,
        upstream: Upstream,
        tasks: Iterable[CodeTask],
        *,
        authorization: str | None,
        lifetime: Lifetime,
    ) -> None:
        self._request = request
        self._upstream = upstream
        self._authorization = authorization
        self._lifetime = lifetime
        self._choices = {task.choice: _Running(answer(task)) for task in tasks}
        self._usage = UsageSum()
        self._head_sent = False
        self.trace = Trace()
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
        told: Json = {"calls": self.calls, "asked": len(self.trace.questions)}
        return told | {"dropped": dropped} if dropped else told

    def _events(self) -> Generator[Event, None, None]:
        for choice in self._choices.values():
            yield from choice.step(None)
        yield from self._ask(self._choices)
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
        parts = self._upstream.ask(body, authorization=self._authorization, lifetime=self._lifetime)
        with closing(parts):
            for part in parts:
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

    def _head(self, fields: Json) -> Iterator[Event]:
        if not self._head_sent:
            self._head_sent = True
            yield Head(fields)
