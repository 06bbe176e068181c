"""A store's URL comes from a person: what is wrong with it is said, and its password isn't."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.store_urls import postgres_address, shown, sqlite_path, store_url

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("text", "normal", "seen"),
    [
        ("sqlite:", "sqlite:", "sqlite:"),
        ("sqlite://", "sqlite:", "sqlite:"),
        ("SQLite:///var/lib/x.db", "sqlite:///var/lib/x.db", "sqlite:///var/lib/x.db"),
        ("sqlite:state/x.db", "sqlite:state/x.db", "sqlite:state/x.db"),
        ("redis://h", "redis://h", "redis://h"),
        ("redis://:p%40ss@h:6380/2", "redis://:p%40ss@h:6380/2", "redis://h:6380/2"),
        ("rediss://u:p@h/0?ssl_ca_certs=/ca", "rediss://u:p@h/0?ssl_ca_certs=/ca", "rediss://u@h/0"),
        ("redis://[::1]:6379", "redis://[::1]:6379", "redis://[::1]:6379"),
        ("unix:///run/r.sock?db=1&password=p", "unix:///run/r.sock?db=1&password=p", "unix:///run/r.sock"),
        ("unix://u:p@/run/r.sock", "unix://u:p@/run/r.sock", "unix://u@/run/r.sock"),
        ("postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql://u@h/d"),
        ("postgresql://u@/d?host=/run/pg", "postgresql://u@/d?host=/run/pg", "postgresql://u@/d"),
    ],
)
def test_the_forms(text: str, normal: str, seen: str) -> None:
    assert store_url(text) == normal
    assert store_url(normal) == normal
    assert shown(normal) == seen


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not the URL of a store; it is sqlite:"),
        ("/var/lib/x.db", "is not the URL of a store"),
        ("mysql://h/d", "redis://host:6379/0"),
        ("sqlite", "is not the URL of a store"),
        ("sqlite://var/lib/x.db", "three slashes"),
        ("sqlite:///var/lib/", "folder"),
        ("sqlite::memory:", "share their memory"),
        ("sqlite:///:memory:", "share their memory"),
        ("sqlite:///x.db?mode=ro", "%3F"),
        ("sqlite:///x%00y", "character"),
        ("redis:h", "://"),
        ("redis://", "no host"),
        ("redis://h/two", "number of a Redis database"),
        ("redis://h?db=-1", "number of a Redis database"),
        ("redis://h:port", "host or port"),
        ("redis://h:99999", "host or port"),
        ("redis://h?socket_timeout=600", "there are db"),
        ("redis://h?ssl_ca_certs=/ca", "there are db"),
        ("redis://h h", "white space"),
        ("redis://h\n", "white space"),
        ("unix://run/redis.sock", "three slashes"),
        ("unix:///", "three slashes"),
        ("postgresql://h/d", "name a user"),
        ("postgresql://u@h/d/e", "one name"),
        ("postgresql://u@h/d?sslmode=on", "verify-full"),
        ("postgresql://u@h/d?sslkey=/k", "sslcert"),
        ("postgresql://u@h/d?options=-c", "there are sslmode"),
        ("postgresql://u@%2Frun/d", "?host="),
        ("postgresql://u@h1:1,h2:2/d", "host or port"),
        ("postgresql://u@[::1/d", "host or port"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        store_url(text)


@pytest.mark.parametrize("mark", ["/", "?", "#", "@", ":", "%", " ", "[", "?x=", "/0?db=1&", "#@"])
@pytest.mark.parametrize("scheme", ["redis", "rediss", "postgresql"])
def test_a_password_that_was_not_escaped_is_never_repeated(scheme: str, mark: str) -> None:
    text = f"{scheme}://user:left{mark}right@host:1234/0"
    try:
        normal = store_url(text)
    except ValueError as wrong:
        assert "left" not in str(wrong) and "right" not in str(wrong)
    else:
        assert "left" not in shown(normal) and "right" not in shown(normal)


def test_the_parts_of_a_postgres_url() -> None:
    address = postgres_address("postgresql://u%40x:p%2Fw@h:1234/d%20b?sslmode=verify-ca&sslrootcert=/ca")
    assert (address.user, address.password, address.host, address.port) == ("u@x", "p/w", "h", 1234)
    assert (address.database, address.sslmode, address.sslrootcert) == ("d b", "verify-ca", "/ca")
    assert "p/w" not in repr(address)
    least = postgres_address("postgresql://u@")
    assert (least.host, least.port, least.database) == ("/var/run/postgresql", 5432, "u")
    assert postgres_address("postgresql://u@/d?host=/Run/PG").host == "/Run/PG"


def test_the_file_of_a_sqlite_url() -> None:
    assert sqlite_path("sqlite:") is None
    assert sqlite_path("sqlite:///a%20b%3F.db") == Path("/a b?.db")
    assert sqlite_path("sqlite:state/x.db") == Path("state/x.db")


def test_checking_a_url_imports_no_driver() -> None:
    looks = (
        "import sys; before = set(sys.modules)\n"  # Who measures coverage has loaded some already.
        "from emulator.store_urls import store_url\n"
        "for url in ('redis://h', 'postgresql://u@h', 'sqlite:'): store_url(url)\n"
        "assert not {'redis', 'pg8000', 'sqlite3', 'socket', 'emulator.settings'} & (set(sys.modules) - before)"
    )
    run = subprocess.run([sys.executable, "-c", looks], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
