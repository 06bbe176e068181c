"""A kernel of one's own: it is ready when started, its end is noticed, and nothing of it stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from emulator.runs import Outcome
from kernels.dialects import ToolPrograms
from kernels.interface import KernelDied, KernelStartError, KernelStuck
from kernels.local import LocalKernel, LocalKernels
from tests.kernels.samples import PATIENCE, asked, asking, program, running, session_of, until, write_spec

PROJECT = Path(__file__).parents[2]
DIALECT = ToolPrograms()


def run(kernel: LocalKernel, city: str = "Paris") -> Outcome:
    return DIALECT.outcome(kernel.execute(DIALECT.content(asking(city)), PATIENCE))


def test_a_started_kernel_runs_programs(kernel: LocalKernel) -> None:
    assert kernel.alive()
    assert [run(kernel, city) for city in ("Paris", "Rome")] == [asked("Paris"), asked("Rome")]


def test_nothing_of_one_program_is_there_for_the_next(kernel: LocalKernel) -> None:
    first = DIALECT.outcome(kernel.execute(DIALECT.content(program("secret = 42\nlen = None")), PATIENCE))
    second = DIALECT.outcome(kernel.execute(DIALECT.content(program("print(len('ab'))\nsecret")), PATIENCE))
    assert first.end == "done"
    assert second.error is not None and second.error.type == "NameError"


def test_a_kernel_has_no_secrets_and_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMULATOR_API_KEY", "sk-secret")
    kernel = LocalKernels()()
    try:
        kernel.start()
        assert kernel.pid is not None
        for pid in session_of(kernel.pid):
            assert b"sk-secret" not in Path(f"/proc/{pid}/environ").read_bytes()
        folder = Path(f"/proc/{kernel.pid}/cwd").readlink()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.is_relative_to(tempfile.gettempdir())
    finally:
        kernel.close()
    assert not folder.exists()


def test_close_ends_it_with_its_children_and_may_be_called_again(kernel: LocalKernel) -> None:
    assert kernel.pid is not None
    processes = session_of(kernel.pid)
    assert len(processes) > 1
    kernel.close()
    kernel.close()
    until(lambda: not any(map(running, processes)))
    assert not kernel.alive()
    with pytest.raises(KernelDied):
        kernel.execute(DIALECT.content(asking("Paris")), PATIENCE)


def test_a_kernel_that_is_killed_is_noticed_while_waiting(kernel: LocalKernel) -> None:
    assert kernel.pid is not None
    os.kill(kernel.pid, signal.SIGSTOP)  # so that it can't have answered when it is killed
    killer = threading.Timer(0.1, os.kill, (kernel.pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(KernelDied):
        run(kernel)
    killer.join()
    assert not kernel.alive()


def test_the_children_of_a_killed_kernel_end(kernel: LocalKernel) -> None:
    assert kernel.pid is not None
    processes = session_of(kernel.pid)
    os.kill(kernel.pid, signal.SIGKILL)
    until(lambda: not any(map(running, processes)))


def test_a_kernel_that_stands_still_is_stuck(kernel: LocalKernel) -> None:
    assert kernel.pid is not None
    os.kill(kernel.pid, signal.SIGSTOP)
    with pytest.raises(KernelStuck):
        kernel.execute(DIALECT.content(asking("Paris")), 0.3)
    assert kernel.alive()


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(kernel: LocalKernel) -> None:
    assert kernel.pid is not None
    os.kill(kernel.pid, signal.SIGSTOP)
    with pytest.raises(KernelStuck):
        kernel.execute(DIALECT.content(asking("Paris")), 0.1)
    os.kill(kernel.pid, signal.SIGCONT)
    assert run(kernel, "Rome") == asked("Rome")


def test_a_program_at_its_limit_leaves_the_kernel_well(kernel: LocalKernel) -> None:
    endless = program("while True:\n    pass", seconds=0.2)
    outcome = DIALECT.outcome(kernel.execute(DIALECT.content(endless), PATIENCE))
    assert outcome.end == "error"
    assert run(kernel) == asked("Paris")


def test_closing_a_kernel_ends_what_waits_for_it(kernel: LocalKernel) -> None:
    assert kernel.pid is not None
    os.kill(kernel.pid, signal.SIGSTOP)
    closer = threading.Timer(0.1, kernel.close)
    closer.start()
    with pytest.raises(KernelDied):
        run(kernel)
    closer.join()


def test_without_the_kernelspec_there_is_a_clear_error() -> None:
    kernel = LocalKernels("nonesuch")()
    with pytest.raises(KernelStartError, match="There is no kernelspec 'nonesuch'"):
        kernel.start()
    kernel.close()


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        ([sys.executable, "-c", "import nonesuch"], "ModuleNotFoundError: No module named 'nonesuch'"),
        ([sys.executable, "-c", ""], "it said nothing"),
        (["/nonesuch/python"], "can't be started: .*No such file"),
    ],
)
def test_a_kernel_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], reason: str
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    write_spec(tmp_path, "broken", argv)
    kernel = LocalKernels("broken")()
    with pytest.raises(KernelStartError, match=reason):
        kernel.start()
    kernel.close()


def test_a_temporary_folder_too_deep_for_sockets_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    kernel = LocalKernels()()
    with pytest.raises(KernelStartError, match="TMPDIR"):
        kernel.start()
    kernel.close()
    assert list(deep.iterdir()) == []


def test_kernels_of_one_maker_can_be_started_at_once() -> None:
    new = LocalKernels()
    kernels = [new() for _ in range(3)]
    threads = [threading.Thread(target=kernel.start) for kernel in kernels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert [run(kernel) for kernel in kernels] == [asked("Paris")] * 3
    finally:
        for kernel in kernels:
            kernel.close()


ORPHAN = """
import os
from kernels.local import LocalKernels
kernel = LocalKernels()()
kernel.start()
print(kernel.pid, flush=True)
os.kill(os.getpid(), 9)
"""

FORGETFUL = """
from kernels.local import LocalKernels
kernel = LocalKernels()()
kernel.start()
print(kernel.pid, kernel._folder.name, flush=True)
"""


def python(program: str, folder: Path) -> str:
    env = os.environ | {"PYTHONPATH": str(PROJECT), "TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.stdout, done.stderr
    return done.stdout


def test_a_kernel_ends_with_its_server() -> None:
    with tempfile.TemporaryDirectory() as folder:
        pid = int(python(ORPHAN, Path(folder)))
        until(lambda: not session_of(pid))


def test_a_server_that_forgets_to_close_its_kernels_leaves_nothing() -> None:
    with tempfile.TemporaryDirectory() as folder:
        pid, kept = python(FORGETFUL, Path(folder)).split()
        assert not Path(kept).exists()
        until(lambda: not session_of(int(pid)))
