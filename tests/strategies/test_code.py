"""The code strategy is tested without I/O: it yields what it needs and is sent canned answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from emulator.code.readings import Manner
from emulator.errors import EmptyAnswer, ModelFault, ToolCallRequired
from emulator.events import ArgumentsDelta, Finished, OtherFields, ReasoningDelta, RefusalDelta, TextDelta
from emulator.ports import AnswerDelta
from emulator.runs import RunLimits
from emulator.strategies.code import answer
from tests.strategies.playing import KEYS, Played, fenced, play, task, whole

ASKED = [{"role": "user", "content": "What's the weather?"}]
PARIS = ("get-weather", '{"city": "Paris"}')
ROME = ("get-weather", '{"city": "Rome"}')
NOW = ("now", "{}")
CALLED = Finished(0, "tool_calls")


def run(*answers: Iterable[AnswerDelta], **options: Any) -> Played:
    return play(answer(task(**options)), answers)


def test_calls() -> None:
    played = run(whole("Sure.\nget_weather(city='Paris')\nget_weather(city='Rome')"))
    assert played.events[0] == TextDelta(0, "Sure.")
    assert played.calls == [PARIS, ROME]
    assert played.ids == [f"call_{KEYS[0]}0", f"call_{KEYS[0]}1"]
    assert played.events[-1] == CALLED
    assert played.asked == [ASKED]
    assert (played.runs, played.kept) == ([], {}), "calls that are all there is are no program"


def test_text() -> None:
    assert run(whole("Hello.")).events == [TextDelta(0, "Hello."), Finished(0, "stop")]


def test_the_upstreams_reasoning_is_passed_on_and_never_read() -> None:
    played = run(whole("Hello.", reasoning="now()\n"))
    assert played.events == [ReasoningDelta(0, "now()\n"), TextDelta(0, "Hello."), Finished(0, "stop")]


def test_a_repair_asks_only_for_what_follows() -> None:
    played = run(
        fenced("get_weather(city='Paris')\nget_weather(town='Rome')\nnow()"),
        whole("Sorry!\n```python\nget_weather(city='Paris')\nget_weather(city='Rome')\nnow()\n```"),
    )
    assert played.calls == [PARIS, ROME, NOW]
    assert not played.text, "a repair's apology is not for the client"
    assert played.events[-1] == CALLED
    assert "unexpected argument town" in played.question
    assert 'get_weather(city="Paris")' in played.question
    assert played.asked[1][:1] == ASKED


def test_a_repair_may_end_in_words() -> None:
    played = run(whole("get_weather(town='x')"), whole("I can't."))
    assert played.events == [TextDelta(0, "I can't."), Finished(0, "stop")]


def test_repairs_are_bounded_and_their_failure_is_said() -> None:
    bad = whole("get_weather(town='x')")
    with pytest.raises(ModelFault, match="unexpected argument town"):
        run(bad, bad, bad, repairs=2)
    with pytest.raises(ModelFault):
        run(bad, repairs=0)


def test_calls_that_have_left_stand_when_repairs_fail() -> None:
    bad = fenced("now()\nget_weather(town='x')")
    played = run(bad, bad, repairs=1)
    assert played.calls == [NOW]
    assert played.events[-1] == CALLED
    assert "unexpected argument town" in played.dropped[0]


def test_required_never_ends_in_words_alone() -> None:
    played = run(whole("I'd rather talk."), whole("now()"), required=True)
    assert played.calls == [NOW]
    assert not played.text
    assert "no call" in played.question
    with pytest.raises(ToolCallRequired):
        run(*[whole("No.")] * 3, required=True)
    with pytest.raises(ToolCallRequired, match="max tokens"):
        run(*[whole("now(", reason="length")] * 3, required=True)


def test_an_empty_answer_is_asked_again_and_never_silent() -> None:
    assert run(whole(" \n"), whole("Yes.")).events == [TextDelta(0, "Yes."), Finished(0, "stop")]
    with pytest.raises(EmptyAnswer):
        run(*[whole("")] * 3)


def test_where_words_are_all_that_is_asked_for_none_is_an_answer_too() -> None:
    played = run(whole(""), may_be_empty=True)
    assert (played.events, len(played.asked)) == ([Finished(0, "stop")], 1)


@pytest.mark.parametrize("required", [False, True])
def test_a_refusal_is_an_answer(required: bool) -> None:
    declined = [AnswerDelta(0, refusal="I "), AnswerDelta(0, refusal="won't.", finish_reason="stop")]
    played = run(declined, required=required)
    assert played.events == [RefusalDelta(0, "I "), RefusalDelta(0, "won't."), Finished(0, "stop")]


def test_what_an_answer_has_beside_words_is_passed_on() -> None:
    cited = {"annotations": [{"type": "url_citation"}]}
    played = run([AnswerDelta(0, "Hello.", others=cited), *whole("")])
    assert played.events == [OtherFields(0, cited), TextDelta(0, "Hello."), Finished(0, "stop")]


def test_audio_is_an_answer_and_notes_without_words_are_none() -> None:
    spoken = {"audio": {"data": "AAAA"}}
    assert run([AnswerDelta(0, others=spoken, finish_reason="stop")]).events == [
        OtherFields(0, spoken),
        Finished(0, "stop"),
    ]
    with pytest.raises(EmptyAnswer):
        run(*[[AnswerDelta(0, others={"annotations": [{}]}, finish_reason="stop")]] * 3)


def test_single() -> None:
    """The other call isn't lost: the program is kept, and goes on with it in the next round."""
    played = run(whole("get_weather(city='Paris')\nget_weather(city='Rome')"), manner=Manner(single=True))
    assert played.calls == [PARIS]
    assert played.kept[KEYS[0]].text == "get_weather(city='Paris')\nget_weather(city='Rome')"


