"""A client that leaves must end its request while nobody reads or writes, and only its own."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from emulator.errors import ClientGone, UpstreamTimeout
from emulator.lifetime import Lifetime, Watcher

PATIENCE = 10.0  # only a test that fails waits so long


def test_a_client_that_leaves_ends_its_own_request_only() -> None:
    (leaving, leavings_server), (staying, stayings_server) = socket.socketpair(), socket.socketpair()
    gone, other = Lifetime(60, leavings_server), Lifetime(60, stayings_server)
    ended = threading.Event()
    gone.attach(ended.set)
    watcher = Watcher()
    watcher.add(gone)
    watcher.add(other)
    with staying, leavings_server, stayings_server:
        leaving.close()
        assert ended.wait(PATIENCE)
        with pytest.raises(ClientGone):
            gone.remaining()
        assert other.ended is None
    watcher.remove(gone)
    watcher.remove(other)


def test_bytes_that_a_client_sends_are_no_departure() -> None:
    client, server = socket.socketpair()
    busy, ticking = Lifetime(60, server), Lifetime(0.0)
    client.sendall(b"GET / HTTP/1.1")
    looked = threading.Event()
    ticking.attach(looked.set)
    watcher = Watcher()
    watcher.add(busy)
    watcher.add(ticking)
    with client, server:
        assert looked.wait(PATIENCE)
        assert busy.ended is None
    watcher.remove(busy)


def test_a_request_that_was_removed_is_not_ended() -> None:
    removed, watched = Lifetime(0.0), Lifetime(0.0)
    ended = threading.Event()
    watched.attach(ended.set)
    watcher = Watcher()
    watcher.add(removed)
    watcher.remove(removed)
    watcher.add(watched)
    assert ended.wait(PATIENCE)
    assert isinstance(watched.ended, UpstreamTimeout) and "--timeout" in watched.ended.message
    assert removed.ended is None


def test_a_watch_that_fails_once_goes_on() -> None:
    """Without its thread no request of the process would ever end."""
    broken, watched = Lifetime(0.0), Lifetime(0.0)
    failed, ended = threading.Event(), threading.Event()

    def fails() -> None:
        failed.set()
        raise ValueError

    broken.attach(fails)
    watched.attach(ended.set)
    watcher = Watcher()
    watcher.add(broken)
    assert failed.wait(PATIENCE)
    watcher.add(watched)
    assert ended.wait(PATIENCE)


def test_the_deadline_ends_also_what_nobody_watches() -> None:
    lifetime = Lifetime(0.0)
    with pytest.raises(UpstreamTimeout, match="within 0 s"):
        lifetime.remaining()
    assert isinstance(lifetime.ended, UpstreamTimeout)
    living = Lifetime(60)
    assert 0 < living.remaining() <= 60
    assert living.deadline <= time.monotonic() + 60


def test_the_first_end_counts_and_interrupts_once() -> None:
    lifetime, calls = Lifetime(60), list[str]()
    lifetime.attach(lambda: calls.append("cut"))
    first = ClientGone("first")
    lifetime.end(first)
    lifetime.end(ClientGone("second"))
    assert calls == ["cut"] and lifetime.ended is first
    with pytest.raises(ClientGone, match="first"):
        lifetime.check()


def test_what_is_attached_too_late_is_interrupted_at_once() -> None:
    lifetime, calls = Lifetime(60), list[str]()
    lifetime.end(ClientGone("gone"))
    lifetime.attach(lambda: calls.append("cut"))
    assert calls == ["cut"]


def test_detaching_late_leaves_the_successor() -> None:
    lifetime, calls = Lifetime(60), list[str]()

    def first() -> None:
        calls.append("first")

    def second() -> None:
        calls.append("second")

    lifetime.attach(first)
    lifetime.attach(second)
    lifetime.detach(first)
    lifetime.end(ClientGone("gone"))
    assert calls == ["second"]

    quiet = Lifetime(60)
    quiet.attach(first)
    quiet.detach(first)
    quiet.end(ClientGone("gone"))
    assert calls == ["second"]
