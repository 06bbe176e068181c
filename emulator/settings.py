"""The one frozen ``Settings``: everything that can be chosen, and what may be chosen together.

A flag wins over the environment, the environment over ``.env``, that over the default.  Every field's
metadata is its documentation: ``--help`` and the README's table (``python -m emulator.settings``) are
made from it.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from emulator.model_names import read_model_map
from emulator.options import Raw, SettingsError, options_table, read_options, setting
from emulator.store_urls import store_url

__all__ = ["Settings", "SettingsError", "settings_table", "with_current_table"]

DOTENV = Path(".env")
DAY = 86_400.0
STRATEGIES = ("native", "guided", "code", "bridge", "two_pass")
"""The ways in which a model may be brought to call tools; what each does: ``emulator/strategies``."""
_CORES = len(os.sched_getaffinity(0))
BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"
_PRINTABLE = re.compile(r"[!-~]+")
_PATH_PATTERN = re.compile(r"(?:[\w.~-]+|\*)(?:/(?:[\w.~-]+|\*))*", re.ASCII)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#,@\s]+", re.IGNORECASE)


def normal_base_url(text: str) -> str:
    """The URL without a trailing slash; ``/v1`` is added where there is no path at all.

    A path that is there is kept, since not every server has its API under ``/v1``; a pasted
    ``…/chat/completions`` is cut back to what it stands under.
    """
    example = "an example is http://127.0.0.1:8000/v1"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"is not a URL ({error}); {example}") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"must begin with http:// or https://; {example}")
    if not host or not _PRINTABLE.fullmatch(text):
        raise ValueError(f"is not a URL with a host and without spaces; {example}")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or password; give the key with --api-key")
    if parts.query or parts.fragment:
        raise ValueError(f"must not contain ? or #; {example}")
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


def _known_timezone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ValueError("is no time zone's IANA name, such as Europe/London") from None
    return text


def gateway_url(text: str) -> str:
    """The URL of a gateway without a trailing slash; unlike a model server's, its path is kept as it is."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or not _PRINTABLE.fullmatch(text):
        raise ValueError("is not a URL with http or https and a host; an example is http://127.0.0.1:8888")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must contain no user, ? or #; give the token with --kernel-gateway-token")
    return text.rstrip("/")


def listed(text: str) -> tuple[str, ...]:
    """The items of a list with commas; blanks around them, and empty ones, don't count."""
    return tuple(filter(None, (item.strip() for item in text.split(","))))


def _path_patterns(text: str) -> str:
    patterns = [item.strip("/").removeprefix("v1/") for item in listed(text)]
    for pattern in patterns:
        if not _PATH_PATTERN.fullmatch(pattern):
            raise ValueError(
                f"has {pattern!r}, which is no path below /v1 of plain words or *; an example is fine_tuning/*"
            )
    return ",".join(patterns)


def _web_origins(text: str) -> str:
    origins = [item.rstrip("/") for item in listed(text)]
    if "*" in origins and len(origins) > 1:
        raise ValueError("has * beside other origins, which it makes needless")
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ValueError(f"has {origin!r}, which is no origin; an example is http://localhost:3000")
    return ",".join(origins)


def _header_safe(text: str) -> str:
    if not _PRINTABLE.fullmatch(text):
        raise ValueError("contains characters that can't stand in an HTTP header; perhaps it wasn't copied whole")
    return text


