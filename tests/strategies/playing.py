"""Plays a strategy: canned answers of the model, the real interpreter, and a store that only remembers."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.code.limits import CodeLimits
from emulator.code.vocabulary import Vocabulary
from emulator.continuation import Resumption, trail_of
from emulator.errors import StrategyUnfit
from emulator.events import ArgumentsDelta, CallStarted, Event, TextDelta
from emulator.kept import KeptProgram
from emulator.ports import AnswerDelta, Capabilities
from emulator.prompt import Brief, Briefing, Prompts, Transcript
from emulator.protocols.conversation import Message, PastCall, Result
from emulator.routing import Routing, listed
from emulator.runs import Outcome, RunLimits
from emulator.strategies.code import answer
from emulator.strategies.effects import (
    Ask,
    CodeTask,
    Dropped,
    Effect,
    Keep,
    Left,
    Note,
    Probe,
    ProgramTerms,
    Read,
    Repairing,
    Run,
    Sent,
    Tried,
)
from emulator.strategies.program import resumed
from tests.code.running import CLOCK, interpreter
from tests.code.samples import TOOLS

Json = dict[str, Any]
PROMPTS = Prompts()
KEYS = [f"{number:024x}" for number in range(1, 9)]
REQUEST = Message("user", "What's the weather?", {"role": "user", "content": "What's the weather?"})


def briefing(**flags: Any) -> Briefing:
    return Briefing("def now(): ...", lambda name, arguments: (name.replace("-", "_"), arguments), **flags)


def task(
    conversation: Sequence[Message] = (REQUEST,),
    *,
    final: str = "model",
    limits: RunLimits | None = None,
    required: bool = False,
    **options: Any,
) -> CodeTask:
    """A task of one choice; its answers' keys are ``KEYS`` in turn."""
    keys = iter(KEYS)
    terms = ProgramTerms(CLOCK, "UTC", limits or RunLimits(), final, "owner", "tools")
    transcript = Transcript(PROMPTS, conversation, briefing(required=required), Brief())
    return CodeTask(0, transcript, TOOLS, CodeLimits(), lambda: next(keys), terms, **options)


@dataclass(frozen=True)
class Forms:
    """The tools in recognisable forms, as what renders them would give them; ``shown`` are those demanded last."""

    given: CodeTask
    shown: list[str] = field(default_factory=list[str])

    def constraint(self, capabilities: Capabilities) -> Json | None:
        return {"grammar": "calls"} if capabilities.grammar else None

    def decisions(self) -> Transcript:
        return self.given.transcript

    def decision_fields(self, capabilities: Capabilities) -> Json:
        return {"response_format": "decision"} if capabilities.json_schema else {}

    def routing(self) -> Routing:
        names = [listed(name, None) for name in TOOLS.names]
        return Routing(PROMPTS, self.given.transcript.conversation, names)

    def names_fields(self, capabilities: Capabilities) -> Json:
        return {"grammar": "names"} if capabilities.grammar else {}

    def checked(self, name: str) -> list[str]:
        return ["city", "to"]

    def without(self, task: CodeTask) -> CodeTask:
        return replace(task, vocabulary=None)

    def demanded(self, task: CodeTask, names: Sequence[str]) -> CodeTask:
        self.shown[:] = names
        tools = {name: task.vocabulary.tools[name] for name in names if task.vocabulary}
        demanded = replace(task.transcript, briefing=briefing(required=True))
        return replace(task, vocabulary=Vocabulary(tools, {}), transcript=demanded)


def formed(**options: Any) -> CodeTask:
    """A task whose tools can be shown in all forms."""
    made = task(**options)
    return replace(made, renderings=Forms(made))


