"""Events → Responses: its stream of events, or the response object that they come to.

Rule: a plain answer is the last event's response; both are made by the same steps.
Source: OpenAI's API reference, the response object and the streaming events of POST /v1/responses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from emulator.errors import EmulatorError, ResponseCancelled
from emulator.events import Event, Head, UsageTotal
from emulator.protocols.answer import comment_frame, usage_detail
from emulator.protocols.fields import Json
from emulator.protocols.responses import TIERS, ResponsesRequest
from emulator.protocols.responses_ids import response_id
from emulator.protocols.responses_output import Output
from emulator.protocols.responses_under_way import Wire, error_event, frame


def _forget(response: Json) -> None:
    """The answer isn't kept."""


class ResponsesAnswer:
    """Implements AnswerForm for the request ``asked``.

    ``key`` is unique, 24 hexadecimal digits, and stands in the ids of the response and its items; ``created`` is in
    seconds since 1970; ``keep`` is given the response once it is over, before the client hears of it.
    """

    def __init__(self, asked: ResponsesRequest, key: str, created: int, keep: Callable[[Json], None] = _forget) -> None:
        self._asked = asked
        self._keep = keep
        self._created = created
        self._id = response_id(key)
        self._model = str(asked.body.get("model") or "unknown")
        self._tier: str | None = asked.echo["service_tier"]
        self._usage: Json | None = None
        self._output = Output(asked, key)
        self._number = 0
        self._begun = False

    @property
    def tokens(self) -> bool:
        return self._asked.logprobs

    def frames(self, events: Iterable[Event], comment: Callable[[], str]) -> Iterator[bytes]:
        for wire in self._told(events):
            yield self._frame(wire)
        response = self._over()
        kind = "response.incomplete" if self._output.incomplete else "response.completed"
        yield comment_frame(comment()) + self._frame((kind, {"response": response}))

    def failure(self, error: EmulatorError) -> bytes:
        """The end of a response that ``error`` ended, which is kept too, with what had been said by then."""
        frames = [self._frame(wire) for wire in (*self._opening(), *self._output.close("incomplete"))]
        if isinstance(error, ResponseCancelled):
            response = self.response("cancelled")
        else:
            response = self.response("failed", error={"code": _error_code(error), "message": error.message})
        self._keep(response)
        frames.append(self._frame(error_event(error)))
        frames.append(self._frame(("response.failed", {"response": response})))
        return b"".join(frames)

    def whole(self, events: Iterable[Event]) -> Json:
        for _ in self._told(events):
            pass
        return self._over()

    def response(self, status: str, **changed: Any) -> Json:
        """The response as it stands."""
        response: Json = {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": self._model,
            "output": list(self._output.items),
        }
        response |= self._asked.echo | {"service_tier": self._tier or "default"} | changed
        return response if self._usage is None else response | {"usage": self._usage}

    def _told(self, events: Iterable[Event]) -> Iterator[Wire]:
        """All but the last event."""
        for event in events:
            if isinstance(event, UsageTotal):
                self._usage = responses_usage(event.usage)
                continue
            if isinstance(event, Head):
                self._model = str(event.fields.get("model") or self._model)
                if (tier := event.fields.get("service_tier")) in TIERS:
                    self._tier = tier
            yield from self._opening()
            yield from self._output.add(event)
        yield from self._opening()
        yield from self._output.close()

    def _opening(self) -> Iterator[Wire]:
        if not self._begun:
            self._begun = True
            response = self.response("in_progress", output=[])
            yield "response.created", {"response": response}
            yield "response.in_progress", {"response": response}

    def _over(self) -> Json:
        reason = self._output.incomplete
        if reason is None:
            response = self.response("completed")
        else:
            response = self.response("incomplete", incomplete_details={"reason": reason})
        self._keep(response)
        return response

    def _frame(self, wire: Wire) -> bytes:
        self._number += 1
        return frame(wire, self._number - 1)


def responses_usage(usage: Json) -> Json:
    """Chat Completions' usage in this protocol's words; what OpenAI's clients demand is there, if only as 0."""
    asked, told = "prompt_tokens_details", "completion_tokens_details"
    return {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": {
            "cached_tokens": usage_detail(usage, asked, "cached_tokens") or 0,
            "cache_write_tokens": usage_detail(usage, asked, "cache_write_tokens") or 0,
        },
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": usage_detail(usage, told, "reasoning_tokens") or 0},
        "total_tokens": usage["total_tokens"],
    }


def _error_code(error: EmulatorError) -> str:
    """OpenAI knows a closed list of codes for what ends a response; the one that fits best."""
    return {429: "rate_limit_exceeded", 400: "invalid_prompt", 413: "invalid_prompt", 422: "invalid_prompt"}.get(
        error.status, "server_error"
    )
