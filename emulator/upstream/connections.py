"""Pooled connections whose sockets can be cut while someone waits for them.

urllib3 keeps the socket to itself until the answer's headers are there; these connection classes hand it
to the ``Line`` of the request that uses it, from the first step of connecting on.  They work alike in
threads and, monkey-patched, in gevent's greenlets.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Generator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from gevent import monkey
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.wait import wait_for_write

POOL_SIZE = 1024
_JOINED = 65536  # bytes of a body that are copied rather than sent by themselves
_LOOK_SECONDS = 0.25  # how long connecting goes on before it looks whether anyone still waits


_allocate_lock: Callable[[], Any] = monkey.get_original("_thread", "allocate_lock")


class Line:
    """One request's hold on the socket it uses at the moment.

    ``cut`` may be called from any thread, at any time, and again; what waits on the socket then meets its
    end.  ``check`` is called now and then while connecting and raises if nobody waits any more.
    ``connected`` says that there is a connection, ``reused`` that it came from the pool.
    """

    __slots__ = ("_cut", "_lock", "_own", "_socket", "check", "connected", "fresh_only", "reused")

    def __init__(self, check: Callable[[], object]) -> None:
        self.check = check
        self.connected = False
        self.reused = False
        self.fresh_only = False
        # The system's lock also under gevent, whose own costs as much as what is done under it: nothing here waits.
        self._lock = _allocate_lock()
        self._socket: socket.socket | None = None
        self._own = False
        self._cut = False

    def hold(self, sock: socket.socket, *, own: bool = False) -> None:
        """Watch over ``sock`` instead of what was held before; one that is our own is closed with that."""
        self.let_go()
        with self._lock:
            self._socket, self._own = sock, own
            if self._cut:
                _shut(sock)

    def let_go(self) -> None:
        """From now on ``cut`` touches no socket: it may serve another request already."""
        with self._lock:
            sock, self._socket = self._socket, None
            if sock is not None and self._own:
                sock.close()

    def renew(self) -> None:
        """Start again, without connections from the pool."""
        self.let_go()
        self.fresh_only = True
        self.connected = self.reused = False

    def cut(self) -> None:
        with self._lock:
            self._cut = True
            if self._socket is not None:
                _shut(self._socket)

    def set_timeout(self, seconds: float) -> None:
        """How long the next read or write may wait."""
        with self._lock:
            if self._socket is not None:
                # An answer whose connection ends with it may have ended already: nothing is left to wait for.
                with contextlib.suppress(OSError):
                    self._socket.settimeout(seconds)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Not sock.shutdown: a TLS socket's forgets its session first, and whoever reads from it then
        # meets a ValueError, or its bytes in the clear.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


_line: ContextVar[Line] = ContextVar("line")


@contextlib.contextmanager
def using(line: Line) -> Generator[None]:
    """The connection that is opened or taken from the pool inside belongs to ``line``."""
    token = _line.set(line)
    try:
        yield
    finally:
        _line.reset(token)


class _Watched(HTTPConnection):
    _mine: Line | None = None
    _held: bytes = b""
    _hold_next: bool = False

    @property
    def is_connected(self) -> bool:
        """Whether an idle connection can be used again: nothing to read, not even its end."""
        if self.sock is None or _line.get().fresh_only:
            return False
        # The original poll: with a timeout of 0 it can't block the hub, and gevent's costs a switch.
        poll = monkey.get_original("select", "poll")()
        poll.register(self.sock.fileno(), select.POLLIN)
        return not poll.poll(0)

    def connect(self) -> None:
        line = self._mine = _line.get()
        super().connect()
        line.hold(self.sock)
        line.connected = True

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        line = _line.get()
        if self._mine is not line:
            if self._mine is not None:
                self._mine.let_go()
            self._mine = line
            if self.sock is not None:
                line.connected = line.reused = True
                line.hold(self.sock)
        super().putrequest(method, url, skip_host=skip_host, skip_accept_encoding=skip_accept_encoding)

    def request(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        self._held, self._hold_next = b"", bool(body)
        super().request(method, url, body, headers, **options)

    def send(self, data: Any) -> None:
        """Headers leave together with the body that follows: one packet less to write, and for them to read."""
        if self._hold_next:
            self._held, self._hold_next = data, False
            return
        held, self._held = self._held, b""
        if held and len(data) > _JOINED:
            super().send(held)
            held = b""
        super().send(held + data if held else data)

    def _new_conn(self) -> socket.socket:
        """Connects like urllib3's own, but in steps, so that a client that leaves isn't waited for.

        A shut socket doesn't wake gevent from connecting: it would only connect again.
        """
        line = _line.get()
        seconds = self.timeout if isinstance(self.timeout, int | float) else 60.0
        deadline = time.monotonic() + seconds
        try:
            addresses = socket.getaddrinfo(self._dns_host.strip("[]"), self.port, 0, socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, reason) from error
        failure: OSError | None = None
        for tried, (family, kind, protocol, _, address) in enumerate(addresses):
            line.check()
            # Every address has its share of the time: one that swallows packets doesn't use up all of it.
            share = (deadline - time.monotonic()) / (len(addresses) - tried)
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError as error:  # a kernel without IPv6
                failure = error
                continue
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _connect(sock, address, share, line.check)
                sock.settimeout(seconds)
                if isinstance(self, HTTPSConnection):
                    # The handshake takes the descriptor out of this object, so another one is held for it.
                    line.hold(sock.dup(), own=True)
            except OSError as error:
                sock.close()
                failure = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, str(failure)) from failure
        raise NewConnectionError(self, str(failure or "no address")) from failure


def _connect(sock: socket.socket, address: object, seconds: float, check: Callable[[], object]) -> None:
    deadline = time.monotonic() + seconds
    sock.setblocking(False)
    code = sock.connect_ex(address)  # pyright: ignore[reportArgumentType] - whatever getaddrinfo gave
    if code in (errno.EINPROGRESS, errno.EWOULDBLOCK):
        while not wait_for_write(sock, timeout=min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic()))):
            check()
            if time.monotonic() >= deadline:
                raise TimeoutError(errno.ETIMEDOUT, "timed out")
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


class _WatchedTLS(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched  # pyright: ignore[reportAssignmentType] - urllib3's own classes miss its protocol too


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS  # pyright: ignore[reportAssignmentType] - as above


def pool_for(base_url: str) -> HTTPConnectionPool:
    """The pool of connections to ``base_url``'s host; ValueError if it is no http or https URL."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("The base URL is no http:// or https:// URL with a host.")
    # urllib3 wants an IPv6 address in its brackets.
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.scheme == "http":
        return _Pool(host, parts.port, maxsize=POOL_SIZE, block=False)
    # One context for all connections: loading the certificates takes longer than a handshake.
    return _TLSPool(host, parts.port, maxsize=POOL_SIZE, block=False, ssl_context=ssl.create_default_context())
