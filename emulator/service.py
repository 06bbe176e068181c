"""The emulator put together: settings, upstream, tool sets and prompts, and a turn for every request."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import orjson

from emulator.code.limits import CodeLimits
from emulator.code.reader import Vocabulary
from emulator.generator import Generator
from emulator.ids import Ids
from emulator.lifetime import Lifetime, Watcher
from emulator.profiles import Profiles
from emulator.prompt import Briefing, Prompts
from emulator.protocols.chat import ChatRequest, ChatRules
from emulator.recent import Recent
from emulator.settings import Settings
from emulator.strategies.code import CodeTask
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
        self._prepared = Recent[Hashable, Prepared](settings.stub_cache)

    def start(self) -> None:
        self._generator.start()

    def _new_call_id(self) -> str:
        return self.ids.new("call_")

    def with_model(self, raw: bytes, chat: ChatRequest) -> bytes:
        """The request as it came, byte for byte, unless --model says which model to ask."""
        if self.settings.model is None or chat.body.get("model") == self.settings.model:
            return raw
        return orjson.dumps(chat.body | {"model": self.settings.model})

    def turn(self, chat: ChatRequest, authorization: str | None, lifetime: Lifetime) -> Turn:
        """Raises InvalidRequest where a tool's schema can't be used."""
        prepared = self._prepare(chat)
        messages = self._prompts.messages(chat.messages, prepared.briefing, prepared.brief)
        in_thought = self._in_thought(self.settings.model or str(chat.body.get("model", "")))
        tasks = [
            CodeTask(
                choice=index,
                messages=messages,
                vocabulary=prepared.vocabulary,
                briefing=prepared.briefing,
                prompts=self._prompts,
                limits=self._limits,
                new_id=self._new_call_id,
                repairs=self.settings.repairs,
                in_thought=in_thought,
                stop_given=chat.stop_given,
            )
            for index in range(chat.n)
        ]
        return Turn(chat, self.upstream, tasks, authorization=authorization, lifetime=lifetime)

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
            single=not chat.parallel,
        )
        models = {model: fields for tool in chosen.values() for model, fields in tool.model_fields.items()}
        vocabulary = Vocabulary(chosen, models) if chosen else None
        return Prepared(vocabulary, briefing, self._prompts.brief(briefing))


def schema_limits(settings: Settings) -> SchemaLimits:
    return SchemaLimits(
        settings.max_schema_bytes,
        settings.max_schema_depth,
        settings.max_schema_properties,
        settings.max_schema_enum,
    )
