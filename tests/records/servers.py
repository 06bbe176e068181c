"""Private Redis and PostgreSQL servers for tests: in a folder of their own, killed with it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

PATIENCE = 30.0


def until(true: Callable[[], bool]) -> None:
    """Returns when it is ``true``, and fails if that takes longer than anything should."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def program(name: str) -> str:
    """The path of a server's program.  Without it the test is skipped, but fails where CI must have it."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_debian()]))
    if found is None:
        message = f"{name} isn't installed: apt-get install redis-server postgresql"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


def _debian() -> list[str]:
    """Debian keeps PostgreSQL's programs out of PATH, by version."""
    return [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost (not for 127.0.0.1), and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [
        program("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    key.chmod(0o600)
    return cert, key


class Between:
    """What may stand between a client and a server's port and cut connections, for which there is no sign until they are used."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._forgotten: set[socket.socket] = set()
        self._known: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self) -> None:
        """The connections that there are now are cut as soon as the client sends something."""
        self._forgotten.update(self._known)

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                self._known.append(client)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._relay, args=ends, daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while (data := source.recv(65536)) and source not in self._forgotten:
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class StoreServer(ABC):
    """A server that can be killed, stopped, and started again where it was."""

    farewell: ClassVar[signal.Signals] = signal.SIGTERM
    """On which it ends at once."""

    def __init__(self) -> None:
        # Not pytest's tmp_path: a Unix socket's name is short, and another user has to reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="store-", dir="/tmp"))
        self.port = free_port()
        self.options: list[str] = []
        self._process: subprocess.Popen[Any] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def tcp_url(self, port: int) -> str: ...

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def run_as(self) -> dict[str, Any]:
        return {}

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            process: subprocess.Popen[Any] = subprocess.Popen(
                self.command(), stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self.run_as()
            )
        self._process = process
        until = time.monotonic() + PATIENCE
        while not self.answers():
            if process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.02)

    def kill(self) -> None:
        process, pids = self._process, self._pids()
        self._process = None
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if process is not None:
            process.wait()

    def freeze(self) -> None:
        """Keep its sockets open and answer nothing."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        if self._process is not None:
            # Not SIGKILL, which would leave PostgreSQL's shared memory behind.
            self._process.send_signal(self.farewell)
            self._process.wait(PATIENCE)
        shutil.rmtree(self.folder)

    def _pids(self) -> list[int]:
        """The server's process and its children, where it runs."""
        if self._process is None or self._process.poll() is not None:
            return []
        pid = self._process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


class RedisServer(StoreServer):
    @property
    def url(self) -> str:
        return f"unix://{self.folder}/redis.sock"

    def tcp_url(self, port: int) -> str:
        return f"redis://127.0.0.1:{port}/0"

    def command(self) -> list[str]:
        base = [
            program("redis-server"),
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(self.folder),
            "--bind",
            "127.0.0.1",
        ]
        port = [] if "--tls-port" in self.options else ["--port", str(self.port)]
        return [*base, *port, "--unixsocket", str(self.folder / "redis.sock"), *self.options]

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as asking:
                asking.connect(str(self.folder / "redis.sock"))
                asking.sendall(b"PING\r\n")
                return asking.recv(7)[:1] in (b"+", b"-")
        except OSError:
            return False


class PostgresServer(StoreServer):
    password = "a/b@c:d e%f"
    farewell = signal.SIGQUIT

    def __init__(self) -> None:
        super().__init__()
        # PostgreSQL refuses to be run by root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            os.chown(self.folder, pwd.getpwnam(self._user).pw_uid, -1)
        (self.folder / "log").touch()
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        # Over the socket whoever comes is let in, over TCP only who knows the password.
        command = [
            program("initdb"),
            "--no-sync",
            "-D",
            str(self.folder / "data"),
            "-U",
            "tester",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        command += ["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile", str(secret)]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self.run_as())

    @property
    def url(self) -> str:
        return f"postgresql://tester@:{self.port}/postgres?host={self.folder}"

    def tcp_url(
        self, port: int | None = None, host: str = "127.0.0.1", password: str | None = None, options: str = ""
    ) -> str:
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://tester:{secret}@{host}:{port or self.port}/postgres{options}"

    def run_as(self) -> dict[str, Any]:
        return {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}

    def own(self, *paths: Path) -> None:
        if self._user:
            for path in paths:
                os.chown(path, pwd.getpwnam(self._user).pw_uid, -1)

    def command(self) -> list[str]:
        settings = [
            "fsync=off",
            "shared_buffers=16MB",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
        ]
        flags = [part for each in [*settings, *self.options] for part in ("-c", each)]
        return [program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *flags]

    def kill(self) -> None:
        super().kill()
        # What a killed server leaves would keep the next from starting for as long as its children take to end.
        for left in (self.folder / "data" / "postmaster.pid", self.folder / f".s.PGSQL.{self.port}.lock"):
            left.unlink(missing_ok=True)

    def answers(self) -> bool:
        from pg8000.exceptions import DatabaseError, InterfaceError
        from pg8000.native import Connection

        try:
            Connection("tester", database="postgres", unix_sock=f"{self.folder}/.s.PGSQL.{self.port}").close()
        except (DatabaseError, InterfaceError, OSError):
            return False
        return True
