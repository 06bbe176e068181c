"""What the model sees decides what it writes: every change to a prompt shows here."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.code.extract import Extractor
from emulator.code.limits import CodeLimits
from emulator.code.statements import Statement
from emulator.profiles import DEFAULT_STYLE, PromptStyle
from emulator.prompt import Briefing, Prompts, Repair, Transcript, call_as_code, python_literal
from emulator.protocols.conversation import Message, PastCall, Result

PROMPTS = Prompts()
STUBS = "def weather(*, city: str) -> Any: ..."


def renamed(name: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return name.replace("-", "_"), arguments


def briefing(**flags: Any) -> Briefing:
    given: dict[str, Any] = {"stubs": STUBS, "python_names": renamed}
    return Briefing(**given | flags)


def shown(*conversation: Message, style: PromptStyle = DEFAULT_STYLE, **flags: Any) -> list[dict[str, Any]]:
    brief = briefing(**flags)
    return PROMPTS.messages(conversation, brief, PROMPTS.brief(brief, style))


def user(text: Any) -> Message:
    return Message("user", text, {"role": "user", "content": text})


def turn(content: Any, *pairs: tuple[PastCall, Any]) -> Message:
    calls = tuple(call for call, _ in pairs)
    return Message("assistant", content, {"role": "assistant"}, calls, tuple(Result(c.id, r) for c, r in pairs))


CALL = PastCall("a", "get-weather", '{"city": "Paris"}')


def test_the_clients_system_text_comes_first() -> None:
    system = Message("developer", "Be brief.", {"role": "developer", "content": "Be brief."})
    messages = shown(system, user("Hi"))
    assert messages[0]["role"] == "system"
    assert messages[0]["content"].startswith("Be brief.\n\nYou can use Python functions.")


def test_stubs_stand_before_the_last_request() -> None:
    messages = shown(user("one"), Message("assistant", "two", {"role": "assistant", "content": "two"}), user("three"))
    assert [m["role"] for m in messages[-3:]] == ["user", "assistant", "user"]
    assert messages[-3]["content"] == "one"
    assert messages[-1]["content"] == f"Functions:\n```python\n{STUBS}\n```\n\nthree"


def test_examples_are_messages_in_the_form_demanded() -> None:
    examples = shown(user("x"))[1:-1]
    assert [m["role"] for m in examples] == ["user", "assistant"] * (len(examples) // 2)
    called = [m["content"] for m in examples if m["content"].startswith("```python\n")]
    assert len(called) >= 2
    assert any(content.count("\n") > 2 for content in called), "one example has several calls"


def test_past_calls_are_code_and_results_follow_in_order() -> None:
    other = PastCall("b", "get-weather", '{"city": "Rome"}')
    messages = shown(user("x"), turn("Let me see.", (CALL, '{"t": 2}'), (other, "rain")))
    assert messages[-2]["content"] == (
        'Let me see.\n\n```python\nget_weather(city="Paris")\nget_weather(city="Rome")\n```'
    )
    assert messages[-1] == {
        "role": "user",
        "content": 'Result of get_weather(city="Paris"):\n```result\n{"t": 2}\n```\n\n'
        'Result of get_weather(city="Rome"):\n```result\nrain\n```',
    }


def test_a_question_behind_results_is_one_message_with_them() -> None:
    messages = shown(user("x"), turn(None, (CALL, "rain")), user("And now?"))
    assert [m["role"] for m in messages[-2:]] == ["assistant", "user"]
    assert messages[-1]["content"].startswith("Result of")
    assert messages[-1]["content"].endswith("And now?")


def test_images_reach_the_upstream() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:x"}}
    assert shown(user([{"type": "text", "text": "see"}, image]))[-1]["content"][1:] == [
        {"type": "text", "text": "see"},
        image,
    ]
    assert shown(user("x"), turn(None, (CALL, [{"type": "text", "text": "pic"}, image])))[-1]["content"][-1] == image


def test_null_content_is_never_sent() -> None:
    empty = Message("assistant", None, {"role": "assistant", "content": None})
    assert all(m["content"] is not None for m in shown(user("x"), empty, user("y")))


def test_without_stubs_nothing_is_added() -> None:
    assert shown(user("x"), stubs="") == [{"role": "user", "content": "x"}]


@pytest.mark.parametrize(
    ("flags", "words"),
    [({"required": True}, "Answer with a call"), ({"named": "f"}, "calls of `f`"), ({"single": True}, "one call only")],
)
def test_demands(flags: dict[str, Any], words: str) -> None:
    assert words in shown(user("x"), **flags)[-1]["content"]


@given(st.text(alphabet="`~\nnow()ab ", max_size=60))
def test_nothing_in_a_result_passes_for_code(text: str) -> None:
    """A tool's result is hostile: whoever reads the prompt back must find no code in it, and the text unaltered."""
    content = shown(user("x"), turn(None, (PastCall("a", "f", "{}"), text)))[-1]["content"]
    body = content.split("\n", 1)[1]
    assert text in body
    extractor = Extractor(["now"], CodeLimits())
    assert not [p for p in [*extractor.feed(body), *extractor.finish()] if isinstance(p, Statement)]


