"""The OpenAPI document has every route of the app, and no other: what isn't documented can't be relied on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import jsonschema_rs
import pytest
from flask import Flask

from emulator.settings import Settings
from emulator.web import create_app
from emulator.web.document import document
from emulator.web.index import paths, shown

AUTOMATIC = {"HEAD", "OPTIONS"}
PREFIX = "/v1"


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings(base_url="http://127.0.0.1:9/v1"))


def served(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        yield from ((method, shown(rule.rule)) for method in (rule.methods or set()) - AUTOMATIC)


def documented() -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}


def test_every_route_is_documented_and_every_documented_one_is_served(app: Flask) -> None:
    """Paths with and without ``/v1`` are one: its form with it stands in the document."""
    routes = set(served(app))
    known = documented()
    assert known <= routes
    assert {route for route in routes - known if (route[0], PREFIX + route[1]) not in known} == set()


def test_what_is_below_v1_is_served_without_it_too(app: Flask) -> None:
    routes = set(served(app))
    below = {(method, path) for method, path in routes if path.startswith(f"{PREFIX}/")}
    assert below
    assert {(method, path.removeprefix(PREFIX)) for method, path in below} <= routes


def test_the_paths_that_are_told_are_those_of_the_document(app: Flask) -> None:
    assert {path for _, path in documented()} == set(paths(app))


def test_every_schema_is_one_and_none_is_left_over() -> None:
    told = document()
    schemas = told["components"]["schemas"]
    for name in schemas:
        jsonschema_rs.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": told["components"]})
    assert {name for name in schemas if f"#/components/schemas/{name}'" not in str(told)} == set()


def test_operations_have_names_of_their_own() -> None:
    ids = [each["operationId"] for methods in document()["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


def test_it_is_made_once(app: Flask) -> None:
    with app.test_client() as client:
        first, second = client.get("/openapi.json"), client.get("/openapi.json/")
    assert first.json == document()
    assert second.data == first.data


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [("emulator.web", "pydantic"), ("emulator.web.document", "openai"), ("emulator.web.document", "anthropic")],
)
def test_what_is_large_is_not_imported_for_it(module: str, unneeded: str) -> None:
    """A process that is never asked for the document doesn't carry Pydantic, and none the client libraries."""
    code = f"import sys, {module}; sys.exit({unneeded!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
