"""Whichever store is chosen, a program is found again by every process, until its time is over, and by its key alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.records.interface import Records, StoreUnavailable
from tests.records.servers import PATIENCE, Between, StoreServer, until

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3600.0
Opened = Callable[[str], Records]

# Each process of the test below: all begin at once in a store that nobody has used, then read what the others put.
PROCESS = """
import sys
from pathlib import Path
from emulator.records.opening import open_records
url, name, names = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
records = open_records(url, Path("/nowhere"))
print("ready", flush=True)
sys.stdin.readline()
for n in range(100):
    records.put(f"{name}-{n}", f"value of {name}-{n}".encode() * 50, 600)
    records.put("shared", name.encode(), 600)
print("put", flush=True)
sys.stdin.readline()
for other in names:
    for n in range(100):
        assert records.get(f"{other}-{n}") == f"value of {other}-{n}".encode() * 50, (other, n)
assert records.get("shared").decode() in names
records.close()
print("read", flush=True)
"""


def unique(name: str) -> str:
    return f"{name}-{os.urandom(8).hex()}"


@pytest.mark.parametrize(
    "value", [b"", b"x", bytes(range(256)) * 4, b"\0" * 10, b"'; DROP TABLE x; -- \\x00", os.urandom(400_000)], ids=len
)
def test_a_value_comes_back_as_it_was(records: Records, value: bytes) -> None:
    key = unique("value")
    records.put(key, value, HOUR)
    assert records.get(key) == value


def test_what_nobody_put_is_not_there(records: Records) -> None:
    assert records.get(unique("absent")) is None


@pytest.mark.parametrize(
    "key", ["", "\0", "a\0b", "\ud800", "'; --", "日付", "x" * 100_000, "* ? [a-z]", "a\r\nGET b"], ids=ascii
)
def test_any_text_can_be_asked_for_and_be_a_key(records: Records, key: str) -> None:
    # Keys come back from clients in call ids, so what is asked for is anything at all.
    records.put(unique("other"), b"other's", HOUR)
    assert records.get(key + unique("")) is None
    name = unique("") + key
    records.put(name, b"mine", HOUR)
    assert records.get(name) == b"mine"


def test_keys_that_look_alike_are_different(records: Records) -> None:
    base = unique("key")
    for n, key in enumerate([base, base + " ", base.upper(), base + "\0", base + "a\u0301", base + "á"]):
        records.put(key, bytes([n]), HOUR)
    assert [records.get(key) for key in [base, base + " ", base.upper()]] == [b"\0", b"\1", b"\2"]
    assert [records.get(key) for key in [base + "\0", base + "a\u0301", base + "á"]] == [b"\3", b"\4", b"\5"]


def test_putting_again_replaces_value_and_time(records: Records) -> None:
    key = unique("again")
    records.put(key, b"long", HOUR)
    records.put(key, b"short", 0.05)
    until(lambda: records.get(key) is None)
    records.put(key, b"new", HOUR)
    assert records.get(key) == b"new"


def test_what_is_deleted_is_gone_and_nothing_else(records: Records) -> None:
    key, other = unique("deleted"), unique("kept")
    records.put(key, b"x", HOUR)
    records.put(other, b"y", HOUR)
    records.delete(key)
    records.delete(unique("absent"))
    assert (records.get(key), records.get(other)) == (None, b"y")
    records.put(key, b"new", HOUR)
    assert records.get(key) == b"new"


def test_a_record_is_gone_after_its_time_and_another_stays(records: Records) -> None:
    brief, lasting = unique("brief"), unique("lasting")
    records.put(lasting, b"lasting", HOUR)
    records.put(brief, b"brief", 0.05)
    until(lambda: records.get(brief) is None)
    assert records.get(lasting) == b"lasting"


def test_a_time_below_what_the_store_can_tell_apart_ends(records: Records) -> None:
    key = unique("least")
    records.put(key, b"x", 1e-9)
    until(lambda: records.get(key) is None)


def test_a_closed_store_opens_again(records: Records) -> None:
    key = unique("closed")
    records.put(key, b"x", HOUR)
    records.close()
    records.close()
    assert records.get(key) == b"x"


def test_another_process_begun_later_finds_it(url: str, opened: Opened) -> None:
    # As after a restart, or on a replica.
    key = unique("restart")
    first = opened(url)
    first.put(key, b"x", HOUR)
    first.close()
    assert opened(url).get(key) == b"x"


def test_threads_share_one(records: Records) -> None:
    failures: list[Exception] = []

    def work(name: str) -> None:
        try:
            for n in range(40):
                records.put(f"{name}-{n}", f"{name}-{n}".encode() * 100, HOUR)
                assert records.get(f"{name}-{n}") == f"{name}-{n}".encode() * 100
        except (AssertionError, StoreUnavailable) as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(unique("thread"),)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_many_processes_begin_a_new_store_at_once(url: str) -> None:
    together_in_new_store(url, 4)


def test_many_processes_begin_on_a_new_server_at_once(server: StoreServer) -> None:
    # No table there yet, which all of them want to make.
    together_in_new_store(server.url, 8)


def together_in_new_store(url: str, count: int) -> None:
    names = [unique("process") for _ in range(count)]
    command = [sys.executable, "-c", PROCESS, url]
    processes = [
        subprocess.Popen(
            [*command, name, ",".join(names)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name in names
    ]
    try:
        for word in (b"ready\n", b"put\n", b"read\n"):
            for process in processes:
                assert process.stdout and process.stderr and process.stdin
                said = process.stdout.readline()
                assert said == word, said + process.stderr.read()
            for process in processes:
                assert process.stdin
                if word != b"read\n":
                    process.stdin.write(b"\n")
                    process.stdin.flush()
        assert [process.wait(PATIENCE) for process in processes] == [0] * count
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_forked_process_has_connections_of_its_own(records: Records) -> None:
    before, after = unique("before"), unique("after")
    records.put(before, b"parent's", HOUR)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            for _ in range(20):
                assert records.get(before) == b"parent's"
            records.put(after, b"child's", HOUR)
            records.close()
            status = 0
        finally:
            os._exit(status)
    for _ in range(20):
        assert records.get(before) == b"parent's"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert records.get(after) == b"child's"


def test_a_server_that_is_gone_is_told_and_one_that_is_back_is_used(server: StoreServer, opened: Opened) -> None:
    records = opened(server.url)
    records.put("key", b"before", HOUR)
    server.kill()
    for _ in range(3):
        with pytest.raises(StoreUnavailable) as gone:
            records.get("key")
        assert gone.value.status == 503 and gone.value.code == "store_unavailable"
    with pytest.raises(StoreUnavailable):
        records.put("key", b"lost", HOUR)
    with pytest.raises(StoreUnavailable):
        records.delete("key")
    server.start()
    records.put("key", b"after", HOUR)
    assert records.get("key") == b"after"


def test_a_restart_between_two_requests_goes_unnoticed(server: StoreServer, opened: Opened) -> None:
    records = opened(server.url)
    # Several kept connections, all of which the restart cuts.
    threads = [threading.Thread(target=records.put, args=(f"k{n}", b"x" * 100_000, HOUR)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.kill()
    server.start()
    records.put("key", b"after", HOUR)
    assert [records.get("key") for _ in range(10)] == [b"after"] * 10


def test_a_kept_connection_that_was_cut_without_a_sign_goes_unnoticed(server: StoreServer, opened: Opened) -> None:
    # As firewalls do with connections that were idle for long.
    between = Between(server.port)
    records = opened(server.tcp_url(between.port))
    for n in range(3):
        records.put("key", bytes([n]), HOUR)
        between.forget()
        assert records.get("key") == bytes([n])
    between.close()


def test_a_server_that_does_not_answer_holds_nobody_up(server: StoreServer, opened: Opened) -> None:
    records = opened(server.url)
    records.put("key", b"before", HOUR)
    failures: list[Exception] = []

    def ask() -> None:
        try:
            records.get("key")
        except StoreUnavailable as error:
            failures.append(error)

    server.freeze()
    try:
        asking = threading.Thread(target=ask)
        asking.start()
        steps = 0
        # Under gevent the thread is a greenlet: if it kept the process to itself, there would be one step or none.
        while asking.is_alive():
            time.sleep(0.01)
            steps += 1
        assert failures and steps > 10
    finally:
        server.thaw()
    until(lambda: records.get("key") == b"before")
