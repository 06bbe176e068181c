"""The reader decides what is a call: a wrong reading does something nobody asked for, or loses what was asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.code.limits import CodeLimits
from emulator.code.reader import AnswerReader, Manner
from emulator.code.readings import Called, Made, Mused, Said
from tests.code.samples import PARIS, ROME, SAMPLES, TOOLS, call, merged, read


@pytest.mark.parametrize("name", SAMPLES)
def test_reads_whole_answers(name: str) -> None:
    text, expected = SAMPLES[name]
    readings, reader = read(text)
    assert readings == expected
    assert reader.problem is None


@pytest.mark.parametrize("name", SAMPLES)
def test_chunk_boundaries_change_nothing(name: str) -> None:
    """Plain and streamed answers must agree, wherever the upstream cuts its chunks."""
    text, expected = SAMPLES[name]
    for cut in range(1, len(text)):
        assert read(text, cut)[0] == expected, f"cut at {cut}"
    assert read(text, *range(1, len(text)))[0] == expected, "character by character"


@given(
    st.lists(
        st.sampled_from(
            [
                "```",
                "```python\n",
                "\n",
                "now()",
                "send(to='",
                "')",
                '"""',
                "<think>",
                "</think>",
                "x = ",
                "Okay, the ",
                " ",
                "# ",
                "(",
                "for x in y:\n",
            ]
        ),
        max_size=14,
    ),
    st.data(),
)
def test_any_text_reads_the_same_in_any_chunks(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    whole, one = read(text)
    pieces, other = read(text, *cuts)
    assert (whole, one.problem, one.halted) == (pieces, other.problem, other.halted)


def test_a_call_leaves_before_the_model_has_finished() -> None:
    reader = AnswerReader(read("")[1].vocabulary, CodeLimits())
    assert reader.feed('```python\nget_weather(city="Paris")') == []
    assert reader.feed("\n") == [PARIS]


def test_prose_is_not_held_back() -> None:
    reader = AnswerReader(read("")[1].vocabulary, CodeLimits())
    assert reader.feed("The weather") == [Said("The weather")]
    assert reader.feed(" is fine") == [Said(" is fine")]


@pytest.mark.parametrize("reason", ["length", "content_filter"])
@pytest.mark.parametrize(
    "text", ['get_weather(city="Par', 'get_weather(city="Paris")', '```python\nget_weather(city="Paris",']
)
def test_what_the_limit_cut_is_never_a_call(text: str, reason: str) -> None:
    """Also a statement that looks complete: nobody knows what would have followed."""
    readings, reader = read(text, reason=reason)
    assert readings == [Said(text)]
    assert reader.cut


def test_calls_before_the_cut_stand() -> None:
    readings, _ = read('```python\nget_weather(city="Paris")\nget_weather(city="Ro', reason="length")
    assert readings == [PARIS]


def test_a_stop_sequence_may_cut_a_statement() -> None:
    assert read('get_weather(city="Par', stop_given=True)[0] == [Said('get_weather(city="Par')]
    assert read('get_weather(city="Paris")', stop_given=True)[0] == [PARIS]


@pytest.mark.parametrize(
    ("text", "source", "error"),
    [
        ("get_weather(town='Paris')", "get_weather(town='Paris')", "unexpected argument town"),
        ("```python\nget_weather(city=[1,\n```", "get_weather(city=[1,", "never closed"),
        ("get_wether(city='x')", "", ""),
        ("```python\nlook_up(city='x')\n```", "look_up(city='x')", "no function named look_up; the functions are"),
        ("```python\nget_wether(city='x')\n```", "get_wether(city='x')", "did you mean get_weather"),
        ("```python\nimport os\nget_weather(city='x')\n```", "import os", "not allowed"),
        ("get_weather(city=open('/etc/passwd'))", "get_weather(city=open('/etc/passwd'))", "open() is not allowed"),
        ("get_weather(city=town)", "get_weather(city=town)", "town is not defined"),
        ("get_weather('a', 'b', 'c')", "get_weather('a', 'b', 'c')", "at most 2 arguments"),
        ("```python\n" + "(" * 100 + "now()\n```", "```python\n" + "(" * 100 + "now()\n```", "nested deeper"),
    ],
)
def test_what_cant_be_used_is_a_problem_with_its_place(text: str, source: str, error: str) -> None:
    readings, reader = read(text)
    assert not [r for r in readings if isinstance(r, Called)]
    if source:
        assert reader.problem is not None
        assert reader.problem.source == source
        assert error in reader.problem.error
    else:
        assert reader.problem is None


LOOP = "for c in ['Paris', 'Rome']:\n    get_weather(c)"


def test_what_computes_is_run() -> None:
    for manner in (Manner(), Manner(incremental=False)):
        readings, reader = read(f"```python\n{LOOP}\n```", manner=manner)
        assert (readings, reader.problem) == ([PARIS, ROME], None)


def test_what_computes_is_a_problem_where_nothing_runs() -> None:
    readings, reader = read(f"```python\n{LOOP}\n```", manner=Manner(programs=False))
    assert readings == []
    assert reader.problem is not None
    assert (reader.problem.source, "for loop" in reader.problem.error) == (LOOP, True)


def test_calls_before_a_problem_stand_and_nothing_after_it_leaves() -> None:
    readings, reader = read("```python\nget_weather(city='Paris')\nget_weather(town='x')\nnow()\n```\nDone.")
    assert readings == [PARIS]
    assert reader.problem is not None


def test_one_call_only() -> None:
    readings, reader = read("get_weather(city='Paris')\nnow()", manner=Manner(single=True))
    assert readings == [PARIS]
    assert reader.halted
    assert reader.program() == "get_weather(city='Paris')\nnow()", "the other call follows in the next round"


def test_a_repeated_call_is_not_made_twice() -> None:
    readings, _ = read("get_weather(city='Paris')\nnow()", made=[Made("get-weather", '{"city":"Paris"}')])
    assert readings == [call("now")]


def test_a_model_known_to_think_first() -> None:
    readings, _ = read("Maybe now()?\nnow()</think>get_weather(city='Paris')", in_thought=True)
    assert readings[-1] == PARIS
    assert len([r for r in readings if isinstance(r, Called)]) == 1


def test_a_thought_that_never_ends_is_said_but_not_called() -> None:
    """Whether it was a thought or the answer, nobody knows: its words are shown, its code isn't called."""
    readings, _ = read("Maybe.\nnow()", in_thought=True)
    assert readings[-1] == Said("Maybe.\nnow()")
    assert not [r for r in readings if isinstance(r, Called)]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_model_known_to_think_first_may_answer_at_once(cut: int) -> None:
    assert read("```python\nnow()\n```", cut, in_thought=True)[0] == [call("now")]


def test_a_thought_that_template_and_model_both_open() -> None:
    text = "<think>\nhm\n</think>\nnow()"
    for cut in range(1, len(text)):
        assert read(text, cut, in_thought=True)[0] == [Mused("hm"), call("now")], f"cut at {cut}"


def test_an_upstream_that_tells_thoughts_apart() -> None:
    reader = AnswerReader(TOOLS, CodeLimits(), in_thought=True)
    reader.thinks_apart()
    assert merged(reader.feed("The answer is 42.") + reader.finish("stop")) == [Said("The answer is 42.")]


@pytest.mark.parametrize(
    "text",
    [
        "I can use these:\nget_weather(city): the weather of a city.\nWhich one?",
        "now() returns the time.",
        "```python\nimport re\nm = re.send(r'x', text)\nprint(m)\n```",
    ],
)
def test_words_about_functions_are_words(text: str) -> None:
    readings, reader = read(text)
    assert readings == [Said(text)]
    assert reader.problem is None


def test_a_condition_on_a_result_waits_for_it() -> None:
    readings, reader = read("```python\nw = get_weather(city='Paris')\nif w['rain']:\n    send(to='a', body='x')\n```")
    assert (readings, reader.halted, reader.problem) == ([PARIS], True, None)


def test_printed_calls_all_leave() -> None:
    text = "print(f\"{get_weather(city='Paris')}\")\nprint(f\"{get_weather(city='Rome')}\")"
    assert read(f"```python\n{text}\n```")[0] == [PARIS, ROME]
    assert read("print(send(to=now()))")[0] == [call("now")]


def test_calls_behind_a_stored_result_leave_with_it() -> None:
    """Putting a result into a list doesn't look at it, also where the list is filled by a loop."""
    text = "a = get_weather('Paris')\nxs = [a]\nfor c in ['Rome']:\n    xs.append(get_weather(c))\nprint(xs)"
    assert read(f"```python\n{text}\n```")[0] == [PARIS, ROME]


def test_long_words_and_many_unknown_names_cost_nothing() -> None:
    """Each of these took minutes once: the work would hold up every other stream."""
    assert read(f"```python\nnow()\nsend(to='{'a' * 120_000}')\n```")[0][0] == call("now")
    names = "\n".join(f"nomber_{i}_thing_does()" for i in range(1000))
    assert read(f"```python\n{names}\n```")[1].problem is not None
    assert read(f"s = 'a' * 131072\nsend(to=[{'*s,' * 3000}])")[1].problem is not None


def test_without_tools_code_is_text() -> None:
    reader = AnswerReader(None, CodeLimits())
    text = "```python\nnow()\n```\n"
    assert merged(reader.feed(text) + reader.finish("stop")) == [Said(text)]


def test_a_program_that_is_kept_calls_the_tools_by_their_names_and_is_python() -> None:
    """It is run again when the results come, without anybody who knows what the model meant."""
    text = "w = getWeather(city='Paris')\nif w.rain:\n    tools.send(to='a' body=w)\nmcp.get_weather(city=w.next)"
    readings, reader = read(f"```python\n{text}\n```")
    assert readings == [PARIS]
    kept = "w = get_weather(city='Paris')\nif w.rain:\n    send(to='a', body=w)\nget_weather(city=w.next)"
    assert (reader.halted, reader.program()) == (True, kept)


def test_the_place_of_a_fault_is_shown() -> None:
    _, reader = read("```python\nnow()\nget_weather(city='Paris' + )\n```")
    assert reader.problem is not None
    line, shown, mark = reader.problem.error.split("\n")
    assert "line 1, column 28" in line
    assert shown[len(mark) - 1] == ")"


def test_words_among_code_are_no_fault() -> None:
    assert read("```python\nHere is the call:\nnow()\n```")[0] == [call("now")]
    readings, reader = read("```python\nnow()\nThat's the time.")
    assert (readings, reader.problem) == ([call("now"), Said("That's the time.")], None)


@pytest.mark.parametrize(
    "code",
    [
        "x = 1\nif x > 5:\nnow()\nelse:\nsend('a')",
        "if user_confirmed:\nnow()",
        "try:\nnow()\nexcept Exception:\nsend('a')",
        "while False:\nnow()",
        "IF x THEN:\n    now()",
        "IF x THEN\n    now()",
        "unless ok:  # else nothing\n    now()",
        "Do not run:\nnow()",
        "Let me do this only if you agree:\nnow()",
    ],
)
def test_what_a_line_may_decide_is_not_called_without_it(code: str) -> None:
    """The head of a block that can't be read is no line of words among the code."""
    for text in (f"```python\n{code}\n```", f"```python\n{code}"):
        readings, reader = read(text)
        assert not [r for r in readings if isinstance(r, Called)]
        assert reader.problem is not None


@pytest.mark.parametrize(
    "text",
    [
        "```python\nget_weather('Paris')\n```\n```output\n{'id': 5}\n```\n```python\nsend('5')\n```",
        "```python\n>>> get_weather('Paris')\n{'id': 5}\n>>> send('5')\n```",
        ">>> r = get_weather('Paris')\n>>> r\n{'id': 5}\n>>> send('5')\n",
        "In [1]: get_weather('Paris')\nOut[1]: {'id': 5}\n\nIn [2]: send('5')",
        ">>> for c in ['Paris']:\n...     get_weather(c)\n5\n>>> send('5')\n",
        "```python\nget_weather('Paris')\nexit()\nnow()\nfor x in [1, 2]:\n    send(x)\n```",
        "```python\nreturn get_weather('Paris')\nsend('a')\n```",
        "```python\nreturn get_weather('Paris'); send('a')\n```",
        "```python\nfor c in ['Paris']:\n    get_weather(c)\nreturn 1\nsend('a')\n```",
    ],
)
def test_nothing_is_called_behind_the_programs_end_or_invented_results(text: str) -> None:
    """What the model does with results that it has made up, nobody asked for; nor is it kept for the next round."""
    for cuts in ((), range(1, len(text))):
        readings, reader = read(text, *cuts)
        assert [r for r in readings if isinstance(r, Called)] == [PARIS]
        assert (reader.problem, reader.program()) == (None, None)


def test_what_is_printed_before_any_call_is_no_result() -> None:
    assert read("```python\n>>> 1 + 1\n2\n>>> now()\n```")[0] == [call("now")]


@pytest.mark.parametrize(
    "thought",
    [
        "Let me think. <think>\nsend('a')\n</think>",
        "**Thinking:** <thinking>\nsend('a')\n</thinking>",
        "<think type=\"x\">\nsend('a')\n</think>",
        "<think>a <think>b</think>\nsend('a')\n</think>",
        "<think>\n<think>\nsend('a')\n</think>",
        "<think>c\n<analysis>b</analysis>\nsend('a')\n</think>",
        "<analysis>\nsend('a')\n</analysis>",
        "<scratchpad>\n```python\nsend('a')\n```\n</scratchpad>",
        "<reflection>send('a')\nsend('b')</reflection>",
        "Well, <think>so be it.\nsend('a')\n</think>",
    ],
)
def test_thoughts_are_found_wherever_they_begin(thought: str) -> None:
    """Code in a thought is no call, however the thought is marked; the call behind it is one."""
    text = f"{thought}\nnow()"
    for cuts in ((), range(1, len(text))):
        readings, reader = read(text, *cuts)
        assert [r for r in readings if isinstance(r, Called)] == [call("now")]
        assert [r for r in readings if isinstance(r, Mused)]
        assert reader.problem is None


@pytest.mark.parametrize(
    "words", ["The `<think>` tag is for thoughts.", "The <think> tag is for thoughts.", "<think/>"]
)
def test_words_about_thoughts_are_none(words: str) -> None:
    text = f"{words}\nnow()"
    for cuts in ((), range(1, len(text))):
        assert read(text, *cuts)[0] == [Said(words), call("now")]


@pytest.mark.parametrize("reason", ["eos_token", "STOP", "stop_sequence", "end_turn"])
def test_servers_have_many_names_for_a_models_own_end(reason: str) -> None:
    assert read("get_weather('Paris')", reason=reason)[0] == [PARIS]
    assert read("get_weather('Paris')", reason="MAX_TOKENS")[0] == [Said("get_weather('Paris')")]


def test_names_are_looked_for_once() -> None:
    """A fence of names that nobody calls: a search from each of their parts would never end here."""
    for unit in ("a-", "a.b-", "a--", "a.", "-a"):
        assert read("```python\n" + unit * 20_000 + "\n```")[1].calls == 0
