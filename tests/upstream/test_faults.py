"""Errors of strangers reach clients: they must keep their status and sense, and lose every secret."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import UpstreamBroken, UpstreamRefused
from emulator.upstream.faults import Redactor, is_openai_error, kept_headers, refused

REDACTOR = Redactor.of("sk-secret", "Bearer client-key")

OPENAI = {
    "error": {"message": "no such model", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}
}


@pytest.mark.parametrize(
    ("status", "body", "fields"),
    [
        (404, OPENAI, ("no such model", "invalid_request_error", "model", "model_not_found")),
        (400, {"error": {"message": "bad", "code": 400}}, ("bad", "invalid_request_error", None, "400")),
        (429, {"error": {"message": "slow"}}, ("slow", "rate_limit_error", None, None)),
        (
            401,
            {"error": {"message": "key sk-secret", "code": "sk-secret"}},
            ("key ***", "authentication_error", None, "***"),
        ),
        (
            404,
            {"error": "model 'x' not found"},
            ("The model server answered 404: model 'x' not found", "invalid_request_error", None, None),
        ),
        (403, {"detail": "Forbidden"}, ("The model server answered 403: Forbidden", "permission_error", None, None)),
        (
            422,
            {"detail": [{"loc": ["body", "n", 0], "msg": "bad"}, {"msg": "worse"}, "x"]},
            ("The model server answered 422: body.n.0: bad; worse; x", "invalid_request_error", None, None),
        ),
        (
            400,
            {"object": "error", "message": "m", "type": "T", "param": None, "code": 40303},
            ("The model server answered 400: m", "T", None, "40303"),
        ),
        (
            500,
            b"Internal Server Error",
            ("The model server answered 500: Internal Server Error", "server_error", None, None),
        ),
        (
            502,
            b"<html><head><title>502 Bad</title></head>\r\n<hr>nginx</html>",
            ("The model server answered 502: 502 Bad nginx", "server_error", None, None),
        ),
        (503, b"", ("The model server answered 503 without a word.", "server_error", None, None)),
        (503, b"\xff\x00\x1b[31m client-key", ("The model server answered 503: [31m ***", "server_error", None, None)),
        (500, [1], ("The model server answered 500: [1]", "server_error", None, None)),
        (
            500,
            {"error": {"type": "t"}},
            ('The model server answered 500: {"error":{"type":"t"}}', "server_error", None, None),
        ),
    ],
)
def test_refusals(status: int, body: Any, fields: tuple[str, str, str | None, str | None]) -> None:
    error = refused(status, {"Retry-After": "7"}, body if isinstance(body, bytes) else orjson.dumps(body), REDACTOR)
    assert isinstance(error, UpstreamRefused)
    assert error.status == status
    assert error.body() == {"error": dict(zip(("message", "type", "param", "code"), fields, strict=True))}
    assert error.headers == {"retry-after": "7"}


@pytest.mark.parametrize("status", [101, 301, 302, 307, 308, 304, 600, 999])
def test_other_statuses_are_no_answers(status: int) -> None:
    error = refused(status, {"Location": "http://elsewhere/?key=sk-secret"}, b"sk-secret", REDACTOR)
    assert isinstance(error, UpstreamBroken)
    assert str(status) in error.message and "sk-secret" not in error.message and "elsewhere" not in error.message


def test_long_texts_are_cut() -> None:
    assert len(refused(500, {}, b"x" * 1_000_000, REDACTOR).message) < 300
    assert len(refused(500, {}, orjson.dumps({"error": {"message": "x" * 1_000_000}}), REDACTOR).message) == 4000
    assert len(refused(500, {}, b"<" * 1_000_000, REDACTOR).message) < 300


@given(st.text("ab <>/.", max_size=300), st.text("ab <>/.", max_size=300), st.sampled_from(["sk-secret", "client-key"]))
def test_no_secret_survives_wherever_it_stands(before: str, after: str, secret: str) -> None:
    text = before + secret + after
    bodies = [
        text.encode(),
        orjson.dumps({"error": text}),
        orjson.dumps({"error": {"message": text, "type": text, "code": text}}),
    ]
    for body in bodies:
        assert secret not in orjson.dumps(refused(500, {}, body, REDACTOR).body()).decode()


def test_only_openais_form_is_openais_form() -> None:
    assert is_openai_error(orjson.dumps(OPENAI))
    assert not any(
        is_openai_error(body) for body in (b"", b"{}", b'{"error":"x"}', b'{"message":"x"}', b'{"detail":"x"}', b"<p>")
    )


def test_headers_that_are_kept() -> None:
    headers = {
        "Content-Type": "a/b",
        "Content-Disposition": 'attachment; filename="a.mp3"',
        "Cache-Control": "no-cache",
        "Retry-After": "1",
        "X-Request-Id": "r",
        "OpenAI-Processing-Ms": "5",
        "X-RateLimit-Remaining-Tokens": "9",
        "Connection": "keep-alive",
        "Transfer-Encoding": "chunked",
        "Set-Cookie": "a=b",
        "Server": "s",
        "openai-version": "bad\x01value",
    }
    assert kept_headers(headers) == {
        "content-type": "a/b",
        "content-disposition": 'attachment; filename="a.mp3"',
        "cache-control": "no-cache",
        "retry-after": "1",
        "x-request-id": "r",
        "openai-processing-ms": "5",
        "x-ratelimit-remaining-tokens": "9",
    }


def test_stand_ins_for_keys_do_not_garble() -> None:
    assert Redactor.of("x", None, "").clean("an example") == "an example"
