"""The command must say in one sentence why it can't serve, and give its exit code, before anything is started."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from emulator.options import options_of
from emulator.settings import Settings, SettingsError
from emulator.startup import StartError, address_of, bind, judge, listen
from emulator.upstream.client import Probe


@pytest.fixture(autouse=True)
def process_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings from this machine; signals and logging are put back."""
    monkeypatch.chdir(tmp_path)
    for option in options_of(Settings):
        for name in option.variables:
            monkeypatch.delenv(name, raising=False)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)
    logging.captureWarnings(False)
    for name in ("emulator", "gunicorn.error", "werkzeug", "py.warnings"):
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
        logger.propagate = True


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_wrong_flag_is_a_sentence_and_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--prot", "1"]) == 2
    assert capsys.readouterr() == ("", "app.py: --prot: there is no such flag; did you mean --port?\n")


def test_a_taken_port_is_a_sentence_and_1(taken: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--port", str(taken), "--base-url", "http://127.0.0.1:9", "--no-check"]) == 1
    sentence = f"--port: {taken} on 127.0.0.1 is taken by another program; choose another with --port."
    assert capsys.readouterr() == ("", f"app.py: {sentence}\n")


def test_a_log_folder_that_is_a_file_is_a_sentence_and_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert app.main(["--log-dir", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.startswith("app.py: --log-dir: no log can be written to ")


def test_a_wrong_profile_is_a_sentence_with_its_line_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("match = 'mine'\nstubs = 'above'\n")
    assert app.main(["--profiles", str(tmp_path), "--base-url", "http://127.0.0.1:9", "--no-check"]) == 2
    told = f"""{file}, line 2: 'stubs' must be "user" or "system"; it is 'above'."""
    assert capsys.readouterr() == ("", f"app.py: {told}\n")


def test_sigterm_while_starting_leaves_by_the_ordinary_way() -> None:
    app.main(["--prot", "1"])
    with pytest.raises(SystemExit) as ended:
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 143


def test_the_factory_needs_a_model_server() -> None:
    with pytest.raises(SettingsError, match="EMULATOR_BASE_URL is not set"):
        app.create_app()


def test_the_factory_reads_environment_and_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMULATOR_BASE_URL", "http://127.0.0.1:9/v1")
    (tmp_path / ".env").write_text("EMULATOR_LOG_DIR=elsewhere\n")
    assert callable(app.create_app())
    assert (tmp_path / "elsewhere").is_dir()


def test_a_bound_socket_does_not_accept_before_it_listens() -> None:
    with bind(Settings(port=0)) as bound:
        address = bound.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        listen(Settings(), bound)
        socket.create_connection(address).close()


def test_of_two_that_start_at_once_the_second_learns_it_when_it_listens() -> None:
    with bind(Settings(port=0)) as first:
        port = first.getsockname()[1]
        with bind(Settings(port=port)) as second:
            listen(Settings(port=port), first)
            with pytest.raises(StartError, match=f"{port} on 127.0.0.1 is taken"):
                listen(Settings(port=port), second)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (Settings(host="no-such-host.invalid"), r"^--host: 'no-such-host.invalid' is not an address of this machine"),
        (Settings(host="192.0.2.1"), r"^--host: 192\.0\.2\.1 is not an address of this machine\.$"),
        (Settings(host="a" * 300), "^--host: .* is not an address of this machine"),
    ],
    ids=["name", "address of another", "no name at all"],
)
def test_an_address_of_another_machine_is_a_sentence(settings: Settings, sentence: str) -> None:
    with pytest.raises(StartError, match=sentence):
        bind(settings)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "127.0.0.1")]
)
def test_the_address_shown_is_one_a_client_here_can_use(host: str, shown: str) -> None:
    with bind(Settings(host=host, port=0)) as bound:
        assert address_of(bound) in (
            f"http://{shown}:{bound.getsockname()[1]}",
            f"http://[::1]:{bound.getsockname()[1]}",
        )


@pytest.mark.parametrize(
    ("probe", "key", "serves"),
    [
        (Probe("ok", "", 200), None, True),
        (Probe("refused_key", "", 401), None, True),
        (Probe("refused_key", "", 403), "key", False),
        (Probe("wrong_path", "", 404), None, False),
        (Probe("wrong_path", "", 405), None, True),
        (Probe("refused", "", 429), None, True),
        (Probe("refused", "", 503), "key", True),
        (Probe("refused", "", 302), None, False),
        (Probe("unreachable", ""), None, False),
        (Probe("timeout", ""), None, False),
        (Probe("not_json", "", 200), None, False),
    ],
    ids=lambda value: f"{value.kind} {value.status}" if isinstance(value, Probe) else str(value),
)
def test_only_what_would_fail_with_every_request_stops_the_start(probe: Probe, key: str | None, serves: bool) -> None:
    assert judge(Settings(api_key=key), probe)[0] is serves
