"""Which strategy answers, what is said of those that were left, and that nothing which has left is taken back."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from emulator.code.readings import Manner
from emulator.errors import EmptyAnswer, InvalidRequest, ModelFault, StrategyUnfit
from emulator.events import Finished, TextDelta
from emulator.ports import AnswerDelta, CallDelta, Capabilities
from emulator.strategies.code import answer
from emulator.strategies.effects import CodeTask, Effect, Sent
from emulator.strategies.ladder import Rung, climb
from emulator.strategies.native import native, native_if_probed
from tests.strategies.playing import fenced, play, task, whole

PARIS = ("get-weather", '{"city": "Paris"}')
NOW = ("now", "{}")
BAD = whole("get_weather(town='x')")


def rung(name: str) -> Rung:
    return Rung(name, answer)


def unfit(name: str, error: Exception) -> Rung:
    def begin(task: CodeTask) -> Generator[Effect, Sent, None]:
        raise error
        yield

    return Rung(name, begin)


def climbed(*rungs: Rung, repairs: int = 0) -> Generator[Effect, Sent, None]:
    return climb(task(repairs=repairs), rungs)


def test_the_first_that_answers_counts() -> None:
    played = play(climbed(rung("one"), rung("two")), [whole("Hello.")])
    assert (played.tried, played.left, played.text) == (["one"], [], "Hello.")


def test_what_fails_is_left_with_its_reason() -> None:
    played = play(climbed(rung("one"), rung("two")), [BAD, fenced("now()")])
    assert played.tried == ["one", "two"]
    [(name, reason)] = played.left
    assert name == "one" and "unexpected argument town" in reason
    assert played.calls == [NOW]


def test_words_that_were_said_stand_and_those_after_them_keep_apart() -> None:
    played = play(climbed(rung("one"), rung("two")), [whole("Let us see.\nnow(x=1)"), whole("I can't.")])
    assert played.text == "Let us see.\n\nI can't."


def test_calls_that_have_left_end_the_ladder() -> None:
    played = play(climbed(rung("one"), rung("two")), [fenced("now()\nget_weather(town='x')")])
    assert (played.tried, played.calls) == (["one"], [NOW])
    assert played.dropped


def test_the_first_fault_is_the_one_that_is_told() -> None:
    with pytest.raises(EmptyAnswer):
        play(climbed(rung("one"), rung("two")), [whole(""), BAD])


def test_what_the_model_did_says_more_than_what_is_not_to_be_had() -> None:
    with pytest.raises(ModelFault, match="town"):
        play(climbed(rung("one"), unfit("two", StrategyUnfit("no grammar"))), [BAD])
    with pytest.raises(StrategyUnfit, match="no grammar"):
        play(climbed(unfit("one", StrategyUnfit("no grammar"))))


def test_the_requests_own_fault_ends_it() -> None:
    with pytest.raises(InvalidRequest):
        play(climbed(unfit("one", InvalidRequest("wrong")), rung("two")))


def test_a_question_refused_after_calls_have_left_leaves_them_as_they_are() -> None:
    half = fenced("now()\nget_weather(town='x')")
    played = play(climbed(rung("one"), rung("two"), repairs=1), [half, StrategyUnfit("too long")])
    assert (played.tried, played.calls) == (["one"], [NOW])
    assert played.dropped == ["too long"] and played.events[-1] == Finished(0, "tool_calls")


def test_a_refused_question_is_the_strategys_to_answer_for() -> None:
    played = play(climbed(rung("one"), rung("two")), [StrategyUnfit("no such field"), whole("Hello.")])
    assert played.left == [("one", "no such field")]
    assert played.text == "Hello."


def called(*fragments: CallDelta) -> list[AnswerDelta]:
    deltas = [AnswerDelta(0, calls=(fragment,)) for fragment in fragments]
    return [*deltas, AnswerDelta(0, finish_reason="tool_calls")]


def test_the_upstreams_own_calls_are_proven() -> None:
    split = called(CallDelta(0, "get-weather", '{"ci'), CallDelta(0, "", 'ty": "Paris"}'), CallDelta(1, "now"))
    played = play(native(task()), [split])
    assert played.calls == [PARIS, NOW]
    assert played.asks[0].native
    assert played.events[-1] == Finished(0, "tool_calls")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (CallDelta(0, "get-weather", '{"town": "Paris"}'), "town"),
        (CallDelta(0, "get-weather", '{"city": '), "no JSON"),
        (CallDelta(0, "get-weather", "[]"), "no object"),
        (CallDelta(0, "fly", "{}"), "no function named fly"),
    ],
)
def test_what_does_not_hold_is_the_next_strategys(call: CallDelta, reason: str) -> None:
    played = play(climbed(Rung("native", native), rung("code")), [called(call), fenced("now()")])
    assert reason in played.left[0][1]
    assert played.calls == [NOW]


def test_a_call_that_a_limit_cut_is_not_made() -> None:
    cut = [AnswerDelta(0, calls=(CallDelta(0, "now"), CallDelta(1, "now"))), AnswerDelta(0, finish_reason="length")]
    assert play(native(task()), [cut]).calls == [NOW]
    alone = [AnswerDelta(0, calls=(CallDelta(0, "now"),)), AnswerDelta(0, finish_reason="length")]
    assert not play(native(task()), [[AnswerDelta(0, "Well."), *alone]]).calls


def test_calls_are_told_apart_though_all_have_one_index() -> None:
    """As some servers send them, which tell them apart by their ids, or send each whole."""
    paris, now = CallDelta(0, "get-weather", '{"city": "Paris"}'), CallDelta(0, "now", "{}")
    assert play(native(task()), [called(paris, now)]).calls == [PARIS, NOW]
    pieces = [
        CallDelta(0, "get-weather", '{"city":', "a"),
        CallDelta(0, "", ' "Paris"}', "a"),
        CallDelta(0, "now", "", "b"),
    ]
    assert play(native(task()), [called(*pieces)]).calls == [PARIS, NOW]


def test_a_call_that_is_in_the_text_too_is_made_once() -> None:
    twice = [AnswerDelta(0, "```python\nnow()\n```"), *called(CallDelta(0, "now", "{}"))]
    assert play(native(task()), [twice]).calls == [NOW]


def test_one_call_at_a_time_holds_for_the_upstreams_own() -> None:
    both = called(CallDelta(0, "now", "{}"), CallDelta(1, "get-weather", '{"city": "Paris"}'))
    assert play(native(task(manner=Manner(single=True))), [both]).calls == [NOW]
    assert play(native(task(manner=Manner(serial=frozenset(["get_weather"])))), [both]).calls == [NOW]


def test_calls_that_the_upstreams_parser_missed_are_read() -> None:
    assert play(native(task()), [fenced("now()")]).calls == [NOW]


def test_words_of_the_upstream_are_the_answer() -> None:
    assert play(native(task()), [whole("Hello.")]).events == [TextDelta(0, "Hello."), Finished(0, "stop")]


def test_a_probe_decides_where_it_was_asked_for() -> None:
    ladder = Rung("native", native_if_probed), rung("code")
    assert play(climbed(*ladder), [whole("Hi.")], Capabilities(tools=True)).tried == ["native"]
    assert play(climbed(*ladder), [whole("Hi.")], Capabilities()).tried == ["native", "code"]


def test_a_rung_after_a_failure_is_the_repair() -> None:
    played = play(climbed(rung("one"), rung("two"), rung("three"), repairs=1), [BAD, BAD, BAD, fenced("now()")])
    assert played.tried == ["one", "two", "three"]
    assert (played.repairs, played.calls) == (1, [NOW])


def test_a_rung_after_one_that_was_not_to_be_had_has_repairs() -> None:
    refused = unfit("one", StrategyUnfit("no grammar"))
    assert play(climbed(refused, rung("two"), repairs=1), [BAD, fenced("now()")]).calls == [NOW]
