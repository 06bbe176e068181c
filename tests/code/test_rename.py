"""A program that is kept runs again without the model: what it calls must be called there by the stubs' names."""

from __future__ import annotations

import ast

import pytest

from emulator.code.rename import bound_names, renamed

TOOLS = {"getIt": "get_it", "api.get_it": "get_it", "Get": "get", "get_it": "get_it"}


def named(source: str) -> str:
    nodes = ast.parse(source).body
    return renamed(source, nodes, TOOLS.get, set(bound_names(nodes)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("for x in y:\n    getIt(x)  # getIt(1)", "for x in y:\n    get_it(x)  # getIt(1)"),
        ("'é' + api.get_it('getIt(1)')", "'é' + get_it('getIt(1)')"),
        ("getIt(getIt(1), getIt(2))", "get_it(get_it(1), get_it(2))"),
        ("def getIt(x): ...\ngetIt(1)", "def getIt(x): ...\ngetIt(1)"),
        ("import api\napi.get_it(1)", "import api\napi.get_it(1)"),
        ("Get(1)", "get(1)"),
        ("get_it(Get(a=1))", "get_it(Get(a=1))"),
        ("print(Get(a=1))", "print(get(a=1))"),
        ("x = getIt", "x = getIt"),
    ],
)
def test_only_what_is_called_is_renamed(source: str, expected: str) -> None:
    assert named(source) == expected
