"""The command as a user meets it: real processes, real sockets, and the exit code and words of every way to fail."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.live

ROOT = Path(__file__).resolve().parents[2]
CERTIFICATE = ROOT / "tests" / "data" / "localhost.pem"
KEY = "sk-secret-of-the-test"
PATIENCE = 60
MODELS = b'{"object": "list", "data": [{"id": "m", "object": "model"}]}'
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class Upstream(ThreadingHTTPServer):
    """A model server with one answer for GET; its POST says that it has begun and waits to be released."""

    daemon_threads = True

    def __init__(self, status: int = 200, body: bytes = MODELS, kind: str = "application/json") -> None:
        super().__init__(("127.0.0.1", 0), UpstreamHandler)
        self.answer = status, body, kind
        self.asked: queue.Queue[str | None] = queue.Queue()
        self.begun, self.release = threading.Event(), threading.Event()
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.server_port}/v1"

    def use_tls(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "https"


class UpstreamHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream  # pyright: ignore[reportIncompatibleVariableOverride] - it serves no other

    def do_GET(self) -> None:
        self.server.asked.put(self.headers["Authorization"])
        self._send(*self.server.answer)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.begun.set()
        self.server.release.wait(PATIENCE)
        self._send(200, json.dumps(ANSWER).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


StartUpstream = Callable[..., Upstream]


@pytest.fixture
def upstream() -> Iterator[Callable[..., Upstream]]:
    servers: list[Upstream] = []

    def start(*answer: Any, tls: bool = False) -> Upstream:
        server = Upstream(*answer)
        if tls:
            server.use_tls()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.release.set()
        server.shutdown()
        server.server_close()


class Command:
    """``python app.py`` with no settings but the flags given, in a folder of its own."""

    def __init__(self, folder: Path, *flags: str, **environ: str) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("EMULATOR_")}
        self.log_dir = folder / "logs"
        self.errors = folder / "stderr"
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py"), "--log-dir", str(self.log_dir), *flags],
            stdout=subprocess.PIPE,
            stderr=self.errors.open("w"),
            text=True,
            cwd=folder,
            env=ours | environ,
            start_new_session=True,
        )
        self.said = ""

    def serving(self) -> str:
        """The address, once the command says that it serves."""
        assert self.process.stdout is not None
        while True:
            ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
            line = self.process.stdout.readline() if ready else ""
            if not line:
                pytest.fail(f"It does not serve: {self.said}{self.errors.read_text()}")
            self.said += line
            if found := re.search(r"Serving (http\S+)/v1", line):
                return found[1]

    def end(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr, once it has ended by itself or by a signal sent before."""
        code = self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        return code, self.said + self.process.stdout.read(), self.errors.read_text()

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.log_dir / "server.log").read_text("utf-8").split("\n") if line]


@pytest.fixture
def command(tmp_path: Path, upstream: StartUpstream) -> Iterator[Callable[..., Command]]:
    """Ended before its model server: else that would wait for whoever is just shaking hands with it."""
    commands: list[Command] = []

    def start(*flags: str, **environ: str) -> Command:
        commands.append(Command(tmp_path, *flags, **environ))
        return commands[-1]

    yield start
    for started in commands:
        if started.process.poll() is None:
            os.killpg(started.process.pid, signal.SIGKILL)
        started.process.communicate()


def get(url: str) -> tuple[int, Any]:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.status, json.load(answer)


Start = Callable[..., Command]


def test_it_serves_says_where_and_stops_cleanly(command: Start, upstream: StartUpstream) -> None:
    server = upstream()
    run = command("--base-url", server.url, "--api-key", KEY, "--port", "0", "--workers", "2")
    address = run.serving()
    assert get(f"{address}/health")[0] == 200
    assert server.asked.get(timeout=PATIENCE) == f"Bearer {KEY}"
    run.process.send_signal(signal.SIGTERM)
    code, out, err = run.end()
    assert (code, err) == (0, "")
    assert f"OPENAI_BASE_URL={address}/v1" in out
    assert server.url in out
    assert str(run.log_dir / "server.log") in out
    assert len(out.splitlines()) <= 4
    events = [line["event"] for line in run.log()]
    assert any("Booting worker" in event for event in events)
    assert KEY not in out + json.dumps(run.log())


