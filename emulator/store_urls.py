"""Where a store of programs may be, as a URL: which forms there are, and what may be shown of one.

Pure, and without the libraries that talk to stores, since Settings checks URLs with it.  What is said of a wrong URL
repeats nothing of it: a password with an unescaped character may stand anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

FORMS = (
    "it is sqlite: (the default file), sqlite:///path, redis://host:6379/0, rediss://… (TLS), "
    "unix:///path/of/redis.sock or postgresql://user@host/database"
)
POSTGRES_PORT = 5432
POSTGRES_SOCKETS = "/var/run/postgresql"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_POSTGRES_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "host", "application_name")
_REDIS_OPTIONS = ("db", "username", "password", "client_name")
_REDIS_TLS_OPTIONS = (
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_password",
    "ssl_cert_reqs",
    "ssl_check_hostname",
    "ssl_min_version",
)
_PRINTABLE = re.compile(r"[^\s\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """The parts of a postgresql:// URL.  A ``host`` that begins with / is the folder of the server's Unix socket."""

    user: str
    password: str = field(repr=False)
    host: str
    port: int
    database: str
    sslmode: str
    sslrootcert: str | None
    sslcert: str | None
    sslkey: str | None
    application_name: str


def store_url(text: str) -> str:
    """``text`` as the URL of a store in its normal form.  Raises ValueError with what is wrong with it."""
    scheme, colon, rest = text.partition(":")
    scheme = "postgresql" if scheme.lower() == "postgres" else scheme.lower()
    if not colon or scheme not in ("sqlite", "redis", "rediss", "unix", "postgresql"):
        raise ValueError(f"is not the URL of a store; {FORMS}")
    url = f"{scheme}:{rest}"
    if scheme == "sqlite":
        return _checked_sqlite(url)
    parts = _split(url)
    if scheme == "postgresql":
        postgres_address(url)
    elif scheme == "unix":
        _check_redis_socket(parts)
    else:
        _check_redis(parts)
    return url


def shown(url: str) -> str:
    """``url`` for logs and messages: without password and parameters."""
    if url.startswith("sqlite:"):
        return url
    parts = urlsplit(url)
    userinfo, _, host = parts.netloc.rpartition("@")
    user = userinfo.partition(":")[0]
    return f"{parts.scheme}://{user}{'@' if user else ''}{host}{parts.path}"


def sqlite_path(url: str) -> Path | None:
    """The file that a sqlite: URL in its normal form names; None for the default one."""
    path = url.removeprefix("sqlite:").removeprefix("//")
    return Path(unquote(path)) if path else None


def postgres_address(url: str) -> PostgresAddress:
    """The parts of a postgresql:// URL.  Raises ValueError with what is wrong with it."""
    parts = _split(url)
    options = _options(parts, _POSTGRES_OPTIONS)
    if "%" in parts.netloc.rpartition("@")[2]:
        raise ValueError("has an escaped host; the folder of a Unix socket is given as ?host=/folder")
    user = unquote(parts.username or "")
    if not user:
        raise ValueError("must name a user: postgresql://user@host/database")
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError(f"has an unknown sslmode; there are {', '.join(SSL_MODES)}")
    if "sslkey" in options and "sslcert" not in options:
        raise ValueError("has an sslkey without its sslcert")
    database = unquote(parts.path.removeprefix("/"))
    if "/" in database:
        raise ValueError("must have one name, the database's, after the host")
    return PostgresAddress(
        user=user,
        password=unquote(parts.password or ""),
        host=options.get("host") or parts.hostname or POSTGRES_SOCKETS,
        port=parts.port or POSTGRES_PORT,
        database=database or user,
        sslmode=options.get("sslmode", "prefer"),
        sslrootcert=options.get("sslrootcert"),
        sslcert=options.get("sslcert"),
        sslkey=options.get("sslkey"),
        application_name=options.get("application_name", "tool-use-emulator"),
    )


def _checked_sqlite(url: str) -> str:
    rest = url.removeprefix("sqlite:")
    if rest.startswith("//") and not rest.startswith("///"):
        if rest != "//":
            raise ValueError("names a host; the file's path begins after three slashes, as in sqlite:///var/lib/x.db")
        rest = ""
    if "?" in rest or "#" in rest:
        raise ValueError("must not contain ? or #; in a file's name they are written %3F and %23")
    path = unquote(rest)
    if "\0" in path or "\n" in path:
        raise ValueError("contains a character that a file's name can't have")
    if path.endswith("/"):
        raise ValueError("names a folder, not a file")
    if path.endswith(":memory:"):
        raise ValueError("must name a file: server processes don't share their memory")
    return f"sqlite:{rest}"


def _check_redis(parts: SplitResult) -> None:
    options = _options(parts, (*_REDIS_OPTIONS, *(_REDIS_TLS_OPTIONS if parts.scheme == "rediss" else ())))
    _check_database(parts.path.strip("/") or options.get("db", "0"))
    if not parts.hostname:
        raise ValueError(f"has no host; {FORMS}")


def _check_redis_socket(parts: SplitResult) -> None:
    _check_database(_options(parts, _REDIS_OPTIONS).get("db", "0"))
    if parts.netloc.rpartition("@")[2] or not parts.path.strip("/"):
        raise ValueError("must name the socket's path after three slashes, as in unix:///run/redis/redis.sock")


def _check_database(text: str) -> None:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError("must end with the number of a Redis database, as in redis://host:6379/0")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(f"has a host or port that can't be read (a password's / ? # @ are escaped); {FORMS}") from None
    if not _PRINTABLE.fullmatch(url):
        raise ValueError("must not contain white space or control characters; escape them")
    if parts.fragment or url.endswith("#"):
        raise ValueError("must not contain #; in a password it is written %23")
    if not url.startswith(f"{parts.scheme}://"):
        raise ValueError(f"must go on with :// after its first word; {FORMS}")
    return parts


def _options(parts: SplitResult, known: tuple[str, ...]) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not options.keys() <= set(known):
        raise ValueError(f"has a parameter that isn't known; there are {', '.join(known)}")
    return options