def test_a_fence_in_a_result_makes_the_fence_longer() -> None:
    content = shown(user("x"), turn(None, (CALL, "```python\nnow()\n```")))[-1]["content"]
    assert "````result\n```python\nnow()\n```\n````" in content


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (PastCall("", "f", "{}"), "f()"),
        (PastCall("", "f", '{"a": [1, null, true], "b": {"c": "x\\"y"}}'), 'f(a=[1, None, True], b={"c": "x\\"y"})'),
        (PastCall("", "f", '{"not-a-name": 1, "a": 2}'), 'f(a=2, **{"not-a-name": 1})'),
        (PastCall("", "f", "no json"), 'f(**"no json")'),
        (PastCall("", "f", "[1]"), 'f(**"[1]")'),
        (PastCall("", "f", '{"class": 1}'), 'f(**{"class": 1})'),
        (PastCall("", "f", "[" * 2000), f'f(**"{"[" * 2000}")'),
    ],
)
def test_calls_as_code(call: PastCall, code: str) -> None:
    assert call_as_code(call, briefing()) == code


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_python_literals_mean_the_same(value: object) -> None:
    import ast

    assert ast.literal_eval(python_literal(value)) == value


def test_repairs_keep_what_was_asked_and_answered() -> None:
    asked = [{"role": "user", "content": "x"}]
    messages = PROMPTS.repair(asked, "f(", Repair("statement", "f(", "never closed", "g()"))
    assert messages[:2] == [*asked, {"role": "assistant", "content": "f("}]
    assert "never closed" in messages[2]["content"]
    assert "g()" in messages[2]["content"]


@pytest.mark.parametrize("programs", [False, True])
def test_a_repair_asks_for_plain_calls_only_where_nothing_runs(programs: bool) -> None:
    messages = PROMPTS.repair([], "f(", Repair("statement", "f(", "never closed", programs=programs))
    assert ("literal values" in messages[-1]["content"]) is not programs


def test_a_silent_program_is_told_so() -> None:
    assert "printed nothing" in PROMPTS.repair([], "x = 1", Repair("silent"))[-1]["content"]


def test_chaining_is_taught_only_where_tools_could_be_chained() -> None:
    alone, chained = shown(user("x")), shown(user("x"), chained=True)
    assert len(chained) > len(alone)
    assert len(chained[0]["content"]) > len(alone[0]["content"])
    assert not any("for " in message["content"] for message in alone[1:-1])


def transcript(*conversation: Message) -> Transcript:
    brief = briefing()
    return Transcript(PROMPTS, conversation, brief, PROMPTS.brief(brief))


def test_an_output_is_shown_behind_the_program_that_printed_it() -> None:
    told = transcript(user("x"), turn(None, (CALL, "sleet")))
    messages = told.worded("print(1)", "1\n", 1)
    assert messages[-2] == {"role": "assistant", "content": "```python\nprint(1)\n```"}
    assert messages[-1]["content"].startswith("Output of the code:\n```result\n1\n```")
    assert "sleet" not in str(messages), "what came of its calls is behind the output"


def test_the_plain_transcript_shows_results_and_the_output_beside_them() -> None:
    told = transcript(user("x"), turn(None, (CALL, "rain")))
    assert told.plain()[-1]["content"].endswith("```result\nrain\n```")
    last = told.plain(output="wet")[-1]["content"]
    assert last.index("rain") < last.index("Output of the code:\n```result\nwet\n```")


def test_a_failure_shows_program_results_and_traceback() -> None:
    told = transcript(user("x"), turn(None, (CALL, "rain")))
    last = told.failed("f(1)", "NameError: f")[-1]["content"]
    assert last.index("rain") < last.index("```python\nf(1)\n```") < last.index("```text\nNameError: f\n```")


@given(st.text(alphabet="`~\nnow()ab ", max_size=60))
def test_nothing_in_an_output_or_a_traceback_passes_for_code(text: str) -> None:
    for message in (transcript().worded("", text)[-1], PROMPTS.with_failure([], "", text)[-1]):
        extractor = Extractor(["now"], CodeLimits())
        pieces = [*extractor.feed(message["content"]), *extractor.finish()]
        assert not [piece for piece in pieces if isinstance(piece, Statement) and "now" in piece.source]


