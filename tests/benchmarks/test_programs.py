"""A program's three requests depend on each other: whichever answer is wrong, none of it may be measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from benchmarks.pooled import check_outcome
from benchmarks.programs import calls, literal_talk, output, program_code, program_talk
from benchmarks.wire import BrokenAnswer
from benchmarks.workload import Talk, city
from emulator.runs import Outcome, RunCall

NUMBER = 7
Answer = tuple[int, bytes]


def words(text: str, status: int = 200) -> Answer:
    return status, orjson.dumps({"choices": [{"message": {"content": text}}]})


def made(begin: int, end: int, number: int = NUMBER) -> Answer:
    """The calls from ``begin`` to ``end``, as the emulator answers with them."""
    chosen = [
        {"id": f"call_{begin + at}", "function": {"name": name, "arguments": orjson.dumps(arguments).decode()}}
        for at, (name, arguments) in enumerate(calls(number)[begin:end])
    ]
    return 200, orjson.dumps({"choices": [{"message": {"content": None, "tool_calls": chosen}}]})


RIGHT = [made(0, 2), made(2, 4), words(output(NUMBER))]


def talked(talk: Talk, answers: list[Answer]) -> list[Any]:
    """The bodies of the requests; fails if the talk isn't over with the last answer."""
    requests = [next(talk), *map(talk.send, answers[:-1])]
    with pytest.raises(StopIteration):
        talk.send(answers[-1])
    return [orjson.loads(request.partition(b"\r\n\r\n")[2]) for request in requests]


def test_each_request_brings_the_results_of_the_calls_that_were_answered() -> None:
    first, replay, end = talked(program_talk(NUMBER, True), RIGHT)
    assert first["messages"] == replay["messages"][:2] == end["messages"][:2]
    assert [message.get("tool_call_id") for message in end["messages"][2:]] == [
        None, "call_0", "call_1", None, "call_2", "call_3"
    ]  # fmt: skip


def test_whoever_translates_nothing_is_sent_requests_of_the_same_form() -> None:
    said = [words(program_code(city(NUMBER)))] * 3
    translated, untranslated = (
        [
            [message["role"] for message in request["messages"]]
            for request in talked(program_talk(NUMBER, kind), answers)
        ]
        for kind, answers in ((True, RIGHT), (False, said))
    )
    assert translated == untranslated


@pytest.mark.parametrize(
    ("at", "answer"),
    [
        (0, made(0, 1)),
        (0, made(0, 2, NUMBER + 1)),
        (0, words(program_code(city(NUMBER)))),
        (1, made(0, 2)),
        (1, (200, b"{")),
        (2, words(output(NUMBER + 1))),
        (2, words(output(NUMBER), status=503)),
        (2, made(0, 2)),
    ],
)
def test_a_wrong_answer_to_any_request_is_never_measured(at: int, answer: Answer) -> None:
    talk = program_talk(NUMBER, True)
    next(talk)
    for right in RIGHT[:at]:
        talk.send(right)
    with pytest.raises(BrokenAnswer):
        talk.send(answer)


def test_literal_calls_are_four() -> None:
    talk = literal_talk(NUMBER, True)
    next(talk)
    with pytest.raises(BrokenAnswer):
        talk.send(made(0, 2))


def outcome(known: int, *, number: int = NUMBER) -> Outcome:
    chosen = tuple(RunCall(name, (), arguments) for name, arguments in calls(number)[: known + 2])
    return Outcome("paused", chosen) if known < 4 else Outcome("done", chosen, output(number) + "\n")


@pytest.mark.parametrize("known", [0, 2, 4])
def test_the_outcome_of_each_round_is_known(known: int) -> None:
    check_outcome(outcome(known), NUMBER, known)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: outcome(2),
        lambda: outcome(4, number=NUMBER + 1),
        lambda: Outcome("done", outcome(4).calls, "Seat"),
        lambda: Outcome("error", outcome(4).calls, output(NUMBER)),
    ],
)
def test_another_outcome_is_never_measured(wrong: Callable[[], Outcome]) -> None:
    with pytest.raises(BrokenAnswer):
        check_outcome(wrong(), NUMBER, 4)
