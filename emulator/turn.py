"""Drives one assistant turn: performs what the choices' strategies ask for, and passes on what they say.

What is asked of the model, of a kernel and of the store goes through ports.  With ``n > 1`` choices share the questions
that they have in common, above all the first; whatever one of them alone has to ask again, it asks alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from emulator.errors import StrategyUnfit, UpstreamRefused
from emulator.events import CallStarted, Event, Head, UsageTotal
from emulator.lifetime import Lifetime
from emulator.ports import AnswerDelta, AnswerHead, AnswerPart, AnswerUsage, Capabilities, Kernels, Upstream
from emulator.progress import Sizes, Told, Trace
from emulator.protocols.request import TurnRequest, aside_body, upstream_body
from emulator.strategies.effects import (
    Ask,
    Effect,
    Keep,
    Note,
    Probe,
    Read,
    Run,
    Sent,
)
from emulator.usage import UsageSum

Json = dict[str, Any]

_NOT_UNDERSTOOD = frozenset([400, 404, 405, 415, 422, 500, 501])
"""What servers answer to fields that they don't know or can't work with."""


@dataclass(slots=True)
class _Running:
    """A choice's strategy; ``ask`` is the question that it waits with."""

    strategy: Generator[Effect, Sent, None]
    perform: Callable[[Run | Keep | Probe | Note], Sent]
    ask: Ask | None = None
    done: bool = False

    def step(self, sent: Sent) -> Iterator[Event]:
        """Send ``sent``; what the strategy says until it needs something of the model again."""
        return self._until_ask(lambda: self.strategy.send(sent))

    def fail(self, error: StrategyUnfit) -> Iterator[Event]:
        """Raise ``error`` where the strategy waits."""
        return self._until_ask(lambda: self.strategy.throw(error))

    def _until_ask(self, resume: Callable[[], Effect]) -> Iterator[Event]:
        try:
            effect = resume()
            while not isinstance(effect, Ask | Read):
                answer: Sent = None
                if isinstance(effect, Event):
                    yield effect
                else:
                    answer = self.perform(effect)
                effect = self.strategy.send(answer)
            self.ask = effect if isinstance(effect, Ask) else None
        except StopIteration:
            self.done, self.ask = True, None


@dataclass(frozen=True, slots=True)
class World:
    """What a turn reaches outside: the model server, on whose behalf, how long; what that server can do (``probe``);
    and ``complete``, which adds to the body of a request what its client left open."""

    upstream: Upstream
    kernels: Kernels
    lifetime: Lifetime
    authorization: str | None = None
    probe: Callable[[], Capabilities] = Capabilities
    complete: Callable[[Json], Json] = dict


