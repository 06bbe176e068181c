"""Arguments without those that only repeat a default of their schema.

Some clients read a call by its schema before they keep it, and so send it back with all defaults filled in: zod's
``.default()``, Pydantic's.  Rule: such a call is the same call.  Defaults are taken off, never filled in, so that no
schema can blow arguments up; where a union leaves open which schema counts, nothing is taken off.
"""

from __future__ import annotations

from typing import Any, cast

from emulator.tools.schema import SchemaError
from emulator.tools.validator import target

_MOST_PARTS = 64
"""Schemas that are looked at for one value: what it refers to, and what that refers to."""

Json = dict[str, Any]


def without_defaults(schema: object, arguments: Any) -> Any:
    """``arguments``, by their wire names, as ``schema``, the client's own, lets them be written shortest."""
    if not isinstance(schema, dict):
        return arguments
    root = cast(Json, schema)
    return _Reader(root).stripped(root, arguments)


class _Reader:
    """``root`` is what references are looked up in."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._parts: dict[int, list[Json]] = {}

    def stripped(self, schema: object, value: Any) -> Any:
        if isinstance(value, dict):
            members = cast(Json, value).items()
            return {name: kept for name, given in members for kept in self._member(schema, name, given)}
        if isinstance(value, list):
            items = self._keyword(schema, "items")
            return [self.stripped(items, item) for item in cast(list[Any], value)]
        return value

    def _member(self, schema: object, name: str, given: Any) -> tuple[Any, ...]:
        """The member as it is kept, or nothing."""
        declared = next((found[name] for found in self._all(schema, "properties") if name in found), None)
        if any(_same(given, default) for default in self._all_of(declared, "default")):
            return ()
        return (self.stripped(declared, given),)

    def _keyword(self, schema: object, keyword: str) -> object:
        return next(iter(self._all_of(schema, keyword)), None)

    def _all(self, schema: object, keyword: str) -> list[Json]:
        return [found for found in self._all_of(schema, keyword) if isinstance(found, dict)]

    def _all_of(self, schema: object, keyword: str) -> list[Any]:
        return [part[keyword] for part in self._in_place(schema) if keyword in part]

    def _in_place(self, schema: object) -> list[Json]:
        """The schema, and those that judge the same value for certain."""
        if not isinstance(schema, dict):
            return []
        known = self._parts.get(id(cast(object, schema)))
        if known is None:
            known = self._parts[id(cast(object, schema))] = self._found(cast(Json, schema))
        return known

    def _found(self, schema: Json) -> list[Json]:
        found: list[Json] = []
        waiting: list[object] = [schema]
        while waiting and len(found) < _MOST_PARTS:
            part = waiting.pop()
            if isinstance(part, dict) and not any(part is other for other in found):
                found.append(cast(Json, part))
                waiting += self._behind(cast(Json, part))
        return found

    def _behind(self, part: Json) -> list[object]:
        behind: list[object] = []
        if "$ref" in part:
            try:
                behind.append(target(part["$ref"], self._root))
            except SchemaError:
                return []
        if isinstance(part.get("allOf"), list):
            behind += part["allOf"]
        for keyword in ("anyOf", "oneOf"):
            options: object = part.get(keyword)
            if isinstance(options, list):
                real = [option for option in cast(list[object], options) if option != {"type": "null"}]
                behind += real if len(real) == 1 else []
        return behind


def _same(value: Any, default: Any) -> bool:
    """True is no 1, though Python has it so."""
    return isinstance(value, bool) == isinstance(default, bool) and value == default