@dataclass
class Played:
    """All that a strategy asked for and said."""

    events: list[Event] = field(default_factory=list[Event])
    asks: list[Ask] = field(default_factory=list[Ask])
    asked: list[list[Json]] = field(default_factory=list[list[Json]])
    runs: list[Outcome] = field(default_factory=list[Outcome])
    kept: dict[str, KeptProgram] = field(default_factory=dict[str, KeptProgram])
    dropped: list[str] = field(default_factory=list[str])
    tried: list[str] = field(default_factory=list[str])
    left: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    repairs: int = 0

    def told(self, effect: Note | Event) -> None:
        """What nobody answers."""
        match effect:
            case Dropped(reason):
                self.dropped.append(reason)
            case Tried(name):
                self.tried.append(name)
            case Left(name, reason):
                self.left.append((name, reason))
            case Repairing():
                self.repairs += 1
            case _:
                self.events.append(effect)

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Names and arguments of the calls that left, in order."""
        names = {event.index: event.name for event in self.events if isinstance(event, CallStarted)}
        arguments = dict.fromkeys(names, "")
        for event in self.events:
            if isinstance(event, ArgumentsDelta):
                arguments[event.index] += event.fragment
        return [(names[index], arguments[index]) for index in names]

    @property
    def ids(self) -> list[str]:
        return [event.id for event in self.events if isinstance(event, CallStarted)]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def question(self) -> str:
        """The last message of the last question to the model."""
        return self.asked[-1][-1]["content"]


def play(
    strategy: Generator[Effect, Sent, None],
    answers: Sequence[Iterable[AnswerDelta] | StrategyUnfit] = (),
    capabilities: Capabilities | None = None,
) -> Played:
    """Run the strategy to its end.  Every one of ``answers`` must be asked for; an error is raised by its question."""
    played = Played()
    left = iter(answers)
    deltas: Iterator[AnswerDelta] = iter(())
    sent: Sent = None
    refused: StrategyUnfit | None = None
    try:
        while True:
            effect = strategy.throw(refused) if refused else strategy.send(sent)
            sent = refused = None
            match effect:
                case Ask(messages):
                    played.asks.append(effect)
                    played.asked.append(messages)
                    given = next(left)
                    if isinstance(given, StrategyUnfit):
                        refused = given
                    else:
                        deltas = iter(given)
                case Read():
                    sent = next(deltas)
                case Run(program):
                    sent = interpreter().run(program)
                    played.runs.append(sent)
                case Keep(key, program):
                    played.kept[key] = program
                case Probe():
                    sent = capabilities or Capabilities()
                case _:
                    played.told(effect)
    except StopIteration:
        assert next(left, None) is None, "the model was asked less often than expected"
    return played


def whole(text: str, reason: str = "stop", reasoning: str = "") -> list[AnswerDelta]:
    """An answer that comes in one piece."""
    return [AnswerDelta(0, text, reasoning, reason)]


def fenced(code: str) -> list[AnswerDelta]:
    return whole(f"```python\n{code}\n```")


class Failed(str):
    """A result that the protocol marks as an error."""

    __slots__ = ()


def returned(played: Played, *results: Any) -> Message:
    """The client's message with the calls of an answer and their results: JSON, or ``Failed``."""
    calls = tuple(PastCall(id, name, arguments) for id, (name, arguments) in zip(played.ids, played.calls, strict=True))
    found = tuple(
        Result(id, result if isinstance(result, str) else json.dumps(result), isinstance(result, Failed))
        for id, result in zip(played.ids, results, strict=True)
    )
    return Message("assistant", None, {"role": "assistant"}, calls, found)


class Client:
    """An OpenAI client with a conversation; ``kept`` is the server's store."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.conversation: list[Message] = [REQUEST]
        self.kept: dict[str, KeptProgram] = {}

    def ask(self, *answers: Iterable[AnswerDelta]) -> Played:
        """The request as the conversation stands; the program that its last calls came from goes on."""
        todo = task(self.conversation, **self.options)
        trail = trail_of(self.conversation)
        kept = self.kept.get(trail.key) if trail else None
        if trail is None or kept is None:
            played = play(answer(todo), answers)
        else:
            fresh = replace(todo, new_key=lambda: KEYS[len(self.kept)])
            played = play(resumed(fresh, Resumption(kept, trail), "m"), answers)
        self.kept |= played.kept
        return played

    def give(self, played: Played, *results: Any) -> None:
        self.conversation.append(returned(played, *results))


def ended(code: str, *results: Any, **options: Any) -> tuple[Client, Played]:
    """A client with the results of a program's first round."""
    client = Client(**options)
    played = client.ask(fenced(code))
    client.give(played, *results)
    return client, played
