"""What a request's tools become before a model is asked: stubs, prompts, names to read calls by; kept by content."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, cast

import orjson

from emulator.code.readings import Manner
from emulator.code.vocabulary import Vocabulary
from emulator.errors import InvalidRequest
from emulator.ports import Capabilities
from emulator.profiles import Profile, PromptStyle
from emulator.prompt import Brief, Briefing, Prompts, Transcript
from emulator.protocols.conversation import FunctionTool, ResponseFormat, ToolChoice
from emulator.protocols.request import TurnRequest
from emulator.recent import Recent
from emulator.routing import Routing, listed
from emulator.settings import Settings
from emulator.strategies.effects import CodeTask
from emulator.tools.answer_format import AnswerFormat
from emulator.tools.grammar.answers import Demands, Thinking
from emulator.tools.grammar.choosing import some_of
from emulator.tools.grammar.dialects import Dialect, grammar_fields, schema_fields
from emulator.tools.grammar.gbnf import gbnf
from emulator.tools.jobs import Grammars, StubMaker
from emulator.tools.schema import SchemaError, SchemaLimits
from emulator.tools.toolset import ToolSet, ToolSets

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is made once for a tool set, a choice among it and a style.  ``names`` are the client's, of the tools that
    may be called."""

    tools: ToolSet
    names: tuple[str, ...]
    vocabulary: Vocabulary | None
    briefing: Briefing
    brief: Brief
    manner: Manner
    format: AnswerFormat | None


class Preparer:
    """One a process.  ``make`` and ``grammars`` work with what is hostile; ``incremental``: kernels go on from an
    earlier step of a program."""

    def __init__(self, settings: Settings, make: StubMaker, grammars: Grammars, *, incremental: bool) -> None:
        self.prompts = Prompts()
        self._settings = settings
        self._incremental = incremental
        self._toolsets = ToolSets(make, schema_limits(settings), settings.stub_cache, grammars=grammars)
        self._prepared = Recent[Hashable, Prepared](settings.stub_cache)
        self._serial = tuple(filter(None, (pattern.strip() for pattern in settings.serial_tools.split(","))))

    def forms(self, request: TurnRequest, profile: Profile) -> ToolForms:
        """Raises InvalidRequest where a tool's schema can't be used."""
        return ToolForms(self, request, self.prepared(request, request.choice, profile.style), profile)

    def prepared(
        self, request: TurnRequest, choice: ToolChoice, style: PromptStyle, *, demanded: bool = False
    ) -> Prepared:
        """``demanded``: it is known that a call is needed, and asked for without a word of anything else.

        Raises InvalidRequest where a tool's schema can't be used."""
        tools = self._toolsets.get(request.tools.tools, (request.tools.key, request.tools.size))
        wanted = answer_format(request.format)
        key = (tools.key, choice, request.parallel, style, demanded, wanted and (wanted.name, wanted.text))
        if (known := self._prepared.get(key)) is not None:
            return known
        made = self._made(request, choice, tools, style, wanted, demanded=demanded)
        return self._prepared.put(key, made, made.brief.size + 1024)

    def _made(
        self,
        request: TurnRequest,
        choice: ToolChoice,
        tools: ToolSet,
        style: PromptStyle,
        wanted: AnswerFormat | None,
        *,
        demanded: bool,
    ) -> Prepared:
        programs = self._settings.programs
        names = choice.names if choice.mode != "none" else ()
        chosen = {tool.python_name: tool for name in names if (tool := tools.by_name[name])}
        briefing = Briefing(
            stubs=tools.stubs(names) if names else "",
            python_names=tools.python_names,
            named=next(iter(chosen), None) if choice.named else None,
            required=choice.mode == "required",
            single=not (request.parallel or programs),
            chained=programs and not demanded and len(chosen) > 1 and any(tool.parameters for tool in chosen.values()),
            format=None if wanted is None else wanted.text,
            demanded=demanded,
        )
        models = {model: fields for tool in chosen.values() for model, fields in tool.model_fields.items()}
        declared = {tool.name: tool for tool in request.tools.tools}
        manner = Manner(
            programs=programs,
            incremental=self._incremental,
            single=not request.parallel,
            serial=frozenset(python for python, tool in chosen.items() if self._is_serial(declared[tool.name])),
            formats=wanted is None,
        )
        return Prepared(
            tools,
            tuple(names),
            Vocabulary(chosen, models) if chosen else None,
            briefing,
            self.prompts.brief(briefing, style),
            manner,
            wanted,
        )

    def _is_serial(self, tool: FunctionTool) -> bool:
        return tool.serial or any(fnmatchcase(tool.name, pattern) for pattern in self._serial)


