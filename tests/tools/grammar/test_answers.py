"""Around the calls stands what models say and think: it has to stay free, and must not become a way past the grammar."""

from __future__ import annotations

import pytest

from emulator.tools.grammar.answers import Demands, Thinking, answer_grammar
from emulator.tools.grammar.gbnf import gbnf
from tests.tools.grammar.reading import Reader, fenced, function, reader, stubs_of

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
STUBS = stubs_of(
    [function("weather", CITY), function("send", {"type": "object", "properties": {"text": {"type": "string"}}})]
)
CALL = 'weather(city="Oslo")'

WORDS = [
    "Hello!",
    "A `name`, ``two`` and a lone ` are text.",
    "Here is Rust:\n```rust\nfn main() {}\n```\nand JSON: ```json\n{}\n```",
    "```php\necho 1;\n```",
    "```text\nweather(city=1)\n```",
    "Tabs\tand\r\nlines\n\n- é 日本 🎉",
]
NOT_WORDS = [
    "",
    "```\nweather(city=1)\n```",
    "```py\nweather(city=1)\n```",
    "```Python3\nweather(city=1)\n```",
    "```tool_code\nweather(city=1)\n```",
    "Look:\n```python\nprint(1)\n```",
    "````python\nweather(city=1)\n````",
    "```rust\nnever closed",
]


def answers(**demands: object) -> Reader:
    return reader(STUBS, **demands)


@pytest.mark.parametrize("text", WORDS)
def test_words_are_free_also_in_front_of_code(text: str) -> None:
    assert answers().admits(text)
    assert answers().admits(f"{text}\n{fenced(CALL)}")


@pytest.mark.parametrize("text", NOT_WORDS)
def test_no_fence_that_is_read_as_calls_gets_past(text: str) -> None:
    assert not answers().admits(text)


def test_the_end_of_the_fence_is_the_end() -> None:
    read = answers()
    assert read.ends_after(fenced(CALL, 'send(text="a")'))
    assert not read.admits(fenced(CALL) + "\n")
    assert not read.admits(fenced())


def test_a_call_that_is_required_comes_at_once() -> None:
    read = answers(required=True)
    assert read.admits(fenced(CALL))
    assert not read.admits("Hello!")
    assert not read.admits(f"Sure.\n{fenced(CALL)}")


def test_a_single_call_is_one() -> None:
    read = answers(single=True, programs=True)
    assert read.admits(fenced(CALL))
    assert not read.admits(fenced(CALL, CALL))


PROGRAMS = {
    "a result passed on": [f"w = {CALL}", "send(text=w)"],
    "inside a result": [f"w = {CALL}", 'send(text=w["days"][0].sky)', "send(text=w[-1])"],
    "a text made of it": [f"w = {CALL}", "send(text=f\"{w['sky']}: {w.degrees:.1f} {{}}\\n\")"],
    "printed": [f"w = {CALL}", 'print("Sky:", w["sky"])', "print()"],
    "a loop over literals": ['for city in ["Oslo", "Rome"]:', "    weather(city=city)"],
    "a loop over a variable": [
        'cities = ["Oslo", "Rome"]',
        "for city in cities:",
        "    w = weather(city=city)",
        "    print(w)",
    ],
    "a condition": [
        f"w = {CALL}",
        'if w["degrees"] < 0 and not w["dry"]:',
        '    send(text="cold")',
        'elif w["degrees"] == 0:',
        "    print(0)",
        "else:",
        '    send(text="warm")',
    ],
    "a condition in a loop": [
        'for city in ["Oslo"]:',
        "    w = weather(city=city)",
        '    if "rain" in w:',
        "        send(text=city)",
        "    else:",
        "        print(w)",
        "print(w)",
    ],
    "literal calls first": [CALL, f"w = {CALL}", "send(text=w)"],
    "names that look like words of Python": [
        f"format = {CALL}",
        f"if_any = {CALL}",
        "send(text=format)",
        "send(text=defer)",
    ],
}
NO_PROGRAMS = {
    "a variable from nowhere": ["weather(city=city)"],
    "a text of variables from nowhere": ['weather(city=f"{city}")'],
    "a loop over what isn't there": ["for city in cities:", "    weather(city=city)"],
    "a loop without a body": ['for city in ["Oslo"]:', CALL],
    "an invalid call with a variable beside": [f"w = {CALL}", "send(words=w)"],
    "an invalid literal behind an assignment": [f"w = {CALL}", "send(text=1)"],
    "a definition": ["def weather(city):", "    pass"],
    "a name that begins like one": [f"definition = {CALL}"],
    "an import": ["import os"],
    "another function": [f"w = {CALL}", "eval(w)"],
}


@pytest.mark.parametrize("lines", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_stay_possible(lines: list[str]) -> None:
    assert answers(programs=True).ends_after(fenced(*lines))
    assert not answers().admits(fenced(*lines))


@pytest.mark.parametrize("lines", NO_PROGRAMS.values(), ids=NO_PROGRAMS)
def test_a_program_has_only_what_it_has_made(lines: list[str]) -> None:
    assert not answers(programs=True).admits(fenced(*lines))


THOUGHT = "Maybe\n```python\nweather(town=1)\n``` or <b> or </thin\n"


def test_a_thought_is_free() -> None:
    read = answers(thinking=Thinking())
    for thought in (THOUGHT, "", "<", "<<</think"):
        assert read.admits(f"<think>{thought}</think>\n\n{fenced(CALL)}"), thought
        assert read.admits(f"<think>{thought}</think>Hello!"), thought
    assert read.admits(fenced(CALL))
    assert not read.admits(THOUGHT + fenced(CALL))
    assert not read.admits(f"<think>{THOUGHT}</think>\n{fenced('weather(town=1)')}")


def test_a_thought_that_the_template_has_opened_must_end() -> None:
    read = answers(required=True, thinking=Thinking(opened=True))
    assert read.admits(f"{THOUGHT}</think>\n{fenced(CALL)}")
    assert not read.admits(fenced(CALL))
    assert answers(thinking=Thinking("[THINK]", "[/THINK]")).admits(f"[THINK]{THOUGHT}[/THINK]{fenced(CALL)}")


def test_a_thought_may_have_been_told_apart_by_the_server() -> None:
    """Then the grammar holds only what comes behind it; what is told apart must not be asked for again."""
    roots: list[str] = []
    for apart in (False, True):
        demands = Demands(required=True, thinking=Thinking(opened=True, apart=apart))
        roots.append(gbnf(answer_grammar(STUBS, demands)).split("\nroot ::= ")[-1].partition("\n")[0])
    together, optional = roots
    assert together != optional and optional.replace("?", "", 1) == together


@pytest.mark.parametrize("end", ["", "x", "<|end<|"])
def test_an_end_that_cannot_be_recognised_is_refused(end: str) -> None:
    with pytest.raises(ValueError, match="no end"):
        Thinking(end=end)