def _checked_model_map(text: str) -> str:
    read_model_map(text)
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be chosen.  Made by ``load``; direct construction checks nothing."""

    base_url: str | None = setting(
        None,
        "the model server's OpenAI-compatible URL; `/v1` is added where it has no path; "
        "without it a small model runs on this machine",
        check=normal_base_url,
        aliases=("VLLM_URL", "BACKEND_URL"),
    )
    api_key: str | None = setting(
        None,
        "the model server's key; without it the client's own Authorization goes there",
        secret=True,
        check=_header_safe,
    )
    host: str = setting("127.0.0.1", "the address to listen on")
    port: int = setting(8001, "the port to listen on; 0 takes a free one", low=0, high=65535, aliases=("PROXY_PORT",))
    model: str | None = setting(
        None, "the model to ask for, whatever the client names; by default the client's name passes through"
    )
    model_map: str = setting(
        "",
        "the model to ask for what a client names, by patterns, the first that fits: `claude-*=qwen2.5-coder,gpt-*=…`; "
        "what is passed on to other paths stays as it is",
        check=_checked_model_map,
        shown="none",
    )
    local_model: str | None = setting(
        None, "a GGUF to run on this machine instead of the default: a path, or hub-repository:file"
    )
    local_context: int = setting(8192, "tokens of context of the model run on this machine", low=512)
    local_parallel: int = setting(2, "requests the model run on this machine answers at a time", low=1, high=64)
    check: bool = setting(True, "ask the model server for its models before serving, and stop if it can't be used")
    workers: int = setting(2, "server processes", low=1, high=256)
    debug: bool = setting(False, "run Flask's own server, with its debugger, in one process, for this machine only")
    trace: bool = setting(
        False, "show the prompt and the model's own words in answers to requests with `X-Emulator-Trace: 1`"
    )
    timeout: float = setting(600.0, "seconds a request may take in all", low=0.1, high=DAY, aliases=("MAX_TIMEOUT",))
    max_requests: int = setting(
        0,
        "requests that the model works on at a time, in all server processes; further ones get 429 with Retry-After; "
        "0 is no limit",
        low=0,
        high=4096,
        aliases=("CONCURRENT_REQUESTS",),
    )
    pass_paths: str = setting(
        "",
        "further paths below `/v1` that are passed on to the model server as they are, such as "
        "`files,batches,fine_tuning/*`; `*` is any one word, at the end any rest",
        check=_path_patterns,
    )
    cors_origins: str = setting(
        "",
        "origins whose pages may ask this server from a browser, such as `http://localhost:3000,https://chat.example`, "
        "or `*` for all",
        check=_web_origins,
    )
    connect_timeout: float = setting(10.0, "seconds to connect to the model server", low=0.1, high=DAY)
    first_token_timeout: float = setting(300.0, "seconds until a streamed answer's first chunk", low=0.1, high=DAY)
    silence_timeout: float = setting(120.0, "seconds of silence inside a streamed answer", low=0.1, high=DAY)
    graceful_timeout: int = setting(
        30, "seconds that answers under way may still take when the server is stopped", low=0, high=int(DAY)
    )
    programs: bool = setting(
        True, "run what the model writes: computed arguments, loops, results fed into calls; else literal calls only"
    )
    kernel: str = setting(
        "tool-program",
        "the Jupyter kernelspec that programs run in; any but the default, such as `python3`, is **not sandboxed**",
    )
    kernels: int = setting(_CORES, "warm kernels in all, shared out among the workers", low=1, high=256, shown="cores")
    kernel_wait: float = setting(10.0, "seconds a request may wait for a free kernel", low=0.1, high=DAY)
    kernel_gateway: str | None = setting(
        None, "the URL of a Jupyter Kernel Gateway or Enterprise Gateway that runs the kernels", check=gateway_url
    )
    kernel_gateway_token: str | None = setting(None, "the gateway's token", secret=True, check=_header_safe)
    program_seconds: float = setting(5.0, "seconds that one program may run, each time", low=0.05, high=600)
    program_memory: int = setting(128 << 20, "bytes of memory of one program", low=1 << 20)
    program_recursion: int = setting(1000, "frames of recursion in one program", low=10, high=1000)
    program_output: int = setting(64 << 10, "bytes that one program may print", low=64)
    program_calls: int = setting(256, "calls that one program may make", low=1, high=4096)
    timezone: str = setting("UTC", "the time zone of the programs' clock, an IANA name", check=_known_timezone)
    serial_tools: str = setting(
        "",
        "tools whose calls depend on their order, which go to the client one at a time: name patterns such as "
        "`write_*,send_*`, or `*`",
    )
    final: str = setting(
        "model",
        "what a finished program's output becomes: the model words it, or it is the answer as it is "
        "(per request: header `X-Emulator-Final`)",
        choices=("model", "output"),
    )
    store: str = setting(
        "sqlite:",
        "where programs wait for results, and responses and statistics are kept: `sqlite:///PATH`, `redis://…` or `postgresql://…`",
        secret=True,
        check=store_url,
        shown="SQLite in the user's data folder",
    )
    store_seconds: float = setting(86_400.0, "seconds that a program waits for results", low=1, high=365 * DAY)
    response_seconds: float = setting(
        30 * DAY,
        "seconds that answers of the Responses API are kept, for clients with the same key, unless they say "
        "`store: false`; 0 keeps none",
        low=0,
        high=365 * DAY,
        shown="2592000",
    )
    repairs: int = setting(2, "how often the model is shown an error and asked again, in one request", low=0, high=10)
    strategy: str = setting(
        "auto",
        "how the model is brought to call tools: as its profile and experience say, or always in one way "
        "(per request: header `X-Emulator-Strategy`)",
        choices=("auto", *STRATEGIES),
    )
    probe: str = setting(
        "on",
        "whether the model server may be asked, in a few tokens, which grammars it honours, and with `native` also "
        "whether it calls tools itself",
        choices=("on", "off", "native"),
    )
    profiles: Path | None = setting(
        None, "a folder with profiles of models (`*.toml`, see docs/profiles.md), which come before the built-in ones"
    )
    thoughts: str = setting(
        "auto",
        "whether an answer begins inside a thought that its template opened: by the model's name, always, or never",
        choices=("auto", "open", "closed"),
    )
    empty_tools: str = setting(
        "error", "`tools: []` is an error, as OpenAI has it, or counts as no tools", choices=("error", "ignore")
    )
    max_tools: int = setting(1024, "tools in one request", low=1)
    max_body: int = setting(32 * 1024 * 1024, "bytes of a request's body", low=1024)
    max_schema_bytes: int = setting(256 * 1024, "bytes of one tool's schema", low=64)
    max_schema_depth: int = setting(32, "levels of nesting in a schema", low=2, high=100)
    max_schema_properties: int = setting(1000, "properties in one tool's schema", low=1)
    max_schema_enum: int = setting(1000, "values of one enum", low=1)
    max_code_bytes: int = setting(256 * 1024, "bytes of Python in one answer", low=64)
    max_code_lines: int = setting(5000, "lines of Python in one answer", low=1)
    max_code_nesting: int = setting(64, "levels of brackets and blocks in one statement", low=4, high=90)
    stub_cache: int = setting(16 * 1024 * 1024, "bytes of tools, as JSON, whose stubs a process keeps", low=0)
    log_dir: Path = setting(Path("logs"), "the folder of the rotating log")
    log_level: str = setting(
        "info", "the least severe record that is logged", choices=("debug", "info", "warning", "error")
    )
    log_max_bytes: int = setting(10 * 1024 * 1024, "bytes at which the log is rotated", low=4096)
    log_backups: int = setting(5, "rotated logs that are kept", low=1, high=1000)
    cache_dir: Path = setting(
        user_cache_path("tool-use-emulator"), "the folder of downloaded weights", shown="the user's cache folder"
    )

    @classmethod
    def load(
        cls,
        argv: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        dotenv_path: Path | None = DOTENV,
    ) -> Settings:
        """Settings from flags, ``environ`` (the process's own by default) and a ``.env`` that may be absent.

        An empty variable counts as not set.  Raises SettingsError; ``--help`` and ``--version`` print and
        raise SystemExit as argparse does.
        """
        values, raws = read_options(cls, argv, os.environ if environ is None else environ, dotenv_path)
        loaded = cls(**values)
        loaded._agree(raws)
        return loaded

    def _agree(self, values: Mapping[str, Raw]) -> None:
        """Refuse what is right alone and wrong together."""
        if self.base_url and self.local_model:
            raise SettingsError(
                f"{values['local_model'].origin}: can't be used together with {values['base_url'].origin}; "
                "the model runs either here or there."
            )
        if self.debug and not _is_loopback(self.host):
            raise SettingsError(
                f"{values['debug'].origin}: Flask's debugger runs code for whoever reaches it, "
                f"so it can't listen on {self.host!r}; use 127.0.0.1."
            )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def settings_table() -> str:
    """The README's table of settings, in Markdown."""
    return options_table(Settings)


def with_current_table(document: str) -> str:
    """``document`` with what stands between its two markers replaced by the table."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The document lacks the markers {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{settings_table()}\n{END}{after}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        readme = Path(sys.argv[1])
        readme.write_text(with_current_table(readme.read_text("utf-8")), "utf-8")
    else:
        print(settings_table())
