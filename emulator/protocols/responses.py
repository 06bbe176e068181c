"""Responses requests → the core's types, with OpenAI's errors for what is wrong in them.

Rule: parameters that have a twin in Chat Completions go to the upstream by its name; those that are about OpenAI's own
service go nowhere, and are given back where the answer has a field for them; and what the protocol doesn't know
(``stop``, ``seed``, ``top_k``, …) reaches the upstream as it came.
Source: OpenAI's API reference, POST /v1/responses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import orjson

from emulator.errors import InvalidRequest
from emulator.protocols.conversation import ResponseFormat
from emulator.protocols.declared import ToolRules
from emulator.protocols.fields import (
    Json,
    empty_array,
    json_object,
    missing,
    number,
    required,
    too_deep,
    too_long,
    typed,
    unsupported,
    wrong_type,
)
from emulator.protocols.request import TOOL_PARAMETERS, TurnRequest
from emulator.protocols.responses_items import Past, conversation, input_items, references, resolved
from emulator.protocols.responses_tools import declared, has_search, outer_names, placed_tools, tool_choice
from emulator.protocols.schemas import standard_schema

_OWN = TOOL_PARAMETERS | frozenset(
    """
    access_programs background client_metadata context_management conversation generate image include input
    instructions max_output_tokens max_tool_calls messages metadata moderation previous_response_id prompt
    prompt_cache_key prompt_cache_options prompt_cache_retention reasoning response_format safety_identifier
    service_tier store stream stream_options text top_logprobs truncation
    """.split()
)
"""Parameters that don't reach the upstream as they came."""
_IDENTIFIERS = ("user", "safety_identifier", "prompt_cache_key")
"""Strings that stand in the answer if the request had them."""
_LONGEST_IDENTIFIER = 64  # OpenAI's own limit for safety_identifier
TIERS = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
"""The service tiers that OpenAI's clients know."""
_INCLUDABLE = frozenset(
    """
    file_search_call.results web_search_call.results web_search_call.action.sources message.input_image.image_url
    computer_call_output.output.image_url code_interpreter_call.outputs reasoning.encrypted_content
    message.output_text.logprobs
    """.split()
)
_FORMATS = ("text", "json_object", "json_schema")
_SUMMARIES = ("auto", "concise", "detailed")


