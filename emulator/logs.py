"""The server's log: one JSON object a line in ``log_dir/server.log``, and warnings in plain words on stderr.

All worker processes append to the same file; whoever finds it full rotates it, under a lock.  Whatever
is logged passes through ``Scrubber`` first, so that neither keys nor Authorization values reach the disk;
what clients and models say has no place here below an explicit ``--log-level debug``.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import orjson

from emulator.settings import Settings

LOG_NAME = "server.log"
REMOVED = "[removed]"
MAX_TEXT = 8192
_LOOK_SECONDS = 1.0
_LOOKS = 16
_ROOTS = ("emulator", "kernels", "gunicorn.error", "werkzeug", "py.warnings")
_SECRET_NAMES = re.compile(r"authorization|api[-_]?key|cookie|password|secret|credential", re.IGNORECASE)
_SECRETS: tuple[str, ...] = (
    r"(?<=Bearer )\s*[^\s\"',\\]+",
    r"(?<=Basic )[A-Za-z0-9+/=]{12,}",
    r"\bsk-[A-Za-z0-9_-]{6,}",
    r"(?<=://)[^\s/@\"']+(?=@)",
)
_NAMED = re.compile(
    r"(\b(?:proxy-)?(?:authorization|x-api-key|api[-_]?key|set-cookie|cookie)\\?[\"']?\s*[:=]\s*\\?[\"']?)"
    r"(?!Bearer |Basic )[^\s\"',\\]+",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONG_KEY = 8
_KNOWN_NAMES = 256
_SHORT = 40
"""Characters of texts that come again and again: methods, paths, kinds of events."""


class Scrubber:
    """Takes secrets out of a value of any shape; the shape stays."""

    __slots__ = ("_name", "_pattern", "_short")

    def __init__(self, key: str | None = None) -> None:
        patterns: list[str] = list(_SECRETS)
        if key:
            # A short key ("x", "none") is removed only where it stands alone, or it would eat parts of words.
            literal = re.escape(key)
            patterns.insert(0, literal if len(key) >= _LONG_KEY else rf"(?<![\w-]){literal}(?![\w-])")
        self._pattern = re.compile("|".join(patterns))
        # The names of fields are the same few from line to line, and looking at them costs more than at the values.
        self._name = lru_cache(_KNOWN_NAMES)(self._looked_at)
        self._short = lru_cache(_KNOWN_NAMES)(self._clean)

    def text(self, text: str) -> str:
        """``text`` without secrets, cut at MAX_TEXT characters."""
        return self._short(text) if len(text) <= _SHORT else self._clean(text)

    def _clean(self, text: str) -> str:
        clean = _NAMED.sub(rf"\1{REMOVED}", self._pattern.sub(REMOVED, text))
        return clean if len(clean) <= MAX_TEXT else f"{clean[:MAX_TEXT]}… ({len(clean)} characters)"

    def value(self, value: object) -> object:
        """``value`` as what JSON can hold; everything that isn't of its types becomes text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return self.fields(cast(Mapping[Any, object], value))
        if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
            return [self.value(item) for item in cast(Sequence[object], value)]
        return self.text(str(value))

    def fields(self, fields: Mapping[Any, object]) -> dict[str, object]:
        clean: dict[str, object] = {}
        for field, value in fields.items():
            name, secret = self._name(str(field))
            clean[name] = REMOVED if secret and value is not None else self.value(value)
        return clean

    def _looked_at(self, name: str) -> tuple[str, bool]:
        """A field's name without secrets, and whether its value is one."""
        clean = self.text(name)
        return clean, _SECRET_NAMES.search(clean) is not None


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time (UTC), level, event, then the fields, pid, and a traceback if any."""

    def __init__(self, scrubber: Scrubber) -> None:
        super().__init__()
        self._scrubber = scrubber

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._scrubber.text(record.getMessage()),
        }
        line |= {name: value for name, value in self._scrubber.fields(_fields(record)).items() if name not in line}
        line["pid"] = record.process
        if record.exc_info:
            line["traceback"] = self._scrubber.text(self.formatException(record.exc_info))
        try:
            return orjson.dumps(line).decode()
        except TypeError:
            # A lone surrogate or an integer beyond 64 bits: rare enough to be made safe only when met.
            return orjson.dumps({name: ascii(value) for name, value in line.items()}).decode()


class PlainFormatter(logging.Formatter):
    """A record for a terminal: level, event, and the fields as name=value, without what would steer the terminal."""

    def __init__(self, scrubber: Scrubber) -> None:
        super().__init__()
        self._scrubber = scrubber

    def format(self, record: logging.LogRecord) -> str:
        words = [f"{record.levelname.lower()}: {self._scrubber.text(record.getMessage())}"]
        words += [f"{name}={value}" for name, value in self._scrubber.fields(_fields(record)).items()]
        text = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", " ".join(words))
        if record.exc_info:
            text += "\n" + self._scrubber.text(self.formatException(record.exc_info))
        return text


class RotatingFile(logging.Handler):
    """Appends lines to ``path``, in as many processes as like to; ``path.1`` is the youngest of ``backups`` full files.

    A line is one ``write`` on a file opened with O_APPEND, which the system keeps whole without a lock; a lock
    for every line makes busy processes wait for each other.  Who finds the file full renames it, under a lock,
    and the others see by its inode that they have to open the new one; they look once a second, and whenever they
    have written a sixteenth of it; what they write meanwhile stands in the renamed file.  Raises OSError where the file
    can't be written.

    It has no ``stream``, because gunicorn writes ``wsgi.errors`` to any it finds, past formatter and scrubber.
    """

    def __init__(self, path: Path, *, max_bytes: int, backups: int) -> None:
        super().__init__()
        self._path = path
        self._max_bytes, self._backups = max_bytes, backups
        self._file = self._open(path)
        self._identity = _identity(os.fstat(self._file))
        self._unseen = 0  # bytes that this process has written since it looked at the file
        self._look_again = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if self._file < 0:
            return  # The process is ending, and some thread doesn't know yet.
        try:
            self._append(f"{self.format(record)}\n".encode())
        except Exception:  # noqa: BLE001 - a log that fails, whatever the reason, must not fail the request
            self.handleError(record)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        super().close()

    def _append(self, line: bytes) -> None:
        self._unseen += len(line)
        if time.monotonic() < self._look_again and self._unseen * _LOOKS <= self._max_bytes:
            self._write(line)
            return
        self._unseen, self._look_again = 0, time.monotonic() + _LOOK_SECONDS
        now = self._now()
        if now is not None and now.st_size and now.st_size + len(line) > self._max_bytes:
            self._rotate(len(line))
            now = self._now()
        if now is None or _identity(now) != self._identity:
            file = self._open(self._path)
            os.close(self._file)
            self._file, self._identity = file, _identity(os.fstat(file))
        self._write(line)

    def _write(self, line: bytes) -> None:
        while line:  # Once, unless the disk is full, which the second try then says.
            line = line[os.write(self._file, line) :]

    def _now(self) -> os.stat_result | None:
        """What is at the path now; None if another process is just rotating it, or somebody removed it."""
        try:
            return self._path.stat()
        except FileNotFoundError:
            return None

    def _rotate(self, more: int) -> None:
        lock = self._open(self._path.with_name(f".{self._path.name}.lock"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            now = self._now()
            if now is None or now.st_size + more <= self._max_bytes:
                return  # Another process was first.
            names = [self._path, *(Path(f"{self._path}.{number}") for number in range(1, self._backups + 1))]
            for younger, older in reversed(list(pairwise(names))):
                if younger.exists():
                    younger.replace(older)
        finally:
            os.close(lock)

    @staticmethod
    def _open(path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    return getattr(record, "fields", {})


def log_event(logger: logging.Logger, event: str, /, *, level: int = logging.INFO, **fields: Any) -> None:
    """Log ``event``, a few fixed words, with what is particular to this time in ``fields``.

    Fields whose name speaks of a key or Authorization are removed whole; None is kept as null.  Within an
    ``except`` at level ERROR or above the traceback is logged too.
    """
    if logger.isEnabledFor(level):
        failing = level >= logging.ERROR and sys.exc_info()[0] is not None
        logger.log(level, event, extra={"fields": fields}, exc_info=failing, stacklevel=2)


def configure_logging(settings: Settings) -> None:
    """Send the records of the emulator and of the server underneath to the log file and to stderr.

    To be called once in each process that logs, after a fork: handlers of an earlier call are closed.
    Raises OSError where the file can't be written.
    """
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    # What no line shows isn't looked up for each: see "Optimization" in the documentation of logging.
    logging.logThreads = logging.logMultiprocessing = False
    logging._srcfile = None  # pyright: ignore[reportAttributeAccessIssue, reportPrivateUsage]
    scrubber = Scrubber(settings.api_key)
    file = RotatingFile(settings.log_dir / LOG_NAME, max_bytes=settings.log_max_bytes, backups=settings.log_backups)
    file.setFormatter(JsonFormatter(scrubber))
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.INFO if settings.debug else logging.WARNING)
    terminal.setFormatter(PlainFormatter(scrubber))
    for name in _ROOTS:
        logger = logging.getLogger(name)
        for old in list(logger.handlers):
            logger.removeHandler(old)
            old.close()
        logger.addHandler(file)
        logger.addHandler(terminal)
        logger.setLevel(settings.log_level.upper())
        logger.propagate = False
    logging.captureWarnings(True)
