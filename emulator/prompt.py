"""A conversation with tools → what a plain chat model is sent.

The tools' stubs stand in the last user message, right before the request, or in the system text, as the model's profile
has it; worked examples are messages; calls of earlier turns are shown as the code that the model is asked for, each
with its result.  A result is data: it stands in a fence that is longer than any inside it.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from emulator.profiles import DEFAULT_STYLE, PROMPTS, PromptStyle
from emulator.protocols.conversation import Message, PastCall, Result
from emulator.shape import appended, merged, ordered

Json = dict[str, Any]
TEMPLATES = Path(__file__).parent.parent / "templates" / "prompts"

_DECISIONS = "bridge"
"""The variant for answers that are decisions in JSON."""
_CALLS = "calls"
"""The variant for answers that are calls, whatever the request."""
_QUESTIONS = ("whether", "which")
_BACKTICKS = re.compile(r"`{3,}")
_EXAMPLE = re.compile(r"^=== (\w+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Briefing:
    """What the model is told of the tools in one request.  ``stubs`` is empty where no call is wanted.

    ``named`` is the Python name of the one function to call; ``required``: words alone won't do;
    ``single``: one call only.
    """

    stubs: str
    python_names: Callable[[str, Json], tuple[str, Json]]
    """The client's name and arguments of a call → those that the stubs have."""
    named: str | None = None
    required: bool = False
    single: bool = False
    chained: bool = False
    """Programs run, and there are tools whose results could be fed into calls: the model is taught to do so."""
    demanded: bool = False
    """It is known that calls are needed: the model is told of nothing else."""
    decisions: bool = False
    """Calls are written as decisions in JSON; ``stubs`` and ``named`` are the tools as their client declares them."""
    format: str | None = None
    """Words are to be JSON: the schema's text, or "" for any object."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What is wrong with an answer: ``problem`` is "statement" (``source`` can't be used because of ``error``),
    "required" (it has no call), "silent" (its code did nothing), "format" (its words aren't the JSON that is wanted,
    because of ``error``) or "empty".

    ``made`` are calls, as code, that have left already; ``named`` is the one function to call; ``programs`` tells
    whether code may compute.
    """

    problem: str
    source: str = ""
    error: str = ""
    made: str = ""
    named: str | None = None
    programs: bool = False


@dataclass(frozen=True, slots=True)
class Brief:
    """What a model is told beside the conversation, rendered: ``rules`` in the system text, ``examples`` as messages,
    ``request`` before the last request.  All of it is empty where no call is wanted."""

    style: PromptStyle = DEFAULT_STYLE
    rules: str = ""
    examples: tuple[Json, ...] = ()
    request: str = ""

    @property
    def size(self) -> int:
        """Characters of what was rendered for it alone."""
        return len(self.rules) + len(self.request)


@dataclass(frozen=True, slots=True)
class _Variant:
    """One variant of the prompt.  What depends on ``Briefing.chained`` alone is rendered for both."""

    rules: dict[bool, str]
    examples: dict[bool, tuple[Json, ...]]
    request: Template
    repair: Template


