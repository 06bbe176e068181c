"""Reads chat completions, a plain answer or the chunks of a stream, as ports.AnswerPart; pure and lenient.

One reader serves both forms, since servers send either whatever was asked for.  It is lenient about what
is missing or extra, and strict about what would make an answer out of nothing: errors, garbage, cuts.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

import orjson

from emulator.errors import UpstreamBroken
from emulator.ports import AnswerDelta, AnswerHead, AnswerPart, AnswerUsage, CallDelta
from emulator.upstream.faults import Redactor, refused_inside

DONE = b"[DONE]"
_HALVES = re.compile("[\ud800-\udfff]")
_NOT_HEAD = frozenset({"choices", "usage", "object", "error"})
_READ = frozenset(
    ["role", "content", "refusal", "reasoning_content", "reasoning", "reasoning_details", "tool_calls", "function_call"]
)
"""Fields of a message or delta that have a meaning here; others are passed on."""


class AnswerReader:
    """One answer: ``feed`` each JSON text of it, then ``end`` it.  ``done`` is set by ``[DONE]``."""

    __slots__ = ("_content", "_fields", "_finished", "_head_sent", "_redactor", "_usage", "done")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._fields: dict[str, Any] = {}
        self._head_sent = False
        self._finished: dict[int, bool] = {}
        self._content = False
        self._usage: dict[str, Any] | None = None
        self.done = False

    def feed(self, payload: bytes) -> list[AnswerPart]:
        """The parts that a chunk, or a whole plain answer, consists of; usage waits for the end.

        What comes for a choice after its finish_reason is dropped.  Raises UpstreamBroken and UpstreamRefused.
        """
        if payload.strip() == DONE:
            self.done = True
            return []
        if not payload or payload.isspace():
            return []
        chunk = self._load(payload)
        if chunk.get("error"):
            raise refused_inside(chunk["error"], self._redactor)
        usage = chunk.get("usage")
        if usage and isinstance(usage, dict):
            # Some servers count in every chunk: the last count is the whole one.
            self._usage = cast("dict[str, Any]", usage)
        choices = chunk.get("choices")
        if not self._head_sent:
            # Azure sends a first chunk without choices whose id and model are empty.
            self._fields |= {k: v for k, v in chunk.items() if k not in _NOT_HEAD and (v or k not in self._fields)}
        if not choices:
            return []
        if not isinstance(choices, list):
            raise self._broken("choices is no list", payload)
        parts: list[AnswerPart] = []
        if not self._head_sent:
            self._head_sent = True
            parts.append(AnswerHead(self._fields))
        for position, choice in enumerate(cast("list[Any]", choices)):
            if not isinstance(choice, dict):
                raise self._broken("a choice is no object", payload)
            part = self._delta(cast("dict[str, Any]", choice), position)
            if part is not None:
                parts.append(part)
        return parts

    def end(self) -> list[AnswerPart]:
        """What is left when the body has ended as the protocol wants it.

        A choice without finish_reason is complete, with "stop", if ``[DONE]`` came (a plain answer counts
        as done).  Raises UpstreamBroken if the answer has no choices, nothing in them, or was cut.
        """
        if not self._finished:
            raise UpstreamBroken("The model server's answer has no choices.")
        open_choices = [index for index, finished in self._finished.items() if not finished]
        if open_choices and not self.done:
            raise UpstreamBroken("The model server's stream ended in the middle of the answer.")
        if open_choices and not self._content and len(open_choices) == len(self._finished):
            raise UpstreamBroken("The model server's answer has neither content nor a finish_reason.")
        parts: list[AnswerPart] = [AnswerDelta(index, finish_reason="stop") for index in open_choices]
        if self._usage is not None:
            parts.append(AnswerUsage(self._usage))
        return parts

    def _delta(self, choice: dict[str, Any], position: int) -> AnswerDelta | None:
        index = choice.get("index")
        if type(index) is not int or index < 0:
            index = position
        finished = self._finished
        if finished.setdefault(index, False):
            return None
        delta = choice.get("delta") or choice.get("message")
        text = reasoning = refusal = ""
        others: dict[str, Any] | None = None
        calls: tuple[CallDelta, ...] = ()
        if isinstance(delta, dict):
            fields = cast("dict[str, Any]", delta)
            if fields.get("tool_calls"):
                calls = _calls(fields["tool_calls"])
            content, declined = fields.get("content"), fields.get("refusal")
            text = content if isinstance(content, str) else _parts_text(content)
            refusal = declined if isinstance(declined, str) else ""
            others = {key: value for key, value in fields.items() if key not in _READ and value} or None
            thought = fields.get("reasoning_content") or fields.get("reasoning") or fields.get("reasoning_details")
            reasoning = thought if isinstance(thought, str) else _parts_text(thought)
        reason = choice.get("finish_reason")
        if not reason or not isinstance(reason, str):
            reason = None
        logprobs = _logprobs(choice["logprobs"], "content") if choice.get("logprobs") else ()
        of_refusal = _logprobs(choice["logprobs"], "refusal") if refusal and choice.get("logprobs") else ()
        if text or reasoning or calls or refusal or others:
            self._content = True
        elif reason is None and not logprobs:
            return None
        if reason is not None:
            finished[index] = True
        stop = None if reason is None else _stop(choice)
        return AnswerDelta(index, text, reasoning, reason, logprobs, calls, stop, refusal, of_refusal, others)

    def _load(self, payload: bytes) -> dict[str, Any]:
        try:
            value = orjson.loads(payload)
        except orjson.JSONDecodeError:
            try:
                # As the event stream's standard decodes; one bad byte, or half a character that a proxy cut in two, is
                # no reason to lose the answer.
                value = json.loads(payload.decode("utf-8-sig", "replace"))
                value = orjson.loads(_HALVES.sub("\ufffd", json.dumps(value, ensure_ascii=False)))
            except (ValueError, RecursionError):
                raise self._broken("not JSON", payload) from None
        if not isinstance(value, dict):
            raise self._broken("no JSON object", payload)
        return cast("dict[str, Any]", value)

    def _broken(self, what: str, payload: bytes) -> UpstreamBroken:
        return UpstreamBroken(f"The model server's answer can't be read, {what}: {self._redactor.excerpt(payload)!r}.")


def _stop(choice: dict[str, Any]) -> str | None:
    """The stop sequence that ended the choice, in vLLM's word or SGLang's; the number of a token means nothing here."""
    for name in ("stop_reason", "matched_stop"):
        if isinstance(choice.get(name), str):
            return choice[name]
    return None


def _parts_text(value: object) -> str:
    """Content as a list of parts (``{"text": …}``, ``{"summary": …}`` or plain strings), joined."""
    if not isinstance(value, list):
        return ""
    texts: list[str] = []
    for part in cast("list[Any]", value):
        found: Any = part
        if isinstance(part, dict):
            fields = cast("dict[str, Any]", part)
            found = fields.get("text") or fields.get("summary")
        if isinstance(found, str):
            texts.append(found)
    return "".join(texts)


def _calls(value: object) -> tuple[CallDelta, ...]:
    """Deltas of tool calls, or whole ones; arguments as an object, which some servers send, become text."""
    deltas: list[CallDelta] = []
    for position, entry in enumerate(cast("list[Any]", value) if isinstance(value, list) else []):
        fields = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        function = fields.get("function")
        if not isinstance(function, dict):
            continue
        named = cast("dict[str, Any]", function)
        index, name, arguments = fields.get("index"), named.get("name"), named.get("arguments")
        identifier = fields.get("id")
        if isinstance(arguments, dict):
            arguments = orjson.dumps(arguments).decode()
        deltas.append(
            CallDelta(
                index if type(index) is int else position,
                name if isinstance(name, str) else "",
                arguments if isinstance(arguments, str) else "",
                identifier if isinstance(identifier, str) else "",
            )
        )
    return tuple(deltas)


def _logprobs(value: object, key: str) -> tuple[dict[str, Any], ...]:
    entries = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
    if not isinstance(entries, list):
        return ()
    return tuple(cast("dict[str, Any]", entry) for entry in cast("list[Any]", entries) if isinstance(entry, dict))
