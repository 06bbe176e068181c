"""A setting must mean the same wherever it is written, and a wrong one must be named without showing a key."""

from __future__ import annotations

import os
import string
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.options import options_of
from emulator.settings import BEGIN, END, Settings, SettingsError, settings_table, with_current_table

ROOT = Path(__file__).resolve().parents[1]
KEY = "sk-0123456789abcdef"


def load(*argv: str, environ: dict[str, str] | None = None, dotenv: Path | None = None) -> Settings:
    return Settings.load(argv, environ or {}, dotenv)


def dotenv_file(folder: Path, text: str) -> Path:
    path = folder / ".env"
    path.write_text(text, "utf-8")
    return path


def test_nothing_given_gives_the_defaults() -> None:
    assert load() == Settings()


def test_a_flag_wins_over_the_environment_and_that_over_dotenv(tmp_path: Path) -> None:
    dotenv = dotenv_file(tmp_path, "EMULATOR_PORT=1\nEMULATOR_WORKERS=11\nEMULATOR_REPAIRS=5\n")
    environ = {"EMULATOR_PORT": "2", "EMULATOR_WORKERS": "12"}
    settings = load("--port", "3", environ=environ, dotenv=dotenv)
    assert (settings.port, settings.workers, settings.repairs) == (3, 12, 5)


SAMPLES: dict[Any, tuple[str, Any]] = {
    int: ("70", 70),
    float: ("7.5", 7.5),
    str: ("word", "word"),
    str | None: ("word", "word"),
    Path: ("some/where", Path("some/where")),
    Path | None: ("some/where", Path("some/where")),
    bool: ("true", True),
}
OWN_SAMPLES: dict[str, tuple[str, Any]] = {
    "base_url": ("https://host/v1", "https://host/v1"),
    "thoughts": ("open", "open"),
    "strategy": ("two_pass", "two_pass"),
    "probe": ("native", "native"),
    "empty_tools": ("ignore", "ignore"),
    "log_level": ("debug", "debug"),
    "local_context": ("700", 700),
    "local_parallel": ("7", 7),
    "repairs": ("7", 7),
    "max_body": ("7000", 7000),
    "log_max_bytes": ("7000", 7000),
    "kernel_gateway": ("http://host:8888/base/", "http://host:8888/base"),
    "program_memory": ("7000000", 7_000_000),
    "timezone": ("Europe/London", "Europe/London"),
    "model_map": ("claude-*=m, x=y", "claude-*=m, x=y"),
    "pass_paths": ("/v1/files, fine_tuning/*", "files,fine_tuning/*"),
    "cors_origins": ("http://localhost:3000/, https://[::1]:8", "http://localhost:3000,https://[::1]:8"),
    "final": ("output", "output"),
    "store": ("redis://host/1", "redis://host/1"),
}


@pytest.mark.parametrize("option", options_of(Settings), ids=lambda option: option.name)
def test_every_field_is_a_flag_a_variable_and_a_line_of_dotenv(option: Any, tmp_path: Path) -> None:
    text, value = OWN_SAMPLES.get(option.name) or SAMPLES[option.kind]
    flag = [option.flag] if option.kind is bool else [option.flag, text]
    dotenv = dotenv_file(tmp_path, f"{option.variable}={text}\n")
    for settings in (load(*flag), load(environ={option.variable: text}), load(dotenv=dotenv)):
        assert getattr(settings, option.name) == value
        assert type(getattr(settings, option.name)) is type(value)


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("No", False), ("off", False)]
)
def test_a_switch_can_be_turned_both_ways(text: str, value: bool) -> None:
    assert load(environ={"EMULATOR_DEBUG": text}).debug is value
    assert load("--no-check").check is False
    assert load("--check", environ={"EMULATOR_CHECK": "off"}).check is True