def test_length_is_passed_on() -> None:
    assert run(whole("Once upon", reason="length")).events[-1] == Finished(0, "length")


def test_logprobs_go_with_the_text_they_belong_to() -> None:
    first, second = {"token": "Hel"}, {"token": "lo"}
    played = run(
        [
            AnswerDelta(0, "The sky", logprobs=(first,)),
            AnswerDelta(0, " is", logprobs=(second,)),
            AnswerDelta(0, finish_reason="stop"),
        ]
    )
    assert [e.logprobs for e in played.events if isinstance(e, TextDelta)] == [(first,), (second,)]


def test_long_arguments_come_in_pieces() -> None:
    played = run(whole(f"send(to='a', body='{'x' * 5000}')"))
    fragments = [e.fragment for e in played.events if isinstance(e, ArgumentsDelta)]
    assert len(fragments) > 2
    assert len("".join(fragments)) > 5000


def test_a_repeated_call_with_its_keywords_in_another_order_is_the_same() -> None:
    played = run(whole("send(to='a', body='b')\nnow(x=1)"), whole("send(body='b', to='a')\nnow()"))
    assert [name for name, _ in played.calls] == ["send", "now"]


def test_words_of_two_attempts_keep_apart() -> None:
    played = run(whole("Let us go.\n```python\nnow(x=1)\n```"), whole("I can't."))
    assert played.text == "Let us go.\n\nI can't."


LOOP = "for city in ['Paris', 'Rome']:\n    print(get_weather(city))"


def test_what_computes_is_run_and_kept_for_its_results() -> None:
    played = run(fenced(LOOP))
    assert played.calls == [PARIS, ROME]
    assert played.ids == [f"call_{KEYS[0]}0", f"call_{KEYS[0]}1"]
    kept = played.kept[KEYS[0]]
    assert (kept.text, kept.seed, kept.owner, kept.tools) == (LOOP, KEYS[0], "owner", "tools")
    assert (kept.attempted, kept.carries, kept.corrections) == (0, False, 0)
    assert played.events[-1] == CALLED


