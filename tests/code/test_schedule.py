"""Scheduling may change when calls leave, and nothing else: every program must do what it does in plain CPython."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from inline_snapshot import snapshot

from emulator.code.check import CodeError, Refused
from emulator.code.schedule import Scheduler
from emulator.runs import RunResult
from tests.code.programs import TOOLS, USERS, Program, programs
from tests.code.reference import run_plainly
from tests.code.running import CLOCK, canned, play, play_by_statement

PROGRAMS = programs()
EVERY = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.title)


def scheduled(source: str, tools: tuple[str, ...] = ("f", "g")) -> str:
    return Scheduler(tools).add(ast.parse(source).body).source


@EVERY
def test_a_program_means_what_it_means_in_cpython(program: Program) -> None:
    meant = run_plainly(program.source, TOOLS, canned(*program.results))
    played = play(program.source, TOOLS, canned(*program.results))
    assert played.calls == meant.calls
    assert played.outcome.output == meant.output
    assert (played.error.type if played.error else None) == meant.error
    assert played.sizes == program.rounds


@EVERY
def test_statement_by_statement_gives_the_calls_of_the_whole(program: Program) -> None:
    """While it is being written a program may get less far than the whole does, never anywhere else."""
    first = (play(program.source, TOOLS, canned(*program.results)).rounds or [[]])[0]
    calls, outcome = play_by_statement(program.source, TOOLS)
    assert calls == first[: len(calls)]
    if outcome.end == "error":
        failed = play(program.source, TOOLS, canned(*program.results))
        assert failed.error is not None
        assert outcome.error is not None
        assert (outcome.error.type, len(failed.rounds) <= 1) == (failed.error.type, True)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if len(p.rounds) < 10], ids=lambda program: program.title)
def test_one_call_at_a_time_gives_the_same_calls(program: Program) -> None:
    """What parallel_tool_calls: false asks for."""
    meant = run_plainly(program.source, TOOLS, canned(*program.results))
    if len(meant.calls) > 40:
        pytest.skip("it takes a run for each call")
    played = play(program.source, TOOLS, canned(*program.results), serial=("*",))
    assert (played.calls, played.outcome.output) == (meant.calls, meant.output)
    assert played.sizes == [1] * len(meant.calls)


def test_serial_tools_are_alone_in_their_round() -> None:
    source = "get_user(1)\nget_user(2)\nsend(3)\nsend(4)\nget_user(5)\nget_user(6)\nprint('end')"
    played = play(source, TOOLS, canned(*USERS), serial=("send",))
    assert played.sizes == [2, 1, 1, 2]
    assert played.calls == run_plainly(source, TOOLS, canned(*USERS)).calls


def test_clock_and_chance_are_the_same_in_every_round() -> None:
    source = """
