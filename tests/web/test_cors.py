"""Whose pages may use a server with somebody's keys behind it is decided by comparing origins: a comparison that takes a
dot or a bracket for a pattern, or an end for a beginning, lets strangers in."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from emulator.settings import Settings
from emulator.web import create_app
from emulator.web.cors import EXPOSED, allow_origins

ORIGIN, IPV6, TAURI = "http://chat.example:3000", "http://[::1]:5173", "tauri://localhost"
NAMED = (ORIGIN, IPV6, TAURI)


def app_for(*origins: str) -> Flask:
    app = Flask("emulator", static_folder=None)
    allow_origins(app, origins)

    @app.get("/page")
    def page() -> str:  # pyright: ignore[reportUnusedFunction]
        return "text"

    return app


NAMING, OPEN = app_for(*NAMED), app_for("*")


def asked(app: Flask, origin: str | None, method: str = "GET", **headers: str) -> Headers:
    sent = {} if origin is None else {"Origin": origin}
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().open("/page", method=method, headers=sent | told).headers


def said_of_origins(headers: Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers if name.lower().startswith("access-control-")}


@pytest.mark.parametrize("origin", [*NAMED, "HTTP://Chat.Example:3000"])
def test_a_named_origin_may_read_the_answer(origin: str) -> None:
    headers = asked(NAMING, origin)
    told = said_of_origins(headers)
    assert told.keys() == {"access-control-allow-origin", "access-control-expose-headers"}
    assert told["access-control-allow-origin"].lower() == origin.lower()
    assert set(told["access-control-expose-headers"].split(", ")) == set(EXPOSED)
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "http://chatxexample:3000",
        "http://chat.example:30000",
        "http://chat.example",
        "https://chat.example:3000",
        "http://chat.example:3000.evil.example",
        "http://chat.example:3000\u2028",
        "http://evil.example/http://chat.example:3000",
        "xhttp://chat.example:3000",
        "http://:5173",
        "http://1:5173",
        "http://[::1]:51730",
        "tauri://localhost.evil.example",
        "*",
        ".*",
        "null",
        "",
        None,
    ],
)
def test_any_other_is_told_nothing(origin: str | None) -> None:
    assert said_of_origins(asked(NAMING, origin)) == {}
    preflight = asked(NAMING, origin, "OPTIONS", Access_Control_Request_Method="GET")
    assert said_of_origins(preflight) == {}


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30) | st.sampled_from(NAMED))
def test_an_origin_is_allowed_if_it_is_one_of_those_named(origin: str) -> None:
    expected = origin if origin.lower() in NAMED else None
    assert asked(NAMING, origin).get("Access-Control-Allow-Origin") == expected


@given(
    named=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"), min_size=1, max_size=12),
    other=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12),
)
def test_no_sign_in_a_named_origin_is_a_pattern(named: str, other: str) -> None:
    app = app_for(named)
    assert asked(app, named)["Access-Control-Allow-Origin"] == named
    assert ("Access-Control-Allow-Origin" in asked(app, other)) == (other.lower() == named.lower())


@pytest.mark.parametrize("origin", [ORIGIN, "https://any.example", "null"])
def test_a_star_is_for_all(origin: str) -> None:
    headers = asked(OPEN, origin)
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in headers  # One answer for all of them: caches may keep it.


def test_who_is_no_page_is_told_nothing() -> None:
    assert said_of_origins(asked(OPEN, None)) == {}


@pytest.mark.parametrize("app", [NAMING, OPEN], ids=["named", "star"])
def test_a_preflight_allows_the_headers_that_a_page_asks_for(app: Flask) -> None:
    """SDKs send ever new headers of their own; what counts is that cookies are never among them."""
    wanted = "authorization, x-api-key, anthropic-version, x-made-up"
    told = said_of_origins(
        asked(
            app,
            ORIGIN,
            "OPTIONS",
            Access_Control_Request_Method="POST",
            Access_Control_Request_Headers=wanted,
        )
    )
    assert set(told["access-control-allow-headers"].split(", ")) == set(wanted.split(", "))
    assert {"GET", "POST", "DELETE"} <= set(told["access-control-allow-methods"].split(", "))
    assert told["access-control-max-age"] == "600"
    assert "access-control-allow-credentials" not in told


@pytest.mark.parametrize("origins", ["", ORIGIN])
def test_the_app_allows_what_its_settings_name(origins: str) -> None:
    app = create_app(Settings(base_url="http://127.0.0.1:9/v1", cors_origins=origins))
    client = app.test_client()
    for method, path, status in [("GET", "/v1/", 200), ("GET", "/v1/none", 404), ("PUT", "/v1/messages", 405)]:
        answer = client.open(path, method=method, headers={"Origin": ORIGIN}, content_type="application/json")
        assert (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")) == (status, origins or None)


def test_the_app_keeps_the_methods_in_a_preflights_answer() -> None:
    app = create_app(Settings(base_url="http://127.0.0.1:9/v1", cors_origins=f"{IPV6}, {ORIGIN}"))
    asking = {"Origin": IPV6, "Access-Control-Request-Method": "POST"}
    answer = app.test_client().options("/v1/chat/completions", headers=asking)
    assert (answer.status_code, answer.headers["Allow"]) == (204, "OPTIONS, POST")
    assert answer.headers["Access-Control-Allow-Origin"] == IPV6
