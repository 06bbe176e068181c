"""Requests share a few kernels: each gets one to itself, in turn, and none is lost when kernels break."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

import pytest

from emulator.errors import KernelUnavailable
from emulator.runs import BadOutcome, Outcome, ProgramRun
from kernels import pool as pools
from kernels.dialects import ToolPrograms
from kernels.interface import Content
from kernels.local import LocalKernel, LocalKernels
from kernels.pool import KernelPool
from kernels.spec import NAME, Specs
from tests.kernels.conftest import MakePool
from tests.kernels.samples import PATIENCE, asked, asking, program, running, session_of, until, write_spec

SLOW = program("n = 0\nwhile True:\n    n += 1", seconds=1.0)


def pid_of(kernel: LocalKernel) -> int:
    assert kernel.pid is not None
    return kernel.pid


class Asking(threading.Thread):
    """A request of its own, which asks for ``runs`` one after the other."""

    def __init__(self, pool: KernelPool, runs: Iterable[ProgramRun]) -> None:
        super().__init__(daemon=True)
        self._pool, self._runs = pool, runs
        self.outcomes: list[Outcome | Exception] = []
        self.start()

    def run(self) -> None:
        for run in self._runs:
            try:
                self.outcomes.append(self._pool.run(run))
            except Exception as error:  # noqa: BLE001 - the test looks at it
                self.outcomes.append(error)
                return


def test_start_returns_at_once_and_the_kernels_come(make_pool: MakePool) -> None:
    pool, made = make_pool(size=2)
    until(lambda: pool.ready == 2)
    assert len(made) == 2 and all(kernel.alive() for kernel in made)


def test_the_first_program_waits_for_the_first_kernel(make_pool: MakePool) -> None:
    pool, _ = make_pool(size=1)
    assert pool.run(asking("Paris")) == asked("Paris")


def test_a_pool_that_was_not_started_starts_with_the_first_program() -> None:
    pool = KernelPool(LocalKernels(), ToolPrograms(), size=1, wait_seconds=PATIENCE)
    try:
        assert pool.run(asking("Paris")) == asked("Paris")
    finally:
        pool.close()


def test_more_requests_than_kernels_all_get_their_own_answer(make_pool: MakePool) -> None:
    pool, made = make_pool(size=2)
    requests = [Asking(pool, [asking(f"{n}.{m}") for m in range(10)]) for n in range(8)]
    for request in requests:
        request.join()
    assert [request.outcomes for request in requests] == [[asked(f"{n}.{m}") for m in range(10)] for n in range(8)]
    assert len(made) == 2


def test_who_came_first_is_served_first(make_pool: MakePool) -> None:
    pool, _ = make_pool(size=1)
    pool.run(asking("Paris"))
    order: list[int] = []

    def wait(number: int) -> None:
        pool.run(asking("Paris"))
        order.append(number)

    slow = Asking(pool, [SLOW])
    until(lambda: pool.idle == 0)
    waiting: list[threading.Thread] = []
    for number in range(5):
        waiting.append(threading.Thread(target=wait, args=(number,)))
        waiting[-1].start()
        until(lambda: pool.waiting == len(waiting))
    for thread in [slow, *waiting]:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_waits_too_long_is_told_to_come_again(make_pool: MakePool) -> None:
    pool, _ = make_pool(size=1, wait_seconds=0.05)
    until(lambda: pool.idle == 1)
    slow = Asking(pool, [SLOW])
    until(lambda: pool.idle == 0)
    with pytest.raises(KernelUnavailable, match="No kernel was free") as refused:
        pool.run(asking("Paris"))
    assert refused.value.headers["Retry-After"] == "1"
    slow.join()
    assert pool.run(asking("Rome")) == asked("Rome")


def test_an_idle_kernel_that_is_killed_is_replaced(make_pool: MakePool) -> None:
    pool, made = make_pool(size=2)
    until(lambda: pool.ready == 2)
    os.kill(pid_of(made[0]), signal.SIGKILL)
    until(lambda: len(made) == 3 and pool.ready == 2)
    assert not running(pid_of(made[0])) and made[1].alive() and made[2].alive()


def test_nothing_is_lost_while_kernels_are_killed_under_load(make_pool: MakePool) -> None:
    pool, made = make_pool(size=2)
    kills = list[int]()

    def until_five_are_killed(number: int) -> Iterator[ProgramRun]:
        for turn in count():
            if len(kills) == 5:
                return
            yield asking(f"{number}.{turn}")

    requests = [Asking(pool, until_five_are_killed(number)) for number in range(4)]
    for number in range(5):
        until(lambda: pool.ready == 2)
        until(lambda: sum(kernel.alive() for kernel in made) == 2)
        before, victim = len(made), [kernel for kernel in made if kernel.alive()][number % 2]
        os.kill(pid_of(victim), signal.SIGKILL)
        until(lambda before=before: len(made) > before)
        kills.append(number)
    for number, request in enumerate(requests):
        request.join()
        assert request.outcomes == [asked(f"{number}.{turn}") for turn in range(len(request.outcomes))]
        assert len(request.outcomes) > 5


def test_a_kernel_that_stands_still_is_replaced_and_the_program_runs_on_another(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_GRACE_SECONDS", 0.0)
    pool, made = make_pool(size=1)
    until(lambda: pool.ready == 1)
    os.kill(pid_of(made[0]), signal.SIGSTOP)
    run = program("weather = get_weather(location='Paris')", seconds=2.0)
    assert pool.run(run) == asked("Paris")
    until(lambda: not session_of(pid_of(made[0])))


def test_a_program_that_breaks_every_kernel_is_its_own_error(make_pool: MakePool) -> None:
    pool, made = make_pool(size=1)
    numbers = count()

    class Doubting(ToolPrograms):
        """No report is one."""

        def outcome(self, reply: Content) -> Outcome:
            raise BadOutcome(f"broken {next(numbers)}")

    whole, pool.dialect = pool.dialect, Doubting()
    outcome = pool.run(asking("Paris"))
    assert outcome.end == "error" and outcome.error is not None
    assert outcome.error.message == "the program broke the interpreter"
    pool.dialect = whole
    assert pool.run(asking("Paris")) == asked("Paris")
    assert len(made) == 3


def test_a_request_that_is_given_up_leaves_nothing_to_the_next(make_pool: MakePool) -> None:
    pool, made = make_pool(size=1)

    class GivenUp(BaseException):
        pass

    class GivingUp(ToolPrograms):
        def outcome(self, reply: Content) -> Outcome:
            raise GivenUp

    whole, pool.dialect = pool.dialect, GivingUp()
    with pytest.raises(GivenUp):
        pool.run(asking("Paris"))
    pool.dialect = whole
    assert pool.run(asking("Rome")) == asked("Rome")
    assert len(made) == 2


def test_where_kernels_cannot_be_started_the_reason_is_told_at_once(
    make_pool: MakePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setattr(pools, "_FIRST_PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr(pools, "_LONGEST_PAUSE_SECONDS", 3600.0)
    write_spec(tmp_path, "broken", [sys.executable, "-c", "import pydantic_monty_missing"])
    pool, made = make_pool(size=2, name="broken", wait_seconds=PATIENCE)
    for _ in range(2):
        with pytest.raises(KernelUnavailable, match="No module named 'pydantic_monty_missing'") as refused:
            pool.run(asking("Paris"))
        assert int(refused.value.headers["Retry-After"]) > 60
    assert len(made) == 3  # both, and once more


def test_kernels_come_when_what_hindered_them_is_gone(
    make_pool: MakePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setattr(pools, "_FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(pools, "_LONGEST_PAUSE_SECONDS", 0.05)
    write_spec(tmp_path, "mended", ["/bin/false"])
    pool, _ = make_pool(size=1, name="mended")
    with pytest.raises(KernelUnavailable, match="it said nothing"):
        pool.run(asking("Paris"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setattr("kernels.local._PASSED_ON", ("PATH", "PYTHONPATH"))
    write_spec(tmp_path, "mended", Specs().get_kernel_spec(NAME).argv)
    until(lambda: pool.ready == 1)
    assert pool.run(asking("Paris")) == asked("Paris")


def test_close_ends_the_kernels_and_whoever_waits(make_pool: MakePool) -> None:
    pool, made = make_pool(size=1)
    pool.run(asking("Paris"))
    running_one = Asking(pool, [SLOW])
    until(lambda: pool.idle == 0)
    waiting = Asking(pool, [asking("Rome")])
    until(lambda: pool.waiting == 1)
    pool.close()
    for request in (running_one, waiting):
        request.join()
        assert isinstance(request.outcomes[0], KernelUnavailable)
    with pytest.raises(KernelUnavailable):
        pool.run(asking("Paris"))
    assert not any(kernel.alive() for kernel in made)


def test_close_while_starting_leaves_no_kernel(make_pool: MakePool) -> None:
    pool, made = make_pool(size=2)
    until(lambda: any(kernel.pid is not None for kernel in made))
    pool.close()
    until(lambda: not any(session_of(kernel.pid) for kernel in made if kernel.pid is not None))
    assert pool.ready == 0


def resident(pid: int) -> int:
    """Kilobytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_neither_server_nor_kernel_grows(make_pool: MakePool) -> None:
    pool, made = make_pool(size=1)

    def measured() -> tuple[int, int, int]:
        pids = session_of(pid_of(made[0]))
        files = sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in [os.getpid(), *pids])
        return files, resident(os.getpid()), sum(resident(pid) for pid in pids)

    for _ in range(200):
        pool.run(asking("Paris"))
    before = measured()
    for _ in range(400):
        pool.run(asking("Paris"))
    after = measured()
    assert len(made) == 1
    assert after[0] < before[0] + 10  # a file a run would be 400
    assert after[1] - before[1] < 2048 and after[2] - before[2] < 2048