class Turn:
    """One request's: ``events()`` runs it, once."""

    def __init__(
        self,
        request: TurnRequest,
        strategies: Mapping[int, Generator[Effect, Sent, None]],
        world: World,
        *,
        round: int = 1,
        stubs: int = 0,
    ) -> None:
        """``strategies`` by choice; ``round`` is which of a program's rounds this answer is; ``stubs`` are the
        characters of the tools' stubs."""
        self._request = request
        self._world = world
        self._choices = {choice: _Running(strategy, self._perform) for choice, strategy in strategies.items()}
        self._usage = UsageSum()
        self._head: Head | None = None
        self.trace = Trace()
        self.progress = Told(round)
        self.calls = 0
        """Calls that have left so far, of all choices."""
        self.sizes = Sizes(stubs)

    def events(self) -> Generator[Event, None, None]:
        """Raises UpstreamError, ModelFault, and ClientGone where the client has left.

        The head waits for the first event that says something: then it is known which strategy answers.
        """
        begun = False
        with closing(self._events()) as events:
            for event in events:
                if isinstance(event, Head):
                    self._head = self._head or event
                    continue
                if not begun:
                    begun = True
                    yield self._head or Head()
                self.calls += isinstance(event, CallStarted)
                self.sizes.add(event)
                yield event

    @property
    def usage(self) -> Json:
        """Tokens so far, as the upstream counted them or by estimate."""
        return self._usage.total()

    def told(self) -> Json:
        """What the log is to say of the turn."""
        progress = self.progress
        told: Json = {"calls": self.calls, "asked": progress.asked, "strategy": progress.strategy}
        if progress.runs:
            told |= {"round": progress.round, "runs": progress.runs}
        if progress.left:
            told["left"] = progress.ladder
        return told | {"dropped": progress.dropped} if progress.dropped else told

    def _perform(self, effect: Run | Keep | Probe | Note) -> Sent:
        if isinstance(effect, Note):
            self.progress.note(effect)
        elif isinstance(effect, Keep):
            self._world.kernels.keep(effect.key, effect.program)
        elif isinstance(effect, Probe):
            return self._probed()
        else:
            self.progress.runs += 1
            self._world.lifetime.check()
            return self._world.kernels.run(effect.program)
        return None

    def _probed(self) -> Capabilities:
        before = time.perf_counter()
        try:
            return self._world.probe()
        finally:
            self.progress.waited += time.perf_counter() - before

    def _events(self) -> Generator[Event, None, None]:
        for choice in self._choices.values():
            yield from choice.step(None)
        while waiting := [choice for choice in self._choices.values() if choice.ask is not None]:
            asked = waiting[0].ask
            yield from self._ask([choice for choice in waiting if choice.ask == asked])
        yield UsageTotal(self._usage.total())

    def _ask(self, choices: list[_Running]) -> Iterator[Event]:
        """One question, for all ``choices`` that wait with it."""
        ask = choices[0].ask
        assert ask is not None
        body = self._body(ask, len(choices))
        for choice in choices:
            yield from choice.step(None)
        said: list[str] = []
        counted = False
        self.progress.ask()
        world = self._world
        parts = world.upstream.ask(body, authorization=world.authorization, lifetime=world.lifetime)
        try:
            with closing(parts):
                for part in self._timed(parts):
                    match part:
                        case AnswerHead(fields):
                            yield Head(fields)
                        case AnswerUsage(usage):
                            counted = True
                            self._usage.add(usage)
                        case AnswerDelta():
                            said.append(part.text)
                            said.append(part.reasoning)
                            said.append(part.refusal)
                            yield from self._hear(part, ask, choices)
        except UpstreamRefused as error:
            if not (ask.fields or ask.native) or error.status not in _NOT_UNDERSTOOD:
                raise
            unfit = StrategyUnfit(f"the model server refuses such a request: {error.message}")
            for choice in choices:
                yield from choice.fail(unfit)
            return
        for choice in choices:  # A choice that the upstream never answered or ended.
            if not choice.done and choice.ask is None:
                yield from choice.step(AnswerDelta(0, finish_reason="stop"))
        answered = "".join(said)
        self.trace.questions.append(body["messages"])
        self.trace.answers.append(answered)
        if not counted:
            self._usage.estimate(body["messages"], len(answered.encode("utf-8", "surrogatepass")))

    def _body(self, ask: Ask, n: int) -> Json:
        if ask.aside:
            return aside_body(self._request, ask.messages) | dict(ask.fields)
        if ask.native:
            own = {"n": n} if "n" in self._request.body else {}
            return self._world.complete(self._request.native_body() | own)
        return self._world.complete(upstream_body(self._request, ask.messages, n=n)) | dict(ask.fields)

    def _hear(self, part: AnswerDelta, ask: Ask, choices: list[_Running]) -> Iterator[Event]:
        """Give a piece of the answer to the choice it is for; all of them hear what was asked aside."""
        alike = ask.aside or len(choices) == 1
        for choice in choices if alike else choices[part.choice : part.choice + 1]:
            if not choice.done and choice.ask is None:
                yield from choice.step(part)

    def _timed(self, parts: Iterator[AnswerPart]) -> Iterator[AnswerPart]:
        clock = time.perf_counter
        while True:
            before = clock()
            part = next(parts, None)
            self.progress.waited += clock() - before
            if part is None:
                return
            yield part
