"""The judges of wire formats must themselves tell right from wrong, and say what is wrong in words of use."""

from __future__ import annotations

from typing import Any

import pytest

from tests.specs import (
    ANTHROPIC_ERROR,
    CHAT,
    CHAT_CHUNK,
    MESSAGE,
    MESSAGE_EVENT,
    MODELS,
    OPENAI_ERROR,
    RESPONSE,
    RESPONSE_EVENT,
    RESPONSE_ITEMS,
    TOKEN_COUNT,
    anthropic_problems,
    openai_problems,
)

Json = dict[str, Any]

CALL = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
COMPLETION: Json = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]},
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
}
CHUNK: Json = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}],
}
FUNCTION_CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "now", "arguments": "{}"}
RESPONSE_BODY: Json = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "model": "m",
    "tools": [],
    "output": [FUNCTION_CALL],
    "parallel_tool_calls": True,
    "metadata": {},
    "tool_choice": "auto",
    "temperature": None,
    "top_p": None,
}
ITEM_ADDED: Json = {
    "type": "response.output_item.added",
    "sequence_number": 2,
    "output_index": 0,
    "item": FUNCTION_CALL,
}
USAGE: Json = dict.fromkeys(
    (
        "cache_creation",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "inference_geo",
        "output_tokens_details",
        "server_tool_use",
        "service_tier",
    )
) | {"input_tokens": 1, "output_tokens": 1}
MESSAGE_BODY: Json = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hello.", "citations": None}],
    "container": None,
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "stop_details": None,
    "usage": USAGE,
}
ERROR: Json = {"error": {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}}
ANTHROPIC_FAULT: Json = {
    "type": "error",
    "error": {"type": "invalid_request_error", "message": "No."},
    "request_id": None,
}
DELTA: Json = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
MODEL_LIST: Json = {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "us"}]}
ITEM_LIST: Json = {"object": "list", "data": [], "has_more": False, "first_id": "", "last_id": ""}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (CHAT, COMPLETION),
        (CHAT_CHUNK, CHUNK),
        (OPENAI_ERROR, ERROR),
        (RESPONSE, RESPONSE_BODY),
        (RESPONSE_EVENT, ITEM_ADDED),
        (RESPONSE_ITEMS, ITEM_LIST),
        (MODELS, MODEL_LIST),
    ],
)
def test_what_openai_documents_has_no_problems(schema: str, value: Json) -> None:
    assert openai_problems(schema, value) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (MESSAGE, MESSAGE_BODY),
        (MESSAGE_EVENT, DELTA),
        (ANTHROPIC_ERROR, ANTHROPIC_FAULT),
        (TOKEN_COUNT, {"input_tokens": 3}),
    ],
)
def test_what_anthropic_documents_has_no_problems(schema: str, value: Json) -> None:
    assert anthropic_problems(schema, value) == []


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        (CHAT, COMPLETION | {"object": "chat"}, 'object: "chat" is not one of "chat.completion"'),
        (CHAT_CHUNK, CHUNK | {"choices": None}, 'choices: null is not of type "array"'),
        (OPENAI_ERROR, {"error": {"message": "No."}}, 'error: "type" is a required property'),
        (RESPONSE, RESPONSE_BODY | {"output": [{"type": "magic"}]}, 'output/0/type: "magic" is not one of'),
        (RESPONSE_EVENT, ITEM_ADDED | {"sequence_number": "2"}, 'sequence_number: "2" is not of type "integer"'),
        (RESPONSE_EVENT, ITEM_ADDED | {"item": FUNCTION_CALL | {"arguments": 1}}, "item/arguments: 1 is not of"),
        (RESPONSE_EVENT, {"sequence_number": 2}, 'the whole: "type" is a required property'),
    ],
)
def test_what_openai_does_not_document_is_one_problem(schema: str, value: Json, problem: str) -> None:
    """Also where the fault is deep in a union: one sentence with its place, not one for each member."""
    assert openai_problems(schema, value)[0].startswith(problem)
    assert len(openai_problems(schema, value)) == (3 if schema == OPENAI_ERROR else 1)


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        (MESSAGE, MESSAGE_BODY | {"content": [{"type": "text", "citations": None}]}, 'content/0: "text" is a required'),
        (MESSAGE, MESSAGE_BODY | {"stop_reason": "tool_calls"}, "stop_reason: "),
        (MESSAGE_EVENT, DELTA | {"delta": {"type": "text_delta"}}, 'delta: "text" is a required property'),
        (ANTHROPIC_ERROR, ERROR, 'the whole: "type" is a required property'),
    ],
)
def test_what_anthropic_does_not_document_is_a_problem(schema: str, value: Json, problem: str) -> None:
    assert any(found.startswith(problem) for found in anthropic_problems(schema, value))


def test_a_name_that_no_document_has_is_an_error() -> None:
    """A test with a misspelt name must not judge anything right."""
    with pytest.raises(KeyError, match="CreateChat"):
        openai_problems("CreateChat", {})
