"""Where a program stands is read off the client's messages: a history that isn't ours must lead nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.continuation import CallIds, json_value, run_result, text_of, texts_of, trail_of
from emulator.kept import KeptProgram
from emulator.protocols.conversation import Message, PastCall, Result
from emulator.runs import RunResult

KEY, OTHER = "0123456789abcdef01234567", "f" * 24
USER = Message("user", "hi", {"role": "user", "content": "hi"})
SYSTEM = Message("system", "be brief", {"role": "system", "content": "be brief"})


def turn(*ids: str, results: tuple[Any, ...] | None = None) -> Message:
    """An assistant turn with a call for each id, and their results."""
    calls = tuple(PastCall(id, f"tool_{at}", f'{{"at": {at}}}') for at, id in enumerate(ids))
    given_results = tuple(Result(id, str(at)) for at, id in enumerate(ids)) if results is None else results
    return Message("assistant", None, {"role": "assistant"}, calls, given_results)


def ours(*indices: int, key: str = KEY) -> Message:
    return turn(*(CallIds(key).id(index) for index in indices))


@given(st.integers(0, 4095))
def test_ids_fit_and_are_a_function_of_key_and_index(index: int) -> None:
    made = CallIds(KEY).id(index)
    assert made == CallIds(KEY).id(index)
    assert len(made) <= 40
    assert made.startswith(f"call_{KEY}")


def test_no_two_calls_of_an_answer_have_one_id() -> None:
    assert len({CallIds(KEY).id(index) for index in range(4096)}) == 4096


def test_one_round() -> None:
    trail = trail_of([SYSTEM, USER, ours(0, 1)])
    assert trail is not None
    assert (trail.key, trail.start, trail.rounds, trail.earlier) == (KEY, 2, 1, ())
    assert [(r.name, r.arguments, r.result, r.text) for r in trail.own] == [
        ("tool_0", '{"at": 0}', RunResult(0), "0"),
        ("tool_1", '{"at": 1}', RunResult(1), "1"),
    ]


def test_rounds_of_one_answer_follow_each_other() -> None:
    trail = trail_of([USER, ours(0, 1), ours(2), ours(3, 4)])
    assert trail is not None
    assert (trail.start, trail.rounds, len(trail.own), trail.earlier) == (1, 3, 5, ())


def test_an_answer_behind_another_has_that_before_it() -> None:
    trail = trail_of([USER, ours(0, 1), ours(2), ours(0, key=OTHER), ours(1, key=OTHER)])
    assert trail is not None
    assert (trail.key, trail.start, trail.rounds) == (OTHER, 1, 2)
    assert [record.name for record in trail.earlier] == ["tool_0", "tool_1", "tool_0"]
    assert len(trail.own) == 2


def test_calls_of_another_server_may_stand_before() -> None:
    trail = trail_of([USER, turn("call_abc"), ours(0)])
    assert trail is not None
    assert (len(trail.earlier), len(trail.own), trail.start) == (1, 1, 1)


def test_only_the_turns_at_the_end_count() -> None:
    trail = trail_of([USER, ours(0, key=OTHER), USER, ours(0)])
    assert trail is not None
    assert (trail.start, trail.earlier) == (3, ())


@pytest.mark.parametrize(
    "conversation",
    [
        [],
        [USER],
        [USER, ours(0), USER],
        [USER, ours(0), Message("assistant", "Done.", {})],
        [USER, turn("call_abc")],
        [USER, turn(f"call_{KEY}")],
        [USER, turn(f"call_{KEY}00")],
        [USER, turn(f"call_{KEY.upper()}0")],
        [USER, turn(f"call_{KEY}0 ")],
        [USER, turn(f"call_{KEY}0\n")],
        [USER, turn(f"x_call_{KEY}0")],
        [USER, turn(f"call_{KEY}12345")],
        [USER, ours(1)],
        [USER, ours(1, 0)],
        [USER, ours(0, 0)],
        [USER, ours(0, 2)],
        [USER, ours(0), ours(0)],
        [USER, ours(0), ours(2)],
        [USER, ours(1), ours(0)],
        [USER, turn(CallIds(KEY).id(0), CallIds(OTHER).id(1))],
        [USER, turn(CallIds(KEY).id(0), "call_abc")],
        [USER, ours(0), ours(0, key=OTHER), ours(1)],
        [USER, ours(0), turn("call_abc"), ours(1)],
        [USER, ours(0), turn("call_abc")],
    ],
)
def test_what_was_tampered_with_has_no_trail(conversation: list[Message]) -> None:
    assert trail_of(conversation) is None


def said(text: Any, role: str = "user") -> Message:
    return Message(role, text, {"role": role, "content": text})


REMINDER = "<system-reminder>\nBe brief.\n</system-reminder>"
NOTES = [
    said("Be brief.", "developer"),
    SYSTEM,
    said(REMINDER),
    said(f" {REMINDER}\n{REMINDER} "),
    said([{"type": "text", "text": REMINDER}, {"type": "text", "text": REMINDER}]),
]


@pytest.mark.parametrize("note", NOTES)
def test_notes_that_are_repeated_end_no_program(note: Message) -> None:
    trail = trail_of([USER, note, ours(0, 1), note, ours(2), note, note])
    assert trail is not None
    assert (trail.start, trail.rounds, len(trail.own)) == (2, 2, 3)
    assert trail_of([USER, note]) is None


@pytest.mark.parametrize("note", NOTES)
def test_a_new_note_is_the_models_to_hear(note: Message) -> None:
    assert trail_of([USER, ours(0, 1), note]) is None
    assert trail_of([USER, said("<system-reminder>other</system-reminder>"), ours(0, 1), note]) is None


def test_what_is_new_beside_a_reminder_is_the_models_to_hear() -> None:
    begun = [said(f"{REMINDER}\n\nhi"), ours(0)]
    assert trail_of([*begun, said(REMINDER, "system")]) is not None
    assert trail_of([*begun, said(f"{REMINDER} Stop!", "system")]) is None


@pytest.mark.parametrize(
    "words",
    [
        said("Stop!"),
        said(f"{REMINDER} Stop!"),
        said(f"Stop! {REMINDER}"),
        said([{"type": "text", "text": REMINDER}, {"type": "text", "text": "Stop!"}]),
        said([{"type": "text", "text": REMINDER}, {"type": "image_url", "image_url": {"url": "x"}}]),
        said("<system-reminder>"),
        said("</system-reminder>" * 2),
        said([]),
        said(""),
    ],
)
def test_what_the_user_says_is_the_models_to_hear(words: Message) -> None:
    assert trail_of([USER, ours(0), words]) is None


def test_a_picture_is_the_models_to_look_at() -> None:
    seen = Result(CallIds(KEY).id(0), [{"type": "text", "text": "a screen"}, {"type": "image_url", "image_url": {}}])
    assert trail_of([USER, replace(ours(0), results=(seen,))]) is None


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
def test_any_cut_of_a_history_is_a_trail_or_none(sizes: list[int], data: st.DataObject) -> None:
    """A client that goes back a round, or branches off, continues from where it went back to."""
    turns: list[Message] = []
    at = 0
    for size in sizes:
        turns.append(ours(*range(at, at + size)))
        at += size
    cut = data.draw(st.integers(0, len(turns)))
    trail = trail_of([USER, *turns[:cut]])
    behind = 0  # A message without calls is no turn of calls, and ends the search.
    for size in reversed(sizes[:cut]):
        if not size:
            break
        behind += 1
    own = sizes[cut - behind : cut]
    if not own or sum(sizes[: cut - behind]):
        assert trail is None
    else:
        assert trail is not None
        assert (len(trail.own), trail.rounds) == (sum(own), len(own))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
        ('"text"', "text"),
        ("5", 5),
        ("null", None),
        (" [1] \n", [1]),
        ("plain text", "plain text"),
        ("", ""),
        ("{'a': 1}", "{'a': 1}"),
        ("NaN", "NaN"),
        ("[Infinity]", "[Infinity]"),
        ("[-Infinity]", "[-Infinity]"),
        ('{"a": 1} and more', '{"a": 1} and more'),
        ("[" * 100_000, "[" * 100_000),
        ("9" * 5000, "9" * 5000),
        ('"\\ud800"', "\ud800"),
    ],
)
def test_json_text_is_its_value_and_other_text_itself(text: str, value: Any) -> None:
    assert json_value(text) == value
    assert run_result(Result("x", text)) == RunResult(value)


def test_an_error_is_what_its_call_raises() -> None:
    assert run_result(Result("x", '{"a": 1}', error=True)) == RunResult(error='{"a": 1}')
    assert run_result(Result("x", "", error=True)) == RunResult(error="the tool failed")


def test_content_parts_are_joined() -> None:
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": "[1,"},
        {"type": "text", "text": " 2]"},
    ]
    assert text_of(Result("x", parts)) == "[1, 2]"
    assert run_result(Result("x", parts)) == RunResult([1, 2])


def test_texts_of_values() -> None:
    answered = turn("a", "b", "c", "d", results=tuple(Result("x", text) for text in ("[1 ]", "[1]", '"s"', "words")))
    trail = trail_of([USER, replace(answered, calls=tuple(PastCall(CallIds(KEY).id(n), "f", "{}") for n in range(4)))])
    assert trail is not None
    assert texts_of(trail.own, repr) == {"[1]": "[1 ]"}, "the first text counts; a text is its own"


def test_kept_programs_survive_the_store() -> None:
    kept = KeptProgram(
        "f(1)\n# ü 🙂 \ud800", "_t_(f(1))", "2026-01-01T00:00:00+00:00", KEY, "o", "t", 3, carries=True, corrections=1
    )
    assert KeptProgram.from_bytes(kept.to_bytes()) == kept


@pytest.mark.parametrize("stored", [b"", b"{}", b"[]", b"null", b"\xff", b'{"text": "x"}', b'{"text": "x", "new": 1}'])
def test_what_another_version_stored_is_no_program(stored: bytes) -> None:
    assert KeptProgram.from_bytes(stored) is None
