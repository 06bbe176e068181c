"""The emulator put together: settings, upstream, tool sets and prompts, and a turn for every request."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from emulator.capabilities import KnownCapabilities
from emulator.code.limits import CodeLimits
from emulator.continuation import Resumption
from emulator.generator import Generator, GrammarWorker
from emulator.ids import Ids
from emulator.lifetime import Lifetime, Watcher
from emulator.model_names import mapped, read_model_map
from emulator.ports import Upstream
from emulator.preparing import Preparer, ToolForms
from emulator.profiles import Profile, Profiles, with_defaults
from emulator.programs import Programs, owner_of
from emulator.protocols.chat import ChatRequest
from emulator.protocols.declared import ToolRules
from emulator.protocols.fields import json_bytes
from emulator.protocols.request import TurnRequest
from emulator.settings import Settings
from emulator.stats.recorder import Stats
from emulator.stored_responses import StoredResponses
from emulator.strategies.effects import CodeTask, ProgramTerms
from emulator.strategies.ladder import climb
from emulator.strategies.program import resumed
from emulator.strategies.table import rungs
from emulator.turn import Turn, World
from emulator.upstream.client import UpstreamClient
from emulator.upstream.thoughts import TaggedUpstream
from emulator.upstream.tokens import Tokenizer
from emulator.usage import estimated_tokens


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request's headers ask for in place of the settings of these names."""

    final: str | None = None
    strategy: str | None = None


class Emulator:
    """One a process.  ``start()`` warms up what the first request would wait for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.upstream = UpstreamClient(settings)
        self._tokenizer = Tokenizer(self.upstream)
        self._model_map = read_model_map(settings.model_map)
        self.watcher = Watcher()
        self.ids = Ids()
        self.tool_rules = ToolRules(settings.empty_tools == "ignore", settings.max_tools)
        self._profiles = Profiles(settings.profiles)
        self._generator = Generator()
        self._limits = CodeLimits(settings.max_code_bytes, settings.max_code_lines, settings.max_code_nesting)
        self._programs = Programs(settings)
        self._preparer = Preparer(settings, self._generator, GrammarWorker(), incremental=self._programs.incremental)
        self.responses = StoredResponses(self._programs.store, settings.response_seconds, settings.max_body)
        self.stats = Stats(self._programs.store)
        self._capabilities = KnownCapabilities(self.upstream, self._programs.store, self.upstream_name, settings.probe)

    def start(self) -> None:
        self._generator.start()
        self._programs.start()
        self.stats.start()

    def _new_key(self) -> str:
        return self.ids.new("")

    @property
    def upstream_name(self) -> str:
        """The model server, by words that mean the same one after a restart: an engine of our own has another port."""
        return f"local {self.settings.local_model}" if self.settings.local_model else self.settings.base_url or ""

    def model_of(self, request: TurnRequest) -> str:
        """The name of the model that is asked."""
        return self.model_named(_named(request))

    def model_named(self, name: str) -> str:
        """The model that is asked where a client names ``name``."""
        return self.settings.model or mapped(name, self._model_map)

    def passes(self, request: ChatRequest, authorization: str | None, lifetime: Lifetime) -> bool:
        """The request needs nothing that isn't the upstream's own."""
        if not request.plain_chat:
            return False
        return (
            request.format is None or self._capabilities.of(self.model_of(request), authorization, lifetime).json_schema
        )

    def with_model(self, raw: bytes, request: ChatRequest) -> bytes:
        """The request as it came, byte for byte, unless a setting says which model to ask."""
        model = self.model_of(request)
        return raw if model == _named(request) else json_bytes(request.body | {"model": model})

    def prompt_tokens(self, request: TurnRequest, authorization: str | None) -> int:
        """Tokens that the model would be sent for the request, stubs and all; an estimate where nobody can count them.

        Raises InvalidRequest where a tool's schema can't be used.
        """
        model = self.model_of(request)
        messages = self._preparer.forms(request, self._profiles.of(model)).transcript().plain()
        counted = self._tokenizer.count(model, messages, authorization)
        return estimated_tokens(messages) if counted is None else counted

    def turn(
        self, request: TurnRequest, authorization: str | None, lifetime: Lifetime, wishes: Wishes | None = None
    ) -> Turn:
        """Raises InvalidRequest where a tool's schema can't be used."""
        wishes = wishes or Wishes()
        model = self.model_of(request)
        if model != _named(request):
            request = replace(request, body=request.body | {"model": model})
        profile = self._profiles.of(model)
        forms = self._preparer.forms(request, profile)
        tasks = [
            self._task(request, forms, index, self._terms(request, authorization, wishes.final))
            for index in range(request.n)
        ]
        resumption = self._resumption(request, tasks)
        order = self._order(model, profile, wishes.strategy)
        probe_native = self.settings.probe == "native"
        strategies = {task.choice: climb(task, rungs(task, order, probe_native=probe_native)) for task in tasks}
        if resumption is not None:
            strategies[0] = resumed(tasks[0], resumption, model)
        world = World(
            self._thinking(profile),
            self._programs,
            lifetime,
            authorization,
            probe=lambda: self._capabilities.of(model, authorization, lifetime),
            complete=lambda body: with_defaults(body, profile),
        )
        rounds = 1 + resumption.trail.rounds if resumption else 1
        return Turn(request, strategies, world, round=rounds, stubs=len(forms.prepared.briefing.stubs))

    def _task(self, request: TurnRequest, forms: ToolForms, index: int, terms: ProgramTerms) -> CodeTask:
        prepared, profile = forms.prepared, forms.profile
        return CodeTask(
            choice=index,
            transcript=forms.transcript(),
            vocabulary=prepared.vocabulary,
            limits=self._limits,
            new_key=self._new_key,
            terms=terms,
            manner=prepared.manner,
            repairs=self.settings.repairs,
            in_thought=profile.tags is None and self._in_thought(profile),
            stop_given=request.stop_given or profile.stop_may_cut,
            renderings=forms,
            format=prepared.format,
            may_be_empty=request.words_only,
        )

    def _thinking(self, profile: Profile) -> Upstream:
        """The upstream, with thoughts in the model's own tags told from its words."""
        if profile.tags is None:
            return self.upstream
        return TaggedUpstream(self.upstream, profile.tags, inside=self._in_thought(profile))

    def _resumption(self, request: TurnRequest, tasks: list[CodeTask]) -> Resumption | None:
        """The program that the conversation's last calls came from, if it can go on."""
        [first, *others] = tasks
        if others or first.vocabulary is None or not first.manner.programs:
            return None
        return self._programs.resumption(request, first.terms.owner, first.terms.tools)

    def _order(self, model: str, profile: Profile, wanted: str | None) -> tuple[str, ...]:
        """The strategies to try, in order."""
        strategy = wanted or self.settings.strategy
        if strategy != "auto":
            return (strategy,)
        return self.stats.order(self.upstream_name, model, profile.strategies)

    def _terms(self, request: TurnRequest, authorization: str | None, final: str | None) -> ProgramTerms:
        return ProgramTerms(
            clock=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            timezone=self.settings.timezone,
            limits=self._programs.limits,
            final=final or self.settings.final,
            owner=owner_of(authorization),
            tools=request.tools.key.hex(),
        )

    def _in_thought(self, profile: Profile) -> bool:
        if self.settings.thoughts == "auto":
            return profile.opens_thought
        return self.settings.thoughts == "open"


def _named(request: TurnRequest) -> str:
    """The model that the client names; empty where it names none."""
    return str(request.body.get("model") or "")