def test_stubs_in_the_system_text_leave_the_request_as_it_came() -> None:
    style = PromptStyle(stubs="system", examples=False)
    system, request = shown(user("x"), style=style)
    assert system["content"].endswith(f"\n\nFunctions:\n```python\n{STUBS}\n```")
    assert request == {"role": "user", "content": "x"}
    assert shown(user("x"), style=style, required=True)[-1]["content"].startswith("Answer with a call")
    assert shown(user("x"), style=style, stubs="") == [request]


def test_stubs_above_are_told_from_those_of_the_examples() -> None:
    messages = shown(user("x"), style=PromptStyle(stubs="system"), named="weather")
    assert STUBS in messages[0]["content"]
    assert messages[-1]["content"] == (
        "Functions: those given in the beginning.\n\nAnswer with calls of `weather`.\n\nx"
    )


def test_without_examples_there_is_the_conversation_alone() -> None:
    assert [m["role"] for m in shown(user("x"), style=PromptStyle(examples=False))] == ["system", "user"]


@pytest.mark.parametrize("chained", [False, True])
def test_the_short_prompt_says_less_and_the_same(chained: bool) -> None:
    full = shown(user("x"), chained=chained)
    short = shown(user("x"), chained=chained, style=PromptStyle(prompt="short"))
    assert len(short[0]["content"]) < len(full[0]["content"])
    assert "```python" in short[0]["content"]
    assert ("compute" in short[0]["content"]) is chained
    assert short[1:] == full[1:], "only the rules have a variant"


def test_without_a_system_role_the_rules_begin_the_first_user_message() -> None:
    system = Message("system", "Be brief.", {"role": "system", "content": "Be brief."})
    [message] = shown(system, user("x"), style=PromptStyle(system_role=False, examples=False))
    assert message["content"].startswith("Be brief.\n\nYou can use Python functions.")
    assert message["content"].endswith(f"Functions:\n```python\n{STUBS}\n```\n\nx")
    first = shown(system, user("x"), style=PromptStyle(system_role=False))[0]
    assert first["role"] == "user"
    assert first["content"].startswith("Be brief.")


contents = st.text(alphabet="ab \n", max_size=6) | st.just([{"type": "text", "text": "see"}, {"type": "image_url"}])


def spoken_by(role: str, content: Any) -> Message:
    return Message(role, content, {"role": role, "content": content, "name": "bob"})


def calling(words: Any, result: Any) -> Message:
    return turn(words, (CALL, result))


spoken = st.builds(spoken_by, st.sampled_from(["user", "assistant", "system"]), contents)
called = st.builds(calling, st.none() | contents, contents)
strict = st.builds(
    PromptStyle,
    alternate=st.just(True),
    prompt=st.sampled_from(["full", "short"]),
    stubs=st.sampled_from(["user", "system"]),
    examples=st.booleans(),
    system_role=st.booleans(),
    assistant_prefix=st.booleans(),
)


@given(st.lists(spoken | called, max_size=6), strict, st.sampled_from(["", STUBS]), st.sampled_from(["", "f("]))
def test_a_template_that_demands_it_gets_alternating_roles_whatever_was_said(
    conversation: list[Message], style: PromptStyle, stubs: str, answer: str
) -> None:
    """Results, repairs, outputs and failures are messages of the user's, which must not stand side by side either."""
    told = briefing(stubs=stubs)
    transcript = Transcript(PROMPTS, conversation, told, PROMPTS.brief(told, style))
    plain = transcript.plain()
    for messages in (
        plain,
        transcript.plain(output="wet"),
        transcript.worded("print(1)", "1"),
        transcript.failed("f(1)", "NameError"),
        PROMPTS.repair(plain, answer, Repair("empty")),
    ):
        behind = [m["role"] for m in messages[messages[0]["role"] == "system" :]]
        assert behind == ["user", "assistant"] * (len(behind) // 2) + ["user"] * (len(behind) % 2)
        assert all(message["content"] for message in messages)


@given(st.lists(spoken | called, min_size=1, max_size=6), strict)
def test_no_word_is_lost_for_the_sake_of_order(conversation: list[Message], style: PromptStyle) -> None:
    text = str([message["content"] for message in shown(*conversation, style=style)])
    for message in conversation:
        for content in (message.content, *(result.content for result in message.results)):
            if isinstance(content, str):
                assert repr(content.strip())[1:-1] in text


def test_what_was_rendered_tells_its_size() -> None:
    assert PROMPTS.brief(briefing()).size > len(STUBS)
    assert PROMPTS.brief(briefing(stubs="")).size == 0
