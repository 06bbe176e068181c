"""The libraries for shared stores are optional: who doesn't ask for one needs none, and who does is told what to install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emulator.records.interface import StoreUnavailable
from emulator.records.opening import open_records

MODULES = {"redis": "redis", "pg8000": "postgres"}


@pytest.fixture(params=["redis", "pg8000"])
def missing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A library that isn't installed."""
    library: str = request.param
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, f"emulator.records.{MODULES[library]}", raising=False)

    class Absent:
        def find_spec(self, name: str, *_: object) -> None:
            if name.partition(".")[0] == library:
                raise ModuleNotFoundError(f"No module named {library!r}", name=library)

    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    return library


def test_a_missing_library_is_named_with_what_to_install(missing: str, tmp_path: Path) -> None:
    url = {"redis": "redis://:secret@h/0", "pg8000": "postgresql://u:secret@h/d"}[missing]
    with pytest.raises(StoreUnavailable) as told:
        open_records(url, tmp_path / "x.db")
    assert missing in told.value.message and "pip install -r requirements-stores.txt" in told.value.message
    assert "secret" not in told.value.message


def test_the_default_needs_neither(missing: str, tmp_path: Path) -> None:
    records = open_records("sqlite:", tmp_path / "x.db")
    records.put("key", b"x", 60)
    assert records.get("key") == b"x"
    records.close()
    assert (tmp_path / "x.db").exists()


def test_a_file_can_be_named(tmp_path: Path) -> None:
    records = open_records(f"sqlite://{tmp_path}/a%20b.db", tmp_path / "x.db")
    records.put("key", b"x", 60)
    records.close()
    assert (tmp_path / "a b.db").exists() and not (tmp_path / "x.db").exists()


@pytest.mark.parametrize("url", ["", "mongodb://h", "redis://h/x"])
def test_what_is_no_store_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"URL of a store|Redis database"):
        open_records(url, tmp_path / "x.db")
