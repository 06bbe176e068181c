"""When the model on this machine can't start, the user sees one sentence that names the cause, and nothing is left running."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.settings import Settings
from emulator.upstream.local import LocalModel, LocalModelError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A file that calls itself GGUF and is not: real enough for the real engine to refuse it."""
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"?" * 100)
    return Settings(local_model=str(tmp_path / "broken.gguf"), cache_dir=tmp_path / "cache", log_dir=tmp_path / "logs")


def refusal(settings: Settings) -> str:
    with pytest.raises(LocalModelError) as caught:
        LocalModel.start(settings, report=lambda line: None)
    return caught.value.message


def test_a_broken_file_is_named_with_the_engine_s_own_reason(settings: Settings) -> None:
    sentence = refusal(settings)
    assert f"could not load {settings.local_model}: it ended with status 1 (gguf_init_from_reader: " in sentence
    assert sentence.endswith(f"its log is {settings.log_dir / 'engine.log'}.")
    assert "\n" not in sentence


def test_the_reason_is_of_this_start_not_of_an_older_one(settings: Settings) -> None:
    settings.log_dir.mkdir()
    (settings.log_dir / "engine.log").write_text("0.00.000.001 E an older failure\n")
    assert "an older failure" not in refusal(settings)


def test_a_large_log_is_moved_aside(settings: Settings) -> None:
    settings.log_dir.mkdir()
    log = settings.log_dir / "engine.log"
    log.write_bytes(b"x" * (1 << 20) + b"\n")
    refusal(settings)
    assert (settings.log_dir / "engine.log.1").stat().st_size == (1 << 20) + 1
    assert b"xxx" not in log.read_bytes()


def test_a_log_that_cant_be_written(settings: Settings, tmp_path: Path) -> None:
    assert "log" in refusal(replace(settings, log_dir=tmp_path / "broken.gguf" / "logs"))


def test_without_the_engine_a_sentence_says_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    assert "pip install -r requirements-local.txt" in refusal(settings)
    assert not settings.log_dir.exists()