import random, time
from datetime import date, datetime
f(datetime.now().isoformat(), random.random())
f(random.randint(1, 10**9))['n']
time.sleep(30)
f(date.today().isoformat(), time.time(), random.random())
print(random.random())
"""
    first, again = (play(source, ("f",), canned({"n": 1})) for _ in range(2))
    assert (first.calls, first.outcome.output) == (again.calls, again.outcome.output)
    assert (first.sizes, first.calls[0].positional[0]) == ([2, 1], CLOCK[:19])
    assert first.calls[2].positional[0] == CLOCK[:10]


@pytest.mark.parametrize(
    ("source", "unread"),
    [
        ("a = f(1)\nb = g(2)\nprint('done')", {0, 1}),
        ("a = f(1)\nprint(a)", set[int]()),
        ("a = f(1)\nprint('x', f'{a}')", set[int]()),
        ("a = f(1)\nb = g(2)\nprint(b['n'])", {0}),
        ("xs = [f(1), g(2)]\nprint(xs)", set[int]()),
        ("xs = [f(1), g(2)]\nprint(len(xs))", {0, 1}),
        ("xs = [f(1), g(2)]\nfor x in xs:\n    if x:\n        break\nprint('end')", {1}),
        ("d = {'a': f(1), 'b': {'c': [g(2)]}}\nprint(json.dumps(d))", set[int]()),
        ("f(g(1))\nprint('end')", {1}),
        ("f(1)\nf(1)['n']", {0}),
        ("class Box:\n    pass\nb = Box()\nb.v = f(1)\nprint(b.v['n'])", set[int]()),
    ],
)
def test_results_that_nothing_looked_at_are_known(source: str, unread: set[int]) -> None:
    results: list[Any] = [{"n": 1}, {"n": 2}]
    assert play(source, ("f", "g"), canned(*results)).outcome.unread == unread


def test_a_failed_call_was_read_by_whoever_caught_it() -> None:
    source = "try:\n    f(1)\nexcept ToolError as e:\n    print(e)"
    played = play(source, ("f",), canned(RunResult(error="no")))
    assert (played.outcome.output, played.sizes) == ("no\n", [1])


@pytest.mark.parametrize(
    ("noise", "plain"),
    [
        ("import pydantic\nfrom typing import Any\nfrom pydantic import BaseModel\nf(1)", "f(1)"),
        ("from tools import f, g\nf(1)", "f(1)"),
        ("import tools\ntools.f(1)\nfunctions.g(2)", "f(1)\ng(2)"),
        ("def f(x) -> Any:\n    '''The stub.'''\n    ...\n\nfor i in range(2):\n    f(i)", "f(0)\nf(1)"),
        ("async def f(x):\n    return {'made': 'up'}\n\nasync def main():\n    await f(1)\n\nasyncio.run(main())", "f(1)"),
        ("if __name__ == '__main__':\n    f(1)", "f(1)"),
        ("f(a=true, b=[false, null])", "f(a=True, b=[False, None])"),
        ("true = 3\nf(true)", "f(3)"),
        ("import asyncio\nloop = asyncio.get_event_loop()\nloop.run_until_complete(f(1))", "f(1)"),
        ("async def main():\n    t = asyncio.create_task(f(1))\n    await asyncio.sleep(1)\n    await t\n\nasyncio.run(main())", "f(1)"),
        ("await f(1)\nx = await asyncio.gather(f(2), g(3))", "f(1)\nf(2)\ng(3)"),
        ("from asyncio import gather\nawait gather(f(1), g(2))", "f(1)\ng(2)"),
        ("await asyncio.wait_for(f(1), timeout=5)", "f(1)"),
        ("return f(1)", "f(1)"),
        ("f(json.dumps({'a': 1}), math.floor(1.5))", "f('{\"a\": 1}', 1)"),
        ("f(json.dumps({'a': 1}, default=str))", "f('{\"a\": 1}')"),
        ("x: 'Unknown[int]' = 1\ndef h(a: Nowhere = 1) -> Nowhere:\n    return f(a)\nh()", "f(1)"),
        ("try:\n    import logging\nexcept ImportError:\n    pass\nf(1)", "f(1)"),
        ("class Args:\n    x: int\n    y: Nowhere = 2\nf(Args.y)", "f(2)"),
    ],
)  # fmt: skip
def test_harmless_noise_is_understood(noise: str, plain: str) -> None:
    assert play(noise, ("f", "g"), canned(1)).calls == play(plain, ("f", "g"), canned(1)).calls


MODELS = {"Address": ("street", "city")}


def test_the_stubs_classes_are_there() -> None:
    source = "a = Address('x', city='y')\nb = Address(street=a.street)\nf(a, b)\nprint(a['city'], b.model_dump())"
    played = play(source, ("f",), canned(1), models=MODELS)
    assert [call.positional for call in played.calls] == [
        ({"\x00model": "Address", "street": "x", "city": "y"}, {"\x00model": "Address", "street": "x"})
    ]
    assert played.outcome.output == "y {'street': 'x'}\n"


def test_the_stubs_classes_repeated_are_read_over() -> None:
    source = "class Address(BaseModel):\n    street: str\n\nfor s in ['x']:\n    f(Address(street=s))"
    assert play(source, ("f",), canned(1), models=MODELS).calls[0].positional[0]["street"] == "x"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def h():\n    yield f(1)", "generators (yield) can't be run; build a list"),
        ("def h():\n    yield from f(1)", "generators (yield) can't be run; build a list"),
        ("class A(Exception):\n    pass", "class A can't have base classes here"),
        ("class A(metaclass=M):\n    pass", "class A can't have base classes here"),
        ("@cached\ndef h():\n    pass", "decorators can't be run here"),
        ("class A:\n    @property\n    def x(self):\n        pass", "decorators can't be run here"),
        ("@total_ordering\nclass A:\n    pass", "decorators of classes can't be run here, except dataclass"),
        ("import os", "import of os is not possible; there are asyncio, base64"),
        ("import os.path", "import of os.path is not possible"),
        ("from subprocess import run", "import of subprocess is not possible"),
        ("from . import x", "import of  is not possible"),
        ("x = input()", "input() is not allowed: there is nobody to ask"),
        ("exit()", "exit() is not allowed: the code just ends"),
        ("eval('1')", "eval() is not allowed: code can't make code"),
        ("exec('1')", "exec() is not allowed: code can't make code"),
        ("e = eval", "eval() is not allowed: code can't make code"),
        ("__import__('os')", "__import__() is not allowed: modules can't be loaded"),
        ("with open('x') as h:\n    pass", "open() is not allowed: there are no files"),
        ("print(globals())", "globals() is not allowed"),
        ("async def main():\n    async with x:\n        pass", "async with can't be run here"),
        ("asyncio.Semaphore(3)", "asyncio.Semaphore can't be run here; use asyncio.gather"),
        ("f = 3", "f is a function and can't be assigned to"),
        ("for f in [1]:\n    pass", "f is a function and can't be assigned to"),
        ("_t_ = 3", "the name _t_ is reserved"),
        ("def _pause_():\n    pass", "the name _pause_ is reserved"),
        ("print(_results_)", "the name _results_ is reserved"),
        ("if x:\n    return 1", "return can only stand in a function here"),
        ("x = (f(i) for i in range(3))", "a generator expression that calls functions can't be run here"),
        ("print(*reduce(lambda a, b: f(a), [1, 2]))", "a function given to another can't call functions here"),
        ("try:\n    1\nexcept ValueError as f:\n    2", "f is a function and can't be assigned to"),
        (
            "for a, b in zip(map(f, [1]), (f(i) for i in [1] if i)):\n    print(a, b)",
            "a generator expression that calls functions can't be run here",
        ),
        ("match 1:\n    case f:\n        2", "f is a function and can't be assigned to"),
        ("del x.y", "del of an attribute is not possible here"),
        ("del x[0:1, 2]", "del of several slices is not possible here"),
        ("x[0:1] += [1]", "a slice can't be assigned to in place here"),
        ("try:\n    pass\nexcept* ValueError:\n    pass", "except* can't be run; use except"),
        ("for x in (f(i + j) for i in a for j in b):\n    pass", "a loop over a generator expression of several loops"),
        ("x = " + "-" * 700 + "1", "nested too deeply"),
    ],
)  # fmt: skip
def test_what_cant_be_run_is_refused_with_the_reason(source: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        scheduled(source)
    assert reason in str(refused.value)


def test_nothing_but_a_refusal_comes_of_odd_code() -> None:
    """Every statement of the test suite's own programs, cut anywhere that still parses, is scheduled or refused."""
    for program in PROGRAMS[::7]:
        lines = program.source.split("\n")
        for end in range(1, len(lines) + 1):
            try:
                tree = ast.parse("\n".join(lines[:end]))
            except SyntaxError:
                continue
            try:
                Scheduler(TOOLS).add(tree.body)
            except CodeError as error:
                assert str(error)


