"""Records and counters in two tables of a PostgreSQL database, for servers that share them.

Rule: each wait for the server ends after two seconds.  The driver is pg8000, which is Python down to the socket, so
that under gevent everything about it gives way, looking up the host's name too.  What is asked is one message, without
a prepared statement or state of the session, so that a PgBouncer in any mode may stand between.
"""

from __future__ import annotations

import os
import queue
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from emulator.records.forks import PerProcess
from emulator.records.interface import StoreUnavailable, digest, name_bytes, name_text
from emulator.store_urls import PostgresAddress, postgres_address, shown

TABLE = "tool_use_emulator_programs"
COUNTERS = "tool_use_emulator_counters"
SECONDS = 2.0
CONNECTIONS = 4
"""Connections of a process; who finds all in use waits for one.  A server admits 100 unless told otherwise."""

SWEEP_EVERY = 64
"""Puts of a process from one sweep to the next; the first put sweeps."""

SWEEP_ROWS = 2 * SWEEP_EVERY
"""Rows that a sweep removes at most: more than were put since the last, so that expired ones can't pile up."""

_NO_TABLE = "42P01"
_LOCK = 0x70726F6772616D73
# IF NOT EXISTS alone fails where two processes are at it at once; the lock lasts as long as the message.
_CREATE = f"""
SELECT pg_advisory_xact_lock({_LOCK});
CREATE TABLE IF NOT EXISTS {TABLE} (key bytea PRIMARY KEY, expires timestamptz NOT NULL, value bytea NOT NULL);
CREATE INDEX IF NOT EXISTS {TABLE}_expires ON {TABLE} (expires);
CREATE TABLE IF NOT EXISTS {COUNTERS}
(kind text NOT NULL, name bytea NOT NULL, value bigint NOT NULL, PRIMARY KEY (kind, name));
"""
_SWEEP = f"""
DELETE FROM {TABLE} WHERE key IN
(SELECT key FROM {TABLE} WHERE expires <= now() LIMIT {SWEEP_ROWS} FOR UPDATE SKIP LOCKED);
"""  # noqa: S608 - nothing in it is anybody's but ours
# The last half second of programs may be lost with the database's machine; nobody waits for its disk.
_NO_WAIT = "SET LOCAL synchronous_commit = off;"


class _Connection(Connection):
    def abandon(self) -> None:
        """Close without a goodbye, for which a server that doesn't answer would let us wait."""
        with suppress(OSError):
            cast(socket.socket, self._usock).shutdown(socket.SHUT_RDWR)
        with suppress(InterfaceError, OSError):
            self.close()


class _Process:
    """The connections of one process: each slot holds one, or None until it is needed."""

    def __init__(self) -> None:
        self.slots: queue.LifoQueue[_Connection | None] = queue.LifoQueue()
        for _ in range(CONNECTIONS):
            self.slots.put(None)
        self.puts = 0


