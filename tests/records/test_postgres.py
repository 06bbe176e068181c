"""A shared PostgreSQL is somebody else's: with passwords, TLS, few rights, few connections, and settings of its own."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from pg8000.native import Connection

from emulator.records.interface import Records, StoreUnavailable
from emulator.records.postgres import CONNECTIONS, SWEEP_EVERY, TABLE
from tests.records.servers import PostgresServer, certificate, free_port, until

HOUR = 3600.0
Opened = Callable[[str], Records]


@pytest.fixture(scope="module")
def server() -> Generator[PostgresServer]:
    """With TLS; the certificate is that of localhost."""
    made = PostgresServer()
    try:
        cert, key = certificate(made.folder)
        made.own(cert, key)
        made.options = ["ssl=on", f"ssl_cert_file={cert}", f"ssl_key_file={key}"]
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def admin(server: PostgresServer) -> Iterator[Callable[[str], list[list[object]]]]:
    connection = Connection(
        "tester", database="postgres", unix_sock=f"{server.folder}/.s.PGSQL.{server.port}", ssl_context=False
    )

    def run(sql: str) -> list[list[object]]:
        return cast(Any, connection).run(sql) or []

    yield run
    connection.close()


def test_a_password_is_used_and_never_told(server: PostgresServer, opened: Opened) -> None:
    records = opened(server.tcp_url())
    records.put("key", b"x", HOUR)
    assert records.get("key") == b"x"
    for wrong in ("wr0ng", ""):
        with pytest.raises(StoreUnavailable, match=r"tester@127\.0\.0\.1") as refused:
            opened(server.tcp_url(password=wrong)).get("key")
        assert "wr0ng" not in refused.value.message


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"])
def test_tls_is_what_the_url_asks_for(
    server: PostgresServer, opened: Opened, admin: Callable[[str], list[list[object]]], mode: str
) -> None:
    ca = f"&sslrootcert={server.folder}/cert.pem" if mode.startswith("verify") else ""
    options = f"?sslmode={mode}{ca}&application_name=mode-{mode}"
    records = opened(server.tcp_url(host="localhost" if mode == "verify-full" else "127.0.0.1", options=options))
    records.put("key", b"x", HOUR)
    assert records.get("key") == b"x"
    used = admin(
        f"SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'mode-{mode}'"
    )
    assert used == [[mode != "disable"]]


@pytest.mark.parametrize(
    ("host", "options"),
    [
        ("localhost", "?sslmode=verify-full"),  # An authority that the system doesn't know.
        ("localhost", "?sslmode=verify-ca"),
        ("127.0.0.1", "?sslmode=verify-full&sslrootcert={folder}/cert.pem"),  # Not the certificate's name.
        ("localhost", "?sslmode=require&sslrootcert={folder}/other.pem"),
        ("localhost", "?sslmode=require&sslrootcert=/nowhere.pem"),
        ("localhost", "?sslcert=/nowhere.pem"),
    ],
)
def test_a_server_that_is_not_proven_is_not_used(
    server: PostgresServer, opened: Opened, tmp_path: Path, host: str, options: str
) -> None:
    shutil.copy(certificate(tmp_path)[0], server.folder / "other.pem")
    with pytest.raises(StoreUnavailable):
        opened(server.tcp_url(host=host, options=options.format(folder=server.folder))).get("key")


def test_tls_that_the_server_does_not_offer_is_told(postgres_server: PostgresServer, opened: Opened) -> None:
    with pytest.raises(StoreUnavailable, match="SSL"):
        opened(postgres_server.tcp_url(options="?sslmode=require")).get("key")
    assert opened(postgres_server.tcp_url(options="?sslmode=prefer")).get("key") is None


def test_an_administrators_table_is_enough(
    server: PostgresServer, opened: Opened, admin: Callable[[str], list[list[object]]]
) -> None:
    # A user who may use the table needs no right to make one.
    opened(server.url).put("key", b"x", HOUR)
    admin("CREATE ROLE limited LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    url = server.url.replace("tester@", "limited@")
    with pytest.raises(StoreUnavailable, match="permission denied"):
        opened(url).get("key")
    admin(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO limited")
    records = opened(url)
    records.put("mine", b"y", HOUR)
    assert (records.get("mine"), records.get("key")) == (b"y", b"x")


def test_a_table_that_was_dropped_is_made_again(
    server: PostgresServer, opened: Opened, admin: Callable[[str], list[list[object]]]
) -> None:
    records = opened(server.url)
    records.put("key", b"x", HOUR)
    admin(f"DROP TABLE {TABLE}")
    assert records.get("key") is None
    records.put("key", b"y", HOUR)
    assert records.get("key") == b"y"


@pytest.mark.parametrize(
    "setting", ["standard_conforming_strings = off", "bytea_output = escape", "client_encoding = latin1"]
)
def test_the_databases_own_settings_change_nothing(
    server: PostgresServer, opened: Opened, admin: Callable[[str], list[list[object]]], setting: str
) -> None:
    admin(f"ALTER ROLE tester SET {setting}")
    try:
        records = opened(server.url)
        value = bytes(range(256)) * 3
        records.put("\\'\u65e5", value, HOUR)
        assert records.get("\\'\u65e5") == value
    finally:
        admin("ALTER ROLE tester RESET ALL")


def test_expired_records_leave(
    server: PostgresServer, opened: Opened, admin: Callable[[str], list[list[object]]]
) -> None:
    records = opened(server.url)
    admin(f"TRUNCATE {TABLE}")
    for n in range(SWEEP_EVERY):
        records.put(f"brief-{n}", b"x", 0.3)
    until(lambda: admin(f"SELECT count(*) FROM {TABLE} WHERE expires > now()") == [[0]])
    for n in range(SWEEP_EVERY):
        records.put(f"lasting-{n}", b"x", HOUR)
    assert admin(f"SELECT count(*) FROM {TABLE}") == [[SWEEP_EVERY]]


def test_connections_are_few_and_end_with_close(
    server: PostgresServer, opened: Opened, admin: Callable[[str], list[list[object]]]
) -> None:
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'few'"
    records = opened(f"{server.url}&application_name=few")
    threads = [threading.Thread(target=records.put, args=(f"k{n}", bytes(200_000), HOUR)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(records.get(f"k{n}") == bytes(200_000) for n in range(40))
    assert 1 <= int(str(admin(count)[0][0])) <= CONNECTIONS
    records.close()
    until(lambda: admin(count) == [[0]])
    assert records.get("k1") == bytes(200_000)


def test_a_statement_that_waits_for_a_lock_is_given_up_and_the_store_goes_on(
    server: PostgresServer, opened: Opened, admin: Callable[[str], list[list[object]]]
) -> None:
    records = opened(server.url)
    records.put("key", b"x", HOUR)
    admin("BEGIN")
    admin(f"LOCK TABLE {TABLE}")
    try:
        with pytest.raises(StoreUnavailable, match="no answer"):
            records.get("key")
    finally:
        admin("ROLLBACK")
    assert records.get("key") == b"x"


def test_what_is_no_postgres_is_told(server: PostgresServer, opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            for _ in range(2):
                peer, _ = listener.accept()
                with peer:
                    peer.recv(1000)
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        for options in ("", "?sslmode=disable"):
            with pytest.raises(StoreUnavailable, match="can't be used"):
                opened(f"postgresql://u@127.0.0.1:{port}/d{options}").get("key")
        thread.join()
    for nowhere in (f"postgresql://u@127.0.0.1:{free_port()}/d", "postgresql://u@/d?host=/nowhere"):
        with pytest.raises(StoreUnavailable, match="can't be used"):
            opened(nowhere).put("key", b"x", HOUR)
