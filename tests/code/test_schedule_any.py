"""Programs that nobody wrote: whatever the parts are put together to, scheduling changes nothing of its meaning."""

from __future__ import annotations

from textwrap import indent

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.code.reference import run_plainly
from tests.code.running import canned, play, play_by_statement

TOOLS = ("f", "g")
RESULTS = st.lists(st.integers(-1, 3), min_size=1, max_size=5).map(tuple)
Text = st.SearchStrategy[str]

small = st.integers(-1, 3).map(str)
names = st.sampled_from(["a", "b", "n"])


def _joined(template: str, *parts: Text) -> Text:
    return st.tuples(*parts).map(lambda given: template.format(*given))


def _compound(inner: Text) -> Text:
    return st.one_of(
        _joined("f({})", inner),
        _joined("g(x={})", inner),
        _joined("h({})", inner),
        _joined("({} {} {})", inner, st.sampled_from(["+", "-", "*", "<", "==", "and", "or"]), inner),
        _joined("({} if {} else {})", inner, inner, inner),
        _joined("(not {})", inner),
        _joined("({} is None)", names),
        _joined("[{}, {}][{} > 0]", inner, inner, inner),
        _joined("{{'k': {}}}['k']", inner),
        _joined("max({}, {})", inner, inner),
        _joined("sum([{} for i in range(2)])", inner),
        _joined("len([{} for i in range(3) if {}])", inner, inner),
        _joined("any({} for i in range(2))", inner),
        _joined("next((i for i in range(2) if {}), {})", inner, inner),
        _joined("sum({} for i in range(2))", inner),
        _joined("sorted([1, 0], key=lambda i: f(i) + {})[0]", names),
        _joined("int(f'{{{}}}')", _joined("({} + 0)", names)),
        _joined("len(xs[{}:])", inner),
        st.just("len(xs)"),
    )


expressions = st.recursive(small | names, _compound, max_leaves=4)

simple = st.one_of(
    _joined("{} = {}", names, expressions),
    _joined("{} += {}", names, expressions),
    _joined("a, b = {}, {}", expressions, expressions),
    _joined("xs.append({})", expressions),
    _joined("d['k'] = {}", expressions),
    _joined("d['k'] += {}", expressions),
    _joined("d.setdefault({}, []).append({})", st.sampled_from(["'x'", "'y'"]), expressions),
    _joined("xs = [{}, *xs]", expressions),
    _joined("print({}, xs)", expressions),
    _joined("print(f'{{{}}}')", names),
    _joined("f({})", expressions),
)


def _block(inner: Text) -> Text:
    body = st.lists(inner, min_size=1, max_size=3).map("\n".join).map(lambda text: indent(text, "    "))
    return st.one_of(
        _joined("if {}:\n{}\nelse:\n{}", expressions, body, body),
        _joined("for i in range(2):\n{}", body),
        _joined("for i in range(3):\n{}\n    if {}:\n        break\nelse:\n{}", body, expressions, body),
        _joined("for x in list(xs):\n{}\n    f(x)", body),
        _joined("try:\n{}\n    n = 1 // {}\nexcept ZeroDivisionError:\n{}", body, expressions, body),
        _joined("try:\n{}\nfinally:\n{}", body, body),
    )


statements = st.recursive(simple, _block, max_leaves=4)
programs = _joined(
    "i = n = 0\na, b = 1, 2\nxs = []\nd = {{'k': 0}}\ndef h(x):\n    y = {}\n    return {}\n{}\nprint(a, b, n, xs, d)",
    expressions,
    st.sampled_from(["x", "y", "f(x)", "x + y", "x or g(y)"]),
    st.lists(statements, min_size=1, max_size=5).map("\n".join),
).filter(lambda text: "h(" not in text.partition("return")[0].partition("y = ")[2])


@given(programs, RESULTS)
@settings(max_examples=150, report_multiple_bugs=False)
@example("xs = [f(1)]\nif f(2) or g(x=xs):\n    f(xs)", (0,))
def test_any_program_means_what_it_means_in_cpython(source: str, results: tuple[int, ...]) -> None:
    meant = run_plainly(source, TOOLS, canned(*results))
    assume(len(meant.calls) <= 40)
    played = play(source, TOOLS, canned(*results))
    assert played.calls == meant.calls
    assert (played.error.type if played.error else None) == meant.error
    assert played.outcome.output == meant.output
    calls, outcome = play_by_statement(source, TOOLS)
    assert calls == meant.calls[: len(calls)]
    assert len(calls) <= len((played.rounds or [[]])[0])
    assert outcome.end != "error" or meant.error
