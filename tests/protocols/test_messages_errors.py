"""Anthropic's clients have a type and a sentence to go by: the sentence must name the part that is wrong, as Anthropic
writes paths, and whatever the error, the body must be one that Anthropic's own document knows."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import (
    EmulatorError,
    InvalidRequest,
    ModelFault,
    NotFound,
    RequestTooLarge,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
)
from emulator.protocols.fields import missing, wrong_type
from emulator.protocols.messages_errors import THREAD_UNSUPPORTED, error_body, wrong_tag
from tests.specs import ANTHROPIC_ERROR, anthropic_problems

Json = dict[str, Any]

SENTENCES: list[tuple[EmulatorError, str]] = [
    (InvalidRequest("It is wrong."), "It is wrong."),
    (InvalidRequest("It is wrong.", param="tools"), "tools: It is wrong."),
    (InvalidRequest("It is wrong.", param="tools[0].name"), "tools.0.name: It is wrong."),
    (InvalidRequest("tools[10].x[2] is wrong.", param="tools[10].x[2]"), "tools.10.x.2 is wrong."),
    (InvalidRequest("Invalid 'a.b'.", param="a.b"), "Invalid 'a.b'."),
    (InvalidRequest("'x[1]' isn't x[1].", param="x[1]"), "'x.1' isn't x.1."),
    (InvalidRequest("In words.", param="properties[a]"), "properties[a]: In words."),
    (InvalidRequest("Wrong.", param="tools[0]", hint="Do this."), "tools.0: Wrong. Do this."),
    (missing("messages[3].content"), "messages.3.content: Field required"),
    (missing("model"), "model: Field required"),
    (wrong_type("tools[0]", "an object", 3), "Invalid type for 'tools.0': expected an object, but got an integer instead."),
    (wrong_type("body", "an object", []), "Invalid type for 'body': expected an object, but got an array instead."),
]  # fmt: skip


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=[sentence for _, sentence in SENTENCES])
def test_the_sentence_names_the_part(error: EmulatorError, sentence: str) -> None:
    assert error_body(error, "req_1") == {
        "type": "error",
        "error": {"type": error_body(error, "")["error"]["type"], "message": sentence},
        "request_id": "req_1",
    }


TYPES: list[tuple[EmulatorError, str]] = [
    (InvalidRequest("x"), "invalid_request_error"),
    (NotFound("x"), "not_found_error"),
    (RequestTooLarge("x"), "request_too_large"),
    (EmulatorError("x"), "api_error"),
    (ModelFault("x"), "api_error"),
    (UpstreamError("x"), "api_error"),
    (UpstreamTimeout("x"), "timeout_error"),
    (UpstreamRefused("x", status=429, type="requests", code="rate_limit_exceeded"), "rate_limit_error"),
    (UpstreamRefused("x", status=418, type="teapot"), "invalid_request_error"),
    (UpstreamRefused("x", status=599, type="x"), "api_error"),
]


@pytest.mark.parametrize(("error", "type"), TYPES)
def test_the_type_is_anthropics(error: EmulatorError, type: str) -> None:
    """Whatever OpenAI or a model server calls it."""
    assert error_body(error, "r")["error"] == {"type": type, "message": "x"}


def test_only_a_code_that_is_anthropics_is_told() -> None:
    told = error_body(InvalidRequest("x", code=THREAD_UNSUPPORTED), "r")["error"]
    assert told["details"] == {"error_code": THREAD_UNSUPPORTED}
    assert "details" not in error_body(InvalidRequest("x", code="invalid_value"), "r")["error"]


WORDS = st.text(max_size=30)
PATHS = st.from_regex(r"[a-z]+(\[[0-9]{1,3}\]|\.[a-z]+)*", fullmatch=True)
CODES = st.sampled_from([None, "missing_required_parameter", "invalid_type", THREAD_UNSUPPORTED])


@given(WORDS, st.none() | WORDS, CODES, st.integers(400, 599).filter(lambda status: status != 413))
def test_every_body_is_one_of_anthropics(message: str, param: str | None, code: str | None, status: int) -> None:
    """But that for 413, whose type Anthropic's reference has and its OpenAPI document hasn't."""
    error = UpstreamRefused(message, status=status, type="x", param=param, code=code)
    assert anthropic_problems(ANTHROPIC_ERROR, error_body(error, "req_1")) == []


@given(WORDS, PATHS, CODES, st.booleans())
def test_a_path_is_always_told_and_never_in_brackets(message: str, path: str, code: str | None, named: bool) -> None:
    error = InvalidRequest(f"{message} '{path}'" if named else message, param=path, code=code)
    sentence = error_body(error, "req_1")["error"]["message"]
    assert path.replace("[", ".").replace("]", "") in sentence
    assert "[" not in path or path not in sentence


TAGS: list[tuple[str, tuple[str, ...], str]] = [
    (
        "audio",
        ("text", "image"),
        "m.0: Input tag 'audio' found using 'type' does not match any of the expected tags: 'text', 'image'",
    ),
    ("x" * 99, ("text",), f"m.0: Input tag '{'x' * 80}' found using 'type' does not match any of the expected tags: 'text'"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "expected", "message"), TAGS)
def test_a_tag_that_is_not_known_there(kind: str, expected: tuple[str, ...], message: str) -> None:
    error = wrong_tag(kind, "m.0", expected)
    assert (error.status, error.param, error.code, error.message) == (400, "m.0", None, message)
    assert error_body(error, "r")["error"]["message"] == message


def test_a_body_can_always_be_sent() -> None:
    """An error may quote what no answer can carry."""
    body = error_body(InvalidRequest("no tool '\ud800'", param="tools[0]"), "r")
    assert orjson.loads(orjson.dumps(body))["error"]["message"] == "tools.0: no tool '\\ud800'"
