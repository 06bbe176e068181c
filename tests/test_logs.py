"""The log must be readable by a machine, whole under several writers, and free of secrets whatever is logged."""

from __future__ import annotations

import json
import logging
import multiprocessing
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.logs import (
    LOG_NAME,
    MAX_TEXT,
    REMOVED,
    JsonFormatter,
    RotatingFile,
    Scrubber,
    configure_logging,
    log_event,
)
from emulator.settings import Settings

KEY = "correct-horse-battery"
logger = logging.getLogger("emulator.test")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    yield
    logging.captureWarnings(False)
    for name in ("emulator", "gunicorn.error", "werkzeug", "py.warnings"):
        found = logging.getLogger(name)
        for handler in list(found.handlers):
            found.removeHandler(handler)
            handler.close()
        found.setLevel(logging.NOTSET)
        found.propagate = True


def configured(folder: Path, **settings: Any) -> Path:
    configure_logging(Settings(log_dir=folder, api_key=KEY, **settings))
    return folder / LOG_NAME


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def test_a_record_is_one_json_object_on_a_line(tmp_path: Path) -> None:
    path = configured(tmp_path / "new" / "logs")
    log_event(logger, "answered", method="POST", path="/v1/chat/completions", status=200, milliseconds=1.5, model=None)
    (line,) = lines(path)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert isinstance(line.pop("pid"), int)
    assert line == {
        "level": "info",
        "logger": "emulator.test",
        "event": "answered",
        "method": "POST",
        "path": "/v1/chat/completions",
        "status": 200,
        "milliseconds": 1.5,
        "model": None,
    }


def test_a_field_can_not_take_the_place_of_what_the_log_says_itself(tmp_path: Path) -> None:
    path = configured(tmp_path)
    log_event(logger, "real", event="false", time="false", logger="false")
    (line,) = lines(path)
    assert (line["event"], line["logger"]) == ("real", "emulator.test")
    assert line["time"] != "false"


def test_line_breaks_stay_inside_the_record(tmp_path: Path) -> None:
    path = configured(tmp_path)
    log_event(logger, "answered", path='/a\n{"level":"error"}\r\u2028b')
    (line,) = lines(path)
    assert line["path"] == '/a\n{"level":"error"}\r\u2028b'


def test_the_level_is_a_setting(tmp_path: Path) -> None:
    path = configured(tmp_path, log_level="warning")
    log_event(logger, "small")
    log_event(logger, "large", level=logging.WARNING)
    assert [line["event"] for line in lines(path)] == ["large"]


def test_the_servers_own_records_are_there_too(tmp_path: Path) -> None:
    path = configured(tmp_path)
    logging.getLogger("gunicorn.error").info("Booting %s", "worker")
    assert [line["event"] for line in lines(path)] == ["Booting worker"]
    # gunicorn writes wsgi.errors to every stream it finds there, which would bypass the scrubber.
    streams = [getattr(handler, "stream", sys.stderr) for handler in logging.getLogger("gunicorn.error").handlers]
    assert streams == [sys.stderr] * len(streams)


def test_warnings_are_shown_on_stderr_in_plain_words_and_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(tmp_path)
    log_event(logger, "quiet")
    log_event(logger, "upstream failed", level=logging.WARNING, kind="refused", detail=f"key {KEY}")
    assert capsys.readouterr().err == f"warning: upstream failed kind=refused detail=key {REMOVED}\n"


def test_what_a_client_sent_can_not_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configured(tmp_path)
    log_event(logger, "failed", level=logging.WARNING, path="/\x1b[2J\r\nerror: \x9b")
    assert capsys.readouterr().err == "warning: failed path=/\\x1b[2J\\x0d\\x0aerror: \\x9b\n"


