"""Whoever visits a web page must not lend it the model server at their own machine, while tools, scripts, pages of the
server's own and those that the settings name go on as they are."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from emulator.settings import Settings
from emulator.web import create_app

EVIL, OURS, NAMED = "https://evil.example", "http://ai.home:8001", "https://chat.example"
FORMS = [
    "text/ping",
    "application/csp-report",
    "text/plain",
    "text/plain; charset=utf-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    None,
]
PATHS = ["/v1/chat/completions", "/messages", "/v1/responses", "/v1/embeddings", "/v1/responses/resp_1/cancel", "/none"]


def client_of(origins: str = NAMED) -> FlaskClient:
    return create_app(Settings(base_url="http://127.0.0.1:9/v1", cors_origins=origins)).test_client()


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return client_of()


def asked(
    client: FlaskClient, path: str, origin: str | None, kind: str | None, method: str = "POST", **more: str
) -> int:
    told = {} if origin is None else {"Origin": origin}
    headers = {"Host": "ai.home:8001"} | told | {name.replace("_", "-"): value for name, value in more.items()}
    return client.open(path, method=method, headers=headers, content_type=kind, data=b"[]").status_code


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_elsewhere_gets_nothing_done_by_what_it_need_not_ask_for(
    client: FlaskClient, path: str, kind: str | None
) -> None:
    assert asked(client, path, EVIL, kind) == 403


@pytest.mark.parametrize(
    "origin", ["null", "", "https://ai.home", "http://ai.home:8001.evil.example", "http://[", "//"]
)
def test_what_only_looks_like_ours_is_elsewhere(client: FlaskClient, origin: str) -> None:
    assert asked(client, "/v1/chat/completions", origin, "text/plain") == 403


@pytest.mark.parametrize(("origin", "kind"), [(None, "text/plain"), (None, None), (EVIL, "application/json")])
def test_others_are_heard(client: FlaskClient, origin: str | None, kind: str | None) -> None:
    """Tools send no Origin, and about JSON browsers ask before they send it."""
    assert asked(client, "/v1/chat/completions", origin, kind) == 400


@pytest.mark.parametrize("origin", [OURS, "https://AI.home:8001", NAMED, NAMED.upper()])
def test_pages_that_may_ask_are_heard(client: FlaskClient, origin: str) -> None:
    assert asked(client, "/v1/chat/completions", origin, "text/plain") == 400


@pytest.mark.parametrize(
    "header",
    [{"Authorization": "Bearer sk-x"}, {"X_Api_Key": "sk-x"}, {"Sec_Fetch_Site": "same-origin"}],
    ids=lambda header: next(iter(header)),
)
def test_what_no_form_could_send_is_heard(client: FlaskClient, header: dict[str, str]) -> None:
    """Browsers ask before they send a key for a page, and say themselves where a page is from."""
    assert asked(client, "/v1/chat/completions", EVIL, "multipart/form-data", **header) == 400
    assert asked(client, "/v1/responses/resp_1", EVIL, None, "DELETE") == 404


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://chat.lan", "chat.lan:443"),
        ("http://chat.lan", "CHAT.lan:80"),
        ("http://chat.lan:80", "chat.lan"),
        ("http://my_server:8000", "my_server:8000"),
        ("http://[::1]:8001", "[::1]:8001"),
    ],
)
def test_an_address_may_be_written_in_several_ways(client: FlaskClient, origin: str, host: str) -> None:
    assert asked(client, "/v1/chat/completions", origin, "text/plain", Host=host) == 400
    assert asked(client, "/v1/chat/completions", origin, "text/plain", Host="else.lan") == 403


def test_a_star_is_for_all() -> None:
    assert asked(client_of("*"), "/v1/chat/completions", EVIL, "text/plain") == 400


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1"), ("HEAD", "/v1"), ("OPTIONS", "/v1/responses")])
def test_reading_is_no_work(client: FlaskClient, method: str, path: str) -> None:
    assert asked(client, path, EVIL, None, method) < 400


def test_the_refusal_says_which_setting_lets_it() -> None:
    answer = client_of().post("/v1/chat/completions", headers={"Origin": EVIL}, content_type="text/plain", data=b"{}")
    error = json.loads(answer.data)["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "origin_not_allowed")
    assert EVIL in error["message"] and "--cors-origins" in error["message"]
