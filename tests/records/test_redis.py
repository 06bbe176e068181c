"""A shared Redis is somebody else's: with password, TLS and other people's keys in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import redis

from emulator.records.interface import Records, StoreUnavailable
from emulator.records.redis import CONNECTIONS, PREFIX
from tests.records.servers import RedisServer, certificate

HOUR = 3600.0
Opened = Callable[[str], Records]


@pytest.fixture
def server() -> Generator[RedisServer]:
    made = RedisServer()
    try:
        yield made
    finally:
        made.remove()


def test_keys_stand_in_a_namespace_and_redis_expires_them(server: RedisServer, opened: Opened) -> None:
    server.start()
    opened(server.url).put("key", b"x", HOUR)
    looking = redis.Redis.from_url(server.url)
    names: Any = looking.keys()
    (name,) = names
    assert name.startswith(PREFIX.encode()) and b"key" not in name
    assert 0 < looking.ttl(name) <= HOUR
    looking.close()


def test_a_password_is_used_and_never_told(server: RedisServer, opened: Opened) -> None:
    server.options = ["--requirepass", "s3cret/@"]
    server.start()
    records = opened(f"redis://:s3cret%2F%40@127.0.0.1:{server.port}/3")
    records.put("key", b"x", HOUR)
    assert records.get("key") == b"x"
    with pytest.raises(StoreUnavailable) as refused:
        opened(f"redis://:wr0ng@127.0.0.1:{server.port}/3").get("key")
    assert f"redis://127.0.0.1:{server.port}/3" in refused.value.message
    assert "wr0ng" not in refused.value.message
    server.kill()
    with pytest.raises(StoreUnavailable) as gone:
        records.get("key")
    assert "s3cret" not in gone.value.message


def test_databases_of_a_server_are_apart(server: RedisServer, opened: Opened) -> None:
    server.start()
    opened(f"redis://127.0.0.1:{server.port}/1").put("key", b"x", HOUR)
    assert opened(f"{server.url}?db=1").get("key") == b"x"
    assert opened(server.url).get("key") is None


def test_tls_is_checked_against_the_given_authority(server: RedisServer, opened: Opened, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    server.options = ["--port", "0", "--tls-port", str(server.port), "--tls-auth-clients", "no"]
    server.options += ["--tls-cert-file", str(cert), "--tls-key-file", str(key), "--tls-ca-cert-file", str(cert)]
    server.start()
    records = opened(f"rediss://localhost:{server.port}/0?ssl_ca_certs={cert}")
    records.put("key", b"x", HOUR)
    assert records.get("key") == b"x"
    for wrong in (f"rediss://localhost:{server.port}", f"rediss://127.0.0.1:{server.port}?ssl_ca_certs={cert}"):
        with pytest.raises(StoreUnavailable, match="certificate"):
            opened(wrong).get("key")
    with pytest.raises(StoreUnavailable, match="can't be used"):
        opened(f"redis://localhost:{server.port}").get("key")
    with pytest.raises(StoreUnavailable, match="can't be used"):
        opened(f"rediss://localhost:{server.port}?ssl_ca_certs=/nowhere.pem").get("key")


def test_a_server_that_is_full_is_told(server: RedisServer, opened: Opened) -> None:
    server.options = ["--maxmemory", "1", "--maxmemory-policy", "noeviction"]
    server.start()
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        opened(server.url).put("key", b"x", HOUR)


def test_connections_are_few(server: RedisServer, opened: Opened) -> None:
    server.start()
    records = opened(server.url)
    threads = [threading.Thread(target=records.put, args=(f"k{n}", bytes(200_000), HOUR)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(records.get(f"k{n}") == bytes(200_000) for n in range(40))
    looking = redis.Redis.from_url(server.url)
    clients = looking.client_list()
    looking.close()
    assert len(clients) <= CONNECTIONS + 1