def test_an_error_brings_its_traceback_without_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = configured(tmp_path)
    try:
        raise ValueError(f"bad header Authorization: Bearer {KEY}")
    except ValueError:
        log_event(logger, "request failed", level=logging.ERROR)
    (line,) = lines(path)
    assert "ValueError: bad header" in line["traceback"]
    assert KEY not in path.read_text() + capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {REMOVED}"),
        ("{'Authorization': 'Bearer abc'}", f"{{'Authorization': 'Bearer {REMOVED}'}}"),
        ('{"authorization": "abc"}', f'{{"authorization": "{REMOVED}"}}'),
        ("Authorization=Basic dXNlcjpwYXNzd29yZA==", f"Authorization=Basic {REMOVED}"),
        ("x-api-key: abc", f"x-api-key: {REMOVED}"),
        ("api_key=abc, port=1", f"api_key={REMOVED}, port=1"),
        ("Cookie: session=1", f"Cookie: {REMOVED}"),
        ("Incorrect API key provided: sk-proj-abc_123456.", f"Incorrect API key provided: {REMOVED}."),
        ("http://user:word@host/v1", f"http://{REMOVED}@host/v1"),
        (f"a{KEY}b", f"a{REMOVED}b"),
        ("the risk-free task of a bearer", "the risk-free task of a bearer"),
        ("Basic information", "Basic information"),
    ],
)
def test_what_looks_like_a_secret_is_removed(said: str, logged: str) -> None:
    assert Scrubber(KEY).text(said) == logged


def test_a_short_key_is_removed_only_where_it_stands_alone() -> None:
    assert Scrubber("none").text("key none, nonetheless") == f"key {REMOVED}, nonetheless"


def test_a_field_named_after_a_secret_is_removed_whole_at_any_depth() -> None:
    fields = {"headers": [{"X-Api-Key": ["a", "b"], "accept": "c"}], "api_key": None, "password": 1}
    assert Scrubber().fields(fields) == {
        "headers": [{"X-Api-Key": REMOVED, "accept": "c"}],
        "api_key": None,
        "password": REMOVED,
    }


def test_a_long_text_is_cut_and_says_so() -> None:
    assert Scrubber().text("a" * (MAX_TEXT + 1)) == "a" * MAX_TEXT + f"… ({MAX_TEXT + 1} characters)"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "path"]), JSON), st.text(st.characters()))
def test_whatever_is_logged_is_one_line_of_json_without_the_key(fields: dict[str, Any], text: str) -> None:
    record = logging.LogRecord("emulator", logging.INFO, "", 0, "%s", (text + KEY,), None)
    record.fields = fields | {"said": text + KEY + text}
    line = JsonFormatter(Scrubber(KEY)).format(record)
    assert "\n" not in line
    assert KEY not in line
    assert isinstance(json.loads(line), dict)


def test_several_processes_write_and_rotate_one_log_without_losing_a_line(tmp_path: Path) -> None:
    settings = Settings(log_dir=tmp_path, log_max_bytes=16_384, log_backups=50)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(settings, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    files = list(tmp_path.glob(f"{LOG_NAME}*"))
    found = sorted((line["writer"], line["number"]) for file in files for line in lines(file))
    assert found == [(writer, number) for writer in range(3) for number in range(200)]
    assert len(files) > 2
    assert max(file.stat().st_size for file in files) <= 2 * settings.log_max_bytes


def _write(settings: Settings, writer: int) -> None:
    configure_logging(settings)
    for number in range(200):
        log_event(logger, "written", writer=writer, number=number)


def test_only_so_many_rotated_logs_are_kept(tmp_path: Path) -> None:
    path = configured(tmp_path, log_max_bytes=4096, log_backups=2)
    for number in range(200):
        log_event(logger, "written", number=number)
    assert sorted(file.name for file in tmp_path.glob(f"{LOG_NAME}*")) == [LOG_NAME, f"{LOG_NAME}.1", f"{LOG_NAME}.2"]
    assert lines(path)[-1]["number"] == 199


def test_others_on_the_machine_can_not_read_the_log(tmp_path: Path) -> None:
    path = configured(tmp_path)
    log_event(logger, "written")
    assert path.stat().st_mode & 0o077 == 0


def test_a_folder_that_can_not_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        configure_logging(Settings(log_dir=tmp_path / "file" / "logs"))


def test_configuring_twice_does_not_log_twice(tmp_path: Path) -> None:
    configured(tmp_path)
    path = configured(tmp_path)
    log_event(logger, "once")
    assert [line["event"] for line in lines(path)] == ["once"]


def test_a_thread_that_logs_while_the_process_ends_is_not_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = RotatingFile(tmp_path / "log", max_bytes=1000, backups=1)
    handler.close()
    handler.emit(logging.makeLogRecord({"msg": "late"}))
    assert (tmp_path / "log").read_text() == "" and capsys.readouterr().err == ""