def test_plain_variables_of_other_programs_are_not_read() -> None:
    assert load(environ={"PORT": "1", "HOST": "0.0.0.0", "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "x"}) == Settings()


ALIASES = {
    "VLLM_URL": ("http://host:8000/v1/chat/completions", "base_url", "http://host:8000/v1"),
    "BACKEND_URL": ("http://host:8001", "base_url", "http://host:8001/v1"),
    "PROXY_PORT": ("8002", "port", 8002),
    "MAX_TIMEOUT": ("30.0", "timeout", 30.0),
    "CONCURRENT_REQUESTS": ("100", "max_requests", 100),
}


@pytest.mark.parametrize("alias", ALIASES)
def test_variables_of_the_proxy_that_users_come_from_are_understood(alias: str, tmp_path: Path) -> None:
    text, name, value = ALIASES[alias]
    dotenv = dotenv_file(tmp_path, f"{alias}={text}\n")
    for settings in (load(environ={alias: text}), load(dotenv=dotenv)):
        assert getattr(settings, name) == value


def test_an_alias_counts_only_where_our_own_name_is_nowhere(tmp_path: Path) -> None:
    dotenv = dotenv_file(tmp_path, "EMULATOR_PORT=1\nPROXY_PORT=2\nMAX_TIMEOUT=3\nBACKEND_URL=http://file\n")
    environ = {"PROXY_PORT": "4", "MAX_TIMEOUT": "5", "VLLM_URL": "http://vllm", "BACKEND_URL": "http://backend"}
    settings = load("--max-requests", "6", environ=environ | {"CONCURRENT_REQUESTS": "7"}, dotenv=dotenv)
    assert (settings.port, settings.timeout, settings.max_requests) == (1, 5.0, 6)
    assert settings.base_url == "http://vllm/v1"
    assert load(environ=environ | {"VLLM_URL": ""}).base_url == "http://backend/v1"
    assert load(environ={"VLLM_URL": "http://vllm"}, dotenv=dotenv).base_url == "http://vllm/v1"


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"PROXY_PORT": "x"}, "PROXY_PORT: 'x' must be a whole number."),
        ({"VLLM_URL": "host:8000"}, "VLLM_URL: 'host:8000' must begin with http:// or https://; .*"),
        ({"CONCURRENT_REQUESTS": "-1"}, "CONCURRENT_REQUESTS: '-1' must be at least 0."),
    ],
)
def test_a_wrong_alias_is_named_as_it_was_written(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=f"^{sentence}$"):
        load(environ=environ)
    with pytest.raises(SettingsError, match=r"can't be used together with VLLM_URL;"):
        load("--local-model", "a.gguf", environ={"VLLM_URL": "http://host"})


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    dotenv = dotenv_file(tmp_path, "EMULATOR_MODEL=from-file\nEMULATOR_API_KEY=\n")
    settings = load(environ={"EMULATOR_MODEL": "  ", "EMULATOR_PORT": ""}, dotenv=dotenv)
    assert (settings.model, settings.port, settings.api_key) == ("from-file", 8001, None)


def test_dotenv_may_be_absent_and_never_reaches_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(dotenv=tmp_path / "absent") == Settings()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMULATOR_PORT", raising=False)
    dotenv_file(tmp_path, "EMULATOR_PORT=4242\n")
    assert Settings.load().port == 4242
    assert "EMULATOR_PORT" not in os.environ


def test_a_dollar_sign_in_a_key_stays(tmp_path: Path) -> None:
    assert load(dotenv=dotenv_file(tmp_path, "EMULATOR_API_KEY='a${HOME}b'\n")).api_key == "a${HOME}b"


