"""Prompts are counted by the tokenizers that model servers have, each with its own interface, and never at any cost."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from emulator.upstream.tokens import Tokenizer
from tests.upstream.wire import Answering, Server, client_of, http

MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "u"}}]},
]
AROUND = 4 * len(MESSAGES)
REFUSED = http(b'{"detail":"Not Found"}', status="404 Not Found")


def answer(**body: Any) -> bytes:
    return http(orjson.dumps(body))


def count(tokenizer: Tokenizer, model: str = "m") -> int | None:
    return tokenizer.count(model, MESSAGES, "Bearer clients-own")


def asked(server: Server) -> list[Any]:
    return [orjson.loads(body) for body in server.bodies]


def test_vllm_counts_messages(answering: Answering) -> None:
    server = answering(answer(count=17, max_model_len=4096, tokens=[1, 2]))
    assert count(Tokenizer(client_of(server))) == 17
    assert server.heads[0].startswith("POST /tokenize HTTP/1.1\r\n")
    assert asked(server) == [{"model": "m", "messages": MESSAGES}]


@pytest.mark.parametrize(
    "answers",
    [
        [answer(tokens=[]), answer(tokens=[5, 6, 7])],  # llama.cpp finds no content in the first question.
        [
            http(b'{"detail":"prompt: field required"}', status="422 Unprocessable Entity"),
            answer(tokens=[5, 6, 7], count=3),
        ],
    ],
    ids=["llama.cpp", "SGLang"],
)
def test_others_count_text(answering: Answering, answers: list[bytes]) -> None:
    """What the template adds is estimated."""
    server = answering(*answers)
    assert count(Tokenizer(client_of(server))) == 3 + AROUND
    assert asked(server)[1] == {"model": "m", "prompt": "Be brief.\nhi", "content": "Be brief.\nhi"}


def test_a_server_without_a_tokenizer_is_asked_once_a_model(answering: Answering) -> None:
    server = answering(REFUSED)
    tokenizer = Tokenizer(client_of(server))
    assert [count(tokenizer), count(tokenizer)] == [None, None]
    assert len(server.bodies) == 2
    assert count(tokenizer, "other") is None
    assert len(server.bodies) == 4


@pytest.mark.parametrize(
    "trouble",
    [
        http(b"busy", status="503 Service Unavailable"),
        http(b'{"error":{"message":"no key"}}', status="401 Unauthorized"),
        http(b"<html>"),
        http(b"[]"),
    ],
    ids=["busy", "no key", "no JSON", "no object"],
)
def test_trouble_says_nothing_of_the_tokenizer(answering: Answering, trouble: bytes) -> None:
    tokenizer = Tokenizer(client_of(answering(trouble, answer(count=17))))
    assert [count(tokenizer), count(tokenizer)] == [None, 17]


def test_a_server_that_is_not_there_costs_nothing_but_the_count() -> None:
    class Nowhere:
        url = "http://127.0.0.1:9/v1"

    assert count(Tokenizer(client_of(Nowhere()))) is None  # pyright: ignore[reportArgumentType] only its address counts
