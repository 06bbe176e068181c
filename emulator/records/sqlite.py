"""Records and counters in one SQLite file that all server processes of a machine use.

Rule: nothing waits for the disk.  ``synchronous`` is OFF: a process that dies loses nothing by it, and what a power cut
may take with it are programs of the last minutes, whose conversations go on without them, and counts.  For the same
reason a damaged file is put aside and a new one begun.  Not for network file systems: SQLite's log doesn't work there.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from emulator.logs import log_event
from emulator.records.forks import PerProcess
from emulator.records.interface import StoreUnavailable, digest, name_bytes, name_text

BUSY_SECONDS = 2.0
MAX_BYTES = 1 << 30
SWEEP_EVERY = 64
"""Puts of a process from one sweep to the next; the first put sweeps."""

SWEEP_ROWS = 2 * SWEEP_EVERY
"""Rows that a sweep removes at most: more than were put since the last, so that expired ones can't pile up."""

SWEEP_PAGES = 1024
"""Pages, of 4 KB, that a sweep gives back to the file system at most."""

LARGE = 256 * 1024
"""Bytes from which on a record is a large one: no program is, but a response to pictures may be."""

LARGEST = 16
"""A record may take one part in so many of all the room."""

_WAL_BYTES = 16 << 20
_TRIES = 4
_APPLICATION = 0x70726F67
_VERSION = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE programs (key BLOB PRIMARY KEY NOT NULL, expires REAL NOT NULL, value BLOB NOT NULL);
CREATE INDEX programs_expires ON programs (expires);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""
# What isn't in the schema above is made in files that were begun without it, too, and their programs stay readable.
_COUNTERS = (
    "CREATE TABLE IF NOT EXISTS counters "
    "(kind TEXT NOT NULL, name BLOB NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID"
)
_ADD = (
    "INSERT INTO counters (kind, name, value) VALUES (?, ?, ?) "
    "ON CONFLICT (kind, name) DO UPDATE SET value = value + excluded.value"
)
_COUNTED = "SELECT name, value FROM counters WHERE kind = ?"
_PUT = (
    "INSERT INTO programs (key, expires, value) VALUES (?, ?, ?) "
    "ON CONFLICT (key) DO UPDATE SET expires = excluded.expires, value = excluded.value"
)
_GET = "SELECT value FROM programs WHERE key = ? AND expires > ?"
_DELETE = "DELETE FROM programs WHERE key = ?"
_SWEEP = "DELETE FROM programs WHERE rowid IN (SELECT rowid FROM programs WHERE expires <= ? LIMIT ?)"
_LARGE_INDEX = f"CREATE INDEX IF NOT EXISTS programs_large ON programs (length(value)) WHERE length(value) >= {LARGE}"
# Oldest first, however long they were to last: else what lasts for weeks would push out what lasts for a day.
_OLDEST = "SELECT rowid, length(value) FROM programs ORDER BY rowid"
_OLDEST_LARGE = (
    "SELECT rowid, length(value) FROM programs INDEXED BY programs_large "  # noqa: S608 - a number of our own
    f"WHERE length(value) >= {LARGE} ORDER BY rowid"
)
_REMOVE = "DELETE FROM programs WHERE rowid = ?"

_logger = logging.getLogger(__name__)
T = TypeVar("T")


