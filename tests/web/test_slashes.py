"""A base URL with a slash too many is the commonest slip there is and must not end in a 404, while the slashes in a
model's name are the name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from emulator.settings import Settings
from emulator.web import create_app
from emulator.web.slashes import SingleSlashes


def passed_on(path: str) -> str:
    """The path that the application behind the middleware sees."""
    seen: list[str] = []

    def inner(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        return [b"answer"]

    assert list(SingleSlashes(inner)({"PATH_INFO": path}, lambda *_: None)) == [b"answer"]
    return seen[0]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("//", "/"),
        ("////", "/"),
        ("//v1", "/v1"),
        ("//v1/", "/v1/"),
        ("/v1//", "/v1/"),
        ("//models", "/models"),
        ("/v1//models", "/v1/models"),
        ("//v1///models", "/v1/models"),
        ("//chat/completions", "/chat/completions"),
        ("//v1//chat/completions/", "/v1/chat/completions/"),
        ("/v1/models/hf://org//name", "/v1/models/hf://org//name"),
        ("//v1//models/hf://org//name", "/v1/models/hf://org//name"),
        ("//models/hf://org/name", "/models/hf://org/name"),
        ("/chat//completions", "/chat//completions"),
        ("//v10//models", "/v10//models"),
        ("/v1//v1//models", "/v1/v1//models"),
    ],
)
def test_slashes_around_v1_count_once(path: str, expected: str) -> None:
    assert passed_on(path) == expected


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/models", "/v1/models/org/name", "*"])
def test_a_path_with_single_slashes_stays(path: str) -> None:
    assert passed_on(path) == path


@given(before=st.integers(1, 5), between=st.integers(1, 5), rest=st.text("av1/:", max_size=12))
def test_however_many_slashes_there_are_it_is_one_path(before: int, between: int, rest: str) -> None:
    """The rest is anything, slashes within it included, that doesn't begin with one."""
    rest = rest.lstrip("/")
    assert passed_on(f"{'/' * before}v1{'/' * between}{rest}") == f"/v1/{rest}"


@given(st.text("v1m/", max_size=14).map(lambda rest: "/" + rest))
def test_doing_it_twice_changes_nothing(path: str) -> None:
    once = passed_on(path)
    assert passed_on(once) == once
    assert not once.startswith(("//", "/v1//"))
    assert path.endswith(once.lstrip("/").removeprefix("v1/"))


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings(base_url="http://127.0.0.1:9/v1"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def ask(client: FlaskClient, method: str, path: str) -> tuple[int, Any]:
    # Not as the client's own path: it would read what follows two slashes as a host.
    answer = client.open("/", method=method, environ_overrides={"PATH_INFO": path}, data=b"[]")
    return answer.status_code, answer.headers.get("Allow")


@pytest.mark.parametrize("route", ["chat/completions", "responses", "messages"])
@pytest.mark.parametrize("base", ["/", "//", "///", "/v1/", "//v1/", "/v1//", "//v1//"])
def test_the_app_finds_its_routes(client: FlaskClient, base: str, route: str) -> None:
    """What is wrong is the body, and not that there were no such path."""
    assert ask(client, "POST", base + route)[0] == 400
    status, allowed = ask(client, "PATCH", base + route)
    assert (status, "POST" in (allowed or "")) == (405, True)


@pytest.mark.parametrize("path", ["/v1/chat//completions", "/v1/v1/chat/completions", "//v2//chat/completions"])
def test_what_is_wrong_elsewhere_stays_unknown(client: FlaskClient, path: str) -> None:
    assert ask(client, "POST", path)[0] == 404
