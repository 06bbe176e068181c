"""Values that a scripted model fills in: arguments of a stub's parameters, and JSON for a schema.

Rule: the request's own numbers, quotations and names come first, so that a test sees that its words have arrived.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

Json = dict[str, Any]

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_QUOTED = re.compile(r"[\"'“‘]([^\"'“”‘’\n]+)[\"'”’]")
_PLACE = re.compile(r"\b(?:in|of|for|to|about) ([A-Z][\w-]*(?: [A-Z][\w-]*)*)")
_DEEPEST = 6


class Words:
    """What a request has to offer, each once and in its order."""

    def __init__(self, request: str) -> None:
        self._request = request
        self._numbers = _NUMBER.findall(request)
        self.quoted: tuple[str, ...] = tuple(_QUOTED.findall(request))
        self._texts = [*self.quoted] or _PLACE.findall(request)

    def number(self) -> float:
        text = self._numbers.pop(0) if self._numbers else "3"
        return float(text)

    def text(self, name: str) -> str:
        return self._texts.pop(0) if self._texts else f"{name}: {' '.join(self._request.split())[:60]}"

    def one_of(self, values: list[Any]) -> Any:
        """The value that the request names, else the first."""
        return next((v for v in values if isinstance(v, str) and v.lower() in self._request.lower()), values[0])


@dataclass(frozen=True)
class Filler:
    """Python source for what stubs declare.  ``classes`` are those that the stubs define."""

    classes: Mapping[str, ast.ClassDef]
    words: Words

    def call(self, function: ast.FunctionDef) -> str:
        """A call of the function with all that it requires."""
        parameters = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
        required = [(arg.arg, arg.annotation) for arg, default in parameters if default is None]
        return f"{function.name}({self._arguments(required, 0)})"

    def _arguments(self, required: Iterable[tuple[str, ast.expr | None]], depth: int) -> str:
        return ", ".join(f"{name}={self._value(annotation, name, depth)}" for name, annotation in required)

    def _value(self, annotation: ast.expr | None, name: str, depth: int) -> str:
        match annotation:
            case ast.Name("int"):
                return str(int(self.words.number()))
            case ast.Name("float"):
                return f"{self.words.number():g}"
            case ast.Name("bool"):
                return "True"
            case ast.Name("dict" | "list" as empty):
                return "{}" if empty == "dict" else "[]"
            case ast.Name(known) if known in self.classes and depth < _DEEPEST:
                fields = [item for item in self.classes[known].body if isinstance(item, ast.AnnAssign)]
                required = [(ast.unparse(item.target), item.annotation) for item in fields if item.value is None]
                return f"{known}({self._arguments(required, depth + 1)})"
            case ast.BinOp(left=left, right=right):
                return self._value(right if isinstance(left, ast.Constant) else left, name, depth)
            case ast.Subscript(value=ast.Name(generic), slice=of):
                return self._generic(generic, of.elts if isinstance(of, ast.Tuple) else [of], name, depth + 1)
            case _:
                return json.dumps(self.words.text(name), ensure_ascii=False)

    def _generic(self, generic: str, of: Sequence[ast.expr], name: str, depth: int) -> str:
        if generic == "Literal":
            return repr(self.words.one_of([ast.literal_eval(value) for value in of]))
        if generic == "dict":
            return f'{{"one": {self._value(of[-1], name, depth)}}}'
        return f"[{', '.join(self._value(item, name, depth) for item in of)}]"


def json_of(schema: Json, words: Words) -> Any:
    """A value that the schema admits, of what schemas in these tests are made of; any object has what is quoted."""
    if not schema:
        return {key: words.text(key) for key in words.quoted} or {"answer": words.text("answer")}
    return _json(schema, schema, "answer", words)


def _json(schema: Json, root: Json, name: str, words: Words) -> Any:
    if reference := cast("str | None", schema.get("$ref")):
        target = root
        for key in reference.removeprefix("#/").split("/"):
            target = target[key]
        return _json(target, root, name, words)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return words.one_of(schema["enum"])
    for key in ("anyOf", "oneOf", "allOf"):
        if options := cast("list[Json]", schema.get(key)):
            return _json(options[0], root, name, words)
    return _typed(schema, root, name, words)


def _typed(schema: Json, root: Json, name: str, words: Words) -> Any:
    kinds: str | list[str] = schema.get("type", "object" if "properties" in schema else "string")
    match kinds if isinstance(kinds, str) else kinds[0]:
        case "object":
            properties: dict[str, Json] = schema.get("properties", {})
            required = schema.get("required", list(properties))
            return {key: _json(of, root, key, words) for key, of in properties.items() if key in required}
        case "array":
            items = cast(Json, schema.get("items", {}))
            return [_json(items, root, name, words) for _ in range(max(1, schema.get("minItems", 1)))]
        case "integer":
            return int(words.number())
        case "number":
            return words.number()
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return words.text(name)
