"""Counters add up over whoever adds to them: threads, processes, replicas, restarts; and none is another's."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.records.interface import Store, StoreUnavailable
from tests.records.servers import PATIENCE, StoreServer

ROOT = Path(__file__).resolve().parents[2]
Opened = Callable[[str], Store]

# Counters in opposite orders, which is how transactions come to wait for each other.
PROCESS = """
import sys
from pathlib import Path
from emulator.records.opening import open_records
url, group, forward = sys.argv[1], sys.argv[2], sys.argv[3] == "forward"
store = open_records(url, Path("/nowhere"))
names = [f"name {n}" for n in range(40)]
print("ready", flush=True)
sys.stdin.readline()
for n in range(50):
    store.add(group, {name: 1 for name in (names if forward else reversed(names))})
store.close()
"""


@pytest.fixture
def store(url: str, opened: Opened) -> Store:
    return opened(url)


@pytest.fixture
def group() -> str:
    """Of the test's own: servers are shared."""
    return f"group-{os.urandom(8).hex()}"


def test_increments_add_up_and_groups_are_apart(store: Store, group: str) -> None:
    assert store.counted(group) == {}
    store.add(group, {"a": 2, "b": 3})
    store.add(group, {"a": 5, "c": -1})
    store.add(f"{group}-other", {"a": 100})
    store.add(group, {})
    assert store.counted(group) == {"a": 7, "b": 3, "c": -1}


@pytest.mark.parametrize(
    "name",
    ["", "\0", "a\0b", "\ud800", "'; DROP TABLE x; --", "日付", "x" * 2_000, "%s ? {} \\x00", "a\r\nb"],
    ids=ascii,
)
def test_any_text_can_be_a_name(store: Store, group: str, name: str) -> None:
    # Models' names come from clients.
    store.add(group, {name: 1, name + "!": 10})
    store.add(group, {name: 1})
    assert store.counted(group) == {name: 2, name + "!": 10}


def test_counts_beyond_32_bits_are_exact(store: Store, group: str) -> None:
    store.add(group, {"tokens": 2**53 + 1})
    store.add(group, {"tokens": 2**53})
    assert store.counted(group) == {"tokens": 2**54 + 1}


def test_many_counters_at_once(store: Store, group: str) -> None:
    many = {f"counter {n}": n for n in range(5_000)}
    store.add(group, many)
    store.add(group, many)
    assert store.counted(group) == {name: 2 * n for name, n in many.items()}


def test_they_outlast_a_restart(url: str, opened: Opened, group: str) -> None:
    first = opened(url)
    first.add(group, {"a": 1})
    first.close()
    second = opened(url)
    second.add(group, {"a": 1})
    assert second.counted(group) == first.counted(group) == {"a": 2}


def test_threads_lose_no_increment(store: Store, group: str) -> None:
    failures: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(25):
                store.add(group, {"a": 1, "b": 2})
        except StoreUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.counted(group) == {"a": 200, "b": 400}


def test_processes_lose_no_increment(store: Store, url: str, group: str) -> None:
    command = [sys.executable, "-c", PROCESS, url, group]
    processes = [
        subprocess.Popen(
            [*command, order],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for order in ("forward", "backward", "forward", "backward")
    ]
    try:
        for process in processes:
            assert process.stdout and process.stderr
            assert process.stdout.readline() == b"ready\n", process.stderr.read()
        for process in processes:
            assert process.stdin
            process.stdin.write(b"\n")
            process.stdin.flush()
        for process in processes:
            _, errors = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert store.counted(group) == {f"name {n}": 200 for n in range(40)}


def test_a_server_that_is_gone_is_told_and_one_that_is_back_is_used(server: StoreServer, opened: Opened) -> None:
    store = opened(server.url)
    store.add("group", {"a": 1})
    server.kill()
    with pytest.raises(StoreUnavailable):
        store.add("group", {"a": 1})
    with pytest.raises(StoreUnavailable):
        store.counted("group")
    server.start()
    before = store.counted("group")
    store.add("group", {"a": 1})
    assert store.counted("group")["a"] == before.get("a", 0) + 1
