"""A value of a program on a stock Python kernel, as it is reported.

Rule: as ``cpython_runner.py``, with which it is sent and whose names it shares there: the standard library of Python
3.9 or newer, and nothing else.  The same values come out as of ``program.py``, where Monty has them.
"""

from __future__ import annotations

import datetime as dt
import enum
import json
from typing import Any, cast

SHOWN_CHARACTERS = 8192
_MOST_LEVELS = 64


def plain(value: Any, model_key: str, depth: int = 0) -> Any:
    """As JSON can carry it; what JSON has no word for becomes text.  An object's class stands under ``model_key``."""
    if depth > _MOST_LEVELS:
        return "…"
    if _is(value, enum.Enum):
        return plain(value.value, model_key, depth + 1)
    if value is None or _is(value, bool, int, float, str):
        return value
    if _is(value, dict):
        return {_key(key): plain(item, model_key, depth + 1) for key, item in value.items()}
    if _is(value, list, tuple, set, frozenset):
        items = sorted(value, key=repr) if _is(value, set, frozenset) else value
        return [plain(item, model_key, depth + 1) for item in items]
    if _is(value, dt.date, dt.time):
        return value.isoformat()
    fields = _fields(value)
    if fields is not None:
        named = {str(name): plain(item, model_key, depth + 1) for name, item in fields.items()}
        return {model_key: type(value).__name__, **named}
    if callable(getattr(value, "tolist", None)):  # numpy's and pandas' values
        return plain(value.tolist(), model_key, depth + 1)
    return str(value)


def holds_stand_in(value: Any) -> bool:
    left: list[Any] = [value]
    seen: set[int] = set()
    while left:
        item = left.pop()
        if item is ...:
            return True
        if _is(item, str, int, float) or id(item) in seen:
            continue
        seen.add(id(item))
        if _is(item, dict):
            left += [*item.keys(), *item.values()]
        elif _is(item, list, tuple, set, frozenset):
            left += item
        else:
            left += (_fields(item) or {}).values()
    return False


def _fields(value: Any) -> dict[str, Any] | None:
    """What an object of a dataclass, a Pydantic model or a class of the program's own is made of."""
    kind = cast(Any, type(value))
    declared: Any = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "model_fields", None)
    if _is(declared, dict):
        return {name: getattr(value, name) for name in declared if hasattr(value, name)}
    if kind.__module__ == "__main__" and not isinstance(value, BaseException):
        return getattr(value, "__dict__", None)
    return None


def _key(key: Any) -> str:
    return json.dumps(key) if key is None or isinstance(key, bool) else str(key)


def _is(value: Any, *kinds: type) -> bool:
    return isinstance(value, kinds)
