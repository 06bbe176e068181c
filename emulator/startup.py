"""What must hold before the server serves: an address to listen on, and a model server that can be used.

Each way to fail is one sentence for the person at the terminal.
"""

from __future__ import annotations

import errno
import multiprocessing
import signal
import socket
import sys
from http import HTTPStatus
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from emulator.profiles import Profiles
from emulator.settings import Settings

if TYPE_CHECKING:
    from emulator.upstream.client import Probe

BACKLOG = 2048


class StartError(Exception):
    """The server can't start; the message is one sentence, safe to print."""


def check_profiles(settings: Settings) -> None:
    """Read all profiles, as each worker will; raises ProfileError, a SettingsError, with file and line."""
    Profiles(settings.profiles)


def bind(settings: Settings) -> socket.socket:
    """A socket bound to the address, not yet listening: nobody can connect before there is an answer.

    Raises StartError: port taken, no such address, no permission.
    """
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise StartError(f"--host: {settings.host!r} is not an address of this machine ({error}).") from None
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise _not_listening(settings, error) from None
    return bound


def listen(settings: Settings, bound: socket.socket) -> None:
    """Begin to listen; raises StartError where another process has come first."""
    try:
        bound.listen(BACKLOG)
    except OSError as error:
        raise _not_listening(settings, error) from None


def _not_listening(settings: Settings, error: OSError) -> StartError:
    if error.errno == errno.EADDRINUSE:
        return StartError(
            f"--port: {settings.port} on {settings.host} is taken by another program; choose another with --port."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return StartError(f"--port: {settings.port} may not be used without more rights; choose one above 1023.")
    if error.errno == errno.EADDRNOTAVAIL:
        return StartError(f"--host: {settings.host} is not an address of this machine.")
    return StartError(f"Listening on {settings.host}, port {settings.port}, failed: {error.strerror}.")


def address_of(bound: socket.socket) -> str:
    """The URL under which a client on this machine reaches the server, without a path."""
    name, port = bound.getsockname()[:2]
    host = str(name)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def check_upstream(settings: Settings) -> None:
    """Ask the model server for its models; a doubt is a line on stderr, what can't work raises StartError.

    In a process of its own: the HTTP client would leave an unpatched ``ssl`` behind, and workers forked
    from such a process can't patch it for gevent any more.
    """
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_check, args=(settings, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        serves, doubt = ours.recv()
    except EOFError:
        raise StartError("Asking the model server for its models failed; --no-check leaves that out.") from None
    finally:
        ours.close()
        child.join()
    if not serves:
        raise StartError(f"--base-url {settings.base_url}: {doubt} (--no-check serves all the same.)")
    if doubt:
        print(f"warning: --base-url {settings.base_url}: {doubt}", file=sys.stderr, flush=True)


def _check(settings: Settings, answer: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to handle, and it ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    from emulator.upstream.client import UpstreamClient

    answer.send(judge(settings, UpstreamClient(settings).probe()))


def judge(settings: Settings, probe: Probe) -> tuple[bool, str]:
    """Whether to serve with such an upstream, and what to tell the user, if anything.

    Only what would fail with every request stops the start.  A server that asks for a key gets the
    client's; one that has no list of models, or is out of order now, may still complete chats.
    """
    match probe.kind:
        case "ok":
            return True, ""
        case "refused_key":
            return settings.api_key is None, probe.message if settings.api_key else ""
        case "wrong_path":
            return probe.status != HTTPStatus.NOT_FOUND, probe.message
        case "refused":
            return probe.status is not None and probe.status >= HTTPStatus.BAD_REQUEST, probe.message
        case "unreachable" | "timeout" | "not_json":
            return False, probe.message