@dataclass(frozen=True, slots=True)
class Draft:
    """A request as far as it can be read without what the server remembers of earlier ones."""

    body: Json
    items: tuple[Json, ...]
    previous: str | None

    @property
    def named(self) -> list[str]:
        """Ids of items that have to be looked up."""
        return references(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsesRequest(TurnRequest):
    """``echo`` are the answer's fields that say how it was asked for; ``items`` is the input, to be kept with the
    answer unless ``store`` is false.  ``names`` are namespace and name of tools that are in a namespace, by their inner
    name; ``customs`` the inner names of custom tools; ``search``: the client's tool search is among the tools.

    ``summary``: thoughts are shown as their summary; ``sealed``: they are also given in a form to be sent back;
    ``logprobs``: they are wanted in the answer.
    """

    echo: Json
    items: tuple[Json, ...]
    names: Mapping[str, tuple[str, str]]
    customs: frozenset[str]
    search: bool = False
    previous: str | None = None
    store: bool = True
    background: bool = False
    summary: bool = False
    sealed: bool = False
    logprobs: bool = False


def read_responses(raw: bytes) -> Draft:
    """Raises InvalidRequest where it is none, or refers to what isn't kept here."""
    body = json_object(raw, exact=False)  # The answer gives much of it back.
    _sayable(body)
    for key, why in (
        ("conversation", "Conversations are not kept here; use 'previous_response_id', or send the whole input."),
        ("prompt", "Prompt templates are kept by OpenAI and are not served here; send 'instructions' and 'input'."),
    ):
        if body.get(key) is not None:
            raise InvalidRequest(why, param=key, code="unsupported_parameter")
    previous = typed(body, "previous_response_id", str, "a string", None)
    given = body.get("input")
    if given is None and previous is None:
        raise missing("input")
    items = () if given in (None, "") else input_items(given)
    if not items and previous is None:
        raise empty_array("input")
    return Draft(body, items, previous)


def _sayable(body: Json) -> None:
    """Raises InvalidRequest where an answer or a record that holds parts of it couldn't be written."""
    try:
        orjson.dumps([[[body]]])
    except TypeError:
        raise too_deep() from None


def parse_responses(draft: Draft, past: Past, rules: ToolRules) -> ResponsesRequest:
    """``past`` is what the draft builds on.  Raises InvalidRequest with the path of the first part that is wrong,
    NotFound for an item that nobody knows."""
    body = draft.body
    items = resolved(draft.items, past)
    located = [*past.located, *items]
    placed = placed_tools(typed(body, "tools", list, "an array of objects", []), located)
    tools = declared(placed, rules)
    instructions = typed(body, "instructions", str, "a string", None)
    stream: bool = typed(body, "stream", bool, "a boolean", False)
    typed(body, "stream_options", dict, "an object", {})
    text: Json = typed(body, "text", dict, "an object", {})
    reasoning: Json = typed(body, "reasoning", dict, "an object", {})
    include = _included(body)
    logprobs = "message.output_text.logprobs" in include or bool(body.get("top_logprobs"))
    store, background = (
        typed(body, "store", bool, "a boolean", True),
        typed(body, "background", bool, "a boolean", False),
    )
    if background and not store:
        raise _needs_store()
    summary = _summary(reasoning)
    echo = _echo(body, text=text, reasoning=reasoning, summary=summary)
    return ResponsesRequest(
        body=_upstream(body, stream=stream, logprobs=logprobs, text=text, reasoning=reasoning),
        messages=conversation(located, instructions),
        tools=tools,
        choice=tool_choice(body.get("tool_choice"), placed),
        parallel=typed(body, "parallel_tool_calls", bool, "a boolean", True),
        stream=stream,
        stop_given=bool(body.get("stop")),
        format=_format(text),
        echo=echo | {"store": store, "background": background},
        items=tuple(item for item, _ in items),
        names=outer_names(placed),
        customs=frozenset(tool.name for tool in tools.tools if tool.custom),
        search=has_search(placed),
        previous=draft.previous,
        store=store,
        background=background,
        summary=summary is not None,
        sealed="reasoning.encrypted_content" in include,
        logprobs=logprobs,
    )


def unkept(asked: ResponsesRequest) -> ResponsesRequest:
    """The request where nothing is kept, whatever its client wishes.  Raises InvalidRequest if it can't do without."""
    if asked.background:
        raise _needs_store("This server keeps no responses (--response-seconds 0).")
    return replace(asked, store=False, echo=asked.echo | {"store": False})


def _needs_store(hint: str | None = None) -> InvalidRequest:
    return InvalidRequest(
        "Background mode requires 'store' to be true.", param="background", code="invalid_value", hint=hint
    )


def _upstream(body: Json, *, stream: bool, logprobs: bool, text: Json, reasoning: Json) -> Json:
    """The parameters in Chat Completions' words."""
    typed(body, "model", str, "a string", None)
    told = {key: value for key, value in body.items() if key not in _OWN and value is not None}
    for key, most in (("temperature", 2), ("top_p", 1)):
        if (value := number(body, key)) is not None:
            _within(key, value, 0, most, "decimal")
    if (limit := _whole(body, "max_output_tokens", 1)) is not None:
        told["max_tokens"] = limit
    if (effort := typed(reasoning, "effort", str, "a string", None, "reasoning.")) is not None:
        told["reasoning_effort"] = effort
    if (verbosity := _verbosity(text)) is not None:
        told["verbosity"] = verbosity
    most = _whole(body, "top_logprobs", 0, 20)
    if logprobs:
        told["logprobs"] = True
        told |= {"top_logprobs": most} if most else {}
    return told | ({"stream": True, "stream_options": {"include_usage": True}} if stream else {})


def _echo(body: Json, *, text: Json, reasoning: Json, summary: str | None) -> Json:
    """The answer's fields that say how it was asked for, with OpenAI's defaults."""
    verbosity = _verbosity(text)
    given_back = {
        **{key: typed(body, key, str, "a string", None) for key in _IDENTIFIERS},
        "prompt_cache_retention": _word(body, "prompt_cache_retention", ("in_memory", "24h")),
    }
    if len(given_back["safety_identifier"] or "") > _LONGEST_IDENTIFIER:
        raise too_long("safety_identifier", _LONGEST_IDENTIFIER)
    echo: Json = {
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": _whole(body, "max_tool_calls", 0),
        "metadata": _metadata(body),
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": summary},
        "service_tier": _word(body, "service_tier", TIERS),
        "temperature": _or(body.get("temperature"), 1.0),
        "text": {"format": text.get("format") or {"type": "text"}} | ({"verbosity": verbosity} if verbosity else {}),
        "tool_choice": _or(body.get("tool_choice"), "auto"),
        "tools": [_tool_echo(tool) for tool in cast(list[Json], body.get("tools") or [])],
        "top_logprobs": _or(body.get("top_logprobs"), 0),
        "top_p": _or(body.get("top_p"), 1.0),
        "truncation": _word(body, "truncation", ("auto", "disabled")) or "disabled",
    }
    return echo | {key: value for key, value in given_back.items() if value is not None}


def _tool_echo(tool: Json) -> Json:
    return {"parameters": None, "strict": None} | tool if tool["type"] == "function" else tool


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _format(text: Json) -> ResponseFormat | None:
    given: Json | None = typed(text, "format", dict, "an object", None, "text.")
    if given is None:
        return None
    kind = required(given, "type", str, "a string", "text.format.")
    if kind == "text":
        return None
    if kind == "json_object":
        return ResponseFormat()
    if kind != "json_schema":
        raise unsupported(kind, "text.format.type", _FORMATS)
    typed(given, "description", str, "a string", None, "text.format.")
    typed(given, "strict", bool, "a boolean", None, "text.format.")
    return ResponseFormat(
        standard_schema(required(given, "schema", dict, "an object", "text.format.")),
        required(given, "name", str, "a string", "text.format."),
        "text.format.schema",
    )


def _included(body: Json) -> frozenset[str]:
    listed: list[Any] = typed(body, "include", list, "an array of strings", [])
    for index, name in enumerate(listed):
        if not isinstance(name, str):
            raise wrong_type(f"include[{index}]", "a string", name)
        if name not in _INCLUDABLE:
            raise unsupported(name, f"include[{index}]", sorted(_INCLUDABLE))
    return frozenset(cast(list[str], listed))


def _summary(reasoning: Json) -> str | None:
    asked = _word(reasoning, "summary", _SUMMARIES, "reasoning.")
    return asked or _word(reasoning, "generate_summary", _SUMMARIES, "reasoning.")


def _verbosity(text: Json) -> str | None:
    return _word(text, "verbosity", ("low", "medium", "high"), "text.")


def _word(body: Json, key: str, known: Sequence[str], prefix: str = "") -> str | None:
    given: str | None = typed(body, key, str, "a string", None, prefix)
    if given is not None and given not in known:
        raise unsupported(given, prefix + key, known)
    return given


def _metadata(body: Json) -> Json:
    given: Json = typed(body, "metadata", dict, "an object", {})
    if len(given) > 16:
        raise InvalidRequest(
            f"Invalid 'metadata': too many properties. Expected at most 16, but got {len(given)}.",
            param="metadata",
            code="object_above_max_properties",
        )
    for key, value in given.items():
        if not isinstance(value, str):
            raise wrong_type(f"metadata.{key[:64]}", "a string", value)
        if len(key) > 64 or len(value) > 512:
            raise InvalidRequest(
                f"Invalid 'metadata.{key[:64]}': a key has at most 64 characters, a value at most 512.",
                param=f"metadata.{key[:64]}",
                code="string_above_max_length",
            )
    return given


def _whole(body: Json, key: str, least: int, most: int | None = None) -> int | None:
    value: int | None = typed(body, key, int, "an integer", None)
    if value is not None:
        _within(key, value, least, most, "integer")
    return value


def _within(key: str, value: float, least: float, most: float | None, kind: str) -> None:
    if value < least:
        raise InvalidRequest(
            f"Invalid '{key}': {kind} below minimum value. Expected a value >= {least}, but got {value} instead.",
            param=key,
            code=f"{kind}_below_min_value",
        )
    if most is not None and value > most:
        raise InvalidRequest(
            f"Invalid '{key}': {kind} above maximum value. Expected a value <= {most}, but got {value} instead.",
            param=key,
            code=f"{kind}_above_max_value",
        )
