"""Kernels may run elsewhere: a real gateway's are used like local ones, and whatever breaks on the way is noticed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import urllib3

from emulator.errors import KernelUnavailable
from emulator.runs import Outcome, ProgramRun
from kernels.channels import Channels
from kernels.cpython import CPythonPrograms
from kernels.dialects import ToolPrograms, silent_request
from kernels.gateway import GatewayKernel, GatewayKernels
from kernels.interface import Dialect, KernelDied, KernelStartError, KernelStuck
from kernels.pool import KernelPool
from kernels.spec import NAME, install
from tests.kernels.hostile import hostile
from tests.kernels.samples import PATIENCE, asked, asking, program, running, until

TOKEN = "a-token-of-the-tests"
PEM = Path(__file__).resolve().parents[1] / "data" / "localhost.pem"
SPECS: list[tuple[str, Callable[[], Dialect]]] = [(NAME, ToolPrograms), ("python3", CPythonPrograms)]


class GatewayProcess:
    """A Jupyter Kernel Gateway of its own, under a base path."""

    def __init__(self, folder: Path, *options: str, scheme: str = "http", host: str = "127.0.0.1") -> None:
        install(prefix=str(folder))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"{scheme}://{host}:{port}/some/prefix"
        command = [sys.executable, "-m", "kernel_gateway", "--KernelGatewayApp.ip=127.0.0.1"]
        command += [f"--KernelGatewayApp.port={port}", "--KernelGatewayApp.port_retries=0"]
        command += [f"--KernelGatewayApp.auth_token={TOKEN}", "--KernelGatewayApp.base_url=/some/prefix"]
        command += ["--JupyterWebsocketPersonality.list_kernels=True", *options]
        env = os.environ | {
            "JUPYTER_PATH": str(folder / "share" / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
        }
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)
        until(self._answers)

    def kernels(self, *specs: str, patience: float = 1.0) -> GatewayKernels:
        return GatewayKernels(self.url, TOKEN, *(specs or (NAME,)), patience=patience)

    def ids(self) -> set[str]:
        """Of all kernels that run there."""
        answer = urllib3.request(
            "GET", f"{self.url}/api/kernels", headers={"Authorization": f"token {TOKEN}"}, timeout=PATIENCE
        )
        return {kernel["id"] for kernel in answer.json()}

    def close(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        try:
            with socket.create_connection(("127.0.0.1", int(self.url.split(":")[2].split("/")[0])), 1):
                return True
        except OSError:
            return False


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    made = GatewayProcess(tmp_path_factory.mktemp("gateway"))
    yield made
    made.close()


@pytest.fixture
def own_gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    """One that a test may break."""
    made = GatewayProcess(tmp_path)
    yield made
    made.close()


MakeKernel = Callable[..., GatewayKernel]


@pytest.fixture
def make_kernel(gateway: GatewayProcess) -> Iterator[MakeKernel]:
    with ExitStack() as stack:

        def make(spec: str = NAME, patience: float = 1.0, where: GatewayProcess = gateway) -> GatewayKernel:
            kernel = where.kernels(spec, patience=patience)()
            stack.callback(kernel.close)
            kernel.start()
            return kernel

        yield make


@contextmanager
def pool_of(gateway: GatewayProcess, size: int, spec: str = NAME) -> Generator[tuple[KernelPool, list[GatewayKernel]]]:
    launch, made = gateway.kernels(spec), list[GatewayKernel]()

    def recorded() -> GatewayKernel:
        made.append(launch())
        return made[-1]

    pool = KernelPool(recorded, dict(SPECS)[spec](), size=size, wait_seconds=PATIENCE)
    pool.start()
    try:
        yield pool, made
    finally:
        pool.close()


def outcome(kernel: GatewayKernel, run: ProgramRun) -> Outcome:
    dialect = ToolPrograms()
    return dialect.outcome(kernel.execute(dialect.content(run), PATIENCE))


def channels_of(kernel: GatewayKernel) -> Channels:
    assert kernel._channels is not None  # pyright: ignore[reportPrivateUsage]
    return kernel._channels  # pyright: ignore[reportPrivateUsage]


def pid_of(kernel: GatewayKernel) -> int:
    """Of a stock Python kernel."""
    reply = kernel.execute(silent_request("import os", {"pid": "os.getpid()"}), PATIENCE)
    return int(reply["user_expressions"]["pid"]["data"]["text/plain"])


def in_background(call: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """What ``call`` returned or raised is in the list when the thread has ended."""
    came: list[object] = []

    def run() -> None:
        try:
            came.append(call())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            came.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, came


@pytest.mark.parametrize("spec", [NAME, "python3"])
def test_requests_in_parallel_get_their_own_answers(gateway: GatewayProcess, spec: str) -> None:
    before = gateway.ids()
    with pool_of(gateway, 2, spec) as (pool, made):
        requests = [in_background(lambda n=n: [pool.run(asking(f"{n}.{m}")) for m in range(5)]) for n in range(4)]
        for thread, _ in requests:
            thread.join()
        assert [came for _, came in requests] == [[[asked(f"{n}.{m}") for m in range(5)]] for n in range(4)]
        assert gateway.ids() - before == {kernel.kernel_id for kernel in made}
        assert len(made) == 2
    assert gateway.ids() == before


def test_large_programs_and_answers_come_through(make_kernel: MakeKernel) -> None:
    text = "é\u2028\x00" * 100_000
    assert outcome(make_kernel(), asking(text)) == asked(text)


def test_a_busy_kernel_is_not_taken_for_dead(make_kernel: MakeKernel) -> None:
    busy = program("while True: pass", seconds=2.5)
    came = outcome(make_kernel(), busy)
    assert came.error is not None and came.error.type == "TimeoutError"
    dialect = CPythonPrograms()
    reply = make_kernel("python3").execute(dialect.content(busy), PATIENCE)
    assert (error := dialect.outcome(reply).error) is not None and error.type == "TimeoutError"


def test_a_kernel_that_takes_longer_than_it_may_is_stuck(make_kernel: MakeKernel) -> None:
    kernel = make_kernel()
    with pytest.raises(KernelStuck):
        kernel.execute(ToolPrograms().content(program("while True: pass", seconds=30)), 0.5)


def test_a_lost_connection_is_made_again_to_the_same_kernel(make_kernel: MakeKernel) -> None:
    kernel = make_kernel()
    kernel_id, lost = kernel.kernel_id, channels_of(kernel)
    lost.close()
    assert kernel.alive()
    assert outcome(kernel, asking("Paris")) == asked("Paris")
    assert kernel.kernel_id == kernel_id and channels_of(kernel) is not lost


def test_a_request_whose_connection_is_lost_is_made_on_another_kernel(gateway: GatewayProcess, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    # It ends at once where it was begun before.
    source = f"import os, time\nif not os.path.exists({str(begun)!r}):\n    open({str(begun)!r}, 'w').close()\n"
    source += "    while True: pass\n_last_('second')"
    with pool_of(gateway, 2, "python3") as (pool, made):
        until(lambda: pool.idle == 2)
        thread, came = in_background(lambda: pool.run(program(source, seconds=PATIENCE)))
        until(begun.exists)
        for kernel in made[:2]:
            channels_of(kernel).close()
        thread.join()
    assert came == [Outcome("done", value="second")]


def test_an_idle_kernel_s_death_is_noticed(make_kernel: MakeKernel) -> None:
    kernel = make_kernel("python3")
    assert kernel.alive()
    os.kill(pid_of(kernel), signal.SIGKILL)
    until(lambda: not kernel.alive())
    with pytest.raises(KernelDied):
        kernel.execute(silent_request("", {}), PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_death_is_noticed_while_a_reply_is_awaited(make_kernel: MakeKernel, number: int, tmp_path: Path) -> None:
    kernel, begun = make_kernel("python3"), tmp_path / "begun"
    pid = pid_of(kernel)
    code = f"open({str(begun)!r}, 'w').close()\nimport time\ntime.sleep(1000)"
    thread, came = in_background(lambda: kernel.execute(silent_request(code, {}), PATIENCE))
    until(begun.exists)
    os.kill(pid, number)
    thread.join()
    assert isinstance(came[0], KernelDied)
    assert not kernel.alive()
    kernel.close()
    until(lambda: not running(pid))


def test_a_kernel_that_somebody_else_ended_is_gone(gateway: GatewayProcess, make_kernel: MakeKernel) -> None:
    kernel = make_kernel()
    url = f"{gateway.url}/api/kernels/{kernel.kernel_id}"
    assert urllib3.request("DELETE", url, headers={"Authorization": f"token {TOKEN}"}, timeout=PATIENCE).status == 204
    until(lambda: not kernel.alive())
    with pytest.raises(KernelDied):
        outcome(kernel, asking("Paris"))


def test_close_ends_it_on_the_gateway_and_may_come_again(gateway: GatewayProcess, make_kernel: MakeKernel) -> None:
    kernel = make_kernel()
    assert kernel.kernel_id in gateway.ids()
    kernel.close()
    assert kernel.kernel_id not in gateway.ids()
    assert not kernel.alive()
    kernel.close()
    with pytest.raises(KernelDied):
        outcome(kernel, asking("Paris"))


def test_close_wakes_who_waits_for_a_reply(make_kernel: MakeKernel, tmp_path: Path) -> None:
    kernel, begun = make_kernel("python3"), tmp_path / "begun"
    code = f"open({str(begun)!r}, 'w').close()\nimport time\ntime.sleep(1000)"
    thread, came = in_background(lambda: kernel.execute(silent_request(code, {}), PATIENCE))
    until(begun.exists)
    kernel.close()
    thread.join()
    assert isinstance(came[0], KernelDied)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_gateway_that_goes_takes_its_kernels_along(
    own_gateway: GatewayProcess, make_kernel: MakeKernel, number: int
) -> None:
    idle, busy = make_kernel(where=own_gateway), make_kernel(where=own_gateway)
    content = ToolPrograms().content(program("while True: pass", seconds=PATIENCE))
    thread, came = in_background(lambda: busy.execute(content, PATIENCE))
    own_gateway.process.send_signal(number)
    thread.join()
    assert isinstance(came[0], KernelDied)
    until(lambda: not idle.alive())
    own_gateway.process.kill()  # One that is only stopped would be waited for at the end.


def test_programs_are_refused_while_the_gateway_is_away(own_gateway: GatewayProcess) -> None:
    with pool_of(own_gateway, 1) as (pool, _):
        assert pool.run(asking("Paris")) == asked("Paris")
        own_gateway.process.kill()
        until(lambda: pool.ready == 0)
        with pytest.raises(KernelUnavailable, match="can't be reached") as refused:
            pool.run(asking("Paris"))
        assert TOKEN not in refused.value.message and own_gateway.url in refused.value.message


@pytest.mark.parametrize(
    ("token", "spec", "path", "reason"),
    [
        ("wrong", NAME, "", "refuses the token"),
        (None, NAME, "", "refuses the token"),
        (TOKEN, "nobody's", "", "starts no kernel .nobody's."),
        (TOKEN, NAME, "/elsewhere", "There is no kernel gateway at"),
    ],
)
def test_why_no_kernel_starts_is_said(
    gateway: GatewayProcess, token: str | None, spec: str, path: str, reason: str
) -> None:
    kernel = GatewayKernels(gateway.url + path, token, spec)()
    with pytest.raises(KernelStartError, match=reason) as refused:
        kernel.start()
    assert gateway.url + path in str(refused.value)
    assert "wrong" not in str(refused.value) and TOKEN not in str(refused.value)
    kernel.close()


@pytest.mark.parametrize("url", ["ftp://host", "http://", "host:8888", "http://user:password@host"])
def test_what_is_no_url_of_a_gateway_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        GatewayKernels(url, None, NAME)


def test_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = (f"--KernelGatewayApp.certfile={PEM}", f"--KernelGatewayApp.keyfile={PEM}")
    gateway = GatewayProcess(tmp_path, *options, scheme="https", host="localhost")
    try:
        distrusted = gateway.kernels()()
        with pytest.raises(KernelStartError, match="certificate"):
            distrusted.start()
        monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
        kernel = gateway.kernels()()
        kernel.start()
        assert outcome(kernel, asking("Paris")) == asked("Paris")
        channels_of(kernel).close()
        assert outcome(kernel, asking("Rome")) == asked("Rome")
        assert kernel.alive()
        kernel.close()
        assert not kernel.alive()
    finally:
        gateway.close()


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 201 Created\r\nContent-Length: 21\r\n\r\n{"id": "../../other"}',
        b'HTTP/1.1 201 Created\r\nContent-Length: 13\r\n\r\n{"id": "a/b"}',
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 500 No\r\nContent-Length: 35\r\n\r\n" + b'{"message": "' + TOKEN.encode() + b'"}',
        b"no HTTP\r\n\r\n",
    ],
)
def test_an_answer_that_is_no_gateway_s_is_an_error_without_the_token(answer: bytes) -> None:
    with hostile(answer) as (url, _):
        with pytest.raises(KernelStartError, match=url) as refused:
            GatewayKernels(url, TOKEN, NAME)().start()
        assert TOKEN not in str(refused.value)


def test_the_token_follows_no_redirect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        target = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/".encode()
        moved = b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: " + target + b"\r\n\r\n"
        created = b'HTTP/1.1 201 Created\r\nContent-Length: 13\r\n\r\n{"id": "a-b"}'
        with hostile(moved) as (url, _), pytest.raises(KernelStartError, match="status 307"):
            GatewayKernels(url, TOKEN, NAME)().start()
        with hostile(created, moved) as (url, _), pytest.raises(KernelStartError):
            GatewayKernels(url, TOKEN, NAME)().start()
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
