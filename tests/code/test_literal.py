"""What is read off code without running it must be exactly what Python would have passed, and hostile code must cost nothing."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.code.check import CodeError, Dependent, NeedsRun, Refused, UnknownFunction, parse
from emulator.code.limits import CodeLimits
from emulator.code.literal import LiteralReader
from emulator.code.values import ModelObject, ParsedCall, plain


def calls(source: str) -> list[ParsedCall]:
    read: list[ParsedCall] = []
    reader = LiteralReader(frozenset(["f", "g"]), {"Point": ("x", "y")}, read.append)
    reader.run(parse(source, CodeLimits()))
    return read


def value(source: str) -> Any:
    """What ``f(source)`` passes."""
    (call,) = calls(f"f({source})")
    return call.positional[0]


@pytest.mark.parametrize(
    "source",
    [
        "1", "-1", "+2", "~3", "1.5e3", "'a'", "r'\\d'", "'a' 'b'", "'''a\nb'''", "[1, [2]]", "(1, 2)", "{'a': {'b': None}}",
        "[*[1, 2], 3]", "{**{'a': 1}, 'b': 2}", "2 + 3 * 4", "7 // 2", "7 % 4", "2 ** 10", "'a' + 'b'", "'ab' * 3", "[0] * 2",
        "f'{1}{\"x\"!r:>5}'", "f'{3.14159:.2f}'", "not True", "list((1, 2))", "dict(a=1)", "tuple([1])",
    ],
)  # fmt: skip
def test_values_are_pythons(source: str) -> None:
    assert value(source) == eval(source)


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(json_like)
def test_every_json_value_survives(expected: object) -> None:
    assert value(repr(expected)) == ast.literal_eval(repr(expected))


def test_json_words_unless_assigned() -> None:
    assert value("[true, false, null]") == [True, False, None]
    assert calls("true = 3\nf(true)")[0].positional == (3,)


def test_names_assigned_before() -> None:
    source = "a, b = 1, [2]\nc: int = 3\nd = e = {'x': a}\nf(a, *b, c, **d)"
    assert calls(source) == [ParsedCall("f", (1, 2, 3), {"x": 1})]


def test_models_are_dicts() -> None:
    made = value("Point(1, y=Point(2, 3))")
    assert isinstance(made, ModelObject)
    assert plain(made) == {"x": 1, "y": {"x": 2, "y": 3}}


@pytest.mark.parametrize(
    "source",
    [
        "a = f(1)\ng(a)",
        "a = f(1)\ng(a['x'])",
        "g(f(1))",
        "a = [f(1)]\ng(a)",
        "a, b = f(1)",
        "a = f(1)\ng(f'{a}')",
        "a = f(1)\ng(len(a))",
        "a = f(1)\ng(a.x + 1)",
        "a = f(1)\ng([x for x in a])",
    ],
)
def test_looking_into_a_result_waits_for_it(source: str) -> None:
    read: list[ParsedCall] = []
    reader = LiteralReader(frozenset(["f", "g"]), {}, read.append)
    with pytest.raises(Dependent):
        reader.run(parse(source, CodeLimits()))
    assert [call.name for call in read] == ["f"]


@pytest.mark.parametrize(
    "source",
    ["a = f(1)\nb = [a]\nc = {'k': a}\nprint(a, b)\nprint(f'{a}')\ng(2)", "print(f(1), g(2))", "x = (f(1), g(2))"],
)
def test_storing_and_printing_a_result_does_not(source: str) -> None:
    assert [call.name for call in calls(source)] == ["f", "g"]


@pytest.mark.parametrize(
    "source",
    [
        "for i in [1]: f(i)",
        "while True: f(1)",
        "if 1: f(1)",
        "try: f(1)\nexcept: pass",
        "f([x for x in [1]])",
        "def h(): f(1)",
        "f(len('a'))",
        "f('a'.upper())",
        "f(1 < 2)",
        "f(1 if 1 else 2)",
        "f({'a': 1}['a'])",
        "class A: pass",
        "f('%s' % 1)",
        "f(f)",
    ],
)
def test_what_needs_a_run_says_so(source: str) -> None:
    with pytest.raises(NeedsRun):
        calls(source)


@pytest.mark.parametrize(
    "source",
    [
        "import os", "from subprocess import run", "from . import x", "import os.path", "__import__('os')", "open('x')", "eval('1')", "exec('1')",
        "input()", "exit()", "f(b'x')", "f(1j)", "f(...)", "f(x)", "del x", "global x", "f(1, 2", "f = 1", "f(a=1, **{'a': 2})", "f(**3)", "f(*3)",
        "x.y = 1", "f(1/0)", "f('a' + 1)", "f({[1]: 2})", "f(-'a')", "assert f(1)", "raise f(1)", "\0", "\ud800", "f(1 @ 2)", "lambda: f(1)",
    ],
)  # fmt: skip
def test_refused(source: str) -> None:
    with pytest.raises(CodeError) as raised:
        calls(source)
    assert isinstance(raised.value, Refused | NeedsRun)
    assert str(raised.value)


def test_what_is_printed_needs_a_run_where_it_is_looked_at() -> None:
    read: list[ParsedCall] = []
    reader = LiteralReader(frozenset(["f"]), {}, read.append, runs=True)
    with pytest.raises(NeedsRun):
        reader.run(parse("print(len('a'))", CodeLimits()))


def test_unknown_functions_are_named() -> None:
    for source in ("h(1)", "f(h(1))", "tools.h(1)"):
        with pytest.raises(UnknownFunction) as raised:
            calls(source)
        assert raised.value.name == "h"


@pytest.mark.parametrize(
    "source",
    [
        "f(10**10**8)", "f(2**2**30)", "f(1 << 10**9)", "f('a' * 10**9)", "f([0] * 10**9)", "f([[0] * 10**5] * 10**5)", "f('{:>999999999}'.format(1))", "f(f'{1:>999999999}')",
        "f(" + "-" * 3000 + "1)", "f(" + "not " * 3000 + "1)", "f(" + "1+" * 3000 + "1)", "f(" + "9" * 5000 + ")", "f(a" + ".b" * 3000 + ")", "a = [0] * 9\n" + "a = [a, a, a, a, a, a, a, a]\n" * 40 + "f(a)",
        "a = 'x' * 100000\n" + "a = a + a\n" * 40, "a = {'k': 1}\n" + "a = {'a': a, 'b': a}\n" * 60 + "f(**a)",
    ],
)  # fmt: skip
def test_bombs_are_defused(source: str) -> None:
    with pytest.raises(CodeError):
        calls(source)


def test_dunders_are_out_of_reach() -> None:
    for source in (
        "f(().__class__)",
        "f(''.__class__.__mro__)",
        "f(__builtins__)",
        "f.__globals__",
        "f(print.__self__)",
    ):
        with pytest.raises(CodeError):
            calls(source)


def test_invented_classes_hold_what_they_are_given() -> None:
    """Models make objects of classes that nobody has defined, and read them again."""
    for source in (
        "a = Args(x=1, y=[2])\nf(a.x, a.y[0])",
        "a = Args.model_validate({'x': 1, 'y': 2})\nf(**a.model_dump())",
        "a = Args(x=1, y=2)\nf(*[a['x'], a.__dict__['y']])",
        "f(**Args(x=1, y=2, z=None).dict(exclude_none=True))",
    ):
        (read,) = calls(source)
        assert read in (ParsedCall("f", (1, 2), {}), ParsedCall("f", (), {"x": 1, "y": 2}))
    assert value("Path('/tmp/a')") == "/tmp/a"
    assert value("json.loads('{\"a\": [1]}')") == {"a": [1]}
    assert value("{a: 1, 'b': 2}") == {"a": 1, "b": 2}


def test_enums_that_are_defined() -> None:
    source = "class Unit(str, Enum):\n    'Units.'\n    C = 'celsius'\n"
    assert [plain(call.positional) for call in calls(f"{source}f(Unit.C, Unit.C.value, Unit('celsius'))")] == [
        ("celsius", "celsius", "celsius")
    ]
    with pytest.raises(NeedsRun):
        calls(source + "    def g(self): ...\nf(Unit.C)")


def test_tools_by_other_names() -> None:
    read: list[ParsedCall] = []
    other = {"F": "f", "api.f": "f", "client.f": "f", "math.f": "f"}
    reader = LiteralReader(frozenset(["f"]), {"Point": ("x",)}, read.append, meant=other.get)
    reader.run(parse("F(1)\napi.f(2)\nclient = Client(key=1)\nclient.f(3)\nmath.f(4)\nf(F(x=5))", CodeLimits()))
    assert [call.name for call in read] == ["f"] * 5
    assert isinstance(read[-1].positional[0], ModelObject)
    assert reader.renamed
    for source in ("f(math.f(1))", "api = 1\napi.f(1)"):
        with pytest.raises(CodeError):
            reader.run(parse(source, CodeLimits()))


def test_an_end_behind_calls_is_no_fault() -> None:
    assert [call.name for call in calls("f(1)\n...\nexit()")] == ["f"]


@pytest.mark.parametrize(
    "options", ["exclude={'x'}", "include={'x'}", "exclude_none=flag", "{'x'}", "**{'exclude': 'x'}"]
)
def test_fields_that_are_chosen_need_a_run(options: str) -> None:
    with pytest.raises(NeedsRun):
        calls(f"flag = True\nf(**Args(x=1, y=2).model_dump({options}))")
    assert calls("f(**Args(x=1, y=None).dict(exclude_none=False, mode='json'))") == [
        ParsedCall("f", (), {"x": 1, "y": None})
    ]


@pytest.mark.parametrize("end", ["exit()", "quit()", "return", "return g(2)"])
def test_nothing_is_read_behind_the_programs_end(end: str) -> None:
    assert [call.name for call in calls(f"f(1)\n{end}\nf(3)")] == ["f", *(["g"] if "g" in end else [])]