@dataclass(frozen=True, slots=True)
class ToolForms:
    """Implements strategies.effects.Renderings for one request."""

    preparer: Preparer
    request: TurnRequest
    prepared: Prepared
    profile: Profile

    def transcript(self) -> Transcript:
        """The conversation for answers in code."""
        return Transcript(self.preparer.prompts, self.request.messages, self.prepared.briefing, self.prepared.brief)

    def constraint(self, capabilities: Capabilities) -> Mapping[str, Any] | None:
        prepared, thinking = self.prepared, self._thinking(capabilities)
        if capabilities.grammar is None or thinking is None:
            return None
        demands = Demands(
            required=prepared.briefing.required,
            single=prepared.manner.single,
            programs=prepared.manner.programs and not prepared.briefing.demanded,
            thinking=thinking,
        )
        grammar = prepared.tools.grammar(prepared.names, demands)
        return None if grammar is None else grammar_fields(capabilities.grammar, grammar)

    def _thinking(self, capabilities: Capabilities) -> Thinking | None:
        """Where thoughts are free of any grammar; None where one can't tell their end."""
        try:
            return Thinking(
                *(self.profile.tags or ()),
                opened=self.profile.opens_thought,
                # llama.cpp applies a grammar from the first token on; the others behind the thought, if they know it.
                apart=capabilities.grammar != Dialect.LLAMA_CPP,
            )
        except ValueError:
            return None

    def decisions(self) -> Transcript:
        prompts, briefing = self.preparer.prompts, self._as_json()
        return Transcript(prompts, self.request.messages, briefing, prompts.brief(briefing, self.profile.style))

    def _as_json(self) -> Briefing:
        declared = {tool.name: tool for tool in self.request.tools.tools}
        lines = [_tool_line(declared[name]) for name in self.prepared.names]
        briefing = self.prepared.briefing
        choice = self.request.choice
        return replace(
            briefing, stubs="\n".join(lines), named=choice.names[0] if choice.named else None, decisions=True
        )

    def decision_fields(self, capabilities: Capabilities) -> Mapping[str, Any]:
        if not capabilities.json_schema:
            return {}
        prepared = self.prepared
        schema = prepared.tools.decisions(
            prepared.names, required=prepared.briefing.required, single=prepared.manner.single
        )
        return schema_fields("decision", schema)

    def routing(self) -> Routing:
        declared = {tool.name: tool for tool in self.request.tools.tools}
        chosen = [self.prepared.tools.by_name[name] for name in self.prepared.names]
        functions = [listed(tool.python_name, declared[tool.name].description) for tool in chosen]
        return Routing(self.preparer.prompts, self.request.messages, functions, self.profile.style)

    def names_fields(self, capabilities: Capabilities) -> Mapping[str, Any]:
        if capabilities.grammar is None or self.prepared.vocabulary is None:
            return {}
        return grammar_fields(capabilities.grammar, gbnf(some_of(list(self.prepared.vocabulary.names), "none")))

    def checked(self, name: str) -> Collection[str]:
        parameters = next(tool.parameters for tool in self.request.tools.tools if tool.name == name)
        schema = cast(Json, parameters) if isinstance(parameters, dict) else {}
        properties, required = schema.get("properties"), schema.get("required")
        if not isinstance(properties, dict) or not isinstance(required, list):
            return ()
        described = cast(Json, properties)
        return [key for key in cast(list[Any], required) if _is_free(described.get(key))]

    def without(self, task: CodeTask) -> CodeTask:
        return self._with(task, ToolChoice("none", ()))

    def demanded(self, task: CodeTask, names: Sequence[str]) -> CodeTask:
        of = {tool.python_name: name for name, tool in self.prepared.tools.by_name.items()}
        return self._with(task, ToolChoice("required", tuple(of[name] for name in names)), demanded=True)

    def _with(self, task: CodeTask, choice: ToolChoice, *, demanded: bool = False) -> CodeTask:
        prepared = self.preparer.prepared(self.request, choice, self.profile.style, demanded=demanded)
        forms = replace(self, prepared=prepared)
        return replace(
            task,
            transcript=forms.transcript(),
            vocabulary=prepared.vocabulary,
            manner=prepared.manner,
            renderings=forms,
        )


def _is_free(schema: object) -> bool:
    return not (isinstance(schema, dict) and cast(Json, schema).keys() & {"enum", "const"})


def _tool_line(tool: FunctionTool) -> str:
    described: Json = {"name": tool.name, "description": tool.description, "parameters": tool.parameters or {}}
    return orjson.dumps({key: value for key, value in described.items() if value is not None}).decode()


def answer_format(wanted: ResponseFormat | None) -> AnswerFormat | None:
    """Raises InvalidRequest where the format's schema can't be used."""
    if wanted is None:
        return None
    try:
        return AnswerFormat(wanted.schema, wanted.name)
    except SchemaError as error:
        named = f" '{wanted.name[:80]}'" if wanted.name else ""
        path = f"schema{error.path.removeprefix('parameters')}"
        raise InvalidRequest(
            f"Invalid schema for {wanted.place}{named}: {error.message} (at {path}).",
            param=wanted.place,
            code="invalid_json_schema",
        ) from None


def schema_limits(settings: Settings) -> SchemaLimits:
    return SchemaLimits(
        settings.max_schema_bytes,
        settings.max_schema_depth,
        settings.max_schema_properties,
        settings.max_schema_enum,
    )