@EVERY
def test_every_line_has_its_origin(program: Program) -> None:
    try:
        made = Scheduler(TOOLS).add(ast.parse(program.source).body)
    except Refused:
        pytest.skip("it isn't run at all")
    assert len(made.lines()) == made.source.count("\n") + 1
    assert set(made.lines()) <= set(range(1, program.source.count("\n") + 2))


def test_scheduled_programs() -> None:
    """What the kernel is given; a change of the rewriting shows here."""
    assert scheduled("a = f(1)\nb = [a, g(x=a)]\nprint(a, f'{b}')") == snapshot("""\
a = _t_(f(1))
b = [a, _t_(g(x=_c_(a)))]
print(_p_(a), f'{_p_(b)}')\
""")
    assert scheduled("a = f(1)\nif a is None or not a['x']:\n    g(a.y)") == snapshot("""\
a = _t_(f(1))
if _u_(_u_(a) is None or not _u_(_u_(a)['x'])):
    _t_(g(_c_(_a_(a, 'y'))))\
""")
    assert scheduled("for i, u in enumerate([f(1), f(2)]):\n    print(u['n'] + i)") == snapshot("""\
_n1_ = 0 - 1
for u in [_t_(f(1)), _t_(f(2))]:
    _n1_ = _u_(_n1_) + 1
    i = _n1_
    print(_p_(_u_(_u_(u)['n']) + _u_(i)))\
""")
    assert scheduled("x = f(1)['a'] + g(2)") == snapshot(
        "x = (lambda _l_, _r_: _l_ + _r_)(*_e_((_u_(_t_(f(1)))['a'], _t_(g(2)))))"
    )
    assert scheduled("total = 0\ntotal += f(1)\nd = {}\nd['a'] += f(2)") == snapshot("""\
total = 0
total += _e_((_t_(f(1)), total))[0]
d = {}
_of_ = _u_(d)
_at_ = 'a'
_of_[_at_] += _e_((_t_(f(2)), _of_[_at_]))[0]\
""")
    assert scheduled("print(any(f(i) > 1 for i in range(3)))") == snapshot("""\
def _g1_(_of_):
    for i in _of_:
        if _d_(_t_(f(_c_(i)))) > 1:
            return True
    return False
print(_p_(_g1_(range(3))))\
""")
    assert scheduled("xs = sorted([1, 2], key=lambda i: f(i))") == snapshot(
        "xs = _sorted_([1, 2], key=lambda i: _t_(f(_c_(i))))"
    )
    assert scheduled("for h in [f, g]:\n    h(1)") == snapshot("""\
for h in [lambda *_vs_, **_ks_: _t_(f(*_vs_, **_ks_)), lambda *_vs_, **_ks_: _t_(g(*_vs_, **_ks_))]:
    h(1)\
""")
    assert scheduled("async def main():\n    a, b = await asyncio.gather(f(1), g(2))\nasyncio.run(main())") == snapshot("""\
def main():
    a, b = [_t_(f(1)), _t_(g(2))]
_last_(main())\
""")
    assert scheduled("try:\n    x = f(1)['a']\nexcept:\n    x = None\nfinally:\n    g(x)") == snapshot("""\
try:
    x = _u_(_t_(f(1)))['a']
    _w_()
except:
    x = None
finally:
    _t_(g(_c_(x)))\
""")
    assert scheduled("names = ['a']\nprint(', '.join(map(str.upper, names)))") == snapshot("""\
names = ['a']
print(_p_(', '.join(_d_(map(lambda _v_, *_vs_: _d_(_v_).upper(*_u_(_vs_)), _d_(names))))))\
""")
    assert scheduled("del d['a']\nmatch f(1):\n    case {'n': n} if n > 1:\n        g(n)") == snapshot("""\
_u_(d).pop('a')
match _d_(_t_(f(1))):
    case {'n': n} if _d_(n) > 1:
        _t_(g(_c_(n)))\
""")


def test_slices_stay_in_their_brackets() -> None:
    """A tuple of slices is no value, so that nothing can be wrapped around it."""
    assert Scheduler(("f",)).add(ast.parse("x = [1, 2]\ny = x[0:1, 2]\nx[f(1):, 0] = 3").body).lines()
    played = play("x = [1, 2]\ny = x[0:1, 2]", ("f",), canned(1))
    assert played.error is not None
    assert played.error.type == "TypeError"


def test_the_stubs_classes_give_the_fields_that_are_asked_for() -> None:
    source = "a = A(1, b=2, c=None)\nfor o in ({'exclude': {'a'}}, {'include': ['a']}, {'exclude_none': True}):\n"
    played = play(source + "    f(**a.model_dump(**o))", ("f",), canned(1, 1, 1), models={"A": ("a", "b", "c")})
    assert [call.keywords for call in played.calls] == [{"b": 2, "c": None}, {"a": 1}, {"a": 1, "b": 2}]
