"""The emulator put together: settings, upstream, tool sets and prompts, and a turn for every request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import orjson

from emulator.code.check import CodeError
from emulator.code.limits import CodeLimits
from emulator.code.readings import Manner
from emulator.code.schedule import Scheduled
from emulator.code.schedules import KEPT_BYTES
from emulator.code.vocabulary import Vocabulary
from emulator.continuation import Resumption
from emulator.generator import Generator
from emulator.ids import Ids
from emulator.lifetime import Lifetime, Watcher
from emulator.profiles import Profiles
from emulator.programs import Programs, owner_of
from emulator.prompt import Briefing, Prompts, Transcript
from emulator.protocols.chat import ChatRequest, ChatRules
from emulator.protocols.conversation import FunctionTool
from emulator.recent import Recent
from emulator.settings import Settings
from emulator.strategies.code import answer
from emulator.strategies.effects import CodeTask, ProgramTerms
from emulator.strategies.program import resumed
from emulator.tools.schema import SchemaLimits
from emulator.tools.toolset import ToolSet, ToolSets
from emulator.turn import Turn
from emulator.upstream.client import UpstreamClient


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is made once for a tool set and a choice among it."""

    vocabulary: Vocabulary | None
    briefing: Briefing
    brief: str
    manner: Manner


class Emulator:
    """One a process.  ``start()`` warms up what the first request would wait for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.upstream = UpstreamClient(settings)
        self.watcher = Watcher()
        self.ids = Ids()
        self.chat_rules = ChatRules(settings.empty_tools == "ignore", settings.max_tools)
        self._prompts = Prompts()
        self._profiles = Profiles()
        self._generator = Generator()
        self._toolsets = ToolSets(self._generator, schema_limits(settings), settings.stub_cache)
        self._limits = CodeLimits(settings.max_code_bytes, settings.max_code_lines, settings.max_code_nesting)
        self._programs = Programs(settings)
        self._scheduled = Recent[Hashable, Scheduled | CodeError](KEPT_BYTES)
        self._serial = tuple(filter(None, (pattern.strip() for pattern in settings.serial_tools.split(","))))
        self._prepared = Recent[Hashable, Prepared](settings.stub_cache)

    def start(self) -> None:
        self._generator.start()
        self._programs.start()

    def _new_key(self) -> str:
        return self.ids.new("")

    def with_model(self, raw: bytes, chat: ChatRequest) -> bytes:
        """The request as it came, byte for byte, unless --model says which model to ask."""
        if self.settings.model is None or chat.body.get("model") == self.settings.model:
            return raw
        return orjson.dumps(chat.body | {"model": self.settings.model})

    def turn(
        self, chat: ChatRequest, authorization: str | None, lifetime: Lifetime, *, final: str | None = None
    ) -> Turn:
        """``final`` is the request's own wish for the setting of that name.

        Raises InvalidRequest where a tool's schema can't be used.
        """
        prepared = self._prepare(chat)
        model = self.settings.model or str(chat.body.get("model", ""))
        transcript = Transcript(self._prompts, chat.messages, prepared.briefing, prepared.brief)
        terms = self._terms(chat, authorization, final)
        in_thought = self._in_thought(model)
        tasks = [
            CodeTask(
                choice=index,
                transcript=transcript,
                vocabulary=prepared.vocabulary,
                limits=self._limits,
                new_key=self._new_key,
                terms=terms,
                manner=prepared.manner,
                repairs=self.settings.repairs,
                in_thought=in_thought,
                stop_given=chat.stop_given,
            )
            for index in range(chat.n)
        ]
        resumption = self._resumption(chat, tasks)
        strategies = {task.choice: answer(task) for task in tasks}
        if resumption is not None:
            strategies[0] = resumed(tasks[0], resumption, model)
        return Turn(
            chat,
            self.upstream,
            strategies,
            self._programs,
            authorization=authorization,
            lifetime=lifetime,
            round=1 + resumption.trail.rounds if resumption else 1,
        )

    def _resumption(self, chat: ChatRequest, tasks: list[CodeTask]) -> Resumption | None:
        """The program that the conversation's last calls came from, if it can go on."""
        [first, *others] = tasks
        if others or first.vocabulary is None or not first.manner.programs:
            return None
        return self._programs.resumption(chat, first.terms.owner, first.terms.tools)

    def _terms(self, chat: ChatRequest, authorization: str | None, final: str | None) -> ProgramTerms:
        return ProgramTerms(
            clock=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            timezone=self.settings.timezone,
            limits=self._programs.limits,
            final=final or self.settings.final,
            owner=owner_of(authorization),
            tools=chat.tools.key.hex(),
        )

    def _in_thought(self, model: str) -> bool:
        if self.settings.thoughts == "auto":
            return self._profiles.of(model).opens_thought
        return self.settings.thoughts == "open"

    def _prepare(self, chat: ChatRequest) -> Prepared:
        tools = self._toolsets.get(chat.tools.tools, (chat.tools.key, chat.tools.size))
        key = (tools.key, chat.choice, chat.parallel)
        if (known := self._prepared.get(key)) is not None:
            return known
        made = self._made(chat, tools)
        return self._prepared.put(key, made, len(made.brief) + 1024)

    def _made(self, chat: ChatRequest, tools: ToolSet) -> Prepared:
        choice = chat.choice
        names = choice.names if choice.mode != "none" else ()
        chosen = {tool.python_name: tool for name in names if (tool := tools.by_name[name])}
        briefing = Briefing(
            stubs=tools.stubs(names) if names else "",
            python_names=tools.python_names,
            named=next(iter(chosen), None) if choice.named else None,
            required=choice.mode == "required",
            single=not (chat.parallel or self.settings.programs),
            chained=self.settings.programs and len(chosen) > 1 and any(tool.parameters for tool in chosen.values()),
        )
        models = {model: fields for tool in chosen.values() for model, fields in tool.model_fields.items()}
        vocabulary = Vocabulary(chosen, models, self._scheduled) if chosen else None
        declared = {tool.name: tool for tool in chat.tools.tools}
        manner = Manner(
            programs=self.settings.programs,
            incremental=self._programs.incremental,
            single=not chat.parallel,
            serial=frozenset(python for python, tool in chosen.items() if self._is_serial(declared[tool.name])),
        )
        return Prepared(vocabulary, briefing, self._prompts.brief(briefing), manner)

    def _is_serial(self, tool: FunctionTool) -> bool:
        return tool.serial or any(fnmatchcase(tool.name, pattern) for pattern in self._serial)


def schema_limits(settings: Settings) -> SchemaLimits:
    return SchemaLimits(
        settings.max_schema_bytes,
        settings.max_schema_depth,
        settings.max_schema_properties,
        settings.max_schema_enum,
    )