@pytest.mark.parametrize(
    ("given_url", "normal"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
        ("https://[::1]:8000/v1", "https://[::1]:8000/v1"),
        ("https://host/api/openai", "https://host/api/openai"),
        ("https://host/v1/chat/completions", "https://host/v1"),
        ("https://host/chat/completions/", "https://host/v1"),
        ("HTTPS://Host/v1", "https://Host/v1"),
    ],
)
def test_a_base_url_is_brought_into_one_form(given_url: str, normal: str) -> None:
    assert load("--base-url", given_url).base_url == normal


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--port", "x"], "--port: 'x' must be a whole number."),
        (["--port", "65536"], "--port: '65536' must be at most 65535."),
        (["--port", "-1"], "--port: '-1' must be at least 0."),
        (["--port"], "--port: expected one argument."),
        (["--port="], "--port: '' is empty."),
        (["--workers", "0"], "--workers: '0' must be at least 1."),
        (["--timeout", "nan"], "--timeout: 'nan' must be a number."),
        (["--timeout", "1e999"], "--timeout: '1e999' must be a number."),
        (["--timeout", "soon"], "--timeout: 'soon' must be a number."),
        (
            ["--timezone", "Mars/Olympus"],
            "--timezone: 'Mars/Olympus' is no time zone's IANA name, such as Europe/London.",
        ),
        (
            ["--pass-paths", "files,../admin?*"],
            (
                "--pass-paths: 'files,../admin?*' has '../admin?*', which is no path below /v1 of plain words or *; "
                "an example is fine_tuning/*."
            ),
        ),
        (
            ["--cors-origins", "localhost:3000"],
            (
                "--cors-origins: 'localhost:3000' has 'localhost:3000', which is no origin; "
                "an example is http://localhost:3000."
            ),
        ),
        (
            ["--cors-origins", "*,http://a"],
            "--cors-origins: '*,http://a' has * beside other origins, which it makes needless.",
        ),
        (["--final", "none"], "--final: 'none' must be one of model, output."),
        (
            ["--kernel-gateway", "ws://host"],
            (
                "--kernel-gateway: 'ws://host' is not a URL with http or https and a host; "
                "an example is http://127.0.0.1:8888."
            ),
        ),
        (
            ["--kernel-gateway", "http://user:word@host"],
            ("--kernel-gateway: the value must contain no user, ? or #; give the token with --kernel-gateway-token."),
        ),
        (["--thoughts", "maybe"], "--thoughts: 'maybe' must be one of auto, open, closed."),
        (["--bas-url", "x"], "--bas-url: there is no such flag; did you mean --base-url?"),
        (["--xyzzy=1"], "--xyzzy: there is no such flag; see --help."),
        (["--por", "1"], "--por: there is no such flag; did you mean --port?"),
        ([KEY], "There is an argument that belongs to no flag; see --help."),
        (
            ["--base-url", "localhost:8000"],
            "--base-url: 'localhost:8000' must begin with http:// or https://; an example is http://127.0.0.1:8000/v1.",
        ),
        (
            ["--base-url", "http://user:word@host/v1"],
            "--base-url: the value must not contain a user or password; give the key with --api-key.",
        ),
        (
            ["--base-url", "http:///v1"],
            (
                "--base-url: 'http:///v1' is not a URL with a host and without spaces; "
                "an example is http://127.0.0.1:8000/v1."
            ),
        ),
        (
            ["--base-url", "http://host:port/v1"],
            (
                "--base-url: 'http://host:port/v1' is not a URL (Port could not be cast to integer value as 'port'); "
                "an example is http://127.0.0.1:8000/v1."
            ),
        ),
        (
            ["--base-url", "http://host/v1?key=1"],
            "--base-url: 'http://host/v1?key=1' must not contain ? or #; an example is http://127.0.0.1:8000/v1.",
        ),
        (
            ["--api-key", "two words"],
            "--api-key: the key contains characters that can't stand in an HTTP header; perhaps it wasn't copied whole.",
        ),
        (
            ["--base-url", "http://host", "--local-model", "a.gguf"],
            "--local-model: can't be used together with --base-url; the model runs either here or there.",
        ),
        (
            ["--debug", "--host", "0.0.0.0"],
            (
                "--debug: Flask's debugger runs code for whoever reaches it, so it can't listen on '0.0.0.0'; "
                "use 127.0.0.1."
            ),
        ),
    ],
)
def test_what_is_wrong_with_a_flag_is_one_sentence(argv: list[str], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(*argv)
    assert str(caught.value) == sentence


def test_a_wrong_variable_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^EMULATOR_PORT: 'tcp://10\.0\.0\.1:80' must be a whole number\.$"):
        load(environ={"EMULATOR_PORT": "tcp://10.0.0.1:80"})
    dotenv = dotenv_file(tmp_path, "EMULATOR_DEBUG=perhaps\n")
    with pytest.raises(SettingsError, match=r"^EMULATOR_DEBUG in .*\.env: 'perhaps' must be true or false\.$"):
        load(dotenv=dotenv)


def test_a_misspelt_variable_is_an_error_in_dotenv_only(tmp_path: Path) -> None:
    assert load(environ={"EMULATOR_PORT_8001_TCP": "tcp://10.0.0.1:8001"}) == Settings()
    with pytest.raises(SettingsError, match="did you mean EMULATOR_API_KEY"):
        load(dotenv=dotenv_file(tmp_path, f"EMULATOR_APIKEY={KEY}\n"))


def test_a_dotenv_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00E")
    with pytest.raises(SettingsError, match="can't be read"):
        load(dotenv=tmp_path / ".env")


@given(st.text(string.printable, min_size=1), st.sampled_from([option.flag for option in options_of(Settings)]))
def test_any_text_for_any_flag_gives_settings_or_a_sentence_and_the_key_is_never_shown(text: str, flag: str) -> None:
    try:
        settings = load("--api-key", KEY, f"{flag}={text}")
    except SettingsError as error:
        assert KEY not in str(error)
    else:
        assert KEY not in repr(settings)


@given(st.text(st.characters(codec="utf-8"), min_size=12))
def test_a_wrong_key_is_not_repeated(key: str) -> None:
    try:
        settings = load(f"--api-key={key}")
    except SettingsError as error:
        assert key not in str(error)
    else:
        assert repr(settings) == repr(Settings())


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # pyright: ignore[reportAttributeAccessIssue]


def test_help_names_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load("--help")
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert [option.flag for option in options_of(Settings) if option.flag not in shown] == []


def test_the_readme_has_the_current_table() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert with_current_table(readme) == readme, "make docs brings the table up to date"


def test_the_table_is_replaced_between_its_markers_only() -> None:
    assert with_current_table(f"a\n{BEGIN}\nold\n{END}\nb") == f"a\n{BEGIN}\n{settings_table()}\n{END}\nb"
    with pytest.raises(ValueError, match="lacks the markers"):
        with_current_table("a")


def test_the_table_has_a_row_for_every_field_and_no_place_of_this_machine() -> None:
    table = settings_table()
    assert len(table.splitlines()) == len(fields(Settings)) + 2
    assert str(Path.home()) not in table


def test_the_example_of_dotenv_names_only_what_exists(tmp_path: Path) -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    settings = [line.removeprefix("# ") for line in lines if line.startswith("# EMULATOR_")]
    example = load(dotenv=dotenv_file(tmp_path, "\n".join(settings)))
    assert example.base_url == "http://127.0.0.1:8000/v1"
