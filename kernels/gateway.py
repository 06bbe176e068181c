"""A kernel on a Jupyter Kernel Gateway or Enterprise Gateway: REST to start and end it, one WebSocket to use it.

Rule: the gateway and what it says are hostile.  Redirects aren't followed, since the token would go along, and every
answer is bounded in size.  Errors name the URL and never the token.  Whoever waits for a reply waits in short spells
and asks the kernel's control channel in between whether it is there still: the gateway itself notices a death only
after some seconds, and its own death shows as silence where a network lies between.

A server that is killed leaves its kernels on the gateway, which ends them by itself if it is started with
``--MappingKernelManager.cull_idle_timeout=SECONDS``; kernels that are in use have a connection and aren't culled.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from kernels.channels import Channels, ChannelsClosed, GatewayRefused
from kernels.interface import Content, KernelDied, KernelStartError, KernelStuck

START_SECONDS = 60.0
_CONNECT_SECONDS = 5.0
_RECONNECT_SECONDS = 10.0
_END_SECONDS = 5.0
_LOOK_SECONDS = 0.25
_IDLE_LOOK_SECONDS = 1.0
_MAX_ANSWER = 1 << 20
_SHOWN = 300
_KERNEL_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_LOST = frozenset({"restarting", "autorestarting", "dead"})


class GatewayKernels:
    """Makes kernels of the kernelspec ``name`` on the gateway at ``url``, not started yet.

    ``url`` may have a path, under which the gateway's ``/api`` stands; ValueError if it is no http or https URL.
    ``patience`` is how many seconds a kernel may leave a question on its control channel unanswered.
    """

    def __init__(self, url: str, token: str | None, name: str, *, patience: float = 1.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("A kernel gateway's URL begins with http:// or https://, with a host and no password.")
        self._url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._token = token
        self._name = name
        self._patience = patience
        # One context for all connections: loading the certificates takes longer than a handshake.
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None

    def __call__(self) -> GatewayKernel:
        return GatewayKernel(Gateway(self._url, self._token, self._tls), self._name, patience=self._patience)


class Gateway:
    """The REST side of a gateway.  ``url`` has no slash at its end; ``tls`` is there for https."""

    def __init__(self, url: str, token: str | None, tls: ssl.SSLContext | None = None) -> None:
        self.url = url
        self.tls = tls
        self._token = token

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self._token}"} if self._token else {}

    def launch(self, name: str, seconds: float) -> str:
        """Starts a kernel and returns its id.  Raises KernelStartError."""
        try:
            status, body = self._request("POST", "/api/kernels", seconds, {"name": name})
        except (HTTPError, OSError) as error:
            reason = self.clean(error).rpartition(": ")[2]  # What the library says before is the host again.
            raise KernelStartError(f"The kernel gateway at {self.url} can't be reached: {reason}.") from None
        if status in (401, 403):
            raise KernelStartError(f"The kernel gateway at {self.url} refuses the token (status {status}).")
        if status == 404:
            raise KernelStartError(f"There is no kernel gateway at {self.url} (status 404).")
        kernel_id = _field(body, "id")
        if status not in (200, 201) or not _KERNEL_ID.fullmatch(kernel_id):
            reason = self.clean(_field(body, "message") or _field(body, "reason") or "no reason given")
            raise KernelStartError(
                f"The kernel gateway at {self.url} starts no kernel {name!r} (status {status}: {reason}); "
                "it must have a kernelspec of that name."
            )
        return kernel_id

    def end(self, kernel_id: str) -> None:
        """Ends a kernel.  A gateway that is restarting it says 500 for a while, so it is asked until it obeys."""
        give_up = time.monotonic() + _END_SECONDS
        while True:
            try:
                status, _ = self._request("DELETE", f"/api/kernels/{kernel_id}", _END_SECONDS)
            except (HTTPError, OSError):
                return
            if status < 500 or time.monotonic() > give_up:
                return
            time.sleep(_LOOK_SECONDS)

    def clean(self, said: object) -> str:
        """What somebody said about a failure, short and without the token."""
        text = " ".join(str(said).split())
        if self._token:
            text = text.replace(self._token, "[removed]")
        return text[:_SHOWN]

    def _request(self, method: str, path: str, seconds: float, body: Content | None = None) -> tuple[int, object]:
        # A connection for each: the next question comes when the kernel ends, and until then it would only be held.
        http = urllib3.connection_from_url(self.url, **({"ssl_context": self.tls} if self.tls else {}))
        try:
            response = http.request(
                method,
                urlsplit(self.url).path + path,
                headers=self.headers,
                json=body,
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=min(seconds, _CONNECT_SECONDS), read=seconds),
            )
            try:
                data = response.read(_MAX_ANSWER)
            finally:
                response.close()
        finally:
            http.close()
        try:
            return response.status, json.loads(data)
        except (ValueError, RecursionError):
            return response.status, None


class GatewayKernel:
    """A ``Kernel`` on a gateway.  A lost connection is made again; a request that was under way dies with it."""

    def __init__(self, gateway: Gateway, name: str, *, patience: float = 1.0) -> None:
        self._gateway = gateway
        self._name = name
        self._patience = patience
        self._in_use = threading.Lock()
        self._id: str | None = None
        self._channels: Channels | None = None
        # The question on the control channel that has no answer yet, and when the last one was put.
        self._asked: str | None = None
        self._asked_at = 0.0
        self._lost: str | None = None
        self._closing = threading.Event()

    @property
    def kernel_id(self) -> str | None:
        """The gateway's name for it, once it is started."""
        return self._id

    def start(self) -> None:
        """Returns when the kernel has answered a kernel_info_request.  Raises KernelStartError."""
        give_up = time.monotonic() + START_SECONDS
        with self._in_use:
            kernel_id = self._gateway.launch(self._name, START_SECONDS)
            self._id = kernel_id
            if self._closing.is_set():  # The gateway hadn't told yet what there was to end.
                self._gateway.end(kernel_id)
            try:
                channels = self._connected(give_up)
                request = channels.send("shell", "kernel_info_request", {})
                # A kernel that isn't up yet leaves its control channel unanswered, too.
                self._reply(channels, request, give_up, patience=START_SECONDS)
            except (KernelDied, KernelStuck, ChannelsClosed) as error:
                raise KernelStartError(
                    f"The kernel {self._name!r} on the gateway at {self._gateway.url} doesn't start: {error}."
                ) from None

    def execute(self, content: Content, seconds: float) -> Content:
        """Raises KernelDied, KernelStuck."""
        give_up = time.monotonic() + seconds
        with self._in_use:
            channels = self._drained() or self._connected(min(give_up, time.monotonic() + _RECONNECT_SECONDS))
            # Silence counts from here on.
            self._asked, self._asked_at = None, time.monotonic()
            try:
                request = channels.send("shell", "execute_request", content)
            except ChannelsClosed as error:
                raise self._died(str(error)) from None
            return self._reply(channels, request, give_up, patience=self._patience)

    def alive(self) -> bool:
        """Reads what has come, and asks anew if it is time; waits for nothing."""
        if not self._in_use.acquire(blocking=False):
            return self._usable()
        try:
            if self._usable() and self._drained(ask=True) is None:
                threading.Thread(target=self._connect_again, name="gateway-reconnect", daemon=True).start()
        except KernelDied:
            return False
        finally:
            self._in_use.release()
        return self._usable()

    def close(self) -> None:
        """Ends the kernel on the gateway, which may take some seconds."""
        already = self._closing.is_set()
        self._closing.set()
        self._drop()
        if self._id is not None and not already:
            self._gateway.end(self._id)

    def _usable(self) -> bool:
        return self._id is not None and self._lost is None and not self._closing.is_set()

    def _drained(self, *, ask: bool = False) -> Channels | None:
        """The connection, if there is one still, with all read that has come unasked.  Raises KernelDied."""
        channels = self._channels
        if channels is None:
            return None
        try:
            while (message := channels.receive(0.0)) is not None:
                self._note(message)
            if ask:
                self._look_after(channels, _IDLE_LOOK_SECONDS, self._patience)
        except ChannelsClosed:
            self._drop()
            return None
        return channels

    def _connect_again(self) -> None:
        with suppress(KernelDied), self._in_use:
            if self._channels is None:
                self._connected(time.monotonic() + _RECONNECT_SECONDS)

    def _connected(self, give_up: float) -> Channels:
        """A new connection.  Raises KernelDied."""
        if not self._usable():
            raise KernelDied(self._lost or "the kernel isn't running")
        gateway = self._gateway
        url = f"{gateway.url}/api/kernels/{self._id}/channels"
        seconds = max(0.1, give_up - time.monotonic())
        try:
            channels = Channels(url, gateway.headers, gateway.tls, connect_seconds=_CONNECT_SECONDS, seconds=seconds)
        except GatewayRefused as error:
            gone = "the gateway has no such kernel any more" if error.status == 404 else f"status {error.status}"
            raise self._died(gone) from None
        except ChannelsClosed as error:
            raise self._died(gateway.clean(error)) from None
        self._channels, self._asked = channels, None
        self._asked_at = time.monotonic()
        if self._closing.is_set():
            self._drop()
            raise KernelDied("the kernel was closed")
        return channels

    def _reply(self, channels: Channels, request: str, give_up: float, *, patience: float) -> Content:
        """The content of the reply to ``request``.  Raises KernelDied, KernelStuck."""
        try:
            while (left := give_up - time.monotonic()) > 0:
                message = channels.receive(min(left, _LOOK_SECONDS))
                if message is None:
                    self._look_after(channels, _LOOK_SECONDS, patience)
                elif not self._note(message) and message.get("channel") == "shell" and _parent(message) == request:
                    return _content(message)
        except ChannelsClosed as error:
            raise self._died(self._gateway.clean(error)) from None
        raise KernelStuck("the kernel on the gateway didn't reply in time")

    def _look_after(self, channels: Channels, interval: float, patience: float) -> None:
        """Asks the kernel whether it is there, if it is time to.

        Raises KernelDied if it left that unanswered, ChannelsClosed.  To be called where all that came has been read.
        """
        silent = time.monotonic() - self._asked_at
        if self._asked is None and silent >= interval:
            self._asked = channels.send("control", "kernel_info_request", {})
            self._asked_at = time.monotonic()
        elif self._asked is not None and silent > patience:
            raise self._died(f"it didn't answer for {patience:g} s")

    def _note(self, message: dict[str, Any]) -> bool:
        """Whether a message is about the kernel's life and not a reply.  Raises KernelDied."""
        if message.get("channel") == "control":
            if _parent(message) == self._asked:
                self._asked = None
            return True
        if message.get("channel") != "iopub":
            return False
        if _content(message).get("execution_state") in _LOST:
            raise self._died("the gateway restarts it")
        return True

    def _died(self, reason: str) -> KernelDied:
        self._lost = f"the kernel on the gateway at {self._gateway.url} is gone ({reason})"
        self._drop()
        return KernelDied(self._lost)

    def _drop(self) -> None:
        channels, self._channels = self._channels, None
        if channels is not None:
            channels.close()


def _field(body: object, name: str) -> str:
    value = cast(Content, body).get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""


def _parent(message: dict[str, Any]) -> object:
    parent = message.get("parent_header")
    return cast(Content, parent).get("msg_id") if isinstance(parent, dict) else None


def _content(message: dict[str, Any]) -> Content:
    content = message.get("content")
    return cast(Content, content) if isinstance(content, dict) else {}
