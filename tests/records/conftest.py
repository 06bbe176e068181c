"""The stores of the tests: SQLite in a file, and one Redis and one PostgreSQL for all tests of a process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from emulator.records.interface import Records
from emulator.records.opening import open_records
from tests.records.servers import PostgresServer, RedisServer, StoreServer


def running(server: StoreServer) -> Generator[StoreServer]:
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def redis_server() -> Generator[StoreServer]:
    yield from running(RedisServer())


@pytest.fixture(scope="session")
def postgres_server() -> Generator[StoreServer]:
    yield from running(PostgresServer())


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of each kind, for tests that don't harm it."""
    if request.param == "sqlite":
        return f"sqlite://{tmp_path}/programs.db"
    server: StoreServer = request.getfixturevalue(f"{request.param}_server")
    return server.url


@pytest.fixture
def opened() -> Iterator[Callable[[str], Records]]:
    """``opened(url)`` opens a store that is closed with the test."""
    with ExitStack() as stack:

        def opens(url: str) -> Records:
            records = open_records(url, Path("/nowhere/programs.db"))
            stack.callback(records.close)
            return records

        yield opens


@pytest.fixture
def records(url: str, opened: Callable[[str], Records]) -> Records:
    return opened(url)


@pytest.fixture(params=[RedisServer, PostgresServer])
def server(request: pytest.FixtureRequest) -> Generator[StoreServer]:
    """A server of the test's own, which may be killed."""
    yield from running(request.param())
