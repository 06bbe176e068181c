"""A fast server that answers nonsense must not win, and tools called new must be new."""

from __future__ import annotations

import orjson
import pytest

from benchmarks.wire import BrokenAnswer
from benchmarks.workload import call_code, check_call, city, many_tools


def answer(message: dict[str, object], finish_reason: str) -> bytes:
    return orjson.dumps({"choices": [{"message": message, "finish_reason": finish_reason}]})


def called(name: str, arguments: str) -> dict[str, object]:
    return {"content": None, "tool_calls": [{"function": {"name": name, "arguments": arguments}}]}


RIGHT = orjson.dumps({"city": city(7), "unit": "celsius"}).decode()


@pytest.mark.parametrize(
    ("translated", "status", "body"),
    [
        (True, 200, answer(called("get_weather", RIGHT.replace("7", "8")), "tool_calls")),
        (True, 200, answer(called("get_time", RIGHT), "tool_calls")),
        (True, 200, answer(called("get_weather", RIGHT), "stop")),
        (True, 500, answer(called("get_weather", RIGHT), "tool_calls")),
        (True, 200, answer({"content": call_code(city(7))}, "stop")),
        (True, 200, b"{"),
        (False, 200, answer({"content": call_code(city(8))}, "stop")),
    ],
)
def test_a_wrong_answer_is_never_measured(translated: bool, status: int, body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        check_call(status, body, 7, translated=translated)


def test_a_right_answer_is_taken_in_both_forms() -> None:
    check_call(200, answer(called("get_weather", RIGHT), "tool_calls"), 7, translated=True)
    check_call(200, answer({"content": call_code(city(7))}, "stop"), 7, translated=False)


def test_the_same_seed_gives_the_same_tools_and_another_gives_none_of_them() -> None:
    once, again, other = (many_tools(300, seed) for seed in (1, 1, 2))
    assert once == again
    assert len({tool["function"]["name"] for tool in once}) == 300
    assert not any(tool in other for tool in once[3:])