def test_ctrl_c_stops_it(command: Start, upstream: StartUpstream) -> None:
    run = command("--base-url", upstream().url, "--port", "0")
    run.serving()
    os.killpg(run.process.pid, signal.SIGINT)
    code, _, err = run.end()
    assert (code, err) == (0, "")


def test_a_stop_waits_for_answers_under_way_but_not_for_idle_connections(
    command: Start, upstream: StartUpstream
) -> None:
    server = upstream()
    run = command("--base-url", server.url, "--port", "0", "--workers", "1", "--graceful-timeout", str(PATIENCE))
    address = run.serving().removeprefix("http://")
    idle, busy = (
        http.client.HTTPConnection(address, timeout=PATIENCE),
        http.client.HTTPConnection(address, timeout=PATIENCE),
    )
    idle.request("GET", "/health")
    idle.getresponse().read()
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]})
    busy.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
    assert server.begun.wait(PATIENCE)
    run.process.send_signal(signal.SIGTERM)
    assert idle.sock.recv(1) == b""  # closed by the server long before its keep-alive of 75 s ends
    assert run.process.poll() is None
    server.release.set()
    answer = busy.getresponse()
    assert json.load(answer)["choices"][0]["message"]["content"] == "hello"
    busy.close()
    assert run.end()[0] == 0


def test_an_upstream_with_tls_works_in_the_patched_workers(command: Start, upstream: StartUpstream) -> None:
    server = upstream(tls=True)
    run = command("--base-url", server.url, "--port", "0", SSL_CERT_FILE=str(CERTIFICATE), PYTHONWARNINGS="default")
    assert get(f"{run.serving()}/health")[0] == 200
    run.process.send_signal(signal.SIGTERM)
    code, _, err = run.end()
    assert code == 0
    assert "MonkeyPatchWarning" not in err
    assert "RecursionError" not in err


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET / HTTP/1.1\r\nNot A Header: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: odd\r\n\r\n", 501),
    ],
)
def test_what_is_not_http_gets_an_error_in_openais_form(
    command: Start, upstream: StartUpstream, request_head: bytes, status: int
) -> None:
    run = command("--base-url", upstream().url, "--port", "0", "--workers", "1")
    host, port = run.serving().removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
        client.sendall(request_head)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.status == status
        assert json.load(answer)["error"]["type"] == "invalid_request_error"


def test_debug_runs_flasks_own_server(command: Start, upstream: StartUpstream) -> None:
    run = command("--base-url", upstream().url, "--port", "0", "--debug")
    assert get(f"{run.serving()}/health")[0] == 200
    os.killpg(run.process.pid, signal.SIGINT)
    assert "Traceback" not in run.end()[2]


def fails(run: Command, code: int) -> str:
    """The one sentence with which a command ended that never served."""
    ended, out, err = run.end()
    assert (ended, out) == (code, "")
    assert err.startswith("app.py: ")
    assert err.count("\n") == 1
    return err.removeprefix("app.py: ").strip()


def test_a_wrong_flag_ends_it_with_2(command: Start) -> None:
    assert fails(command("--port", "many"), 2) == "--port: 'many' must be a whole number."
    assert fails(command(EMULATOR_WORKERS="0"), 2) == "EMULATOR_WORKERS: '0' must be at least 1."


def test_a_taken_port_ends_it(command: Start, upstream: StartUpstream) -> None:
    server = upstream()
    sentence = fails(command("--base-url", server.url, "--port", str(server.server_port)), 1)
    assert sentence.startswith(f"--port: {server.server_port} on 127.0.0.1 is taken")


