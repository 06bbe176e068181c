"""A notebook's user sees the calls as Python and as OpenAI has them, and needs to declare no tools."""

from __future__ import annotations

import ast
import json

import pytest

from emulator.runs import MODEL_KEY, RunCall
from kernels.cells import call_text, completeness, tool_call, tools_of, value_text


@pytest.mark.parametrize(
    ("source", "tools"),
    [
        ("get_weather('Paris')\nsend(get_weather('Rome'))", ("get_weather", "send")),
        ("def f(g):\n    return g(1)\nf(h)\nk(2)", ("k",)),
        ("import json\nfrom math import sqrt as root\njson.loads('1')\nroot(2)\nlen([])", ()),
        ("for each in [1]:\n    each()\nclass C: pass\nC()\n(n := go())\nn()", ("go",)),
        ("try:\n    a()\nexcept ValueError as e:\n    e()", ("a",)),
        ("match x:\n    case [first, *others]:\n        first(others())", ()),
        ("obj.method()", ()),
    ],
)
def test_tools_are_what_is_called_and_defined_nowhere(source: str, tools: tuple[str, ...]) -> None:
    assert tools_of(ast.parse(source)) == tools


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("a = 1", "complete"),
        ("a = 1\nb = f(a)", "complete"),
        ("for x in y:\n    f(x)", "incomplete"),
        ("for x in y:\n    f(x)\n", "complete"),
        ("f(", "incomplete"),
        ("f)", "invalid"),
        ("a = '\0'", "invalid"),
    ],
)
def test_a_console_knows_when_to_run(code: str, status: str) -> None:
    assert completeness(code) == status


def test_a_call_is_shown_as_python() -> None:
    address = {MODEL_KEY: "Address", "street": 'Rue "A"', "geo": [1.5, None, True]}
    call = RunCall("send", (1, {"a b": "é"}), {"to": address})
    assert call_text(call) == 'send(1, {"a b": "é"}, to=Address(street="Rue \\"A\\"", geo=[1.5, None, True]))'


@pytest.mark.parametrize("value", [None, True, -1.5, 10**30, "line\nbreak \u2028 'quote'", [], {}, {"a": [{"b": ""}]}])
def test_what_is_shown_is_python_for_the_value(value: object) -> None:
    assert ast.literal_eval(value_text(value)) == value


def test_a_call_is_shown_as_openai_has_it() -> None:
    call = tool_call(RunCall("get_weather", (), {"location": "Paris"}), 3)
    assert call == {
        "id": "call_3",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"location": "Paris"}'},
    }
    by_position = tool_call(RunCall("f", (1, 2), {"x": 3}), 0)
    assert json.loads(by_position["function"]["arguments"]) == {"args": [1, 2], "x": 3}
