"""A server in front of the scripted model, for clients that run their own loops; and what their tests have found.

Nothing here imports a client or the server: this file is also read by the interpreter of those clients that need other
packages (``openai2/``).
"""

from __future__ import annotations

import gc
import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.clients.model import Model
from tests.clients.table import PROPERTY, Check, add_checks, check_of
from tests.live.server import ROOT, Server

pytest.register_assert_rewrite("tests.clients.scenarios")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--compatibility", type=Path, metavar="FILE", help="write what the clients' tests have found")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "client(name, api, package=, version=): whose test it is (tests/clients/table.py)"
    )
    config.addinivalue_line("markers", "feature(name, mode=): what the test shows (tests/clients/table.py)")
    file: Path | None = config.getoption("--compatibility", None)
    if file is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Findings(file))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test shows travels with its report, which may come from another process."""
    for item in items:
        if (item.get_closest_marker("client") or item.get_closest_marker("feature")) and (check := check_of(item)):
            item.user_properties.append((PROPERTY, json.dumps(asdict(check))))


class Findings:
    """Gathers what the reports of a run carry, and writes it when the run is over."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._found: list[Check] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        shown = dict(report.user_properties).get(PROPERTY)
        if shown and (report.when == "call" or report.failed) and not report.skipped:
            self._found.append(replace(Check(**json.loads(str(shown))), passed=report.passed))

    def pytest_sessionfinish(self) -> None:
        add_checks(self._file, self._found)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The loop of tests marked ``anyio``, which runs those of inherited suites too, in whichever class they stand."""
    return "asyncio"


@pytest.fixture(scope="session")
async def one_loop(anyio_backend: str) -> AsyncIterator[None]:
    """Keeps the event loop from one test to the next, for clients that keep their connections."""
    yield  # noqa: PT022 - the loop is kept for as long as this stands here


@pytest.fixture(scope="module", autouse=True)
def abandoned_clients() -> Iterator[None]:
    """Collects the asynchronous clients that tests leave open, while no loop runs: found later, they would close what
    belongs to a loop that is gone within that of some other test, which would fail of it."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def scripted_model() -> Iterator[Model]:
    """Not called ``model``, which is a fixture of suites that are inherited here."""
    model = Model()
    yield model
    model.shutdown()
    model.server_close()


@pytest.fixture(scope="session")
def server(scripted_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """All settings as they come; the interpreter is the one that has the server's packages."""
    python = sys.executable if importlib.util.find_spec("gunicorn") else ROOT / ".venv/bin/python"
    folder = tmp_path_factory.mktemp("server")
    server = Server(folder, "--workers", "1", "--base-url", scripted_model.url, "--no-check", python=python)
    yield server
    server.stop()