def test_programs_that_are_turned_off_are_asked_for_as_plain_calls() -> None:
    played = run(fenced(LOOP), whole("now()"), manner=Manner(programs=False))
    assert (played.calls, played.runs, played.kept) == ([NOW], [], {})
    assert "for loop" in played.question
    assert "literal values" in played.question


def test_calls_leave_before_what_computes_is_written() -> None:
    """Each statement is run once: the first steps' calls don't come again."""
    pieces = ["```python\nget_weather('Paris')\n", "for i in [1]:\n    now()\nx = 1\n", "get_weather('Rome')\n", "```"]
    deltas = [*(AnswerDelta(0, piece) for piece in pieces), AnswerDelta(0, finish_reason="stop")]
    played = run(deltas)
    assert played.calls == [PARIS, NOW, ROME]
    assert [[call.name for call in outcome.calls] for outcome in played.runs] == [
        ["get_weather", "now"],
        ["get_weather"],
    ]


def test_a_kernel_without_state_runs_the_program_once_at_its_end() -> None:
    pieces = ["```python\nget_weather('Paris')\n", "for i in [1]:\n    now()\nx = 1\n", "get_weather('Rome')\n", "```"]
    deltas = [*(AnswerDelta(0, piece) for piece in pieces), AnswerDelta(0, finish_reason="stop")]
    played = run(deltas, manner=Manner(incremental=False))
    assert played.calls == [PARIS, NOW, ROME]
    assert len(played.runs) == 1


def test_an_exception_is_a_repair_with_its_traceback() -> None:
    played = run(fenced("get_weather('Paris')\nx = [1][2]"), fenced("get_weather('Paris')\nprint(now())"))
    assert played.calls == [PARIS, NOW]
    assert "IndexError" in played.question
    assert "x = [1][2]" in played.question
    kept = played.kept[KEYS[0]]
    assert (kept.text, kept.attempted) == ("get_weather('Paris')\nprint(now())", 1)


def test_a_bad_argument_that_was_computed_is_a_repair() -> None:
    played = run(fenced("for t in ['x']:\n    get_weather(town=t)"), whole("I can't."))
    assert "unexpected argument town" in played.question
    assert "get_weather(town='x')" in played.question
    assert played.calls == []


def test_what_cant_be_scheduled_is_a_repair_with_its_reason() -> None:
    played = run(fenced("def f():\n    yield get_weather('Paris')\nlist(f())"), fenced("now()"))
    assert "yield" in played.question
    assert played.calls == [NOW]


def test_what_a_program_worked_out_is_put_into_words() -> None:
    code = "import math\nif now:\n    print(math.sqrt(16))"
    played = run(fenced(code), whole("It is 4."))
    assert played.events == [TextDelta(0, "It is 4."), Finished(0, "stop")]
    assert "```result\n4.0\n```" in played.question
    assert played.asked[1][-2]["content"] == f"```python\n{code}\n```"


def test_what_a_program_worked_out_may_be_the_answer_itself() -> None:
    played = run(fenced("if now:\n    print('a\\nb')"), final="output")
    assert played.events == [TextDelta(0, "a\nb\n"), Finished(0, "stop")]


def test_a_program_that_does_nothing_is_told_so() -> None:
    played = run(fenced("if now:\n    x = 1"), whole("Nothing to do."))
    assert "printed nothing" in played.question
    assert played.text == "Nothing to do."


def test_serial_tools_go_one_a_round() -> None:
    manner = Manner(serial=frozenset(["send"]))
    played = run(fenced("now()\nfor to in ['a', 'b']:\n    send(to)"), manner=manner)
    assert played.calls == [NOW]
    played = run(fenced("for to in ['a', 'b']:\n    send(to)\nnow()"), manner=manner)
    assert played.calls == [("send", '{"to": "a"}')]
    assert "now()" in played.kept[KEYS[0]].text


def test_a_program_beyond_its_limits_is_a_repair() -> None:
    played = run(fenced("for i in range(9):\n    now()"), whole("I give up."), limits=RunLimits(calls=3), repairs=1)
    assert len(played.calls) == 3
    assert "more than 3 times" in played.question
