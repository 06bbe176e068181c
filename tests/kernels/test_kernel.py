"""Whoever has Jupyter can use the kernel without the server: installed as a kernelspec, it shows what a cell called."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from emulator.runs import ProgramRun
from kernels.__main__ import main
from kernels.dialects import ToolPrograms
from kernels.kernel import ToolProgramKernel
from kernels.spec import NAME
from tests.kernels.samples import PATIENCE, asked, asking

Message = dict[str, Any]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A prefix under which the kernelspec is installed, where Jupyter finds it."""
    prefix = tmp_path_factory.mktemp("prefix")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(prefix / "share" / "jupyter"))
        assert main(["install", "--prefix", str(prefix)]) == 0
        yield prefix


@pytest.fixture(scope="module")
def manager(installed: Path) -> Iterator[KernelManager]:
    """A running kernel of the installed kernelspec."""
    manager = KernelManager(kernel_name=NAME)
    manager.start_kernel()
    yield manager
    manager.shutdown_kernel()


@pytest.fixture(scope="module")
def client(manager: KernelManager) -> Iterator[BlockingKernelClient]:
    """A front end."""
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE)
    yield client
    client.stop_channels()


def run_cell(client: BlockingKernelClient, code: str, **options: Any) -> tuple[Message, list[tuple[str, Message]]]:
    """The reply's content, and the messages beside it other than statuses and the input."""
    shown: list[tuple[str, Message]] = []

    def hook(message: Message) -> None:
        if message["msg_type"] not in ("status", "execute_input"):
            shown.append((message["msg_type"], message["content"]))

    reply = client.execute_interactive(code, output_hook=hook, timeout=PATIENCE, **options)
    return reply["content"], shown


def test_jupyter_lists_it_once_installed(installed: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "jupyter_client.kernelspecapp", "list"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert str(installed / "share" / "jupyter" / "kernels" / NAME) in listed.stdout


def test_a_cell_shows_the_calls_it_made(client: BlockingKernelClient) -> None:
    reply, shown = run_cell(client, 'for city in ["Paris", "Rome"]:\n    get_weather(location=city)')
    assert reply["status"] == "ok"
    [(kind, content)] = shown
    assert kind == "display_data"
    assert content["data"]["text/plain"] == 'get_weather(location="Paris")\nget_weather(location="Rome")'
    assert [call["function"]["arguments"] for call in content["data"]["application/json"]] == [
        '{"location": "Paris"}',
        '{"location": "Rome"}',
    ]


def test_a_cell_stops_where_it_needs_a_result(client: BlockingKernelClient) -> None:
    _, shown = run_cell(client, 'weather = get_weather("Paris")\nprint("called")\nif weather["hot"]:\n    buy_ice()')
    assert [(kind, content["data"]["text/plain"]) for kind, content in shown] == [
        ("display_data", 'get_weather("Paris")')
    ]


def test_a_cell_shows_what_it_printed_and_its_value(client: BlockingKernelClient) -> None:
    _, shown = run_cell(client, "print('é')\n6 * 7")
    assert [kind for kind, _ in shown] == ["stream", "execute_result"]
    assert shown[0][1] == {"name": "stdout", "text": "é\n"}
    assert shown[1][1]["data"] == {"text/plain": "42"}


@pytest.mark.parametrize(
    ("code", "name"), [("1 / 0", "ZeroDivisionError"), ("f(", "SyntaxError"), ("undefined + 1", "NameError")]
)
def test_a_cell_that_fails_says_why(client: BlockingKernelClient, code: str, name: str) -> None:
    reply, shown = run_cell(client, code)
    assert (reply["status"], reply["ename"]) == ("error", name)
    assert [(kind, content["ename"]) for kind, content in shown] == [("error", name)]


def test_nothing_stays_from_cell_to_cell(client: BlockingKernelClient) -> None:
    run_cell(client, "kept = 1")
    reply, _ = run_cell(client, "kept")
    assert (reply["status"], reply["ename"]) == ("error", "NameError")


def test_the_server_s_request_publishes_nothing(client: BlockingKernelClient) -> None:
    content = ToolPrograms().content(asking("Paris"))
    reply, shown = run_cell(
        client, content["code"], silent=True, store_history=False, user_expressions=content["user_expressions"]
    )
    assert ToolPrograms().outcome(reply) == asked("Paris")
    assert shown == []


def test_a_call_that_no_json_can_hold_is_the_program_s_error(client: BlockingKernelClient) -> None:
    content = ToolPrograms().content(
        ProgramRun("f(10 ** 5000)", ("f",), clock="2026-01-02T03:04:05+00:00", seed="seed")
    )
    reply, _ = run_cell(client, content["code"], silent=True, user_expressions=content["user_expressions"])
    error = ToolPrograms().outcome(reply).error
    assert error is not None and error.type == "ValueError"


def test_a_request_it_does_not_understand_is_answered(client: BlockingKernelClient) -> None:
    reply, _ = run_cell(client, "a = 1", silent=True, user_expressions={"tool_program": "{}"})
    assert reply["status"] == "error"


def test_it_speaks_python_and_knows_when_a_cell_is_complete(client: BlockingKernelClient) -> None:
    client.kernel_info()
    info: Message = client.get_shell_msg(timeout=PATIENCE)["content"]
    assert info["language_info"]["name"] == "python"
    assert info["implementation"] == ToolProgramKernel.implementation
    for code, status in [("a = f()", "complete"), ("if a:", "incomplete"), ("a b", "invalid")]:
        client.is_complete(code)
        assert client.get_shell_msg(timeout=PATIENCE)["content"]["status"] == status


def test_an_interrupt_leaves_the_kernel_well(manager: KernelManager, client: BlockingKernelClient) -> None:
    sent = client.execute("while True:\n    pass", stop_on_error=False)
    while client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "execute_input":
        pass
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=PATIENCE)
    assert reply["parent_header"]["msg_id"] == sent
    # One that comes before the interpreter has begun is lost, and the cell ends at its time limit.
    assert reply["content"]["ename"] in ("KeyboardInterrupt", "TimeoutError")
    assert run_cell(client, "1 + 1")[0]["status"] == "ok"


def test_installing_where_nothing_can_be_written_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "share").write_text("a file")
    assert main(["install", "--prefix", str(tmp_path)]) == 1
    assert "--user" in capsys.readouterr().err