class PostgresRecords:
    """``Store`` in the database at ``url`` (postgresql://), in tables that are made where they are missing."""

    def __init__(self, url: str) -> None:
        self._shown = shown(url)
        self._address = postgres_address(url)
        self._processes = PerProcess(_Process)

    def put(self, key: str, value: bytes, seconds: float) -> None:
        process = self._processes.get()
        sweep = _SWEEP if process.puts % SWEEP_EVERY == 0 else ""
        process.puts += 1
        self._rows(
            f"{_NO_WAIT}{sweep}INSERT INTO {TABLE} (key, expires, value) "  # noqa: S608 - hexadecimal digits
            f"VALUES ({_bytes(digest(key))}, now() + {seconds:.3f} * interval '1 second', {_bytes(value)}) "
            "ON CONFLICT (key) DO UPDATE SET expires = excluded.expires, value = excluded.value"
        )

    def get(self, key: str) -> bytes | None:
        rows = self._rows(
            f"SELECT encode(value, 'hex') FROM {TABLE} "  # noqa: S608 - hexadecimal digits
            f"WHERE key = {_bytes(digest(key))} AND expires > now()"
        )
        return bytes.fromhex(rows[0][0]) if rows else None

    def delete(self, key: str) -> None:
        self._rows(f"{_NO_WAIT}DELETE FROM {TABLE} WHERE key = {_bytes(digest(key))}")  # noqa: S608 - hexadecimal digits

    def add(self, group: str, increments: Mapping[str, int]) -> None:
        if not increments:
            return
        # In one order everywhere, or two processes that add the same counters wait for each other's rows for ever.
        rows = ",".join(
            f"({_text(group)}, {_bytes(name_bytes(name))}, {value:d})" for name, value in sorted(increments.items())
        )
        self._rows(
            f"{_NO_WAIT}INSERT INTO {COUNTERS} AS kept (kind, name, value) VALUES {rows} "  # noqa: S608 - hexadecimal digits
            "ON CONFLICT (kind, name) DO UPDATE SET value = kept.value + excluded.value"
        )

    def counted(self, group: str) -> dict[str, int]:
        rows = self._rows(
            f"SELECT encode(name, 'hex'), value::text FROM {COUNTERS} WHERE kind = {_text(group)}"  # noqa: S608 - hexadecimal digits
        )
        return {name_text(bytes.fromhex(name)): int(value) for name, value in rows}

    def close(self) -> None:
        slots = self._processes.get().slots
        idle: list[_Connection | None] = []
        with suppress(queue.Empty):
            while True:
                idle.append(slots.get_nowait())
        for connection in idle:
            if connection is not None:
                connection.abandon()
            slots.put(None)

    def _rows(self, sql: str) -> list[list[str]]:
        slots = self._processes.get().slots
        try:
            connection = slots.get(timeout=SECONDS)
        except queue.Empty:
            raise self._unavailable("all connections are in use") from None
        try:
            connection, rows = self._asked(connection, sql)
        except BaseException:
            slots.put(None)
            raise
        slots.put(connection)
        return rows

    def _asked(self, kept: _Connection | None, sql: str) -> tuple[_Connection, list[list[str]]]:
        """The rows, and the connection to keep.  A failed one is closed."""
        if kept is not None:
            try:
                return kept, self._answer(kept, sql)
            except (InterfaceError, OSError) as error:
                if _timed_out(error):
                    raise self._unavailable(f"no answer in {SECONDS:g} s") from error
                # The server was restarted, or something between cut a connection that was idle.
        fresh = self._connect()
        try:
            return fresh, self._answer(fresh, sql)
        except (InterfaceError, OSError) as error:
            reason = f"no answer in {SECONDS:g} s" if _timed_out(error) else str(error)
            raise self._unavailable(reason) from error

    def _answer(self, connection: _Connection, sql: str) -> list[list[str]]:
        """Raises InterfaceError or OSError where the connection failed, StoreUnavailable where the server refuses."""
        try:
            try:
                return _run(connection, sql)
            except DatabaseError as error:
                if _code(error) != _NO_TABLE:
                    raise
            _run(connection, _CREATE)
            return _run(connection, sql)
        except DatabaseError as error:
            connection.abandon()
            raise self._unavailable(_said(error)) from error
        except BaseException:
            # Given up halfway: what still comes would be taken for the next answer.
            connection.abandon()
            raise

    def _connect(self) -> _Connection:
        address = self._address
        try:
            plain = _socket(address)
            try:
                return _Connection(
                    address.user,
                    host=address.host,
                    database=address.database,
                    password=address.password,
                    application_name=address.application_name,
                    sock=plain,
                    ssl_context=_tls(address),
                )
            except BaseException:
                plain.close()
                raise
        except DatabaseError as error:
            raise self._unavailable(_said(error)) from error
        except Exception as error:  # the driver lets out whatever a wrong peer makes it stumble over
            raise self._unavailable(str(error) or type(error).__name__) from error

    def _unavailable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(f"The store of programs at {self._shown} can't be used: {reason}.")


def _socket(address: PostgresAddress) -> socket.socket:
    if not address.host.startswith("/"):
        made = socket.create_connection((address.host, address.port), SECONDS)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(SECONDS)
        made.connect(os.path.join(address.host, f".s.PGSQL.{address.port}"))  # noqa: PTH118 - a socket's name
    except BaseException:
        made.close()
        raise
    return made


def _tls(address: PostgresAddress) -> ssl.SSLContext | bool | None:
    """False is without TLS, None with it if offered; see https://www.postgresql.org/docs/current/libpq-ssl.html."""
    mode = address.sslmode
    if mode == "disable" or address.host.startswith("/"):
        return False
    if mode in ("allow", "prefer") and address.sslcert is None:
        return None
    context = ssl.create_default_context(cafile=address.sslrootcert)
    context.check_hostname = mode == "verify-full"
    if mode in ("allow", "prefer", "require") and address.sslrootcert is None:
        context.verify_mode = ssl.CERT_NONE
    if address.sslcert is not None:
        context.load_cert_chain(address.sslcert, address.sslkey)
    return context


def _run(connection: _Connection, sql: str) -> list[list[str]]:
    return cast(Any, connection).run(sql) or []


def _bytes(value: bytes) -> str:
    # Hexadecimal digits need no quoting, whatever standard_conforming_strings says.
    return f"decode('{value.hex()}', 'hex')"


def _text(value: str) -> str:
    return f"convert_from({_bytes(value.encode())}, 'UTF8')"


def _said(error: DatabaseError) -> str:
    fields: Any = error.args[0]
    return str(fields.get("M", fields))


def _code(error: DatabaseError) -> str:
    return error.args[0].get("C", "")


def _timed_out(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError)
