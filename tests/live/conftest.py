"""A server in front of a scripted model server, started once for all live tests of a test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.live.server import Server
from tests.live.upstream import ScriptedUpstream

KEY = "sk-the-server-s-own-key"
StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Starts servers with the flags given; they run until the tests end."""
    servers: list[Server] = []

    def start(*flags: str) -> Server:
        servers.append(Server(tmp_path_factory.mktemp("server"), "--workers", "1", *flags))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def model_server() -> Iterator[ScriptedUpstream]:
    server = ScriptedUpstream()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def server(start_server: StartServer, model_server: ScriptedUpstream) -> Server:
    """All settings as they come."""
    return start_server("--base-url", model_server.url, "--no-check")


@pytest.fixture(scope="session")
def strict_server(start_server: StartServer, model_server: ScriptedUpstream) -> Server:
    """Has a key and a model of its own, small limits, and little patience with the model server."""
    limits = ("--max-body", "20000", "--first-token-timeout", "1", "--silence-timeout", "1")
    own = ("--api-key", KEY, "--model", "own-model")
    return start_server("--base-url", model_server.url, "--no-check", *own, *limits)


@pytest.fixture
def scripted(model_server: ScriptedUpstream) -> Iterator[ScriptedUpstream]:
    """The model server, with nothing scripted and nothing asked yet."""
    model_server.reset()
    yield model_server
    model_server.reset()