def test_a_log_folder_that_can_not_be_written_ends_it(command: Start, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert fails(command("--log-dir", str(tmp_path / "file" / "logs")), 1).startswith("--log-dir: ")


HTML = b"<!doctype html><title>It works</title>"
REFUSED = b'{"error": {"message": "Incorrect API key", "type": "invalid_request_error", "code": "invalid_api_key"}}'


@pytest.mark.parametrize(
    ("answer", "flags"),
    [
        ((404, b"not found", "text/plain"), []),
        ((200, HTML, "text/html"), []),
        ((401, REFUSED, "application/json"), ["--api-key", KEY]),
        ((403, REFUSED, "application/json"), ["--api-key", KEY]),
    ],
    ids=["404", "HTML", "401 with a key", "403 with a key"],
)
def test_a_wrong_upstream_ends_it(
    command: Start, upstream: StartUpstream, answer: tuple[int, bytes, str], flags: list[str]
) -> None:
    server = upstream(*answer)
    sentence = fails(command("--base-url", server.url, "--port", "0", *flags), 1)
    assert "localhost" in sentence
    assert KEY not in sentence


def test_an_upstream_out_of_reach_ends_it(command: Start) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        assert f"127.0.0.1:{port}" in fails(command("--base-url", f"http://127.0.0.1:{port}/v1", "--port", "0"), 1)
    assert "no-such-host.invalid" in fails(command("--base-url", "http://no-such-host.invalid/v1", "--port", "0"), 1)


@pytest.mark.parametrize(
    "answer",
    [
        (401, REFUSED, "application/json"),
        (405, b'{"error": {"message": "no"}}', "application/json"),
        (501, b'{"error": {"message": "no"}}', "application/json"),
    ],
    ids=["401 without a key", "405", "501"],
)
def test_an_upstream_that_only_hides_its_models_is_served(
    command: Start, upstream: StartUpstream, answer: tuple[int, bytes, str]
) -> None:
    run = command("--base-url", upstream(*answer).url, "--port", "0", "--workers", "1")
    run.serving()


def test_the_check_can_be_left_out(command: Start) -> None:
    command("--base-url", "http://127.0.0.1:9/v1", "--no-check", "--port", "0", "--workers", "1").serving()


def test_the_factory_serves_under_any_wsgi_server(tmp_path: Path, upstream: StartUpstream) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        program = (
            "import app, socket, sys; from wsgiref.simple_server import WSGIServer, WSGIRequestHandler;"
            "server = WSGIServer(('127.0.0.1', 0), WSGIRequestHandler, bind_and_activate=False);"
            "server.socket = socket.socket(fileno=int(sys.argv[1])); server.server_name = 'localhost';"
            "server.server_port = 0; server.setup_environ(); server.set_app(app.create_app()); server.handle_request()"
        )
        environ = os.environ | {"EMULATOR_BASE_URL": upstream().url, "EMULATOR_LOG_DIR": str(tmp_path)}
        with subprocess.Popen(
            [sys.executable, "-c", program, str(listening.fileno())],
            cwd=ROOT,
            env=environ,
            pass_fds=[listening.fileno()],
            stderr=subprocess.DEVNULL,
        ) as process:
            port = listening.getsockname()[1]
            assert get(f"http://127.0.0.1:{port}/health")[0] == 200
            assert process.wait(PATIENCE) == 0


@pytest.mark.model
def test_without_a_base_url_a_model_runs_here_and_ends_with_the_server(command: Start) -> None:
    run = command("--port", "0", "--local-context", "1024", "--workers", "1")
    address = run.serving()
    health = get(f"{address}/health")[1]
    engine = urllib.request.Request(health["upstream"]["url"].removesuffix("/v1") + "/health")
    with urllib.request.urlopen(engine, timeout=PATIENCE) as answer:
        assert answer.status == 200
    run.process.send_signal(signal.SIGTERM)
    assert run.end()[0] == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(engine, timeout=PATIENCE)
