"""The default store is one file that nobody looks after: it must stay private, small, and usable whatever happens to it."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.records.interface import StoreUnavailable
from emulator.records.sqlite import SWEEP_EVERY, SqliteRecords

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3600.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "programs.db"


@pytest.fixture
def records(path: Path) -> Iterator[SqliteRecords]:
    made = SqliteRecords(path)
    yield made
    made.close()


def rows(path: Path) -> int:
    looking = sqlite3.connect(path)
    try:
        return looking.execute("SELECT count(*) FROM programs").fetchone()[0]
    finally:
        looking.close()


def wait_past(moment: float) -> None:
    while time.time() <= moment:
        time.sleep(0.005)


def damage(path: Path) -> None:
    # What stands in the log would heal the file.
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.write_bytes(b"\x5a" * path.stat().st_size)


def test_only_this_user_may_read_it(records: SqliteRecords, path: Path) -> None:
    loose = os.umask(0)
    try:
        records.put("key", b"x", HOUR)
    finally:
        os.umask(loose)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    files = sorted(file.name for file in path.parent.iterdir())
    assert files == [".programs.db.lock", "programs.db", "programs.db-shm", "programs.db-wal"]
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(records: SqliteRecords, path: Path) -> None:
    records.put("key", b"x", HOUR)
    records.close()
    path.chmod(0o644)
    assert records.get("key") == b"x"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_key_itself_is_not_in_the_file(records: SqliteRecords, path: Path) -> None:
    records.put("the-random-key", b"the-value", HOUR)
    records.close()
    written = path.read_bytes()
    assert b"the-value" in written and b"the-random-key" not in written


def test_nothing_is_made_before_it_is_needed(path: Path) -> None:
    SqliteRecords(path)
    assert not path.parent.exists()


def test_expired_records_leave_and_the_file_shrinks(records: SqliteRecords, path: Path) -> None:
    for n in range(SWEEP_EVERY):
        records.put(f"brief-{n}", os.urandom(50_000), 0.5)
    wait_past(time.time() + 0.5)
    for n in range(2 * SWEEP_EVERY):
        records.put(f"lasting-{n}", b"x", HOUR)
    records.close()
    assert rows(path) == 2 * SWEEP_EVERY
    assert path.stat().st_size < 200_000


def test_a_process_that_puts_seldom_sweeps_too(path: Path) -> None:
    for n in range(3):
        records = SqliteRecords(path)
        records.put(f"brief-{n}", b"x", 0.01)
        records.close()
        wait_past(time.time() + 0.02)
    assert rows(path) == 1


def test_a_full_store_gives_up_what_came_first(path: Path) -> None:
    """Not what would end first: answers are kept for weeks, and programs that wait for results for a day."""
    records = SqliteRecords(path, max_bytes=4 << 20)
    for n in range(300):
        records.put(f"key-{n}", os.urandom(40_000), HOUR * (1 if n % 2 else 1000))
        assert records.get(f"key-{n}") is not None
    assert records.get("key-0") is None
    records.close()
    assert path.stat().st_size <= 4 << 20


def test_large_records_do_not_push_out_the_others(path: Path) -> None:
    records = SqliteRecords(path, max_bytes=16 << 20)
    for n in range(300):
        records.put(f"small-{n}", os.urandom(10_000), HOUR)
    for n in range(60):
        records.put(f"large-{n}", os.urandom(1_000_000), HOUR)
        assert records.get(f"large-{n}") is not None
    assert None not in [records.get(f"small-{n}") for n in range(300)]
    assert [records.get(f"large-{n}") is None for n in range(60)] == sorted(
        (records.get(f"large-{n}") is None for n in range(60)), reverse=True
    )
    records.close()


def test_many_small_records_leave_room_for_a_large_one(path: Path) -> None:
    records = SqliteRecords(path, max_bytes=16 << 20)
    for n in range(2000):
        records.put(f"small-{n}", os.urandom(9_000), HOUR)
    records.put("large", os.urandom(1_000_000), HOUR)
    assert records.get("large") is not None
    assert records.get("small-1999") is not None
    records.close()


def test_a_record_larger_than_its_share_is_refused(path: Path) -> None:
    records = SqliteRecords(path, max_bytes=16 << 20)
    records.put("key", bytes(1 << 20), HOUR)
    with pytest.raises(StoreUnavailable, match="1048577 bytes are too many"):
        records.put("key", bytes((1 << 20) + 1), HOUR)
    assert records.get("key") == bytes(1 << 20)
    records.close()


def test_a_file_of_before_there_was_a_share_for_large_records_goes_on(records: SqliteRecords, path: Path) -> None:
    records.put("old", b"x", HOUR)
    records.close()
    earlier = sqlite3.connect(path)
    earlier.execute("DROP INDEX programs_large")
    earlier.close()
    smaller = SqliteRecords(path, max_bytes=8 << 20)
    for n in range(40):
        smaller.put(f"key-{n}", os.urandom(300_000), HOUR)
    assert smaller.get("old") == b"x"
    smaller.close()


def test_a_value_that_can_never_fit_is_refused_and_the_store_goes_on(path: Path) -> None:
    records = SqliteRecords(path, max_bytes=1 << 20)
    with pytest.raises(StoreUnavailable, match=r"programs\.db"):
        records.put("large", bytes(2 << 20), HOUR)
    records.put("small", b"x", HOUR)
    assert records.get("small") == b"x"
    records.close()


def test_a_damaged_file_is_put_aside_and_a_new_one_begun(
    records: SqliteRecords, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    records.put("old", b"x", HOUR)
    records.close()
    damage(path)
    with caplog.at_level(logging.ERROR):
        assert records.get("old") is None
    records.put("new", b"y", HOUR)
    assert records.get("new") == b"y"
    assert path.with_name("programs.db.damaged").read_bytes().startswith(b"\x5a" * 100)
    assert [record.getMessage() for record in caplog.records] == ["damaged store of programs put aside"]


def test_pages_damaged_under_a_running_process_are_met_and_put_aside(records: SqliteRecords, path: Path) -> None:
    for n in range(200):
        records.put(f"key-{n}", os.urandom(5_000), HOUR)
    records.close()
    with path.open("r+b") as file:  # The first page is in order, so that it opens.
        file.seek(4096)
        file.write(b"\x5a" * (path.stat().st_size - 4096))
    records.put("new", b"y", HOUR)
    assert records.get("new") == b"y"
    assert path.with_name("programs.db.damaged").exists()


def test_the_log_of_a_damaged_file_is_not_taken_for_the_new_ones(records: SqliteRecords, path: Path) -> None:
    for n in range(200):
        records.put(f"key-{n}", os.urandom(5_000), HOUR)
    records.close()
    # Another process keeps the file open, and so its log stays.
    other = SqliteRecords(path)
    other.put("old", b"x", HOUR)
    # By a process of its own: closing the file in this one would end SQLite's locks.
    spoil = f"dd if=/dev/zero of='{path}' bs=4096 seek=1 count={path.stat().st_size // 4096 - 1} conv=notrunc"
    subprocess.run(["sh", "-c", spoil], check=True, capture_output=True)
    for n in range(200):
        records.put(f"new-{n}", b"y", HOUR)
    assert path.with_name("programs.db.damaged").exists()
    assert records.get("old") is None
    assert [records.get(f"new-{n}") for n in range(200)] == [b"y"] * 200
    assert other.get("new-0") == b"y"
    other.close()
    assert records.get("new-0") == b"y"


def test_processes_that_meet_the_damage_agree_on_one_new_file(path: Path) -> None:
    several = [SqliteRecords(path) for _ in range(6)]
    for each in several:
        each.put("old", b"x", HOUR)
    damage(path)
    barrier = threading.Barrier(len(several))

    def work(each: SqliteRecords, n: int) -> None:
        barrier.wait()
        each.put(f"new-{n}", b"y", HOUR)

    threads = [threading.Thread(target=work, args=(each, n)) for n, each in enumerate(several)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Who still had the damaged file in its cache may have put into it once more; then it finds the new one.
    for n, each in enumerate(several):
        each.put(f"newer-{n}", b"z", HOUR)
    for each in several:
        assert [each.get(f"newer-{n}") for n in range(len(several))] == [b"z"] * len(several)
        each.close()


def test_a_file_deleted_under_a_running_process_is_made_again(records: SqliteRecords, path: Path) -> None:
    records.put("key", b"x", HOUR)
    other = SqliteRecords(path)
    other.put("key", b"x", HOUR)
    for file in path.parent.iterdir():
        file.unlink()
    assert records.get("key") is None
    records.put("key", b"y", HOUR)
    assert other.get("key") == b"y"
    other.close()
    assert records.get("key") == b"y"


def test_a_process_killed_while_it_writes_leaves_a_store_that_others_use(records: SqliteRecords, path: Path) -> None:
    records.put("before", b"x", HOUR)
    writes = (
        "import sys; from pathlib import Path; from emulator.records.sqlite import SqliteRecords\n"
        "records = SqliteRecords(Path(sys.argv[1])); n = 0\n"
        "while True:\n"
        "    records.put(f'key-{n % 500}', bytes(100_000), 60); n += 1\n"
        "    if n == 20: print('writing', flush=True)\n"
    )
    for _ in range(3):
        command = [sys.executable, "-c", writes, str(path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
            assert writer.stdout and writer.stdout.readline() == b"writing\n"
            writer.kill()
        records.put("after", b"y", HOUR)
        assert (records.get("before"), records.get("after")) == (b"x", b"y")
    assert not path.with_name("programs.db.damaged").exists()


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE programs (theirs)")
    theirs.commit()
    theirs.close()
    before = path.read_bytes()
    records = SqliteRecords(path)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="another program"):
            records.put("key", b"x", HOUR)
    assert path.read_bytes() == before


def test_a_later_versions_file_is_left_alone(records: SqliteRecords, path: Path) -> None:
    records.put("key", b"x", HOUR)
    records.close()
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(StoreUnavailable, match="another version"):
        records.get("key")


@pytest.mark.parametrize("place", ["file/programs.db", "folder"])
def test_a_place_where_no_file_can_be_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    records = SqliteRecords(tmp_path / place)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=place):
            records.put("key", b"x", HOUR)


def test_a_folder_that_can_not_be_written_is_told() -> None:
    # /proc is written to by nobody, root included.
    with pytest.raises(StoreUnavailable) as told:
        SqliteRecords(Path("/proc/programs.db")).get("key")
    assert told.value.status == 503 and "/proc/programs.db" in told.value.message


def test_a_full_disk_is_told_and_what_was_there_can_still_be_read(path: Path) -> None:
    # A limit on the size of files is a full disk to who writes.
    fills = (
        "import resource, sys; from pathlib import Path\n"
        "from emulator.records.sqlite import SqliteRecords; from emulator.records.interface import StoreUnavailable\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "records = SqliteRecords(Path(sys.argv[1])); records.put('first', b'x', 3600)\n"
        "told = 0\n"
        "for n in range(20):\n"
        "    try: records.put(f'key-{n}', bytes(300_000), 3600)\n"
        "    except StoreUnavailable: told += 1\n"
        "assert told, 'nothing was refused'\n"
        "assert records.get('first') == b'x'\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", fills, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    records = SqliteRecords(path)
    assert records.get("first") == b"x"
    records.put("more", bytes(300_000), HOUR)
    records.close()


def test_who_can_not_write_because_another_does_not_get_done_is_told(
    records: SqliteRecords, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.records.sqlite.BUSY_SECONDS", 0.05)
    records.put("key", b"x", HOUR)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        records.put("key", b"y", HOUR)
    assert records.get("key") == b"x"
    other.execute("ROLLBACK")
    other.close()
    records.put("key", b"z", HOUR)
    assert records.get("key") == b"z"