class _Process:
    """What one process has open, and the lock under which its threads use it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connection: sqlite3.Connection | None = None
        self.file: tuple[int, int] = (0, 0)
        self.puts = 0

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()


class SqliteRecords:
    """``Store`` in the file ``path``, made with its folder where it is missing, for this user's eyes only.

    Beyond ``max_bytes`` what was put first makes room; counters stay.  Where large records have more than half of it
    they make room themselves, so that a few of them don't push out thousands of others.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._path = path.absolute()
        self._max_bytes = max_bytes
        self._processes = PerProcess(_Process)

    def put(self, key: str, value: bytes, seconds: float) -> None:
        if len(value) > self._max_bytes // LARGEST:
            raise self._unavailable(f"{len(value)} bytes are too many for a record")
        self._do(
            lambda process, connection: _put(process, connection, (digest(key), time.time() + seconds, value)),
            room=len(value),
        )

    def get(self, key: str) -> bytes | None:
        row = self._do(lambda _, connection: connection.execute(_GET, (digest(key), time.time())).fetchone())
        return None if row is None else row[0]

    def delete(self, key: str) -> None:
        self._do(lambda _, connection: connection.execute(_DELETE, (digest(key),)))

    def add(self, group: str, increments: Mapping[str, int]) -> None:
        rows = [(group, name_bytes(name), value) for name, value in increments.items()]
        self._do(lambda _, connection: _add(connection, rows))

    def counted(self, group: str) -> dict[str, int]:
        rows = self._do(lambda _, connection: connection.execute(_COUNTED, (group,)).fetchall())
        return {name_text(name): value for name, value in rows}

    def close(self) -> None:
        process = self._processes.get()
        with process.lock:
            process.close()

    def _do(self, work: Callable[[_Process, sqlite3.Connection], T], *, room: int = 0) -> T:
        """``work``, tried again where what hindered it could be put right.  It takes ``room`` bytes."""
        process = self._processes.get()
        with process.lock:
            try:
                for _ in range(_TRIES - 1):
                    try:
                        return work(process, self._connected(process))
                    except sqlite3.Error as error:
                        if not self._righted(process, error, room):
                            raise
                return work(process, self._connected(process))
            except (OSError, sqlite3.Error) as error:
                process.close()
                raise self._unavailable(str(error)) from error

    def _connected(self, process: _Process) -> sqlite3.Connection:
        # Whoever found the file damaged has put it aside, or somebody has deleted it: then there is another to open.
        if process.connection is not None and self._identity() == process.file:
            return process.connection
        process.close()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            _make_private(self._path)
            process.file = self._identity()
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        process.connection = connection
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """To be called alone: several processes that turn the write-ahead log on at once don't wait for each other."""
        known = (_value(connection, "PRAGMA application_id"), _value(connection, "PRAGMA user_version"))
        if known == (0, 0) and not _value(connection, "SELECT count(*) FROM sqlite_master"):
            # Only a file without tables can be told to give back pages.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.executescript(_SCHEMA)
        elif known != (_APPLICATION, _VERSION):
            raise self._unavailable("the file belongs to another program or to another version of this one")
        connection.execute(_COUNTERS)
        connection.execute(_LARGE_INDEX)
        _value(connection, "PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        _value(connection, f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        page = _value(connection, "PRAGMA page_size")
        _value(connection, f"PRAGMA max_page_count = {max(1, self._max_bytes // page)}")

    def _righted(self, process: _Process, error: sqlite3.Error, room: int) -> bool:
        """Whether what hindered ``work`` is out of the way now."""
        # The low byte is the kind, what is above it a detail: https://www.sqlite.org/rescode.html
        kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if kind in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            process.close()
            self._put_aside(process.file, error)
            return True
        if kind == sqlite3.SQLITE_FULL and process.connection is not None:
            return self._made_room(process.connection, room)
        return False

    def _made_room(self, connection: sqlite3.Connection, room: int) -> bool:
        """Whether records were removed, for ``room`` bytes or more if there are as many."""
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            large: list[tuple[int, int]] = connection.execute(_OLDEST_LARGE).fetchall()
            if sum(size for _, size in large) > self._max_bytes // 2:
                removed = list(_freeing(large, room, rows=1))
            else:
                removed = list(_freeing(connection.execute(_OLDEST), room, rows=SWEEP_ROWS))
            connection.executemany(_REMOVE, removed)
        return bool(removed)

    def _put_aside(self, damaged: tuple[int, int], error: sqlite3.Error) -> None:
        with self._alone():
            if self._identity() != damaged:
                return  # Another process was first.
            aside = self._path.with_name(f"{self._path.name}.damaged")
            self._path.replace(aside)
            # Who is just busy with the old file must not share its log and index with users of the new one.
            for end in ("-wal", "-shm"):
                self._path.with_name(self._path.name + end).unlink(missing_ok=True)
        log_event(
            _logger,
            "damaged store of programs put aside",
            level=logging.ERROR,
            path=str(self._path),
            aside=str(aside),
            error=str(error),
        )

    def _identity(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return (0, 0)
        return found.st_dev, found.st_ino

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Among all processes.  Raises OSError where another doesn't get done."""
        name = self._path.with_name(f".{self._path.name}.lock")
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + BUSY_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.005)
            yield
        finally:
            os.close(lock)

    def _unavailable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(f"The store of programs in the file {self._path} can't be used: {reason}.")


def _put(process: _Process, connection: sqlite3.Connection, row: tuple[bytes, float, bytes]) -> None:
    if process.puts % SWEEP_EVERY == 0:
        connection.execute(_SWEEP, (time.time(), SWEEP_ROWS))
        # Each step of this statement frees one page, and ``execute`` makes one step, since no columns come of it.
        connection.executescript(f"PRAGMA incremental_vacuum({SWEEP_PAGES})")
    connection.execute(_PUT, row)
    process.puts += 1


def _freeing(records: Iterable[tuple[int, int]], room: int, *, rows: int) -> Iterator[tuple[int]]:
    """The first records, of which rowid and size are given: ``rows`` of them, or as many as free ``room`` bytes."""
    freed = 0
    for count, (rowid, size) in enumerate(records):
        if count >= rows and freed >= room:
            return
        freed += size
        yield (rowid,)


def _add(connection: sqlite3.Connection, rows: list[tuple[str, bytes, int]]) -> None:
    with connection:  # What fails is rolled back, so that it may be tried again.
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_ADD, rows)


def _value(connection: sqlite3.Connection, statement: str) -> Any:
    return connection.execute(statement).fetchone()[0]


def _make_private(path: Path) -> None:
    # An existing file is only looked at, not opened: closing it would end the locks that this process has on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