class Prompts:
    """The templates, loaded once.  Prompts are text, so nothing is escaped; what is unknown is an error."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - prompts are plain text; HTML has an environment of its own
            keep_trailing_newline=False,
            trim_blocks=False,
        )
        self._variants = {variant: self._variant(variant) for variant in (*PROMPTS, _DECISIONS, _CALLS)}
        self._results = self._templates.get_template("results.jinja")
        self._questions = {
            name: (
                _examples(self._templates.get_template(f"{name}_examples.jinja").render()),
                self._templates.get_template(f"{name}.jinja"),
            )
            for name in _QUESTIONS
        }
        self._format = self._templates.get_template("format.jinja")
        self._output = self._templates.get_template("output.jinja")
        self._failed = self._templates.get_template("failed.jinja")
        self._fillers = (
            self._templates.get_template("opening.jinja").render(),
            self._templates.get_template("go_on.jinja").render(),
        )

    def _variant(self, variant: str) -> _Variant:
        system, examples, request, repair = (
            self._templates.select_template([f"{variant}/{name}.jinja", f"{name}.jinja"])
            for name in ("system", "examples", "request", "repair")
        )
        return _Variant(
            {chained: system.render(chained=chained) for chained in (False, True)},
            {chained: _examples(examples.render(chained=chained)) for chained in (False, True)},
            request,
            repair,
        )

    def brief(self, briefing: Briefing, style: PromptStyle = DEFAULT_STYLE) -> Brief:
        """What the model is told of the tools, in the style of its profile.  Callers cache it."""
        wanted = "" if briefing.format is None else self._format.render(schema=briefing.format, tools=briefing.stubs)
        if not briefing.stubs:
            return Brief(style, request=wanted)
        variant = self._variants[_variant_of(briefing, style)]
        rules = variant.rules[briefing.chained]
        apart = style.stubs == "system"
        if apart:
            shown = variant.request.render(stubs=briefing.stubs, above=False, named=None, required=False, single=False)
            rules = f"{rules}\n\n{shown}"
        request = variant.request.render(
            stubs="" if apart else briefing.stubs,
            above=apart and style.examples,
            named=briefing.named,
            required=briefing.required and not briefing.demanded,  # Those rules know of nothing but calls.
            single=briefing.single,
        )
        examples = variant.examples[briefing.chained] if style.examples else ()
        return Brief(style, rules, examples, "\n\n".join(filter(None, (request.lstrip("\n"), wanted))))

    def messages(self, conversation: Sequence[Message], briefing: Briefing, brief: Brief) -> list[Json]:
        """The messages for the upstream; ``brief`` is ``brief(briefing, style)``."""
        leading = 0
        while leading < len(conversation) and conversation[leading].role in ("system", "developer"):
            leading += 1
        system = self._system(conversation[:leading], brief.rules)
        last_user = max((i for i, m in enumerate(conversation) if m.role == "user"), default=None)
        turns: list[Json] = []
        for index, message in enumerate(conversation[leading:], leading):
            if message.calls:
                turns += self._exchange(message, briefing)
            else:
                turns.append(_plain(message, brief.request if index == last_user else ""))
        if brief.request and last_user is None:
            turns.append({"role": "user", "content": brief.request})
        if brief.style.any_order:
            return [*system, *brief.examples, *merged(turns)]
        return ordered(system, brief.examples, turns, brief.style, self._fillers)

    def repair(self, messages: list[Json], answer: str, repair: Repair, *, decisions: bool = False) -> list[Json]:
        """``messages`` with the model's answer and the question that asks for what is wrong or missing."""
        template = self._variants[_DECISIONS if decisions else PROMPTS[0]].repair
        text = template.render(repair=repair, fence=_fence(repair.source, repair.made, repair.error))
        shown = [{"role": "assistant", "content": answer}] if answer.strip() else []
        return appended(messages, *shown, {"role": "user", "content": text})

    def with_output(self, messages: list[Json], program: str, output: str) -> list[Json]:
        """``messages`` with what the program printed, to be put into words; ``program`` is shown unless empty."""
        text = self._output.render(output=output, fence=_fence(output))
        shown = [{"role": "assistant", "content": f"```python\n{program}\n```"}] if program else []
        return appended(messages, *shown, {"role": "user", "content": text})

    def with_failure(self, messages: list[Json], program: str, traceback: str) -> list[Json]:
        """``messages`` with the exception that ended the program, to be corrected."""
        text = self._failed.render(program=program, traceback=traceback, fence=_fence(program, traceback))
        return appended(messages, {"role": "user", "content": text})

    def question(self, name: str, style: PromptStyle, **words: Any) -> list[Json]:
        """A question about the request, "whether" or "which", behind its worked examples."""
        (system, *examples), template = self._questions[name]
        asked: Json = {"role": "user", "content": template.render(**words)}
        if style.any_order:
            return [system, *examples, asked]
        return ordered([system], examples, [asked], style, self._fillers)

    def _system(self, leading: Sequence[Message], rules: str) -> list[Json]:
        texts = [text for message in leading if (text := text_only(message.content)) is not None]
        if len(texts) < len(leading):  # Content that isn't text stays as it is, and stays first.
            kept: list[Json] = [message.fields | {"role": "system"} for message in leading]
            return [*kept, {"role": "system", "content": rules}] if rules else kept
        if rules:
            texts.append(rules)
        return [{"role": "system", "content": "\n\n".join(texts)}] if texts else []

    def _exchange(self, message: Message, briefing: Briefing) -> list[Json]:
        """An assistant turn with calls, as code, and the results that the client sent."""
        calls = [call_as_code(call, briefing) for call in message.calls]
        words = text_only(message.content) or ""
        code = _decision(message.calls) if briefing.decisions else "\n".join(["```python", *calls, "```"])
        turn = message.fields | {"role": "assistant", "content": f"{words}\n\n{code}" if words.strip() else code}
        return [turn, {"role": "user", "content": self._shown_results(calls, message.results)}]

    def _shown_results(self, calls: Sequence[str], results: Sequence[Result]) -> str | list[Json]:
        shown: list[Json] = []
        others: list[Json] = []
        for call, result in zip(calls, results, strict=True):
            text, rest = _split_parts(result.content)
            others += rest
            shown.append({"call": _shortened(call), "text": text, "error": result.error, "fence": _fence(text)})
        rendered = self._results.render(results=shown)
        return [{"type": "text", "text": rendered}, *others] if others else rendered


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation as the model may be shown it.  ``brief`` is ``prompts.brief(briefing, style)``."""

    prompts: Prompts
    conversation: Sequence[Message]
    briefing: Briefing
    brief: Brief

    def plain(self, *, output: str = "") -> list[Json]:
        """All of it: calls as code, each with its result; and what a program printed beside, if anything."""
        messages = self.prompts.messages(self.conversation, self.briefing, self.brief)
        return self.prompts.with_output(messages, "", output) if output else messages

    def worded(self, program: str, output: str, start: int | None = None) -> list[Json]:
        """The conversation up to message ``start``, the program that answered it, and what that printed."""
        messages = self.prompts.messages(self.conversation[:start], self.briefing, self.brief)
        return self.prompts.with_output(messages, program, output)

    def failed(self, program: str, traceback: str) -> list[Json]:
        """All of it, and the exception that ended the program."""
        return self.prompts.with_failure(self.plain(), program, traceback)


def _variant_of(briefing: Briefing, style: PromptStyle) -> str:
    if briefing.decisions:
        return _DECISIONS
    return _CALLS if briefing.demanded else style.prompt


def _decision(calls: Sequence[PastCall]) -> str:
    """Calls as the model writes them where it answers with decisions."""
    shown = (f'{{"name": {json.dumps(call.name)}, "arguments": {_json_text(call.arguments)}}}' for call in calls)
    return f'{{"calls": [{", ".join(shown)}]}}'


def _json_text(text: str) -> str:
    """``text`` if it is JSON, else as a JSON string: a client's history may hold anything."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps(text, ensure_ascii=False)
    return text


