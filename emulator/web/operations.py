"""What can be asked for, path by path: the table that the OpenAPI document is made from.

Rule: a route of the app has a row here, with its methods; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from emulator.protocols.fields import Json
from emulator.protocols.wire import chat, messages, responses, server
from emulator.settings import STRATEGIES
from emulator.web import passed
from emulator.web.index import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """``body``, ``answer`` and ``event`` are wire types; ``event`` is of a stream's data, which ``ends`` may end.

    ``faults`` says whose form errors have.  ``turn``: a model is asked, and headers tell how.  ``alike``: statuses
    beside 200 that have the answer's form, too.  ``raw``: bodies are whatever the model server takes and gives.
    """

    summary: str
    body: Any = None
    answer: Any = None
    event: Any = None
    ends: str = ""
    turn: bool = False
    raw: bool = False
    faults: Literal["openai", "anthropic", "none"] = "openai"
    alike: tuple[int, ...] = ()
    parameters: tuple[Json, ...] = ()


def _header(name: str, meaning: str, **schema: Any) -> Json:
    return {"name": name, "in": "header", "description": meaning, "schema": {"type": "string"} | schema}


def _query(name: str, meaning: str, **schema: Any) -> Json:
    return {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"} | schema}


WISHES = (
    _header(
        "X-Emulator-Strategy",
        "How the model is to be brought to call tools, in place of the setting.",
        enum=["auto", *STRATEGIES],
    ),
    _header("X-Emulator-Final", "What a finished program's output becomes.", enum=["model", "output"]),
)
_VERSION = _header("anthropic-version", "Answers in Anthropic's form.")
_PASSED = Operation(summary="Passed on to the model server as it is, and its answer too", raw=True)
_STORED = "A response that was stored, for a time"


def operations() -> dict[tuple[str, str], Operation]:
    """By method and path."""
    index = Operation(summary="What this server is, and its paths", answer=server.Index, faults="none")
    models = Operation(
        summary="The model server's models", answer=server.ModelList, faults="openai", parameters=(_VERSION,)
    )
    table: dict[tuple[str, str], Operation] = {
        ("GET", "/"): index,
        ("GET", "/v1"): index,
        ("GET", "/health"): Operation(
            summary="Whether requests can be served", answer=server.Health, faults="none", alike=(503,)
        ),
        ("GET", "/openapi.json"): Operation(summary="This document", answer=dict[str, Any], faults="none"),
        ("GET", "/v1/stats"): Operation(summary="What became of all requests so far", answer=server.Statistics),
        ("GET", "/v1/models"): models,
        ("GET", "/v1/models/{model}"): Operation(summary="One of them", answer=server.Model, parameters=(_VERSION,)),
        ("POST", "/v1/chat/completions"): Operation(
            summary="OpenAI's Chat Completions, with tools for models that know none",
            body=chat.ChatBody,
            answer=chat.ChatCompletion,
            event=chat.ChatCompletionChunk,
            ends="[DONE]",
            turn=True,
        ),
    }
    table |= _responses() | _messages()
    for path in (*(f"/v1/{path}" for path in (*passed.PATHS, *passed.BESIDE_V1)), passed.RERANK_V2):
        table |= {(method, shown(path)): _PASSED for method in passed.METHODS}
    return table


def _responses() -> dict[tuple[str, str], Operation]:
    one = "/v1/responses/{identifier}"
    return {
        ("POST", "/v1/responses"): Operation(
            summary="OpenAI's Responses",
            body=responses.ResponsesBody,
            answer=responses.ResponseObject,
            event=responses.ResponseEvent,
            turn=True,
        ),
        ("POST", "/v1/responses/input_tokens"): Operation(
            summary="How many tokens a request's prompt is",
            body=responses.ResponsesBody,
            answer=responses.InputTokens,
        ),
        ("GET", one): Operation(
            summary=_STORED,
            answer=responses.ResponseObject,
            event=responses.ResponseEvent,
            parameters=(
                _query("stream", "Its events again, or as soon as they are known.", enum=["true", "false"]),
                _query("starting_after", "The last event known.", type="integer", minimum=0, maximum=10**15 - 1),
            ),
        ),
        ("DELETE", one): Operation(summary="Forget it", answer=responses.ResponseDeleted),
        ("GET", f"{one}/input_items"): Operation(
            summary="Its input",
            answer=responses.ItemList,
            parameters=(
                _query("order", "Newest or oldest first.", enum=["asc", "desc"]),
                _query("after", "The last item of the page before."),
                _query("limit", "Items on a page.", type="integer", minimum=1, maximum=100),
            ),
        ),
        ("POST", f"{one}/cancel"): Operation(
            summary="Stop one that runs in the background", answer=responses.ResponseObject
        ),
    }


def _messages() -> dict[tuple[str, str], Operation]:
    return {
        ("POST", "/v1/messages"): Operation(
            summary="Anthropic's Messages",
            body=messages.MessagesBody,
            answer=messages.MessageObject,
            event=messages.MessageEvent,
            turn=True,
            faults="anthropic",
            parameters=(_VERSION,),
        ),
        ("POST", "/v1/messages/count_tokens"): Operation(
            summary="How many tokens a request's prompt is",
            body=messages.CountedBody,
            answer=messages.TokenCount,
            faults="anthropic",
            parameters=(_VERSION,),
        ),
    }
