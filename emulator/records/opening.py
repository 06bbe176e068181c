"""The store that a URL names.

Rule: the libraries for Redis and PostgreSQL are imported only here, and only where the URL asks for them.
"""

from __future__ import annotations

from pathlib import Path

from emulator.records.interface import Store, StoreUnavailable
from emulator.store_urls import shown, sqlite_path, store_url


def open_records(url: str, default_path: Path) -> Store:
    """The store at ``url``, connected to when it is first used; ``default_path`` is the file of a bare ``sqlite:``.

    To be called where the store is used, after gevent has patched what it patches.  Raises ValueError where the URL
    names no store, StoreUnavailable where the library for it isn't installed.
    """
    url = store_url(url)
    if url.startswith("sqlite:"):
        from emulator.records.sqlite import SqliteRecords

        return SqliteRecords(sqlite_path(url) or default_path)
    try:
        if url.startswith("postgresql:"):
            from emulator.records.postgres import PostgresRecords

            return PostgresRecords(url)
        from emulator.records.redis import RedisRecords

        return RedisRecords(url)
    except ModuleNotFoundError as error:
        raise StoreUnavailable(
            f"The store of programs at {shown(url)} needs the Python package {error.name}, which isn't installed.",
            hint="Install it with: pip install -r requirements-stores.txt",
        ) from None