def _examples(text: str) -> tuple[Json, ...]:
    parts = _EXAMPLE.split(text.strip() + "\n")[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return tuple({"role": role, "content": content.strip("\n")} for role, content in pairs)


def _plain(message: Message, brief: str) -> Json:
    role = "system" if message.role == "developer" else message.role
    content = message.content if message.content is not None else ""
    if brief:
        content = f"{brief}\n\n{content}" if isinstance(content, str) else [{"type": "text", "text": brief}, *content]
    return message.fields | {"role": role, "content": content}


def text_only(content: str | list[Json] | None) -> str | None:
    """The text of a content, or None if some part isn't text."""
    if content is None or isinstance(content, str):
        return content or ""
    if any(part.get("type") not in ("text", "refusal") for part in content):
        return None
    return "\n".join(part.get("text") or part.get("refusal") or "" for part in content)


def _split_parts(content: str | list[Json]) -> tuple[str, list[Json]]:
    if isinstance(content, str):
        return content, []
    text = "\n".join(part["text"] for part in content if part.get("type") == "text")
    return text, [part for part in content if part.get("type") != "text"]


def _fence(*texts: str) -> str:
    """A fence that nothing in ``texts`` can close."""
    longest = max((len(run) for text in texts for run in _BACKTICKS.findall(text)), default=2)
    return "`" * (longest + 1)


def _shortened(call: str) -> str:
    """A call on one line, cut where it is long: it only says which result this is."""
    line = " ".join(call.split())
    return line if len(line) <= 200 else f"{line[:200]}…"


def call_as_code(call: PastCall, briefing: Briefing) -> str:
    """A past call in the form that the model is asked for."""
    try:
        return _call_as_code(call, briefing)
    except (ValueError, RecursionError):  # The client's text is no JSON, no object, or nested beyond reason.
        name, _ = briefing.python_names(call.name, {})
        return f"{name}(**{json.dumps(call.arguments, ensure_ascii=False)})"


def _call_as_code(call: PastCall, briefing: Briefing) -> str:
    arguments = json.loads(call.arguments)
    if not isinstance(arguments, dict):
        raise ValueError("the arguments are no object")
    name, renamed = briefing.python_names(call.name, arguments)  # pyright: ignore[reportUnknownArgumentType]
    named = {key: value for key, value in renamed.items() if key.isidentifier() and not keyword.iskeyword(key)}
    shown = [f"{key}={python_literal(value)}" for key, value in named.items()]
    if rest := {key: value for key, value in renamed.items() if key not in named}:
        shown.append(f"**{python_literal(rest)}")
    return f"{name}({', '.join(shown)})"


def python_literal(value: Any) -> str:
    """A JSON value as Python source; text in double quotes, as most models write it."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(python_literal(item) for item in value)}]"  # pyright: ignore[reportUnknownVariableType]
        case dict():
            items = (f"{python_literal(key)}: {python_literal(item)}" for key, item in value.items())  # pyright: ignore[reportUnknownVariableType]
            return f"{{{', '.join(items)}}}"
        case _:
            return repr(value)
