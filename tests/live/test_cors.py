"""A page in a browser may use the server if the settings name its origin, and none may by default."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.live.server import CHAT, PARIS, TOOLS, Server, chat_body
from tests.live.upstream import Reply, ScriptedUpstream

pytestmark = pytest.mark.live

ORIGIN, IPV6, APP = "http://localhost:3000", "http://[::1]:5173", "tauri://localhost"
StartServer = Callable[..., Server]
SDK_HEADERS = (
    "authorization, content-type, x-api-key, anthropic-version, anthropic-beta, "
    "anthropic-dangerous-direct-browser-access, x-stainless-lang, x-stainless-retry-count, x-emulator-strategy"
)
ASKING = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": SDK_HEADERS}
PATHS = [CHAT, "/v1/responses", "/v1/messages", "/v1/messages/count_tokens", "/v1/embeddings", "/chat/completions/"]


@pytest.fixture(scope="module")
def named(start_server: StartServer, model_server: ScriptedUpstream) -> Server:
    own = ("--cors-origins", f"{ORIGIN}, {IPV6}, {APP}")
    return start_server("--base-url", model_server.url, "--no-check", *own)


@pytest.fixture(scope="module")
def for_all(start_server: StartServer, model_server: ScriptedUpstream) -> Server:
    return start_server("--base-url", model_server.url, "--no-check", "--cors-origins", "*")


def words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",")}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", [ORIGIN, IPV6, APP])
def test_a_preflight_of_a_named_origin_allows_all_that_the_sdks_send(named: Server, path: str, origin: str) -> None:
    answer = named.ask("OPTIONS", path, headers=ASKING | {"Origin": origin})
    assert (answer.status, answer.raw) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == origin
    assert words(answer.headers["access-control-allow-headers"]) == words(SDK_HEADERS)
    assert "post" in words(answer.headers["access-control-allow-methods"])
    assert "post" in words(answer.headers["allow"])
    assert "origin" in words(answer.headers["vary"])
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_can_be_read_with_what_its_headers_tell(
    named: Server, scripted: ScriptedUpstream, stream: bool
) -> None:
    scripted.say(PARIS)
    body = json.dumps(chat_body(tools=TOOLS, stream=stream)).encode()
    answer = named.ask("POST", CHAT, body, {"Origin": ORIGIN})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    told = {name for name in answer.headers if name.startswith("x-emulator-")} | {"x-request-id"}
    assert len(told) > 2
    assert told <= words(answer.headers["access-control-expose-headers"])


@pytest.mark.parametrize("stream", [False, True])
def test_what_passes_through_can_be_read_too(named: Server, scripted: ScriptedUpstream, stream: bool) -> None:
    scripted.say("Hello.")
    answer = named.ask("POST", CHAT, json.dumps(chat_body(stream=stream)).encode(), {"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", CHAT, b"{", 400),
        ("GET", CHAT, None, 405),
        ("POST", "/v1/nothing", b"{}", 404),
        ("POST", CHAT, b"{}", 400),
    ],
)
def test_an_error_can_be_read_too(named: Server, method: str, path: str, body: bytes | None, status: int) -> None:
    """Otherwise the page only learns that there was one."""
    answer = named.ask(method, path, body, {"Origin": ORIGIN})
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_a_fault_of_the_model_server_can_be_read_too(named: Server, scripted: ScriptedUpstream) -> None:
    scripted.say(Reply(status=503, raw=b"busy"))
    answer = named.ask("POST", CHAT, json.dumps(chat_body(tools=TOOLS)).encode(), {"Origin": ORIGIN})
    assert answer.status == 503
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3001",
        "https://localhost:3000",
        "http://localhost:3000.evil.example",
        "http://[::1]",
        "null",
        "",
    ],
)
def test_other_origins_are_allowed_nothing(named: Server, origin: str) -> None:
    answer = named.ask("OPTIONS", CHAT, headers=ASKING | {"Origin": origin})
    assert not any(name.startswith("access-control-") for name in answer.headers)


def test_without_an_origin_nothing_is_said_of_origins(named: Server) -> None:
    assert not any(name.startswith("access-control-") for name in named.ask("GET", "/health").headers)


@pytest.mark.parametrize("origin", [ORIGIN, "null", "https://any.example"])
def test_a_star_is_for_all_and_without_credentials(for_all: Server, origin: str) -> None:
    for answer in (
        for_all.ask("OPTIONS", CHAT, headers=ASKING | {"Origin": origin}),
        for_all.ask("GET", "/health", headers={"Origin": origin}),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


def test_no_origin_is_allowed_anything_by_default(server: Server) -> None:
    answer = server.ask("OPTIONS", CHAT, headers=ASKING | {"Origin": ORIGIN})
    assert (answer.status, words(answer.headers["allow"])) == (204, {"post", "options"})
    assert not any(name.startswith("access-control-") for name in answer.headers)
