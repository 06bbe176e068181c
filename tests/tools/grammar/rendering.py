"""Valid arguments as the Python that a model would write, independently of the grammars' own code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from emulator.tools.toolstub import ToolStub


def call_text(stub: ToolStub, arguments: Mapping[str, Any], *, classes: bool) -> str:
    """A call with the client's ``arguments``; objects with known keys as instances of their ``classes``, or as dicts."""
    writer = _Writer(stub, classes)
    named = _ordered(arguments, stub.parameters)
    forms = dict(zip(stub.parameters, stub.forms[""], strict=False))
    others = stub.forms[""][-1][1] if len(stub.forms[""]) > len(stub.parameters) else "a"
    shown = [f"{key}={writer.value(item, forms.get(key, others))}" for key, item in named.items() if key.isidentifier()]
    rest = {key: item for key, item in named.items() if not key.isidentifier()}
    return f"{stub.python_name}({', '.join([*shown, *([f'**{writer.plain(rest)}'] if rest else [])])})"


class _Writer:
    def __init__(self, stub: ToolStub, classes: bool) -> None:
        self.stub, self.classes = stub, classes

    def value(self, value: Any, form: Any) -> str:
        if isinstance(value, dict):
            return self._object(cast(dict[str, Any], value), form)
        if isinstance(value, list):
            return self._array(cast(list[Any], value), form)
        return self.plain(value)

    def _array(self, items: list[Any], form: Any) -> str:
        code, *rest = next((list(each) for each in _options(form) if each[0] in ("l", "t")), ["a"])
        forms: list[Any] = rest[2:] if code == "t" else rest[:1] * len(items)
        return f"[{', '.join(map(self.value, items, forms + ['a'] * (len(items) - len(forms))))}]"

    def _object(self, value: dict[str, Any], form: Any) -> str:
        options = _options(form)
        names = [each[1] for each in options if each[0] == "m"]
        known = [name for name in names if value.keys() <= set(self.stub.models[name].fields.values())]
        if not known:
            inner = next((each[1] for each in options if each[0] == "d"), "a")
            return "{" + ", ".join(f"{self.plain(key)}: {self.value(item, inner)}" for key, item in value.items()) + "}"
        fields = self.stub.models[known[0]].fields
        forms = dict(zip(fields, self.stub.forms[known[0]], strict=False))
        shown = {key: self.value(item, forms[key]) for key, item in _ordered(value, fields).items()}
        if self.classes:
            return f"{known[0]}({', '.join(f'{key}={item}' for key, item in shown.items())})"
        return "{" + ", ".join(f"{self.plain(key)}: {item}" for key, item in shown.items()) + "}"

    def plain(self, value: Any) -> str:
        match value:
            case dict():
                items = cast(dict[str, Any], value).items()
                return "{" + ", ".join(f"{self.plain(key)}: {self.plain(item)}" for key, item in items) + "}"
            case list():
                return f"[{', '.join(map(self.plain, cast(list[Any], value)))}]"
            case str():
                return json.dumps(value, ensure_ascii=False)
            case _:
                return repr(value)


def _options(form: Any) -> list[Any]:
    """The forms that a form may turn out to be."""
    if form[0] == "?":
        form = form[1]
    return form[1:] if form[0] == "u" else [form]


def _ordered(arguments: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Named as in Python, in the order of the stub, what has no name there last."""
    known = {python: arguments[wire] for python, wire in names.items() if wire in arguments}
    return known | {key: item for key, item in arguments.items() if key not in names.values()}
