"""The table of strategies is the evidence for a profile's order: it must ask each one, and count errors as wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import strategies
from benchmarks.judging import Call, Case
from benchmarks.strategies import Answer, answer_of, main, markdown, row_of
from benchmarks.wire import BrokenAnswer

CALL = Call("f", {"n": 1})
CASES = [
    Case("1", "simple", [], [], (CALL,), ({"n": [1, 2]},)),
    Case("2", "irrelevance", [], [], (), ()),
]


class Emulator(BaseHTTPRequestHandler):
    """Calls get_news of everybody who asks with ``code``, fails with ``guided`` and doesn't know ``bridge``."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert asked["tools"] and asked["temperature"] == 0
        status, body = self._answer(self.headers["X-Emulator-Strategy"])
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answer(self, strategy: str) -> tuple[int, object]:
        if strategy != "code":
            return {"guided": 502}.get(strategy, 400), {"error": {"message": "broken"}}
        called = {"name": "get_news", "arguments": '{"topic": "bitcoin", "quantity": 5}'}
        message = {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": called}]}
        return 200, {"choices": [{"message": message}], "usage": {"prompt_tokens": 10, "completion_tokens": 4}}

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Emulator) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


def test_a_row_counts_what_is_right_of_each_kind() -> None:
    right = row_of("code", CASES, [Answer((Call("f", {"n": 2}),), "", 10, 4, 1.0), Answer((), "", 20, 6, 3.0)])
    assert (right.names, right.values, right.exact, right.words, right.errors) == (1, 1, 0, 1, 0)
    assert (right.calls, right.no_calls) == (1, 1)
    assert (right.prompt_tokens, right.completion_tokens, right.seconds) == (15.0, 5.0, 2.0)


def test_an_error_is_wrong_also_where_no_call_is_wanted() -> None:
    row = row_of("code", CASES, [Answer(None, "broken")] * 2)
    assert (row.names, row.words, row.errors) == (0, 0, 2)


def test_a_body_that_is_no_chat_completion_is_told() -> None:
    with pytest.raises(BrokenAnswer, match="no chat completion"):
        answer_of({"error": {}}, 0.0)


def test_the_table_has_a_line_for_each_strategy() -> None:
    rows = [row_of(name, CASES, [Answer((CALL,)), Answer(())]) for name in ("code", "bridge")]
    lines = markdown(rows).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert [line.split(" | ")[:2] for line in lines[2:]] == [["| code", "1/1"], ["| bridge", "1/1"]]


def test_every_strategy_is_asked_by_its_header(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--base-url", address, "--strategies", "code,guided", "--show"]) == 0
    printed = capsys.readouterr().out
    told = json.loads(printed.splitlines()[-1])
    assert told["set"] == "tuning"
    code, guided = told["strategies"]
    assert (code["strategy"], code["names"], code["values"], code["words"], code["errors"]) == ("code", 1, 1, 0, 0)
    assert (guided["strategy"], guided["names"], guided["words"], guided["errors"]) == ("guided", 0, 0, 40)
    assert "wanted no call" in printed


def test_an_emulator_that_refuses_is_told_at_once(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--base-url", address, "--strategies", "bridge"]) == 1
    assert "status 400" in capsys.readouterr().err


def test_an_unknown_strategy_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--strategies", "magic"])
    assert "there is no strategy 'magic'" in capsys.readouterr().err


def test_flags_behind_two_dashes_are_the_emulators() -> None:
    options = strategies.options_of(["--set", "validation", "--", "--local-model", "x.gguf"])
    assert (options.set, options.flags) == ("validation", ["--local-model", "x.gguf"])
